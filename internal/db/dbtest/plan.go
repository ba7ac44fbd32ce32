package dbtest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"plumb/internal/db"
)

// Page fails the test if a query of f, which reads one page of something, does
// not go to the page's first row by an index and on from there: if it scans or
// sorts more than that, or walks from the start of the index. f reads a page in
// the middle. Tables named in small are so by nature, and may be read as a whole.
func Page(t *testing.T, d *db.DB, f func(tx *db.Tx) error, small ...string) {
	t.Helper()
	checkPlans(t, d, func() error { return d.Read(t.Context(), f) }, true, small)
}

// PageOf is Page for reads that open their own transaction.
func PageOf(t *testing.T, d *db.DB, f func() error, small ...string) {
	t.Helper()
	checkPlans(t, d, f, true, small)
}

// Indexed is Page for reads that are not of a page: sums, heads, one row.
func Indexed(t *testing.T, d *db.DB, f func(tx *db.Tx) error, small ...string) {
	t.Helper()
	checkPlans(t, d, func() error { return d.Read(t.Context(), f) }, false, small)
}

// SmallSort is a name among the small tables for reads that sort what they found,
// which is bounded by the page.
const SmallSort = "sort"

type traced struct {
	query string
	args  []any
}

func checkPlans(t *testing.T, d *db.DB, f func() error, paged bool, small []string) {
	t.Helper()
	var queries []traced
	d.Trace(func(query string, args []any) { queries = append(queries, traced{query, args}) })
	err := f()
	d.Trace(nil)
	if err != nil {
		t.Fatal(err)
	}
	seeks := false
	for _, q := range queries {
		steps, err := explain(t.Context(), d, q)
		if err != nil {
			t.Fatalf("explain %s: %v", q.query, err)
		}
		plan := "\n\t" + strings.Join(steps, "\n\t")
		for _, step := range steps {
			if why := bad(step, append(small, made(steps)...)); why != "" {
				t.Errorf("%s: %s%s", why, squeeze(q.query), plan)
			}
			seeks = seeks || strings.Contains(step, ">")
		}
	}
	if paged && !seeks {
		t.Errorf("no index is entered in the middle: %s", squeeze(fmt.Sprint(queries)))
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// scanOf finds the table that a step reads as a whole.
var scanOf = regexp.MustCompile(`^(?:SCAN|Seq Scan) (\w+)(.*)`)

// bad says what is wrong with a step of a plan, if anything is.
func bad(step string, small []string) string {
	if strings.HasPrefix(step, "USE TEMP B-TREE FOR") && strings.Contains(step, "ORDER BY") || strings.HasPrefix(step, "Sort") || strings.HasPrefix(step, "Incremental Sort") {
		if slices.Contains(small, SmallSort) {
			return ""
		}
		return "it sorts"
	}
	m := scanOf.FindStringSubmatch(step)
	if m == nil || strings.Contains(step, "CONSTANT ROW") || slices.Contains(small, m[1]) {
		return ""
	}
	return "it reads all of " + m[1]
}

// made returns the names of what a query makes itself: SQLite scans that.
func made(steps []string) (names []string) {
	for _, step := range steps {
		if kind, name, _ := strings.Cut(step, " "); kind == "CO-ROUTINE" || kind == "MATERIALIZE" {
			names = append(names, name)
		}
	}
	return names
}

// explain returns the steps of a query's plan.
func explain(ctx context.Context, d *db.DB, q traced) (steps []string, err error) {
	if !strings.HasPrefix(strings.TrimSpace(q.query), "SELECT") && !strings.HasPrefix(q.query, "WITH") {
		return nil, nil
	}
	err = d.Write(ctx, func(tx *db.Tx) error {
		if tx.Postgres() != nil {
			steps, err = explainPostgres(ctx, tx, q)
			return err
		}
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var id, parent, unused int
			var step string
			err := scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return err
		}, "EXPLAIN QUERY PLAN "+q.query, q.args...)
	})
	return steps, err
}

// explainPostgres forbids what small tables would be read by, so that the plan is
// the one of large tables.
func explainPostgres(ctx context.Context, tx *db.Tx, q traced) ([]string, error) {
	for _, way := range []string{"seqscan", "sort", "incremental_sort", "bitmapscan", "hashjoin", "mergejoin", "hashagg"} {
		if _, err := tx.Exec(ctx, "SET LOCAL enable_"+way+" = off"); err != nil {
			return nil, err
		}
	}
	var text string
	if err := tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+q.query, q.args...).Scan(&text); err != nil {
		return nil, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return nil, err
	}
	return plans[0].Plan.steps(), nil
}

type node struct {
	Kind  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Cond  string `json:"Index Cond"`
	Plans []node
}

func (n node) steps() []string {
	out := []string{strings.TrimSpace(n.Kind + " " + n.Table + " " + n.Index + " " + n.Cond)}
	for _, p := range n.Plans {
		out = append(out, p.steps()...)
	}
	return out
}
