package s3_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/db/dbtest"
)

// The AWS CLI is how most people will meet this: it syncs, uploads in parts and
// sends its checksums in trailers.
func TestTheCommandLineWorks(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("no AWS CLI on this machine")
	}
	s := start(t, dbtest.Open(t))
	dir := t.TempDir()
	large := filepath.Join(dir, "large.bin")
	s.must(os.WriteFile(large, body(20<<20), 0o600))
	s.must(os.WriteFile(filepath.Join(dir, "small é.txt"), []byte("hello"), 0o600))

	s.aws("mb", "s3://cli-bucket")
	s.aws("sync", dir, "s3://cli-bucket/in/")
	s.equal(strings.Contains(s.aws("ls", "s3://cli-bucket"), "PRE in/"), true)
	s.equal(strings.Contains(s.aws("ls", "--recursive", "s3://cli-bucket"), "in/small é.txt"), true)
	s.aws("cp", "s3://cli-bucket/in/large.bin", "s3://cli-bucket/copy.bin")
	s.aws("cp", "s3://cli-bucket/copy.bin", filepath.Join(dir, "back.bin"))
	got, err := os.ReadFile(filepath.Join(dir, "back.bin"))
	s.must(err)
	s.equal(bytes.Equal(got, body(20<<20)), true)
	s.equal(s.aws("sync", "--exclude", "back.bin", dir, "s3://cli-bucket/in/"), "") // nothing changed
	s.aws("rm", "--recursive", "s3://cli-bucket/in/")
	s.aws("rb", "--force", "s3://cli-bucket")
}

func (s *server) aws(args ...string) string {
	s.Helper()
	c := exec.CommandContext(s.ctx, "aws", append([]string{"--endpoint-url", s.url, "s3"}, append(args, "--no-progress")...)...)
	if args[0] != "cp" && args[0] != "sync" {
		c.Args = c.Args[:len(c.Args)-1]
	}
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=111111111111", "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "PYTHONIOENCODING=utf-8", "LC_ALL=C.UTF-8", "AWS_SESSION_TOKEN=")
	out, err := c.CombinedOutput()
	if err != nil {
		s.Fatalf("aws s3 %v: %v\n%s", args, err, out)
	}
	return string(out)
}
