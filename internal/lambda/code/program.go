package code

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// program is the file of code that is one program.
const program = "bootstrap"

// PutProgram makes the folder of code that is one program, which was never a zip
// file. The folder stays until release is called.
func (f *Folders) PutProgram(content []byte) (sha string, release func(), err error) {
	if len(content) > MaxUnzipped {
		return "", nil, ErrTooLarge
	}
	sha = SHA(content)
	_, release, err = f.get(sha, func(part string) error {
		return os.WriteFile(filepath.Join(part, program), content, 0o755)
	})
	return sha, release, err
}

// Program returns the zip file of code that PutProgram got; ok is false if there is
// no such code.
func (f *Folders) Program(sha string) (b []byte, ok bool, err error) {
	content, err := os.ReadFile(filepath.Join(f.dir, sha, program))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	head := &zip.FileHeader{Name: program, Method: zip.Deflate}
	head.SetMode(0o755)
	w, err := z.CreateHeader(head)
	if err == nil {
		_, err = w.Write(content)
	}
	err = errors.Join(err, z.Close())
	return out.Bytes(), err == nil, err
}
