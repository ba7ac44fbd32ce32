package db_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

var update = flag.Bool("update", false, "write schema.sql anew")

// schema.sql shows what the migrations add up to, in SQLite's spelling.
func TestSchemaFileShowsWhatTheMigrationsMake(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- What the migrations add up to, in SQLite's spelling. Printed by: go test ./internal/db -run Schema -update\n")
	d := dbtest.Open(t)
	write(t, d, func(tx *db.Tx) error {
		return db.Each(t.Context(), tx, func(scan func(...any) error) error {
			var text string
			if err := scan(&text); err != nil {
				return err
			}
			b.WriteString("\n" + text + ";\n")
			return nil
		}, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name NOT LIKE 'river_%' ORDER BY tbl_name, type DESC, name`)
	})
	if *update {
		if err := os.WriteFile("schema.sql", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("schema.sql")
	if err != nil || string(kept) != b.String() {
		t.Fatalf("schema.sql is stale (%v): go test ./internal/db -run Schema -update", err)
	}
}

// Both spellings of a migration make the same tables with the same columns.
func TestBothDatabasesHaveTheSameColumns(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("compared from PostgreSQL's side")
		}
		lite := dbtest.Open(t)
		want := columns(t, lite, `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2`)
		got := columns(t, d, `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2`)
		for c := range want {
			if !got[c] {
				t.Errorf("PostgreSQL lacks %s", c)
			}
		}
		for c := range got {
			if !want[c] {
				t.Errorf("SQLite lacks %s", c)
			}
		}
	})
}

func columns(t *testing.T, d *db.DB, query string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return db.Each(t.Context(), tx, func(scan func(...any) error) error {
			var table, column string
			err := scan(&table, &column)
			out[table+"."+column] = true
			return err
		}, query)
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(out, "sqlite_sequence.name")
	delete(out, "sqlite_sequence.seq")
	return out
}
