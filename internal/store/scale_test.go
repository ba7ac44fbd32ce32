package store_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// TestScale measures what pages and summaries cost with many verdicts. It runs
// only when it is told of how many resources:
//
//	PLUMB_SCALE=200000 go test ./internal/store -run TestScale -v -timeout 30m
func TestScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("PLUMB_SCALE"))
	if n == 0 {
		t.Skip("set PLUMB_SCALE to a number of resources")
	}
	const rules = 10
	path := filepath.Join(t.TempDir(), "plumb.db")
	d, err := db.Open(t.Context(), "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	write := func(f func(tx *db.Tx) error) {
		t.Helper()
		if err := d.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	var all []config.Rule
	write(func(tx *db.Tx) error {
		for i := range rules {
			r := config.Rule{Place: place, Name: fmt.Sprint("rule-", i), ID: fmt.Sprint("config-rule-", i), State: config.RuleActive}
			all = append(all, r)
			if err := store.PutRule(t.Context(), tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	id := func(i int) string { return fmt.Sprintf("i-%017x", i*7919%n) }
	began := time.Now()
	for from := 0; from < n; from += 100 {
		write(func(tx *db.Tx) error {
			var items []store.NewItem
			for i := from; i < min(from+100, n); i++ {
				it := config.Item{ResourceKey: key("AWS::EC2::Instance", id(i)), Status: config.StatusDiscovered, StateID: noon.UnixMilli()}
				it.CaptureTime = noon
				body, err := json.Marshal(it)
				if err != nil {
					return err
				}
				items = append(items, store.NewItem{Item: it, Body: body, Digest: make([]byte, 64)})
			}
			return store.AppendItems(t.Context(), tx, items)
		})
	}
	t.Logf("%d resources in %v", n, time.Since(began))
	before := size(t, d)
	began = time.Now()
	for from := 0; from < n; from += 100 {
		write(func(tx *db.Tx) error {
			var verdicts []store.NewVerdict
			for i := from; i < min(from+100, n); i++ {
				for j, r := range all {
					c := config.Compliant
					if (i+j)%17 == 0 {
						c = config.NonCompliant
					}
					verdicts = append(verdicts, store.NewVerdict{RuleID: r.ID, Verdict: config.Verdict{Invoked: time.Now(), Recorded: time.Now(),
						Evaluation: config.Evaluation{ResourceType: "AWS::EC2::Instance", ResourceID: id(i), Compliance: c, Ordering: time.Now()}}})
				}
			}
			return store.PutVerdicts(t.Context(), tx, place, verdicts)
		})
	}
	t.Logf("%d verdicts in %v, %.1f bytes each", n*rules, time.Since(began), float64(size(t, d)-before)/float64(n*rules))

	middle := key("AWS::EC2::Instance", fmt.Sprintf("i-%017x", n/2))
	page := store.VerdictPage{AfterType: middle.Type, AfterID: middle.ID, Limit: 100}
	bad := page
	bad.Compliance = []config.Compliance{config.NonCompliant}
	for _, m := range []struct {
		what string
		read func(tx *db.Tx) error
	}{
		{"LiveKeys", func(tx *db.Tx) error { _, err := store.LiveKeys(t.Context(), tx, place, nil, middle, 200); return err }},
		{"Resources", func(tx *db.Tx) error {
			_, err := store.Resources(t.Context(), tx, store.ResourceQuery{Place: place, Type: middle.Type, After: middle.ID, Limit: 100})
			return err
		}},
		{"VerdictsByRule", func(tx *db.Tx) error { _, err := store.VerdictsByRule(t.Context(), tx, all[3], page); return err }},
		{"VerdictsByRule, non-compliant", func(tx *db.Tx) error { _, err := store.VerdictsByRule(t.Context(), tx, all[3], bad); return err }},
		{"VerdictsByResource", func(tx *db.Tx) error {
			_, err := store.VerdictsByResource(t.Context(), tx, middle, store.VerdictPage{Limit: 100})
			return err
		}},
		{"TallyResources", func(tx *db.Tx) error {
			_, err := store.TallyResources(t.Context(), tx, place, store.TallyQuery{AfterType: middle.Type, AfterID: middle.ID, Limit: 100})
			return err
		}},
		{"TallyResources, non-compliant", func(tx *db.Tx) error {
			_, err := store.TallyResources(t.Context(), tx, place, store.TallyQuery{AfterType: middle.Type, AfterID: middle.ID, Limit: 100,
				Compliance: []config.Compliance{config.NonCompliant}})
			return err
		}},
		{"TallyType", func(tx *db.Tx) error { _, err := store.TallyType(t.Context(), tx, place, ""); return err }},
		{"TallyRules", func(tx *db.Tx) error {
			_, err := store.TallyRules(t.Context(), tx, []string{all[0].ID, all[1].ID})
			return err
		}},
		{"Counts", func(tx *db.Tx) error { _, err := store.Counts(t.Context(), tx, place, nil); return err }},
	} {
		var took []time.Duration
		for range 200 {
			began := time.Now()
			if err := d.Read(t.Context(), m.read); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-32s median %8v  p99 %8v", m.what, took[100].Round(time.Microsecond), took[197].Round(time.Microsecond))
	}
}

// size returns how many bytes of a database are in use.
func size(t *testing.T, d *db.DB) int64 {
	t.Helper()
	var pages, free, bytes int64
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		if err := tx.QueryRow(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		if err := tx.QueryRow(t.Context(), "PRAGMA freelist_count").Scan(&free); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), "PRAGMA page_size").Scan(&bytes)
	})
	if err != nil {
		t.Fatal(err)
	}
	return (pages - free) * bytes
}
