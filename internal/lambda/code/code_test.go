package code

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

type entry struct {
	name, text string
	mode       fs.FileMode
}

func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(e.text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpack(t *testing.T, b []byte) (string, error) {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	return f.Get(SHA(b), func() ([]byte, error) { return b, nil })
}

func TestCodeIsUnpackedWithItsModes(t *testing.T) {
	b := zipped(t, entry{"bootstrap", "x", 0o755}, entry{"lib/secret.py", "y", 0o600}, entry{"link.py", "lib/secret.py", fs.ModeSymlink | 0o777})
	if err := Check(b); err != nil {
		t.Fatal(err)
	}
	dir, err := unpack(t, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"bootstrap": 0o755, "lib/secret.py": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "link.py")); err != nil || string(text) != "y" {
		t.Errorf("through the link: %q, %v", text, err)
	}
}

func TestCodeThatLeadsOutsideIsRefused(t *testing.T) {
	for name, entries := range map[string][]entry{
		"name with dots": {{"../evil", "x", 0o644}},
		"absolute name":  {{"/etc/evil", "x", 0o644}},
		"backslashes":    {{`..\evil`, "x", 0o644}},
		"link":           {{"l", "../..", fs.ModeSymlink | 0o777}},
		"absolute link":  {{"l", "/etc", fs.ModeSymlink | 0o777}},
		"through a link": {{"l", ".", fs.ModeSymlink | 0o777}, {"l/../../evil", "x", 0o644}},
	} {
		t.Run(name, func(t *testing.T) {
			b := zipped(t, entries...)
			_, err := unpack(t, b)
			if err == nil {
				t.Error("it was unpacked")
			}
		})
	}
}

func TestWhatIsNoZipIsRefused(t *testing.T) {
	if err := Check([]byte("hello")); !errors.Is(err, ErrNotZip) {
		t.Errorf("got %v", err)
	}
	if err := Check(nil); !errors.Is(err, ErrNotZip) {
		t.Errorf("got %v", err)
	}
}

func TestCodeOfManyFunctionsIsUnpackedOnce(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	b := zipped(t, entry{"a", "x", 0o644})
	reads := 0
	got := make(chan string)
	for range 8 {
		go func() {
			dir, err := f.Get(SHA(b), func() ([]byte, error) { reads++; return b, nil })
			if err != nil {
				t.Error(err)
			}
			got <- dir
		}()
	}
	for range 8 {
		if dir := <-got; filepath.Base(dir) != SHA(b) {
			t.Errorf("got %s", dir)
		}
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	if err := f.Sweep(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(f.dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
