package store

import (
	"strings"

	"plumb/internal/db"
)

// A list is rows that are handed to a statement, as a table named w. PostgreSQL
// gets one array a column, so that the statement's text stays the same whatever
// the number of rows; SQLite gets VALUES, which it reads faster than anything
// that unpacks a text.
type list []column

type column struct {
	name string
	kind string // PostgreSQL's name of the type
	all  any    // the values as a slice
	n    int
	at   func(i int) any
}

func columnOf[T any](name, kind string, values []T) column {
	return column{name, kind, values, len(values), func(i int) any { return values[i] }}
}

func ints(name string, values []int64) column    { return columnOf(name, "bigint", values) }
func texts(name string, values []string) column  { return columnOf(name, "text", values) }
func nullable(name string, v []*string) column   { return columnOf(name, "text", v) }
func blobs(name string, values [][]byte) column  { return columnOf(name, "bytea", values) }
func booleans(name string, values []bool) column { return columnOf(name, "boolean", values) }
func collect[T, V any](from []T, f func(T) V) []V {
	out := make([]V, len(from))
	for i, v := range from {
		out[i] = f(v)
	}
	return out
}

// with returns the WITH clause that a statement begins with, and its arguments.
// SQLite walks the tables of a CROSS JOIN in the order in which they stand, so
// `w CROSS JOIN t` looks each row up; without the word it may read all of t.
func (l list) with(tx *db.Tx) (string, []any) {
	names := make([]string, len(l))
	for i, c := range l {
		names[i] = c.name
	}
	head := "WITH w (" + strings.Join(names, ", ") + ") AS ("
	if tx.Postgres() != nil {
		arrays, args := make([]string, len(l)), make([]any, len(l))
		for i, c := range l {
			arrays[i], args[i] = "?::"+c.kind+"[]", c.all
		}
		return head + "SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ")) ", args
	}
	n := l[0].n
	args := make([]any, 0, n*len(l))
	for i := range n {
		for _, c := range l {
			args = append(args, c.at(i))
		}
	}
	row := "(" + rows(len(l), "?") + ")"
	return head + "VALUES " + rows(n, row) + ") ", args
}

// rows returns one placeholder group n times, separated by commas.
func rows(n int, group string) string {
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}

// maxRows is how many rows a statement gets at most: SQLite takes 32,766
// arguments.
const maxRows = 1000
