package firehose

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model/firehoseapi"
)

// A buffer holds records until they go on together.
type buffer struct {
	id       string // a UUID
	stream   string
	kind     string
	opened   time.Time
	records  int
	bytes    int // of data
	weight   int // of an event that has them
	state    string
	attempts int
}

// The states of a buffer.
const (
	open  = "open"
	full  = "full" // and flushed by a job of its own
	timed = "timed"
)

// A record is one of a buffer.
type record struct {
	seq     int
	arrived time.Time
	data    []byte
}

// flush are the arguments of the jobs that flush a buffer.
type flush struct {
	config.Place
	Stream string `json:"stream"`
	Buffer string `json:"buffer"`
	Full   bool   `json:"full"` // it was full, or is tried again
}

// A processing is the job that hands a buffer to the function.
type processing struct{ flush }

func (processing) Kind() string { return "source.firehose.process" }

// Owner is the stream's account.
func (p processing) Owner() string { return p.Account }

// A delivery is the job that writes a buffer to a bucket.
type delivery struct{ flush }

func (delivery) Kind() string { return "source.firehose.deliver" }

// Owner is the stream's account.
func (d delivery) Owner() string { return d.Account }

// plan has a buffer flushed.
func (s *Streams) plan(ctx context.Context, tx *db.Tx, x Stream, b buffer, full bool, at time.Time) error {
	f := flush{x.Place, x.id, b.id, full}
	if b.kind == toProcess {
		return s.jobs.Insert(ctx, tx, processing{f}, job.Options{At: at, Queue: job.Function})
	}
	return s.jobs.Insert(ctx, tx, delivery{f}, job.Options{At: at, Queue: job.File})
}

// lock has one transaction at a time fill and end the buffers of a stream.
func lock(ctx context.Context, tx *db.Tx, stream string) error {
	return tx.Lock(ctx, "delivery stream "+stream)
}

const bufferColumns = `id, stream, kind, opened, records, bytes, weight, state, attempts`

func scanBuffer(scan func(...any) error) (b buffer, err error) {
	var opened int64
	err = scan(&b.id, &b.stream, &b.kind, &opened, &b.records, &b.bytes, &b.weight, &b.state, &b.attempts)
	b.opened = db.Time(opened)
	return b, err
}

// An event takes so many bytes for a record beside its data, and so many in all.
const (
	recordOverhead = 160
	maxEvent       = 6<<20 - 4<<10
)

func weightOf(data []byte) int { return (len(data)+2)/3*4 + recordOverhead }

// add appends records to the open buffer of a kind. The stream is locked.
func (s *Streams) add(ctx context.Context, tx *db.Tx, x Stream, kind string, all []record) (ids []string, err error) {
	row := tx.QueryRow(ctx, `SELECT `+bufferColumns+` FROM firehose_buffers WHERE stream = ? AND kind = ? AND state = ?`, x.id, kind, open)
	b, err := scanBuffer(row.Scan)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return nil, fmt.Errorf("read the open buffer: %w", err)
	}
	size, wait := x.Destination.hints(kind)
	for _, r := range all {
		weight := weightOf(r.data)
		if b.id != "" && kind == toProcess && b.weight+weight > maxEvent {
			if err := s.close(ctx, tx, x, &b); err != nil {
				return nil, err
			}
		}
		if b.id == "" {
			b = buffer{id: lambda.NewID(), stream: x.id, kind: kind, opened: r.arrived, state: open}
			if err := s.plan(ctx, tx, x, b, false, s.now().Add(wait)); err != nil {
				return nil, err
			}
		}
		if r.data == nil {
			r.data = []byte{}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO firehose_records (buffer, seq, arrived, data) VALUES (?, ?, ?, ?)`,
			b.id, b.records, db.Micros(r.arrived), r.data); err != nil {
			return nil, fmt.Errorf("keep a record: %w", err)
		}
		ids = append(ids, recordID(b.id, b.records))
		b.records, b.bytes, b.weight = b.records+1, b.bytes+len(r.data), b.weight+weight
		if b.bytes >= size || b.records >= maxRecords {
			if err := s.close(ctx, tx, x, &b); err != nil {
				return nil, err
			}
		}
	}
	if b.id == "" {
		return ids, nil
	}
	return ids, saveBuffer(ctx, tx, b)
}

// maxRecords is how many records a buffer has at most: empty ones count too.
const maxRecords = 1_000_000

// close has a full buffer flushed at once, and leaves none that is open.
func (s *Streams) close(ctx context.Context, tx *db.Tx, x Stream, b *buffer) error {
	b.state = full
	if err := saveBuffer(ctx, tx, *b); err != nil {
		return err
	}
	err := s.plan(ctx, tx, x, *b, true, time.Time{})
	*b = buffer{}
	return err
}

func saveBuffer(ctx context.Context, tx *db.Tx, b buffer) error {
	_, err := tx.Exec(ctx, `INSERT INTO firehose_buffers (`+bufferColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET records = excluded.records, bytes = excluded.bytes, weight = excluded.weight, state = excluded.state,
			attempts = excluded.attempts`,
		b.id, b.stream, b.kind, db.Micros(b.opened), b.records, b.bytes, b.weight, b.state, b.attempts)
	if err != nil {
		return fmt.Errorf("write a buffer: %w", err)
	}
	return nil
}

// take closes the buffer of a job, and returns it with its stream; ok is false if another
// job flushes it, or there is nothing left to do.
func (s *Streams) take(ctx context.Context, f flush) (x Stream, b buffer, ok bool, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		ok = false
		if err := lock(ctx, tx, f.Stream); err != nil {
			return err
		}
		if x, err = byID(ctx, tx, f.Place, f.Stream); err != nil {
			return gone(err)
		}
		if b, err = scanBuffer(tx.QueryRow(ctx, `SELECT `+bufferColumns+` FROM firehose_buffers WHERE id = ?`, f.Buffer).Scan); err != nil {
			return gone(err)
		}
		switch {
		case !f.Full && b.state == open:
			b.state, ok = timed, true
			return saveBuffer(ctx, tx, b)
		default: // a timed job that was cut off takes up its own buffer again
			ok = f.Full || b.state == timed && b.attempts == 0
		}
		return nil
	})
	return x, b, ok, err
}

// gone hides that a row is not there: the stream was deleted, or the buffer flushed.
func gone(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}

// records reads some records of a buffer, in their order.
func records(ctx context.Context, tx *db.Tx, buffer string, from, limit int) (out []record, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var r record
		var arrived int64
		err := scan(&r.seq, &arrived, &r.data)
		r.arrived = db.Time(arrived)
		out = append(out, r)
		return err
	}, `SELECT seq, arrived, data FROM firehose_records WHERE buffer = ? AND seq >= ? ORDER BY seq LIMIT ?`, buffer, from, limit)
	return out, err
}

// end removes a buffer; false if it is gone already.
func end(ctx context.Context, tx *db.Tx, b buffer) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM firehose_buffers WHERE id = ?`, b.id)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM firehose_records WHERE buffer = ?`, b.id)
	return err == nil, err
}

// again has a buffer tried another time.
func (s *Streams) again(ctx context.Context, tx *db.Tx, x Stream, b buffer, wait time.Duration) error {
	n, err := tx.Exec(ctx, `UPDATE firehose_buffers SET attempts = ? WHERE id = ?`, b.attempts+1, b.id)
	if err != nil || n == 0 {
		return err
	}
	return s.plan(ctx, tx, x, b, true, s.now().Add(wait))
}

// recordID is the id of a record, which stays the same however often it is handed over.
func recordID(buffer string, seq int) string {
	sum := sha256.Sum256([]byte(buffer))
	n := new(big.Int).SetUint64(binary.BigEndian.Uint64(sum[:8]))
	return fmt.Sprintf("49%039d%015d000000", n, seq)
}

// An Outcome is what became of a record that was put.
type Outcome struct {
	ID    string
	Error error // a *model.Error; nil if it was accepted
}

// Put accepts records. One that the stream has no room for fails by itself.
func (s *Streams) Put(ctx context.Context, tx *db.Tx, p config.Place, name string, all [][]byte) (x Stream, out []Outcome, err error) {
	if x, err = Find(ctx, tx, p, name); err != nil {
		return x, nil, err
	}
	if err := lock(ctx, tx, x.id); err != nil {
		return x, nil, err
	}
	if x, err = Find(ctx, tx, p, name); err != nil { // it may have been deleted or changed meanwhile
		return x, nil, err
	}
	var backlog int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(sum(bytes), 0) FROM firehose_buffers WHERE stream = ?`, x.id).Scan(&backlog); err != nil {
		return x, nil, fmt.Errorf("read the backlog: %w", err)
	}
	now, taken := s.now(), make([]record, 0, len(all))
	out = make([]Outcome, len(all))
	for i, data := range all {
		if backlog+int64(len(data)) > s.o.MaxBacklog {
			out[i].Error = firehoseapi.ServiceUnavailableException("Slow down.")
			continue
		}
		backlog += int64(len(data))
		taken = append(taken, record{arrived: now, data: data})
	}
	if x.Destination.Backs {
		if _, err := s.add(ctx, tx, x, toBackUp, taken); err != nil {
			return x, nil, err
		}
	}
	kind := toDeliver
	if x.Destination.function() != "" {
		kind = toProcess
	}
	ids, err := s.add(ctx, tx, x, kind, taken)
	for i := range out {
		if out[i].Error == nil && err == nil {
			out[i].ID, ids = ids[0], ids[1:]
		}
	}
	return x, out, err
}
