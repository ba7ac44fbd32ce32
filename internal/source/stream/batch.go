package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/source/mapping"
)

// maxBatch is how many bytes of records a batch may have: an invocation takes 6 MiB.
const maxBatch = 6<<20 - 4<<10

// A waiting is a record of a lane, written out.
type waiting struct {
	record
	text []byte
}

// handle hands over a chunk of records, the lanes side by side. done is false if some of
// it waits: for a full batch, or to be tried again.
func (r *reading) handle(ctx context.Context, chunk []record, last bool) (done bool, err error) {
	lanes := make([][]waiting, len(r.at.Lanes))
	for _, rec := range chunk {
		i := laneOf(rec.Key, len(lanes))
		if at := r.at.Lanes[i].Checkpoint; at != "" && !after(rec.Sequence, at) {
			continue
		}
		wanted, err := r.filters.Match(rec.Filtered)
		if err != nil {
			return false, fmt.Errorf("record %s: %w", rec.Sequence, err)
		}
		if !wanted {
			continue
		}
		text, err := compact(rec.Event)
		if err != nil {
			return false, fmt.Errorf("record %s: %w", rec.Sequence, err)
		}
		lanes[i] = append(lanes[i], waiting{rec, text})
	}
	w := &work{reading: r, last: last}
	var all sync.WaitGroup
	for i := range lanes {
		all.Go(func() { w.ended(w.lane(ctx, i, lanes[i])) })
	}
	all.Wait()
	if w.err != nil || !w.done() {
		return false, w.err
	}
	if len(chunk) > 0 {
		for i := range r.at.Lanes {
			r.at.Lanes[i] = lane{Checkpoint: chunk[len(chunk)-1].Sequence}
		}
	}
	return true, nil
}

func laneOf(key string, lanes int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(lanes))
}

// compact writes JSON without escaping what HTML needs.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// A work is the handling of a chunk.
type work struct {
	*reading
	last bool // the shard ends with the chunk

	mu     sync.Mutex // also of the shard's progress
	err    error
	paused bool
}

func (w *work) done() bool { return !w.paused }

// ended notes how a lane ended: with all of it handled, paused, or an error.
func (w *work) ended(done bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = w.paused || !done
	if err != nil && w.err == nil {
		w.err = err
	}
}

// pause has the shard read again after a while.
func (w *work) pause(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wait == 0 || d < w.wait {
		w.wait = d
	}
}

// change changes a lane and keeps it.
func (w *work) change(ctx context.Context, i int, l lane, also func(tx *db.Tx) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at.Lanes[i] = l
	return w.save(ctx, also)
}

// backOff is how long a batch waits that failed so often.
func backOff(attempts int) time.Duration { return time.Second << min(max(attempts-1, 0), 5) }

// lane hands over the records of a lane in order.
func (w *work) lane(ctx context.Context, i int, all []waiting) (done bool, err error) {
	for {
		l := w.at.Lanes[i]
		for len(all) > 0 && l.Checkpoint != "" && !after(all[0].Sequence, l.Checkpoint) {
			all = all[1:]
		}
		if w.m.Tumbling > 0 {
			if ended, err := w.endWindow(ctx, all); err != nil || ended == paused {
				return false, err
			} else if ended == handled {
				continue
			}
		}
		if len(all) == 0 {
			return true, nil
		}
		if w.over() {
			return false, nil
		}
		batch, tried := w.batch(l, all)
		if old := w.tooOld(batch); old > 0 {
			err := w.giveUp(ctx, i, batch[:old], tried, "RecordAgeExceeded", lambda.Answer{}, false)
			if err != nil {
				return false, err
			}
			continue
		}
		if tried.End == "" && w.waitsForMore(&l, batch, len(all)) {
			w.mu.Lock()
			w.at.Lanes[i] = l
			w.mu.Unlock()
			return false, nil
		}
		if goesOn, err := w.hand(ctx, i, batch, tried); err != nil || !goesOn {
			return false, err
		}
	}
}

// batch takes the first records: those that were tried together, or as many as may be.
func (w *work) batch(l lane, all []waiting) (batch []waiting, tried part) {
	for len(l.Parts) > 0 && after(all[0].Sequence, l.Parts[0].End) {
		l.Parts = l.Parts[1:] // filters changed, or its records are gone
	}
	size, limit := 0, w.m.BatchSize
	if len(l.Parts) > 0 {
		tried, limit = l.Parts[0], len(all)
	}
	window := w.windowOf(all[0])
	for n, rec := range all {
		size += len(rec.text) + 1
		if n > 0 && (n >= limit || size > maxBatch || tried.End != "" && after(rec.Sequence, tried.End) || w.windowOf(rec) != window) {
			return all[:n], tried
		}
	}
	return all, tried
}

// tooOld returns how many records at the beginning are older than may be.
func (w *work) tooOld(batch []waiting) (n int) {
	if w.m.MaxAge <= 0 {
		return 0
	}
	oldest := w.now().Add(-time.Duration(w.m.MaxAge) * time.Second)
	for n < len(batch) && batch[n].Arrival.Before(oldest) {
		n++
	}
	return n
}

// waitsForMore reports whether a batch is not full, and not old enough to go as it is.
func (w *work) waitsForMore(l *lane, batch []waiting, all int) bool {
	if w.m.Window == 0 || w.last || len(batch) < all || len(batch) >= w.m.BatchSize {
		return false
	}
	now := w.now()
	if l.Since == 0 {
		l.Since = db.Micros(now)
	}
	left := db.Time(l.Since).Add(time.Duration(w.m.Window) * time.Second).Sub(now)
	return left > 0
}

// hand invokes the function with a batch and notes what became of it. goesOn is false if
// the batch is to be tried again later.
func (w *work) hand(ctx context.Context, i int, batch []waiting, tried part) (goesOn bool, err error) {
	payload := w.event(batch, false)
	a, err := w.functions.Invoke(ctx, w.m.Function, lambda.Call{Payload: payload})
	if err != nil {
		w.log.Warn("batch of a stream could not be handed over, will retry", "function", w.m.Function.ARN(), "shard", w.at.Shard, "err", err)
		w.pause(backOff(tried.Attempts + 3))
		return false, nil // nothing was tried, and nothing changed
	}
	l := w.at.Lanes[i]
	parts := l.Parts
	if tried.End != "" && len(parts) > 0 {
		parts = parts[1:]
	}
	end := batch[len(batch)-1].Sequence
	if a.FunctionError == "" {
		failed, ok := w.failed(a.Payload, batch)
		if ok && failed == len(batch) {
			if err := w.keepState(a.Payload); err != nil {
				return false, err
			}
			return true, w.change(ctx, i, lane{Checkpoint: end, Parts: parts}, func(tx *db.Tx) error { return mapping.Note(ctx, tx, w.m, "OK") })
		}
		if ok && failed > 0 { // those before the first that failed are done
			l.Checkpoint, batch = batch[failed-1].Sequence, batch[failed:]
			if w.m.Bisect {
				return true, w.again(ctx, i, lane{Checkpoint: l.Checkpoint, Parts: join(parts, part{end, tried.Attempts})})
			}
		}
	}
	if w.m.Bisect && len(batch) > 1 {
		half := batch[len(batch)/2-1].Sequence
		return true, w.again(ctx, i, lane{Checkpoint: l.Checkpoint, Parts: join(parts, part{half, tried.Attempts}, part{end, tried.Attempts})})
	}
	tried.Attempts++
	if w.m.Retries >= 0 && tried.Attempts > w.m.Retries {
		w.mu.Lock()
		w.at.Lanes[i] = lane{Checkpoint: l.Checkpoint, Parts: join(parts, part{end, tried.Attempts})}
		w.mu.Unlock()
		return true, w.giveUp(ctx, i, batch, tried, "RetryAttemptsExhausted", a, true)
	}
	w.pause(backOff(tried.Attempts))
	return false, w.again(ctx, i, lane{Checkpoint: l.Checkpoint, Parts: join(parts, part{end, tried.Attempts})})
}

// join puts parts before others.
func join(rest []part, first ...part) []part { return append(first, rest...) }

func (w *work) again(ctx context.Context, i int, l lane) error {
	return w.change(ctx, i, l, func(tx *db.Tx) error { return mapping.Note(ctx, tx, w.m, "PROBLEM: Function call failed") })
}

// failed returns the number of records before the first that the function reports as
// failed; ok is false if all of them failed.
func (w *work) failed(payload []byte, batch []waiting) (n int, ok bool) {
	if !w.m.Partial {
		return len(batch), true
	}
	ids := make([]string, len(batch))
	for i, rec := range batch {
		ids[i] = rec.Sequence
	}
	failed, ok := mapping.Failures(payload, ids)
	for n < len(ids) && !failed[ids[n]] {
		n++
	}
	return n, ok
}

// giveUp goes on after records that are not handed over any more, and tells so.
func (w *work) giveUp(ctx context.Context, i int, batch []waiting, tried part, condition string, a lambda.Answer, ran bool) error {
	l := w.at.Lanes[i]
	end := batch[len(batch)-1].Sequence
	parts := l.Parts
	for len(parts) > 0 && !after(parts[0].End, end) {
		parts = parts[1:]
	}
	w.log.Warn("batch of a stream is given up", "function", w.m.Function.ARN(), "shard", w.at.Shard, "condition", condition, "records", len(batch))
	message, err := w.lost(batch, tried, condition, a, ran)
	if err != nil {
		return err
	}
	return w.change(ctx, i, lane{Checkpoint: end, Parts: parts}, func(tx *db.Tx) error {
		if err := mapping.Note(ctx, tx, w.m, "PROBLEM: Function call failed"); err != nil || w.m.OnFailure == "" {
			return err
		}
		f := w.m.Function
		f.Qualifier = ""
		from := caller.Sender{Account: w.m.Account, Region: w.m.Region, ARN: f.ARN(), Role: w.role}
		err := w.targets.Send(ctx, tx, from, message)
		if isNamed(err) {
			w.log.Warn("batch that was given up could not be told", "function", w.m.Function.ARN(), "target", w.m.OnFailure, "err", err)
			return nil
		}
		return err
	})
}
