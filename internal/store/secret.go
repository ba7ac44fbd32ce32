package store

import (
	"context"
	"crypto/rand"
	"fmt"

	"plumb/internal/db"
)

// Secret returns the 32 random bytes of that name, which every server of this
// store shares; the first one to ask makes them.
func Secret(ctx context.Context, tx *db.Tx, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	_, err := tx.Exec(ctx, `INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, tx.Seal(name, fresh))
	if err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	var kept []byte
	if err := tx.QueryRow(ctx, `SELECT value FROM secret WHERE name = ?`, name).Scan(&kept); err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	value, open, err := tx.Unseal(name, kept)
	if err == nil && open {
		_, err = tx.Exec(ctx, `UPDATE secret SET value = ? WHERE name = ?`, tx.Seal(name, value), name)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return value, nil
}
