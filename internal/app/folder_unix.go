//go:build unix

package app

import (
	"errors"
	"os"
	"syscall"
)

// fixUmask makes the modes of files what the code says, whatever the server was
// started with: functions, which may run as another user, must read their code,
// and what others must not read is made so.
func fixUmask() { syscall.Umask(0o022) }

// maxConnections is how many connections are answered at a time: what is left of
// this program's descriptors are files, the store's and functions'.
func maxConnections() int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return mostConnections
	}
	return int(max(64, min(uint64(files.Cur)/2, mostConnections)))
}

func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
