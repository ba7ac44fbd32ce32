package db

import (
	"context"
	"fmt"
	"strings"
)

// Empty deletes every row but the migrations' own, whatever the tables are
// called: a table that a later migration adds is not forgotten.
func (d *DB) Empty(ctx context.Context) error {
	defer d.shared.Clear() // what was remembered of rows that are gone
	return d.Write(ctx, func(tx *Tx) error {
		names, err := tables(ctx, tx)
		if err != nil {
			return err
		}
		if d.IsPostgres() {
			_, err := tx.Exec(ctx, "TRUNCATE "+strings.Join(names, ", ")+" CASCADE")
			return err
		}
		if _, err := tx.Exec(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := tx.Exec(ctx, "DELETE FROM "+name); err != nil {
				return fmt.Errorf("empty %s: %w", name, err)
			}
		}
		return nil
	})
}

// tables names the tables with data, quoted.
func tables(ctx context.Context, tx *Tx) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if tx.Postgres() != nil {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	var names []string
	err := Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if !strings.HasSuffix(name, "_migration") {
			names = append(names, `"`+name+`"`)
		}
		return nil
	}, query)
	return names, err
}
