//go:build unix

package environment

import (
	"io/fs"
	"syscall"
)

// onDisk returns what a file takes on the disk, and, if it has several names, what
// tells it from others.
func onDisk(info fs.FileInfo) (size int64, id any) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.Size(), nil
	}
	if s.Nlink > 1 && !info.IsDir() {
		id = s.Ino
	}
	return s.Blocks * 512, id
}
