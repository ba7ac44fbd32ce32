package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"plumb/internal/settings"
)

// A folderLock keeps a second server out of a data folder. The kernel lets go of
// it when the process ends, however it ends.
type folderLock struct{ file *os.File }

// lockFolder makes the folder, closes it to everyone but its owner, and takes it.
func lockFolder(dir string) (*folderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := closeFolder(dir); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("data folder %s is used by another plumb; give this one --data: %w", dir, err)
	}
	return &folderLock{f}, nil
}

// closeFolder takes the rights of others from a folder that was there before: a
// package or a person made it with the usual ones, and it holds configurations,
// keys and code. A folder of another user, such as a mounted volume, stays as it
// is.
func closeFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

func (l *folderLock) unlock() {
	if l != nil {
		l.file.Close()
	}
}

// serverName returns the name by which this server finds the jobs that it left.
// It is kept in the data folder, which has one server at a time: a restart keeps
// it, whatever port was picked.
func serverName(s settings.Settings) (string, error) {
	if s.Host != "" {
		return s.Host, nil
	}
	file := filepath.Join(s.Data, "server")
	kept, err := os.ReadFile(file)
	if name := strings.TrimSpace(string(kept)); err == nil && name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("data folder: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "plumb"
	}
	fresh := make([]byte, 4)
	rand.Read(fresh)
	name := host + "-" + hex.EncodeToString(fresh)
	if err := os.WriteFile(file, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return name, nil
}
