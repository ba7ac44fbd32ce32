package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// maxShown is how many differences doctor shows one by one.
const maxShown = 20

// recountTallies compares the kept counts with what counting gives, and corrects
// them.
func recountTallies(ctx context.Context, s settings.Settings) []finding {
	const what = "counts"
	if refused := notReady(ctx, s); refused != nil {
		return refused
	}
	d, err := db.Open(ctx, s.DatabaseURL(), slog.New(slog.DiscardHandler))
	if err != nil {
		return []finding{{broken, what, err.Error(), ""}}
	}
	defer d.Close()
	var found []store.Difference
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Recount(ctx, tx)
		return err
	})
	if err != nil {
		return []finding{{broken, what, err.Error(), ""}}
	}
	if len(found) == 0 {
		return []finding{{fine, what, "all kept counts are right", ""}}
	}
	if err := d.Write(ctx, func(tx *db.Tx) error { return store.Correct(ctx, tx, found) }); err != nil {
		return []finding{{broken, what, err.Error(), ""}}
	}
	out := []finding{{remark, what, fmt.Sprintf("%d kept counts were wrong and are corrected", len(found)), "please report this: it should not happen"}}
	for _, f := range found[:min(len(found), maxShown)] {
		out = append(out, finding{remark, what, fmt.Sprintf("%s: %d kept, %d counted", f.Of, f.Kept, f.Counted), ""})
	}
	return out
}

// notReady refuses to count in a database that is not there or that a server would
// change first: doctor does not move a schema forward.
func notReady(ctx context.Context, s settings.Settings) []finding {
	const what = "counts"
	if path, ok := strings.CutPrefix(s.DatabaseURL(), "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return []finding{{fine, what, "there is no database yet", ""}}
		}
	}
	d, err := db.Inspect(ctx, s.DatabaseURL(), slog.New(slog.DiscardHandler))
	if err != nil {
		return []finding{{broken, what, err.Error(), ""}}
	}
	defer d.Close()
	schema, err := d.Schema(ctx)
	switch {
	case err != nil:
		return []finding{{broken, what, err.Error(), ""}}
	case schema.Missing > 0:
		return []finding{{remark, what, fmt.Sprintf("not counted: the schema is at step %d of %d", schema.Step, schema.Latest),
			"start the server of this version once, which moves it forward, or use the doctor of the version that made it"}}
	}
	return nil
}
