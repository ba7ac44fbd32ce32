package db_test

import (
	"strings"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// SQLite would use the index of what is undelivered for 3, the value that the index is made for, and
// so prepare the statement anew whenever a value is bound.
func TestPlansOfSQLiteDoNotDependOnValues(t *testing.T) {
	d := dbtest.Open(t)
	plan := func(state int) (out []string) {
		t.Helper()
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return db.Each(t.Context(), tx, func(scan func(...any) error) error {
				var id, parent, unused int
				var step string
				defer func() { out = append(out, step) }()
				return scan(&id, &parent, &unused, &step)
			}, `EXPLAIN QUERY PLAN SELECT id FROM outbox_message WHERE state = ? ORDER BY since`, state)
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	undelivered, other := plan(3), plan(2)
	if len(undelivered) == 0 || strings.Join(undelivered, "\n") != strings.Join(other, "\n") {
		t.Errorf("the plans are %q and %q", undelivered, other)
	}
}
