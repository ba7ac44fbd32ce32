package archive

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
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

const (
	maxBatch        = 500      // items that one transaction records
	maxBatchBytes   = 16 << 20 // of their texts
	maxProblems     = 1000     // that a report names
	maxFileProblems = 20       // that are kept of one file
)

// Run imports what a source has. progress is told now and then. When ctx ends, what was
// recorded by then stays, and the next run goes on there.
func (m *Importer) Run(ctx context.Context, s Source, o Order, progress func(Report)) (Report, error) {
	r := &run{Importer: m, source: s, order: o, progress: progress, began: time.Now(), ensured: map[config.Place]bool{}}
	r.Problems = []Problem{}
	for f, err := range s.Files(ctx) {
		if err != nil {
			return r.report(), fmt.Errorf("list %s: %w", s.Name(), err)
		}
		r.File = f.Name
		if err := r.file(ctx, f); err != nil {
			return r.report(), fmt.Errorf("import %s: %w", f.Name, err)
		}
		r.Files++
		r.tell(false)
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

func (r *run) problem(file string, p store.ImportProblem) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{file, p.Item, p.Reason})
	}
}

// A batch is some items of a file, encoded, and how far the file was read with them.
type batch struct {
	places   map[config.Place][]store.NewItem
	n        int // items to record
	bytes    int
	items    int64 // read
	left     int64
	position int64
	problems []store.ImportProblem
}

// file imports one file. An error ends the run; what cannot be read does not.
func (r *run) file(ctx context.Context, f File) error {
	at := store.ImportFile{Source: r.source.Name(), Name: f.Name, Version: r.order.version(f)}
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		at, err = store.ImportOf(ctx, tx, at)
		return err
	})
	if err != nil {
		return err
	}
	if r.order.Again && at.Done {
		at.Position, at.Done, at.Unread, at.Problems = 0, false, 0, nil
	}
	for _, p := range at.Problems {
		r.problem(f.Name, p)
	}
	r.Unread += at.Unread
	if at.Done {
		r.Before++
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan *batch)
	read := make(chan error, 1)
	go func() {
		defer close(batches)
		read <- r.read(ctx, f.Name, at.Position, batches)
	}()
	for b := range batches {
		if err := r.write(ctx, &at, b); err != nil {
			return err
		}
		r.tell(false)
	}
	return r.ended(ctx, at, <-read)
}

// A lost error is one of the source, not of the file's content: another try may read
// more.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// ended keeps that a file is through. One whose content ends with an error is through
// as well; one that the source did not give is not.
func (r *run) ended(ctx context.Context, at store.ImportFile, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lost, ok := errors.AsType[lostError](err); ok {
		r.Unread++
		r.problem(at.Name, store.ImportProblem{Item: at.Position + 1, Reason: lost.Error()})
		return nil
	}
	at.Done = true
	if err != nil {
		p := store.ImportProblem{Item: at.Position + 1, Reason: err.Error()}
		at.Unread++
		at.Problems = append(at.Problems, p)
		r.Unread++
		r.problem(at.Name, p)
	}
	return r.DB.Write(ctx, func(tx *db.Tx) error { return store.SetImport(ctx, tx, at) })
}

// write records a batch and how far the file has come with it.
func (r *run) write(ctx context.Context, at *store.ImportFile, b *batch) error {
	next := *at
	next.Position, next.Unread = b.position, at.Unread+int64(len(b.problems))
	next.Problems = append(slices.Clone(at.Problems), b.problems[:min(len(b.problems), max(0, maxFileProblems-len(at.Problems)))]...)
	var added recorder.Added
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		added = recorder.Added{}
		for _, p := range sortedPlaces(b.places) {
			if !r.ensured[p] {
				if err := r.Recorder.EnsureRecorder(ctx, tx, p); err != nil {
					return err
				}
			}
			a, err := r.Recorder.RecordPast(ctx, tx, p, b.places[p])
			if err != nil {
				return fmt.Errorf("items %d to %d in %s: %w", at.Position+1, b.position, p, err)
			}
			added = recorder.Added{Written: added.Written + a.Written, Newest: added.Newest + a.Newest, Kept: added.Kept + a.Kept, TooOld: added.TooOld + a.TooOld}
		}
		return store.SetImport(ctx, tx, next)
	})
	if err != nil {
		return err
	}
	for p := range b.places {
		r.ensured[p] = true
	}
	for _, p := range b.problems {
		r.problem(at.Name, p)
	}
	*at = next
	r.Items, r.Left, r.Unread = r.Items+b.items, r.Left+b.left, r.Unread+int64(len(b.problems))
	r.Written, r.Newest = r.Written+int64(added.Written), r.Newest+int64(added.Newest)
	r.Kept, r.TooOld = r.Kept+int64(added.Kept), r.TooOld+int64(added.TooOld)
	return nil
}

func sortedPlaces(m map[config.Place][]store.NewItem) []config.Place {
	var out []config.Place
	for p := range m {
		out = append(out, p)
	}
	slices.SortFunc(out, config.Place.Compare)
	return out
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

// read reads a file from the item after a position and sends it in batches.
func (r *run) read(ctx context.Context, name string, position int64, to chan<- *batch) error {
	p := &packer{run: r, ctx: ctx, to: to, region: regionOf(name), after: position}
	p.batch = newBatch(position)
	referred, err := p.open(name)
	if err == nil && referred != "" && p.position == 0 {
		err = p.refer(referred)
	}
	if sent := p.send(); sent != nil {
		return sent
	}
	return err
}

func newBatch(position int64) *batch {
	return &batch{places: map[config.Place][]store.NewItem{}, position: position}
}

// A packer makes batches of the items of a file.
type packer struct {
	*run
	*batch
	ctx    context.Context
	to     chan<- *batch
	region string
	after  int64 // the last item that an earlier run recorded
}

func (p *packer) open(name string) (string, error) {
	body, err := p.source.Open(p.ctx, name)
	if err != nil {
		return "", lostError{err}
	}
	defer body.Close()
	w := &watched{Reader: body}
	referred, err := readItems(w, p.item)
	if err != nil && w.err != nil {
		err = lostError{w.err}
	}
	return referred, err
}

// refer reads the item of an oversized message where the message says that it lies.
func (p *packer) refer(location string) error {
	name, ok := p.source.Referred(location)
	if !ok {
		return fmt.Errorf("its item is too large for a message and lies at s3://%s, which is not here", strings.TrimPrefix(location, "s3://"))
	}
	if p.region == "" {
		p.region = regionOf(name)
	}
	_, err := p.open(name)
	return err
}

// item takes an item into the batch, and sends the batch when it is full.
func (p *packer) item(n int64, raw json.RawMessage) error {
	if n <= p.after {
		return nil
	}
	p.items++
	p.position = n
	it, err := parseItem(raw, p.region, p.order.Global)
	if err == nil && p.order.wants(it) {
		err = p.Recorder.CheckPast(it)
	} else if err == nil {
		p.left++
		return p.sendFull()
	}
	if err != nil {
		p.problems = append(p.problems, store.ImportProblem{Item: n, Reason: err.Error()})
		return p.sendFull()
	}
	encoded, err := recorder.EncodePast([]config.Item{it})
	if err != nil {
		p.problems = append(p.problems, store.ImportProblem{Item: n, Reason: err.Error()})
		return p.sendFull()
	}
	p.places[it.Place] = append(p.places[it.Place], encoded[0])
	p.n, p.bytes = p.n+1, p.bytes+len(raw)
	return p.sendFull()
}

func (p *packer) sendFull() error {
	if p.n < maxBatch && p.bytes < maxBatchBytes && p.items < 20*maxBatch {
		return nil
	}
	return p.send()
}

func (p *packer) send() error {
	if p.items == 0 {
		return nil
	}
	select {
	case <-p.ctx.Done():
		return p.ctx.Err()
	case p.to <- p.batch:
		p.batch = newBatch(p.position)
		return nil
	}
}
