package bucket

import (
	"context"
	"fmt"

	"plumb/internal/db"
)

// EachBlob calls f with every blob that objects and uploads are made of and that
// lies in a folder: what is in the database is copied with it.
func EachBlob(ctx context.Context, tx *db.Tx, f func(id string, size int64) error) error {
	where, err := inFolder(ctx, tx)
	if err != nil {
		return fmt.Errorf("list what objects are made of: %w", err)
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var size int64
		if err := scan(&id, &size); err != nil {
			return err
		}
		return f(id, size)
	}, `SELECT blob, size FROM object_blobs b WHERE `+where+` ORDER BY blob`)
	if err != nil {
		return fmt.Errorf("list what objects are made of: %w", err)
	}
	return nil
}

// inFolder is the condition for blobs that are not in the database. A store that
// is copied may have the schema of an older program, without a place for them.
func inFolder(ctx context.Context, tx *db.Tx) (string, error) {
	if tx.Postgres() == nil {
		return `TRUE`, nil
	}
	var rows bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('blobs') IS NOT NULL`).Scan(&rows); err != nil || !rows {
		return `TRUE`, err
	}
	return `NOT EXISTS (SELECT 1 FROM blobs WHERE id = b.blob)`, nil
}

// BlobPath is where a blob lies in the folder of Files.
func BlobPath(id string) string { return (&Files{}).path(id) }
