//go:build linux

package deploy_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeImage writes the image of a program and returns the file.
func writeImage(t *testing.T, program string) string {
	t.Helper()
	output := filepath.Join(t.TempDir(), "plumb.oci.tar")
	certificates := filepath.Join(t.TempDir(), "authorities.crt")
	if err := os.WriteFile(certificates, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./deploy/container", "-program", program, "-certificates", certificates, "-output", output)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return output
}

// entries reads a tar file.
func entries(t *testing.T, r io.Reader, each func(*tar.Header, []byte)) {
	t.Helper()
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		each(h, body)
	}
}

// A layout is an image in the form of the OCI image specification.
type layout struct {
	*testing.T
	files map[string][]byte
}

func openLayout(t *testing.T, path string) layout {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{t, map[string][]byte{}}
	entries(t, bytes.NewReader(text), func(h *tar.Header, body []byte) { l.files[h.Name] = body })
	return l
}

type blobName struct {
	Digest, MediaType string
	Size              int
}

// blob returns what a descriptor names, and checks that it is that.
func (l layout) blob(d blobName) []byte {
	l.Helper()
	body := l.files["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(body)); got != d.Digest || len(body) != d.Size {
		l.Fatalf("the blob %s has %d bytes and the digest %s", d.Digest, len(body), got)
	}
	return body
}

func (l layout) json(body []byte, v any) {
	l.Helper()
	if err := json.Unmarshal(body, v); err != nil {
		l.Fatal(err)
	}
}

type imageConfig struct {
	Architecture, OS string
	RootFS           struct {
		Type    string
		DiffIDs []string `json:"diff_ids"`
	}
	Config struct {
		User        string
		Env         []string
		Entrypoint  []string
		Volumes     map[string]any
		Healthcheck struct{ Test []string }
	}
}

// unpack returns how the image is run and a folder with its files.
func (l layout) unpack() (c imageConfig, root string) {
	l.Helper()
	var marker struct{ ImageLayoutVersion string }
	l.json(l.files["oci-layout"], &marker)
	var index struct{ Manifests []blobName }
	l.json(l.files["index.json"], &index)
	if marker.ImageLayoutVersion != "1.0.0" || len(index.Manifests) != 1 {
		l.Fatalf("it is version %s with %d images", marker.ImageLayoutVersion, len(index.Manifests))
	}
	var manifest struct {
		Config blobName
		Layers []blobName
	}
	l.json(l.blob(index.Manifests[0]), &manifest)
	l.json(l.blob(manifest.Config), &c)
	if len(manifest.Layers) != 1 || len(c.RootFS.DiffIDs) != 1 {
		l.Fatalf("it has %d layers", len(manifest.Layers))
	}
	z, err := gzip.NewReader(bytes.NewReader(l.blob(manifest.Layers[0])))
	if err != nil {
		l.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		l.Fatal(err)
	}
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(plain)); got != c.RootFS.DiffIDs[0] {
		l.Errorf("the layer is %s, and the configuration says %s", got, c.RootFS.DiffIDs[0])
	}
	root = l.TempDir()
	entries(l.T, bytes.NewReader(plain), func(h *tar.Header, body []byte) { extract(l.T, root, h, body) })
	return c, root
}

func extract(t *testing.T, root string, h *tar.Header, body []byte) {
	t.Helper()
	path := filepath.Join(root, h.Name)
	var err error
	if h.Typeflag == tar.TypeDir {
		err = os.Mkdir(path, 0o700)
	} else {
		err = os.WriteFile(path, body, 0o600)
	}
	if err == nil && os.Getuid() == 0 {
		err = os.Chown(path, h.Uid, h.Gid)
	}
	if err == nil {
		err = os.Chmod(path, h.FileInfo().Mode())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSameProgramMakesTheSameImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "plumb")
	if err := os.WriteFile(program, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(writeImage(t, program))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(writeImage(t, program))
	if err != nil || !bytes.Equal(one, other) {
		t.Errorf("two images differ, %v", err)
	}
}

// TestImageRunsAsNobodyOnAnEmptyRoot unpacks the image and starts it as an engine
// does: in its own root, where it may write nothing but its data, as its user.
func TestImageRunsAsNobodyOnAnEmptyRoot(t *testing.T) {
	c, root := openLayout(t, writeImage(t, program(t))).unpack()
	if c.OS != "linux" || c.Config.User != "65532:65532" || c.Config.Volumes["/data"] == nil {
		t.Errorf("the image is %+v", c)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can enter the image")
	}
	inside := func(ctx context.Context, command []string, more ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir, cmd.Env = "/", append(c.Config.Env, more...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd
	}
	for dir := root; dir != "/"; dir = filepath.Dir(dir) { // folders of tests are their owner's alone
		if info, err := os.Stat(dir); err == nil && strings.HasPrefix(dir, os.TempDir()+"/") {
			os.Chmod(dir, info.Mode().Perm()|0o011)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server := inside(ctx, c.Config.Entrypoint, "PLUMB_LISTEN=0.0.0.0:0", "PLUMB_LOG_LEVEL=error") // its port may be taken here
	errOut, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var line string
	for lines := bufio.NewScanner(errOut); lines.Scan(); {
		if line = lines.Text(); strings.HasPrefix(line, "ready ") {
			break
		}
	}
	url, ok := strings.CutPrefix(line, "ready ")
	if !ok {
		t.Fatalf("it says %q", line)
	}
	check := c.Config.Healthcheck.Test
	if len(check) < 2 || check[0] != "CMD" {
		t.Fatalf("the health check is %v", check)
	}
	if out, err := inside(ctx, append(check[1:], "--endpoint", url)).CombinedOutput(); err != nil {
		t.Errorf("the health check of a server that runs: %v: %s", err, out)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if out, err := inside(ctx, append(check[1:], "--endpoint", url)).CombinedOutput(); err == nil {
		t.Errorf("a server that has ended is well: %s", out)
	}
}
