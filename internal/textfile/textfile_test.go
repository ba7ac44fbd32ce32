package textfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/textfile"
)

func TestTextIsReadAsShellsAndEditorsWriteIt(t *testing.T) {
	for written, want := range map[string]string{
		"{\"é\": 1}\r\n": "{\"é\": 1}\r\n",
		"\xef\xbb\xbf{}": "{}",
		"\xff\xfe{\x00\xe9\x00\x3d\xd8\x00\xde}\x00": "{é😀}",
		"\xfe\xff\x00{\x00}":                         "{}",
		"":                                           "",
		"\xff":                                       "\xff",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := textfile.Read(path); err != nil || string(got) != want {
			t.Errorf("%q is read as %q, %v", written, got, err)
		}
	}
}

func TestWhatIsNoTextFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "half")
	if err := os.WriteFile(half, []byte("\xff\xfe{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{dir: "is a folder: name a file", half: "half a character", filepath.Join(dir, "missing"): "no such file"} {
		if _, err := textfile.Read(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}
