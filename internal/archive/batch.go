package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

const (
	maxBatch        = 500      // items that one transaction records
	maxBatchBytes   = 16 << 20 // of their texts
	maxBatchRead    = 10_000   // items that are read for it, as those that nobody asked for are left out
	maxBatchFiles   = 500      // that it is of: most files of AWS Config have few items
	maxFileProblems = 20       // that are kept of one file
)

// A batch is some items of some files, encoded, and how far the files were read with
// them.
type batch struct {
	places map[config.Place][]store.NewItem
	n      int // items to record
	bytes  int
	files  []store.ImportFile // that were read on, as far as they are now
	report Report             // what was read; not what is written of it
}

func newBatch() *batch { return &batch{places: map[config.Place][]store.NewItem{}} }

func (b *batch) full() bool {
	return b.n >= maxBatch || b.bytes >= maxBatchBytes || b.report.Items >= maxBatchRead || b.report.Files >= maxBatchFiles
}

func (b *batch) sortedPlaces() []config.Place {
	var out []config.Place
	for p := range b.places {
		out = append(out, p)
	}
	slices.SortFunc(out, config.Place.Compare)
	return out
}

// A reader makes batches of the items of a source's files.
type reader struct {
	*run
	*batch
	ctx context.Context
	to  chan<- *batch

	at     store.ImportFile // the file that is read
	after  int64            // its last item that an earlier run recorded
	saved  int64            // its last item that a batch before this one has
	region string           // whose recorder delivered it
	failed error            // why the run cannot go on, which decoders hand on like an error of the content
}

// all reads every file.
func (r *reader) all() error {
	for f, err := range r.source.Files(r.ctx) {
		if err != nil {
			return errors.Join(r.send(), fmt.Errorf("list %s: %w", r.source.Name(), err))
		}
		if err := r.file(f); err != nil {
			return fmt.Errorf("import %s: %w", f.Name, err)
		}
	}
	return r.send()
}

// file reads one file, from where an earlier run ended. An error ends the run; what
// cannot be read does not.
func (r *reader) file(f File) error {
	r.at = store.ImportFile{Source: r.source.Name(), Name: f.Name, Version: r.order.version(f)}
	err := r.DB.Read(r.ctx, func(tx *db.Tx) (err error) {
		r.at, err = store.ImportOf(r.ctx, tx, r.at)
		return err
	})
	if err != nil {
		return err
	}
	if r.order.Again && r.at.Done {
		r.at.Position, r.at.Done, r.at.Unread, r.at.Problems = 0, false, 0, nil
	}
	r.batch.report.File = f.Name
	r.batch.report.Unread += r.at.Unread
	for _, p := range r.at.Problems {
		r.named(p)
	}
	if r.at.Done {
		r.batch.report.Before++
	} else if err := r.content(); err != nil {
		return err
	}
	r.batch.report.Files++
	return r.sendFull()
}

// content reads the items of the file.
func (r *reader) content() error {
	r.after, r.saved, r.region = r.at.Position, r.at.Position, regionOf(r.at.Name)
	referred, err := r.open(r.at.Name)
	if err == nil && referred != "" && r.at.Position == 0 {
		err = r.refer(referred)
	}
	if r.failed = cmp.Or(r.failed, r.ctx.Err()); r.failed != nil {
		return r.failed
	}
	r.ended(err)
	return nil
}

// named has the report name what could not be read.
func (r *reader) named(p store.ImportProblem) {
	r.batch.report.Problems = append(r.batch.report.Problems, Problem{r.at.Name, p.Item, p.Reason})
}

// problem keeps what could not be read of the file.
func (r *reader) problem(item int64, err error) {
	p := store.ImportProblem{Item: item, Reason: err.Error()}
	r.named(p)
	r.batch.report.Unread++
	r.at.Unread++
	if len(r.at.Problems) < maxFileProblems {
		r.at.Problems = append(r.at.Problems, p)
	}
}

// A lost error is one of the source, not of the file's content: another try may read
// more.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// ended notes that a file is through. One whose content ends with an error is through
// as well; one that the source did not give is not.
func (r *reader) ended(err error) {
	if lost, ok := errors.AsType[lostError](err); ok {
		r.batch.report.Unread++
		r.named(store.ImportProblem{Item: r.at.Position + 1, Reason: lost.Error()})
		r.save()
		return
	}
	if err != nil {
		r.problem(r.at.Position+1, err)
	}
	r.at.Done = true
	r.save()
}

// save notes in the batch how far the file was read.
func (r *reader) save() {
	if r.at.Done || r.at.Position > r.saved {
		at := r.at
		at.Problems = slices.Clone(at.Problems)
		r.files, r.saved = append(r.files, at), at.Position
	}
}

// A watched reader remembers the error of a source, which decoders hide.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (r *reader) open(name string) (string, error) {
	body, err := r.source.Open(r.ctx, name)
	if err != nil {
		return "", lostError{err}
	}
	defer body.Close()
	w := &watched{Reader: body}
	referred, err := readItems(w, r.item)
	if err != nil && w.err != nil {
		err = lostError{w.err}
	}
	return referred, err
}

// refer reads the item of an oversized message where the message says that it lies.
func (r *reader) refer(location string) error {
	name, ok := r.source.Referred(location)
	if !ok {
		return fmt.Errorf("its item is too large for a message and lies at s3://%s, which is not here", strings.TrimPrefix(location, "s3://"))
	}
	if r.region == "" {
		r.region = regionOf(name)
	}
	_, err := r.open(name)
	return err
}

// item takes an item into the batch, and sends the batch when it is full.
func (r *reader) item(n int64, raw []byte) error {
	if n <= r.after {
		return nil
	}
	r.batch.report.Items++
	r.at.Position = n
	if err := r.take(raw); err != nil {
		r.problem(n, err)
	}
	if r.full() {
		r.save()
	}
	return r.sendFull()
}

// take takes an item into the batch, if it is asked for.
func (r *reader) take(raw []byte) error {
	it, err := parseItem(raw, r.region, r.order.Global)
	if err != nil {
		return err
	}
	if !r.order.wants(it) {
		r.batch.report.Left++
		return nil
	}
	if err := r.Recorder.CheckPast(it); err != nil {
		return err
	}
	encoded, err := recorder.EncodePast([]config.Item{it})
	if err != nil {
		return err
	}
	r.places[it.Place] = append(r.places[it.Place], encoded[0])
	r.n, r.bytes = r.n+1, r.bytes+len(raw)
	return nil
}

func (r *reader) sendFull() error {
	if !r.full() {
		return nil
	}
	r.failed = r.send()
	return r.failed
}

// send hands the batch on. What can be done without writing is done here, beside who
// writes.
func (r *reader) send() error {
	if r.batch.report.Files == 0 && r.batch.report.Items == 0 {
		return nil
	}
	err := r.DB.Read(r.ctx, func(tx *db.Tx) error {
		for _, items := range r.places {
			if err := store.Pack(r.ctx, tx, items); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case <-r.ctx.Done():
		return r.ctx.Err()
	case r.to <- r.batch:
		r.batch = newBatch()
		r.batch.report.File = r.at.Name
		return nil
	}
}
