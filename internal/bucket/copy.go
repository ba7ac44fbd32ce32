package bucket

import (
	"context"
	"fmt"

	"plumb/internal/db"
)

// EachBlob calls f with every blob that objects and uploads are made of.
func EachBlob(ctx context.Context, tx *db.Tx, f func(id string, size int64) error) error {
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var size int64
		if err := scan(&id, &size); err != nil {
			return err
		}
		return f(id, size)
	}, `SELECT blob, size FROM object_blobs ORDER BY blob`)
	if err != nil {
		return fmt.Errorf("list what objects are made of: %w", err)
	}
	return nil
}

// BlobPath is where a blob lies in the folder of Files.
func BlobPath(id string) string { return (&Files{}).path(id) }
