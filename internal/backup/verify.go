package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/db"
)

// Verify reads a whole backup: each file has its sum, none is missing or more, the
// database is whole, of a schema that this program knows, and the objects that it
// names are there.
func Verify(ctx context.Context, log *slog.Logger, folder string) (Backup, error) {
	b, err := readManifest(folder)
	if err != nil {
		return b, err
	}
	if err := checkSums(ctx, folder); err != nil {
		return b, err
	}
	file := filepath.Join(folder, b.databaseFile())
	if _, err := db.CheckSnapshot(ctx, file, b.Database == "postgres", log); err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	if b.Database == "postgres" {
		return b, nil
	}
	return b, checkObjects(ctx, log, folder, file)
}

func readManifest(folder string) (b Backup, err error) {
	text, err := os.ReadFile(filepath.Join(folder, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return b, fmt.Errorf("%s is no backup: it has no %s", folder, manifestFile)
	}
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("%s of %s does not parse: %w", manifestFile, folder, err)
	}
	if b.Format != format {
		return b, fmt.Errorf("the backup has the format %d, and this program knows %d: use the program that made it, version %s", b.Format, format, b.Version)
	}
	return b, nil
}

func checkSums(ctx context.Context, folder string) error {
	f, err := os.Open(filepath.Join(folder, sumsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	listed := map[string]bool{sumsFile: true}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("%s: %q is not a line of it", sumsFile, lines.Text())
		}
		listed[name] = true
		sum, _, err := sumOf(ctx, filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if sum != want {
			return fmt.Errorf("%s is not as it was: it has another SHA-256 than %s says", name, sumsFile)
		}
	}
	return eachFile(folder, func(path string) error {
		name, err := filepath.Rel(folder, path)
		if err == nil && !listed[filepath.ToSlash(name)] {
			return fmt.Errorf("%s is not in %s", name, sumsFile)
		}
		return err
	})
}

func checkObjects(ctx context.Context, log *slog.Logger, folder, file string) error {
	d, err := db.InspectSnapshot(file, log)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		return bucket.EachBlob(ctx, tx, func(id string, size int64) error {
			info, err := os.Stat(filepath.Join(folder, objectsFolder, bucket.BlobPath(id)))
			if err == nil && info.Size() != size {
				err = fmt.Errorf("it has %d bytes, and the database says %d", info.Size(), size)
			}
			if err != nil {
				return fmt.Errorf("object %s: %w", id, err)
			}
			return nil
		})
	})
}
