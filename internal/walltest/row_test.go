package walltest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"plumb/internal/db"
)

// A row is a row of a table, written as COLUMN=VALUE.
type row struct{ table, text string }

// volatile tables say what the server itself does, at which moment.
func volatile(table string) bool {
	for _, prefix := range []string{"river", "audit_", "clock", "job_", "sqlite_", "plumb_", "dictionary", "announcement", "source_wake", "cloudfront_names"} {
		if strings.HasPrefix(table, prefix) {
			return true
		}
	}
	return false
}

// rows reads the whole store but for what is volatile.
func rows(t *testing.T, url string) map[row]bool {
	t.Helper()
	d, err := db.Inspect(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	out := map[row]bool{}
	err = d.Read(t.Context(), func(tx *db.Tx) error {
		read, names := reader(t.Context(), tx)
		tables, err := read(names)
		if err != nil {
			return err
		}
		for _, name := range tables {
			if volatile(name[0]) {
				continue
			}
			all, err := read("SELECT * FROM " + name[0])
			if err != nil {
				return err
			}
			for _, values := range all {
				out[row{name[0], strings.Join(values, " ")}] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// reader returns what reads the rows of any query, and the query for all tables. A
// query with one column gives bare values.
func reader(ctx context.Context, tx *db.Tx) (func(query string) ([][]string, error), string) {
	if pg := tx.Postgres(); pg != nil {
		return func(query string) (out [][]string, err error) {
			r, err := pg.Query(ctx, query)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			var columns []string
			for _, f := range r.FieldDescriptions() {
				columns = append(columns, f.Name)
			}
			for r.Next() {
				values, err := r.Values()
				if err != nil {
					return nil, err
				}
				out = append(out, written(columns, values))
			}
			return out, r.Err()
		}, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	return func(query string) (out [][]string, err error) {
		r, err := tx.SQLite().QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		columns, err := r.Columns()
		if err != nil {
			return nil, err
		}
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		for r.Next() {
			if err := r.Scan(to...); err != nil {
				return nil, err
			}
			out = append(out, written(columns, values))
		}
		return out, r.Err()
	}, "SELECT name FROM sqlite_master WHERE type = 'table'"
}

func written(columns []string, values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		out[i] = fmt.Sprintf("%s=%v", columns[i], v)
		if len(columns) == 1 {
			out[i] = fmt.Sprint(v)
		}
	}
	return out
}

// gone lists rows that are not there any more, and added those that are new.
func compare(before, after map[row]bool) (gone, added []row) {
	for r := range before {
		if !after[r] {
			gone = append(gone, r)
		}
	}
	for r := range after {
		if !before[r] {
			added = append(added, r)
		}
	}
	by := func(a, b row) int { return strings.Compare(a.table+a.text, b.table+b.text) }
	slices.SortFunc(gone, by)
	slices.SortFunc(added, by)
	return gone, added
}
