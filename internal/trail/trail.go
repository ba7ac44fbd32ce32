// Package trail reads records of CloudTrail that other people's queues and buckets have:
// what was called in accounts whose resources are recorded here.
//
// It does not know what follows from a record: Options.Take does. Nor does
// it write any: package audit keeps what was called here.
//
//	t := trail.New(log, trail.Options{DB: d, Jobs: jobs, Sources: sources, Client: target, Take: take, Now: now})
//	err := t.Ensure(ctx, tx) // from now on
//
// A queue has events of EventBridge's, records, files of records, or notices that a bucket
// has a new file: from S3, from CloudTrail's topic, or either through SNS. A message is
// deleted once what it says was taken, so nothing is lost with a server; what is no record
// is deleted, too. A bucket is listed day by day, and each file read once. A file that is gone
// or that may not be read is left out, and one that cannot be read is tried again, while the
// others are read.
//
// It stores trail_source and trail_file.
package trail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
)

// A Source is a queue or a bucket with records.
type Source struct {
	config.Place        // as whom it is read; records of a bucket are of that account
	Address      string // a queue's URL, or s3://BUCKET/PREFIX
	// Others says that a queue may tell of other accounts, too.
	Others bool
}

func (s Source) name() string { return s.Place.String() + " " + s.Address }

// bucket returns where a source is in S3.
func (s Source) bucket() (bucket, prefix string, is bool) {
	rest, is := strings.CutPrefix(s.Address, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix, is
}

var amazonQueue = regexp.MustCompile(`^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// region is that of a queue whose URL says it, else the place's.
func (s Source) region() string {
	if u, err := url.Parse(s.Address); err == nil {
		if m := amazonQueue.FindStringSubmatch(u.Hostname()); m != nil {
			return m[1]
		}
	}
	return s.Region
}

// Options are what a Trail is made of. All are required.
type Options struct {
	DB      *db.DB
	Jobs    *job.Queue
	Sources []Source
	// Client returns a client of a place's target; nil if it has none.
	Client func(ctx context.Context, p config.Place) (*awsclient.Client, error)
	// Take takes records in a transaction. It may be given the same ones again.
	Take func(ctx context.Context, tx *db.Tx, records []audit.Event) error
	Now  func() time.Time
}

// A Trail reads sources. It is safe for concurrent use.
type Trail struct {
	log *slog.Logger
	Options
}

const (
	queueEvery  = 10 * time.Second
	bucketEvery = time.Minute
	readTimeout = 10 * time.Minute
)

// read reads a source, and is followed by the next reading of it.
type read struct {
	Source string `json:"source"`
}

// Kind names the job.
func (read) Kind() string { return "trail.read" }

// New returns a Trail and registers its job.
func New(log *slog.Logger, o Options) *Trail {
	t := &Trail{log, o}
	job.HandlePrepared(o.Jobs, t.read, job.Policy{Timeout: readTimeout, Yields: true})
	return t
}

// Ensure has the sources read from now on that are not.
func (t *Trail) Ensure(ctx context.Context, tx *db.Tx) error {
	for _, s := range t.Sources {
		n, err := tx.Exec(ctx, `INSERT INTO trail_source (source) VALUES (?) ON CONFLICT DO NOTHING`, s.name())
		if err != nil {
			return fmt.Errorf("note that %s is read: %w", s.Address, err)
		}
		if n == 0 {
			continue
		}
		if err := t.Jobs.Insert(ctx, tx, read{s.name()}, job.Options{Queue: job.Collect}); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trail) read(ctx context.Context, j job.Job[read]) (job.Commit, error) {
	s, ok := t.source(j.Args.Source)
	if !ok { // the settings do not name it any more
		return func(ctx context.Context, tx *db.Tx) error { return forget(ctx, tx, j.Args.Source) }, nil
	}
	every, do := queueEvery, t.readQueue
	if _, _, is := s.bucket(); is {
		every, do = bucketEvery, t.readBucket
	}
	if err := t.readAs(ctx, s, do); err != nil {
		if ctx.Err() != nil {
			return nil, err // the server is being stopped
		}
		t.log.Warn("records of CloudTrail could not be read, it is tried again", "account", s.Account, "source", s.Address, "err", err)
	}
	return func(ctx context.Context, tx *db.Tx) error {
		return t.Jobs.Insert(ctx, tx, j.Args, job.Options{Queue: job.Collect, At: t.Now().Add(every)})
	}, nil
}

func (t *Trail) readAs(ctx context.Context, s Source, do func(context.Context, Source, *awsclient.Client) error) error {
	c, err := t.Client(ctx, config.Place{Account: s.Account, Region: s.region()})
	if err == nil && c == nil {
		err = errors.New("the account has no target")
	}
	if err != nil {
		return err
	}
	return do(ctx, s, c)
}

func (t *Trail) source(name string) (Source, bool) {
	for _, s := range t.Sources {
		if s.name() == name {
			return s, true
		}
	}
	return Source{}, false
}

func forget(ctx context.Context, tx *db.Tx, source string) error {
	for _, query := range []string{`DELETE FROM trail_file WHERE source = ?`, `DELETE FROM trail_source WHERE source = ?`} {
		if _, err := tx.Exec(ctx, query, source); err != nil {
			return fmt.Errorf("forget %s: %w", source, err)
		}
	}
	return nil
}

// records reads records that a source may tell of.
func (s Source) records(bodies [][]byte) (out []audit.Event) {
	for _, body := range bodies {
		e, err := audit.ParseRecord(body, s.Address)
		if err == nil && (s.Others || e.Place.Account == s.Account) {
			out = append(out, e)
		}
	}
	return out
}

// takeAtOnce is how many records a transaction takes.
const takeAtOnce = 100
