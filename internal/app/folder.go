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
	"time"

	"plumb/internal/settings"
)

// takeLocks keeps a second server out of the data folder, and out of the SQLite
// file, which may lie elsewhere.
func (a *App) takeLocks() error {
	if err := os.MkdirAll(a.settings.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w: give a folder that this user may make or write to with --data", err)
	}
	if err := closeFolder(a.settings.Data); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	err := a.takeLock(filepath.Join(a.settings.Data, "lock"))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("data folder %s is used by another plumb: stop that one, or give this one another folder with --data", a.settings.Data)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w: give one that this user may write to with --data", err)
	}
	path, ok := strings.CutPrefix(a.settings.DatabaseURL(), "sqlite:")
	if !ok || path == "" {
		return nil // db says what is wrong with no path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the database's folder: %w", err)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	err = a.takeLock(path + ".lock")
	if errors.Is(err, errLocked) {
		return fmt.Errorf("database %s is used by another plumb: stop that one, or give this one another database with --database", path)
	}
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	return nil
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

func (a *App) takeLock(path string) error {
	l, err := newFileLock(path)
	if err == nil {
		a.locks = append(a.locks, l)
	}
	return err
}

// A fileLock keeps other processes out. The kernel lets go of it when the process
// ends, however it ends.
type fileLock struct{ file *os.File }

// errLocked says that another process has the lock.
var errLocked = errors.New("locked")

// lockWait is how long a lock is tried: the kernel may still be taking down the
// process before, or a child that it was about to start.
const lockWait = 3 * time.Second

func newFileLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(lockWait); ; time.Sleep(20 * time.Millisecond) {
		err := lockFile(f)
		if err == nil {
			return &fileLock{f}, nil
		}
		if !errors.Is(err, errLocked) || time.Now().After(until) {
			f.Close()
			return nil, err
		}
	}
}

func (l *fileLock) unlock() { l.file.Close() }

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
