package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"plumb/internal/db"
	"plumb/internal/settings"
)

// Restore verifies a backup and makes a data folder and a database of it. Neither
// may hold anything yet. A server that starts on them goes on where the backup was
// made.
func Restore(ctx context.Context, log *slog.Logger, s settings.Settings, folder string) (Backup, error) {
	b, err := Verify(ctx, log, folder)
	if err != nil {
		return b, err
	}
	if kind := kindOf(s); kind != b.Database {
		return b, fmt.Errorf("the backup is of a database of the kind %s, and the setting database names one of the kind %s: "+
			"a backup is restored to a database of its own kind", b.Database, kind)
	}
	entries, err := os.ReadDir(s.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	if len(entries) > 0 {
		return b, fmt.Errorf("the data folder %s is not empty: name another one with --data, or move it away", s.Data)
	}
	from := filepath.Join(folder, objectsFolder)
	err = eachFile(from, func(path string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err == nil {
			_, err = copyFile(path, filepath.Join(s.Data, objectsFolder, name))
		}
		return err
	})
	if err != nil {
		return b, fmt.Errorf("restore the objects: %w", err)
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return b, err
	}
	if err := db.LoadSnapshot(ctx, s.DatabaseURL(), filepath.Join(folder, b.databaseFile()), log); err != nil {
		return b, fmt.Errorf("restore the database: %w", err)
	}
	return b, nil
}

func kindOf(s settings.Settings) string {
	if strings.HasPrefix(s.DatabaseURL(), "sqlite:") {
		return "sqlite"
	}
	return "postgres"
}
