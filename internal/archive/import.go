package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

// An Importer has items recorded that files hold.
type Importer struct {
	DB       *db.DB
	Recorder *recorder.Recorder
	Evaluate func(ctx context.Context, tx *db.Tx, p config.Place) error // asks the rules of a place
}

// An Order says what to import. Empty lists leave nothing out; types may end with *.
type Order struct {
	Accounts []string `json:"accounts,omitempty"`
	Regions  []string `json:"regions,omitempty"` // of the places that recorded
	Types    []string `json:"types,omitempty"`
	Global   string   `json:"global,omitempty"` // the region of items that name none
	Again    bool     `json:"again,omitempty"`  // also what was read before
}

func (o Order) wants(it config.Item) bool {
	return (len(o.Accounts) == 0 || slices.Contains(o.Accounts, it.Account)) &&
		(len(o.Regions) == 0 || slices.Contains(o.Regions, it.Region)) &&
		(len(o.Types) == 0 || slices.ContainsFunc(o.Types, func(t string) bool { ok, _ := path.Match(t, it.Type); return ok }))
}

// version returns what changes with a file's content and with what is asked of it.
func (o Order) version(f File) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", o.Accounts, o.Regions, o.Types, o.Global))
	return fmt.Sprintf("%s/%x", f.Version, sum[:8])
}

// A Report is what became of an import so far.
type Report struct {
	Files    int64         `json:"files"`    // that were looked at
	Before   int64         `json:"before"`   // of these: that were through before
	Items    int64         `json:"items"`    // that were read
	Written  int64         `json:"written"`  // to the history
	Newest   int64         `json:"newest"`   // of these: the newest of their resources then
	Kept     int64         `json:"kept"`     // were kept already
	TooOld   int64         `json:"tooOld"`   // are older than what is kept
	Left     int64         `json:"left"`     // were not asked for
	Unread   int64         `json:"unread"`   // could not be read
	Problems []Problem     `json:"problems"` // the first of these
	File     string        `json:"file,omitempty"`
	Took     time.Duration `json:"took"`
}

// A Problem is something that could not be read.
type Problem struct {
	File   string `json:"file"`
	Item   int64  `json:"item,omitempty"` // its number in the file, from 1
	Reason string `json:"reason"`
}

const maxProblems = 1000 // that a report names

// add adds what became of a batch.
func (r *Report) add(b Report) {
	r.Files, r.Before, r.Items, r.Left, r.Unread = r.Files+b.Files, r.Before+b.Before, r.Items+b.Items, r.Left+b.Left, r.Unread+b.Unread
	r.Written, r.Newest, r.Kept, r.TooOld = r.Written+b.Written, r.Newest+b.Newest, r.Kept+b.Kept, r.TooOld+b.TooOld
	r.Problems = append(r.Problems, b.Problems[:min(len(b.Problems), maxProblems-len(r.Problems))]...)
	r.File = b.File
}

// Run imports what a source has. progress is told now and then. When ctx ends, what was
// recorded by then stays, and the next run goes on there.
func (m *Importer) Run(ctx context.Context, s Source, o Order, progress func(Report)) (Report, error) {
	r := &run{Importer: m, source: s, order: o, progress: progress, began: time.Now(), ensured: map[config.Place]bool{}}
	r.Problems = []Problem{}
	if err := r.all(ctx); err != nil {
		return r.report(), err
	}
	r.File = ""
	err := m.DB.Write(ctx, func(tx *db.Tx) error {
		places, err := store.OwedEvaluations(ctx, tx)
		for _, p := range places {
			err = errors.Join(err, m.Evaluate(ctx, tx, p))
		}
		return err
	})
	r.tell(true)
	return r.report(), err
}

// A run is an import that goes on.
type run struct {
	*Importer
	Report
	source   Source
	order    Order
	progress func(Report)
	began    time.Time
	told     time.Time
	ensured  map[config.Place]bool // places that have a recorder
}

func (r *run) report() Report {
	out := r.Report
	out.Problems, out.Took = slices.Clone(r.Problems), time.Since(r.began)
	return out
}

const tellEvery = time.Second

func (r *run) tell(now bool) {
	if r.progress != nil && (now || time.Since(r.told) > tellEvery) {
		r.told = time.Now()
		r.progress(r.report())
	}
}

// readAhead is how many batches wait while one is recorded.
const readAhead = 1

// all records every file. While a batch is recorded the next ones are read.
func (r *run) all(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan *batch, readAhead)
	read := make(chan error, 1)
	go func() {
		defer close(batches)
		read <- (&reader{run: r, ctx: ctx, to: batches, batch: newBatch()}).all()
	}()
	defer func() {
		cancel()
		for range batches { // until the reader has let go of the source
		}
	}()
	for b := range batches {
		if err := r.write(ctx, b); err != nil {
			return fmt.Errorf("import %s: %w", b.report.File, err)
		}
		r.tell(false)
	}
	return <-read
}

// write records a batch and how far the files have come with it.
func (r *run) write(ctx context.Context, b *batch) error {
	if len(b.files) == 0 {
		r.add(b.report)
		return nil
	}
	var added recorder.Added
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		added = recorder.Added{}
		for _, p := range b.sortedPlaces() {
			if !r.ensured[p] {
				if err := r.Recorder.EnsureRecorder(ctx, tx, p); err != nil {
					return err
				}
			}
			a, err := r.Recorder.RecordPast(ctx, tx, p, b.places[p])
			if err != nil {
				return fmt.Errorf("items in %s: %w", p, err)
			}
			added = recorder.Added{Written: added.Written + a.Written, Newest: added.Newest + a.Newest, Kept: added.Kept + a.Kept, TooOld: added.TooOld + a.TooOld}
		}
		return store.SetImports(ctx, tx, b.files)
	})
	if err != nil {
		return err
	}
	for p := range b.places {
		r.ensured[p] = true
	}
	b.report.Written, b.report.Newest = int64(added.Written), int64(added.Newest)
	b.report.Kept, b.report.TooOld = int64(added.Kept), int64(added.TooOld)
	r.add(b.report)
	return nil
}
