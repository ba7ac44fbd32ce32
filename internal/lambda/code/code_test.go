package code

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type part struct {
	name, text string
	mode       fs.FileMode
}

func zipped(t *testing.T, entries ...part) []byte {
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
	dir, _, err := f.Get(SHA(b), func() ([]byte, error) { return b, nil })
	return dir, err
}

func TestCodeIsUnpackedWithItsModes(t *testing.T) {
	b := zipped(t, part{"bootstrap", "x", 0o755}, part{"lib/secret.py", "y", 0o600}, part{"link.py", "lib/secret.py", fs.ModeSymlink | 0o777})
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

func TestCodeThatCannotBeUnpackedIsRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"name with dots":     zipped(t, part{"../evil", "x", 0o644}),
		"absolute name":      zipped(t, part{"/etc/evil", "x", 0o644}),
		"backslashes":        zipped(t, part{`..\evil`, "x", 0o644}),
		"link":               zipped(t, part{"l", "../..", fs.ModeSymlink | 0o777}),
		"absolute link":      zipped(t, part{"l", "/etc", fs.ModeSymlink | 0o777}),
		"link to nothing":    zipped(t, part{"l", "", fs.ModeSymlink | 0o777}),
		"long link":          zipped(t, part{"l", strings.Repeat("x", 5000), fs.ModeSymlink | 0o777}),
		"through a link":     zipped(t, part{"l", ".", fs.ModeSymlink | 0o777}, part{"l/../../evil", "x", 0o644}),
		"below a link":       zipped(t, part{"l", ".", fs.ModeSymlink | 0o777}, part{"l/evil", "x", 0o644}),
		"device":             zipped(t, part{"d", "", fs.ModeDevice | 0o644}),
		"file and folder":    zipped(t, part{"x", "x", 0o644}, part{"x/y", "y", 0o644}),
		"folder and file":    zipped(t, part{"x/y", "y", 0o644}, part{"x", "x", 0o644}),
		"the folder itself":  zipped(t, part{".", "x", 0o644}),
		"long name":          zipped(t, part{strings.Repeat("x", 256), "x", 0o644}),
		"long path":          zipped(t, part{strings.Repeat("x/", 1000) + "x", "x", 0o644}),
		"name with a zero":   zipped(t, part{"x\x00y", "x", 0o644}),
		"damaged content":    damaged(t),
		"size that is a lie": lying(t),
		"more than may be":   zipped(t, many(maxEntries+1)...),
		"more than is named": zipped(t, deep()...),
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check(b); !errors.Is(err, ErrNotZip) {
				t.Errorf("the check says %v", err)
			}
			if _, err := unpack(t, b); err == nil {
				t.Error("it was unpacked")
			}
		})
	}
}

func many(n int) []part {
	out := make([]part, n)
	for i := range out {
		out[i] = part{strconv.Itoa(i), "", 0o644}
	}
	return out
}

// deep has few files, and more folders than may be.
func deep() (out []part) {
	const depth = 450
	for i := range maxEntries/depth + 1 {
		out = append(out, part{strconv.Itoa(i) + strings.Repeat("/b", depth), "", 0o644})
	}
	return out
}

// damaged has content that is not what its checksum says.
func damaged(t *testing.T) []byte {
	b := zipped(t, part{"f", strings.Repeat("text", 100), 0o644})
	b[len("PK\x03\x04")+26+len("f")+2] ^= 0xff
	return b
}

// lying says in its list of files that one is smaller than it is.
func lying(t *testing.T) []byte {
	b := zipped(t, part{"f", strings.Repeat("text", 100), 0o644})
	const size = 24 // offset in the list's record
	at := bytes.Index(b, []byte("PK\x01\x02")) + size
	binary.LittleEndian.PutUint32(b[at:], 1)
	return b
}

func TestOfTwoFilesWithOneNameTheLastCounts(t *testing.T) {
	b := zipped(t, part{"./", "", fs.ModeDir | 0o755}, part{"f", "first", 0o644}, part{"f", "last", 0o644})
	if err := Check(b); err != nil {
		t.Fatal(err)
	}
	dir, err := unpack(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(text) != "last" {
		t.Errorf("%q, %v", text, err)
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
	b := zipped(t, part{"a", "x", 0o644})
	reads := 0
	got := make(chan string)
	for range 8 {
		go func() {
			dir, release, err := f.Get(SHA(b), func() ([]byte, error) { reads++; return b, nil })
			if err != nil {
				t.Error(err)
			}
			release()
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
	f.Sweep(func(string) bool { return false })
	if left := folders(t, f); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// folders lists what lies in a cache.
func folders(t *testing.T, f *Folders) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// keep unpacks a zip with one file of that text.
func keep(t *testing.T, f *Folders, text string) (sha string, release func()) {
	t.Helper()
	b := zipped(t, part{"f", text, 0o644})
	_, release, err := f.Get(SHA(b), func() ([]byte, error) { return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	return SHA(b), release
}

func TestCodeInUseStaysUntilItIsReleased(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	sha, release := keep(t, f, "x")
	held := f.Hold(filepath.Join(f.dir, sha))
	release()
	f.Sweep(func(string) bool { return false })
	if left := folders(t, f); !slices.Equal(left, []string{sha}) {
		t.Errorf("in use: left %v", left)
	}
	held()
	if left := folders(t, f); len(left) != 0 {
		t.Errorf("released: left %v", left)
	}
}

func TestAFullCacheLosesWhatWasNotUsedForLongest(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	f.maxKept = 3 * 2 * 4096          // three folders of one small file
	first, release := keep(t, f, "1") // stays in use
	var others []string
	for _, text := range []string{"2", "3"} {
		sha, release := keep(t, f, text)
		release()
		others = append(others, sha)
	}
	if _, again := keep(t, f, "2"); again != nil {
		again()
	}
	last, _ := keep(t, f, "4")
	left, want := folders(t, f), []string{first, others[0], last}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left %v, want %v", left, want)
	}
	release()
}

func TestCodeOutlivesTheProgramButNotTheMachine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "code")
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sha, _ := keep(t, f, "x")
	if err := os.Mkdir(filepath.Join(dir, "part-1"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := []string{sha}
	if _, err := os.Stat(filepath.Join(dir, bootFile)); err != nil {
		want = nil // this system does not say when it was started
	}
	if f, err = Open(dir); err != nil || !slices.Equal(folders(t, f), want) {
		t.Errorf("after a restart of the program: %v, %v", folders(t, f), err)
	}
	if err := os.WriteFile(filepath.Join(dir, bootFile), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(dir); err != nil || len(folders(t, f)) != 0 {
		t.Errorf("after a restart of the machine: %v, %v", folders(t, f), err)
	}
}
