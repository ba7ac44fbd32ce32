package recorder

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// AWS Config's own items are recorded as they are: with their times, states and
// statuses, whether or not a recorder runs. Nothing is delivered about them and no
// other resource is read because of them: what they tell is long past.

// EncodePast returns items as they are kept. The state id of each is its place in the
// history; what AWS shows beside it stands in Imported.
func EncodePast(items []config.Item) ([]store.NewItem, error) {
	out := make([]store.NewItem, len(items))
	for i, it := range items {
		text, err := appendJSON(make([]byte, 0, 4<<10), it.Configuration)
		if err != nil {
			return nil, fmt.Errorf("encode configuration of %s: %w", it.ResourceKey, err)
		}
		d, err := digestOf(it, text)
		if err != nil {
			return nil, err
		}
		body, err := encodeItem(it, text)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", it.ResourceKey, err)
		}
		out[i] = store.NewItem{Item: it, Body: body, Digest: d, Pushed: true} // no collector has to find it
	}
	return out, nil
}

// Added is what RecordPast did with some items.
type Added struct {
	Written int // to the history
	Newest  int // of these: the newest of their resources now
	Kept    int // were kept already
	TooOld  int // are older than what the place keeps, and not the newest of their resources
}

// RecordPast adds up to 500 items of a place to the history, in tx. Those that become
// the newest of their resources are judged by the in-process rules.
func (r *Recorder) RecordPast(ctx context.Context, tx *db.Tx, p config.Place, items []store.NewItem) (a Added, err error) {
	if err := store.HoldRules(ctx, tx, p); err != nil {
		return a, err
	}
	unkept, err := store.Unkept(ctx, tx, p, items)
	a.Kept = len(items) - len(unkept)
	if err != nil || len(unkept) == 0 {
		return a, err
	}
	oldest, err := r.oldestKept(ctx, tx, p)
	if err != nil {
		return a, err
	}
	newest, past, err := splitNewest(ctx, tx, p, unkept)
	if err != nil {
		return a, err
	}
	n := len(past)
	past = slices.DeleteFunc(past, func(it store.NewItem) bool { return it.StateID < oldest })
	a.TooOld, a.Newest, a.Written = n-len(past), len(newest), len(newest)+len(past)
	settle, err := r.judge(ctx, p, changes{items: newest})
	if err != nil {
		return a, err
	}
	if err := store.AddPast(ctx, tx, p, newest, past); err != nil {
		return a, err
	}
	if settle == nil {
		return a, nil
	}
	if err := settle(ctx, tx); err != nil {
		return a, fmt.Errorf("settle verdicts: %w", err)
	}
	return a, store.OweEvaluation(ctx, tx, p)
}

// splitNewest tells the items that become the newest of their resources from those
// that do not.
func splitNewest(ctx context.Context, tx *db.Tx, p config.Place, items []store.NewItem) (newest, past []store.NewItem, err error) {
	keys := make([]config.ResourceKey, len(items))
	for i, it := range items {
		keys[i] = it.ResourceKey
	}
	heads, err := store.Heads(ctx, tx, p, slices.Compact(keys))
	if err != nil {
		return nil, nil, err
	}
	for i, it := range items {
		last := i+1 == len(items) || items[i+1].ResourceKey != it.ResourceKey
		if last && it.StateID > heads[it.ResourceKey].StateID {
			newest = append(newest, it)
		} else {
			past = append(past, it)
		}
	}
	return newest, past, nil
}

// oldestKept returns the state id before which a place keeps nothing.
func (r *Recorder) oldestKept(ctx context.Context, tx *db.Tx, p config.Place) (int64, error) {
	kept, err := store.Retention(ctx, tx, p)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	days := cmp.Or(kept.Days, config.DefaultRetention)
	return r.Now().AddDate(0, 0, -days).UnixMilli(), nil
}

// pastRole is what the recorders of imported places are put with.
const pastRole = "arn:aws:iam::%s:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

// EnsureRecorder puts a recorder in a place that has none, and does not start it: it
// lets clients ask about what was imported.
func (r *Recorder) EnsureRecorder(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, _, err := store.Recorder(ctx, tx, p)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	a := arn.New("config", p.Region, p.Account, "configuration-recorder/default/"+hex.EncodeToString(randomBytes(8)))
	return r.Put(ctx, tx, config.Recorder{
		Place: p, Name: "default", ARN: a.String(), RoleARN: fmt.Sprintf(pastRole, p.Account),
		Group: config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll}, Mode: config.RecordingMode{Frequency: config.Continuous},
	})
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}

// maxAhead is how far in the future the clock of an item may be.
const maxAhead = 24 * time.Hour

// CheckPast returns why an item cannot be imported, or nil.
func (r *Recorder) CheckPast(it config.Item) error {
	switch {
	case it.CaptureTime.Year() < 2014:
		return fmt.Errorf("it was captured at %s, before AWS Config was", config.FormatTime(it.CaptureTime))
	case it.CaptureTime.After(r.Now().Add(maxAhead)):
		return fmt.Errorf("it was captured at %s, which is still to come", config.FormatTime(it.CaptureTime))
	}
	return nil
}
