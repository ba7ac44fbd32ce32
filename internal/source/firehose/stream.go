package firehose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/firehoseapi"
)

// An Object is one to write to a bucket, as a role.
type Object struct {
	config.Place
	Role   string
	Bucket string
	Key    string
	File   io.ReadSeeker
	Size   int64
	Type   string // of its content
	KMSKey string // ARN; empty for S3's own
}

// Options are what streams work with.
type Options struct {
	// Write writes an object; what S3 answers is a *model.Error.
	Write func(ctx context.Context, o Object) error
	// May reports with an error that a role may not invoke a function.
	May func(ctx context.Context, tx *db.Tx, from caller.Sender, functionARN string) error
	// Log writes a line to a log group. Nil writes none.
	Log func(ctx context.Context, tx *db.Tx, p config.Place, group, stream, line string) error

	MaxBacklog int64 // bytes of a stream that are not delivered yet; 0 is 1 GiB
}

// Streams are the delivery streams.
type Streams struct {
	log       *slog.Logger
	db        *db.DB
	jobs      *job.Queue
	functions *lambda.Service
	now       func() time.Time
	o         Options
}

// New returns the streams and registers the jobs that flush their buffers.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, functions *lambda.Service, now func() time.Time, o Options) *Streams {
	if o.MaxBacklog == 0 {
		o.MaxBacklog = 1 << 30
	}
	s := &Streams{log, d, jobs, functions, now, o}
	job.HandlePrepared(jobs, s.process, job.Policy{Timeout: processTimeout})
	job.HandlePrepared(jobs, s.deliver, job.Policy{Timeout: 10 * time.Minute})
	return s
}

// Read and Write run a transaction on the store.
func (s *Streams) Read(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Read(ctx, f) }

func (s *Streams) Write(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, f)
}

// A Stream is a delivery stream.
type Stream struct {
	config.Place
	Name        string
	Created     time.Time
	Updated     time.Time // zero if never
	Version     int
	Destination Destination
	Encryption  Encryption
	Tags        map[string]string

	id string
}

// Encryption is what a stream's encryption was set to. Records are kept alike.
type Encryption struct {
	Type string `json:"type,omitempty"` // of the key; empty is none
	Key  string `json:"key,omitempty"`
}

// definition is what is kept of a stream beside its names.
type definition struct {
	Destination Destination       `json:"destination"`
	Encryption  Encryption        `json:"encryption"`
	Tags        map[string]string `json:"tags"`
}

const (
	maxStreams = 5000
	maxTags    = 50
)

// ARN returns the stream's ARN.
func (s Stream) ARN() string {
	return arn.New("firehose", s.Region, s.Account, "deliverystream/"+s.Name).String()
}

const columns = `id, name, created, updated, version, definition`

func scanStream(p config.Place, scan func(...any) error) (Stream, error) {
	s := Stream{Place: p}
	var created, updated int64
	var text string
	if err := scan(&s.id, &s.Name, &created, &updated, &s.Version, &text); err != nil {
		return s, err
	}
	s.Created = db.Time(created)
	if updated > 0 {
		s.Updated = db.Time(updated)
	}
	var d definition
	err := json.Unmarshal([]byte(text), &d)
	s.Destination, s.Encryption, s.Tags = d.Destination, d.Encryption, d.Tags
	if s.Tags == nil {
		s.Tags = map[string]string{}
	}
	return s, err
}

// Find returns a stream, or the error ResourceNotFoundException.
func Find(ctx context.Context, tx *db.Tx, p config.Place, name string) (Stream, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM firehose_streams WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	s, err := scanStream(p, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return s, firehoseapi.ResourceNotFoundException("Firehose %s under account %s not found.", name, p.Account)
	}
	if err != nil {
		return s, fmt.Errorf("read delivery stream %s: %w", name, err)
	}
	return s, nil
}

// Holds reports whether a place has a stream of that name here.
func (s *Streams) Holds(ctx context.Context, p config.Place, name string) (held bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		_, err := Find(ctx, tx, p, name)
		held = err == nil
		if model.IsCode(err, "ResourceNotFoundException") {
			return nil
		}
		return err
	})
	return held, err
}

// byID returns the stream of a buffer.
func byID(ctx context.Context, tx *db.Tx, p config.Place, id string) (Stream, error) {
	return scanStream(p, tx.QueryRow(ctx, `SELECT `+columns+` FROM firehose_streams WHERE id = ?`, id).Scan)
}

// List lists streams by name, those after the given one.
func List(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []Stream, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		s, err := scanStream(p, scan)
		out = append(out, s)
		return err
	}, `SELECT `+columns+` FROM firehose_streams WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
	return out, err
}

func save(ctx context.Context, tx *db.Tx, s Stream) error {
	text, err := json.Marshal(definition{s.Destination, s.Encryption, s.Tags})
	if err != nil {
		return err
	}
	updated := int64(0)
	if !s.Updated.IsZero() {
		updated = db.Micros(s.Updated)
	}
	_, err = tx.Exec(ctx, `INSERT INTO firehose_streams (id, account, region, name, created, updated, version, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET updated = excluded.updated, version = excluded.version, definition = excluded.definition`,
		s.id, s.Account, s.Region, s.Name, db.Micros(s.Created), updated, s.Version, string(text))
	if err != nil {
		return fmt.Errorf("write delivery stream %s: %w", s.Name, err)
	}
	return nil
}

func lockStreams(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "delivery streams "+p.String())
}

// Create makes a stream.
func (s *Streams) Create(ctx context.Context, tx *db.Tx, x Stream) (Stream, error) {
	if err := x.Destination.Check(x.Place); err != nil {
		return x, err
	}
	if err := checkTags(x.Tags); err != nil {
		return x, err
	}
	if err := lockStreams(ctx, tx, x.Place); err != nil {
		return x, err
	}
	if _, err := Find(ctx, tx, x.Place, x.Name); err == nil {
		return x, firehoseapi.ResourceInUseException("Firehose %s under accountId %s already exists", x.Name, x.Account)
	} else if !model.IsCode(err, "ResourceNotFoundException") {
		return x, err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM firehose_streams WHERE account = ? AND region = ?`, x.Account, x.Region).Scan(&n); err != nil {
		return x, err
	}
	if n >= maxStreams {
		return x, firehoseapi.LimitExceededException("You have already consumed your firehose quota of %d hoses for account %s.", maxStreams, x.Account)
	}
	x.id, x.Created, x.Version = lambda.NewID(), s.now(), 1
	return x, save(ctx, tx, x)
}

// Change changes a stream. With version it is one that clients count.
func (s *Streams) Change(ctx context.Context, tx *db.Tx, p config.Place, name string, version bool, change func(*Stream) error) error {
	if err := lockStreams(ctx, tx, p); err != nil {
		return err
	}
	x, err := Find(ctx, tx, p, name)
	if err != nil {
		return err
	}
	if err := change(&x); err != nil {
		return err
	}
	if err := checkTags(x.Tags); err != nil {
		return err
	}
	if version {
		if err := x.Destination.Check(p); err != nil {
			return err
		}
		x.Version++
		x.Updated = s.now()
	}
	return save(ctx, tx, x)
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return firehoseapi.LimitExceededException("A delivery stream can have up to %d tags.", maxTags)
	}
	for k := range tags {
		if len(k) >= 4 && k[:4] == "aws:" {
			return invalid("Tag keys must not begin with aws:")
		}
	}
	return nil
}

// Delete removes a stream with what it has not delivered.
func (s *Streams) Delete(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if err := lockStreams(ctx, tx, p); err != nil {
		return err
	}
	x, err := Find(ctx, tx, p, name)
	if err != nil {
		return err
	}
	if err := lock(ctx, tx, x.id); err != nil {
		return err
	}
	for _, stmt := range []string{
		`DELETE FROM firehose_records WHERE buffer IN (SELECT id FROM firehose_buffers WHERE stream = ?)`,
		`DELETE FROM firehose_buffers WHERE stream = ?`, `DELETE FROM firehose_streams WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, stmt, x.id); err != nil {
			return fmt.Errorf("delete delivery stream %s: %w", name, err)
		}
	}
	return nil
}
