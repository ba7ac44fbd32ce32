//go:build unix

package app_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// A service manager may set any umask: one that opens what the server keeps, and
// one that would hide their code from functions.
func TestFilesHaveTheirModesWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o077} {
		t.Run(fmt.Sprintf("%03o", umask), func(t *testing.T) {
			data, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "new")
			if err := os.Chmod(data, 0o777); err != nil {
				t.Fatal(err)
			}
			before := syscall.Umask(umask)
			defer syscall.Umask(before)
			p := apptest.Start(t, func(s *settings.Settings) {
				s.Data, s.Database = data, "sqlite:"+filepath.Join(elsewhere, "plumb.db")
			})
			useFolders(t, p)
			for _, dir := range []string{data, elsewhere} {
				checkModes(t, dir)
			}
		})
	}
}

// useFolders has an object kept and a function run.
func useFolders(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		t.Fatal(err)
	}
	_, err := p.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: strings.NewReader("text")})
	if err != nil {
		t.Fatal(err)
	}
	if exec.CommandContext(t.Context(), "python3", "-c", "").Run() != nil {
		return
	}
	code := lambdatest.Zip(t, "below/f.py", []byte("def h(e, c): return 1\n"))
	if err := p.PutFunction(t.Context(), "f", "below/f.h", code); err != nil {
		t.Fatal(err)
	}
	out, err := p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Payload) != "1" {
		t.Errorf("the function answered %s", out.Payload)
	}
}

// checkModes wants a folder to be closed to others, and what is kept in it too:
// code and what functions see is open to those who are let into the folder.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case "functions", "run", "sandbox":
			return fs.SkipDir
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
