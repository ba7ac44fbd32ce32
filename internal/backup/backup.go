// Package backup copies what Plumb keeps, the store and the bytes of objects, while
// servers go on, checks copies, and makes a data folder of one again.
//
//	b, err := backup.Make(ctx, log, settings, "copies/monday", version)
//	b, err = backup.Verify(ctx, log, "copies/monday")
//	b, err = backup.Restore(ctx, log, settings, "copies/monday")
//
// A backup is a folder: manifest.json, the database as plumb.db or plumb.dump, the
// folder objects, and SHA256SUMS over all of it. The settings file is not in it, nor
// what can be made again: unpacked code and the sandbox.
package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/bucket"
	"plumb/internal/db"
	"plumb/internal/settings"
)

// A Backup is what a manifest says.
type Backup struct {
	Format   int       `json:"format"`
	Version  string    `json:"version"` // of the program that made it
	Made     time.Time `json:"made"`
	Database string    `json:"database"` // sqlite or postgres
	Schema   int       `json:"schema"`   // the last step of the database's schema
	Objects  int       `json:"objects"`  // files in the folder objects
	Bytes    int64     `json:"bytes"`    // of all files
}

// format is the only one there is.
const format = 1

const (
	manifestFile  = "manifest.json"
	sumsFile      = "SHA256SUMS"
	liteFile      = "plumb.db"
	dumpFile      = "plumb.dump"
	objectsFolder = "objects" // in a data folder as well
)

func (b Backup) databaseFile() string {
	if b.Database == "postgres" {
		return dumpFile
	}
	return liteFile
}

// maxTries is how often the database is copied until all objects that it names were
// copied too: one may be deleted in between.
const maxTries = 10

// Make copies a data folder and its database to a folder that is not there yet. It
// is called so only once all of it is on the disk.
func Make(ctx context.Context, log *slog.Logger, s settings.Settings, folder, version string) (Backup, error) {
	if _, err := os.Lstat(folder); err == nil {
		return Backup{}, fmt.Errorf("%s is there already: name a folder for the backup that is not", folder)
	}
	d, err := db.Inspect(ctx, s.DatabaseURL(), log)
	if err != nil {
		return Backup{}, err
	}
	defer d.Close()
	schema, err := d.Schema(ctx)
	if err != nil {
		return Backup{}, err
	}
	if schema.Step == 0 {
		return Backup{}, fmt.Errorf("%s is no database of Plumb yet", s.ShownDatabase())
	}
	b := Backup{Format: format, Version: version, Made: time.Now().UTC().Truncate(time.Second), Database: "sqlite", Schema: schema.Step}
	if d.IsPostgres() {
		b.Database = "postgres"
	}
	partial := folder + ".partial"
	if err := os.MkdirAll(partial, 0o700); err != nil {
		return b, err
	}
	c := &copying{backup: b, from: filepath.Join(s.Data, objectsFolder), to: partial}
	if err := c.all(ctx, d); err != nil {
		return c.backup, errors.Join(fmt.Errorf("back up: %w", err), os.RemoveAll(partial))
	}
	return c.backup, os.Rename(partial, folder)
}

// A copying is a backup in the making.
type copying struct {
	backup   Backup
	from, to string
	wanted   map[string]int64 // objects that the database names
}

func (c *copying) all(ctx context.Context, d *db.DB) error {
	for try := 1; ; try++ {
		if err := c.database(ctx, d); err != nil {
			return err
		}
		missing, err := c.objects(ctx)
		if err != nil {
			return err
		}
		if missing == "" {
			break
		}
		if try == maxTries {
			return fmt.Errorf("the object %s is named by the database and not in %s", missing, c.from)
		}
	}
	if err := c.dropOthers(); err != nil {
		return err
	}
	return c.seal(ctx)
}

// database copies the database anew and notes which objects it names.
func (c *copying) database(ctx context.Context, d *db.DB) error {
	file := filepath.Join(c.to, c.backup.databaseFile())
	if err := os.RemoveAll(file); err != nil {
		return err
	}
	c.wanted = map[string]int64{}
	return d.Snapshot(ctx, file, func(tx *db.Tx) error {
		return bucket.EachBlob(ctx, tx, func(id string, size int64) error {
			c.wanted[id] = size
			return nil
		})
	})
}

// objects copies those that are not copied yet. It returns the id of one that is
// gone: the database that names it is too old.
func (c *copying) objects(ctx context.Context) (missing string, err error) {
	for id, size := range c.wanted {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		from, to := filepath.Join(c.from, bucket.BlobPath(id)), filepath.Join(c.to, objectsFolder, bucket.BlobPath(id))
		if info, err := os.Stat(to); err == nil && info.Size() == size {
			continue
		}
		n, err := copyFile(from, to)
		if errors.Is(err, fs.ErrNotExist) {
			return id, nil
		}
		if err != nil {
			return "", err
		}
		if n != size {
			return "", fmt.Errorf("the object %s has %d bytes, and the database says %d", id, n, size)
		}
	}
	return "", nil
}

// dropOthers removes objects that an earlier try copied and the database does not
// name any more.
func (c *copying) dropOthers() error {
	return eachFile(filepath.Join(c.to, objectsFolder), func(path string) error {
		if _, ok := c.wanted[filepath.Base(path)]; ok {
			return nil
		}
		return os.Remove(path)
	})
}

// seal writes what the backup is, and the sums of its files, and waits for the disk.
func (c *copying) seal(ctx context.Context) error {
	c.backup.Objects, c.backup.Bytes = len(c.wanted), 0
	var sums strings.Builder
	err := eachFile(c.to, func(path string) error {
		sum, n, err := sumOf(ctx, path)
		if err != nil {
			return err
		}
		c.backup.Bytes += n
		return c.note(&sums, path, sum)
	})
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(c.backup, "", "  ")
	if err != nil {
		return err
	}
	manifest = append(manifest, '\n')
	path := filepath.Join(c.to, manifestFile)
	sum := sha256.Sum256(manifest)
	if err := errors.Join(writeFile(path, manifest), c.note(&sums, path, hex.EncodeToString(sum[:]))); err != nil {
		return err
	}
	return writeFile(filepath.Join(c.to, sumsFile), []byte(sums.String()))
}

func (c *copying) note(sums *strings.Builder, path, sum string) error {
	name, err := filepath.Rel(c.to, path)
	if err == nil {
		fmt.Fprintf(sums, "%s  %s\n", sum, filepath.ToSlash(name)) // as sha256sum has it
	}
	return err
}

// eachFile calls f with each file in a folder, if there is one, in the order of
// their names.
func eachFile(dir string, f func(path string) error) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return f(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Stat(dir); there != nil {
			return nil
		}
	}
	return err
}

// sumOf reads a file, and waits until the disk has it.
func sumOf(ctx context.Context, path string) (sum string, n int64, err error) {
	if err := ctx.Err(); err != nil {
		return "", 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if n, err = io.Copy(h, bufio.NewReaderSize(f, 1<<20)); err != nil {
		return "", n, err
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

func copyFile(from, to string) (n int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	if n, err = io.Copy(out, in); err == nil {
		err = out.Sync()
	}
	return n, errors.Join(err, out.Close())
}

func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
