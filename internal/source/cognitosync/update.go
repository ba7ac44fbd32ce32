package cognitosync

import (
	"context"
	"log/slog"
	"time"

	"plumb/internal/cognito"
	"plumb/internal/db"
	"plumb/internal/lambda"
	api "plumb/internal/model/cognitosyncapi"
)

// Sync writes datasets.
type Sync struct {
	log       *slog.Logger
	db        *db.DB
	functions *lambda.Service
	now       func() time.Time
}

// New returns the datasets kept in d.
func New(log *slog.Logger, d *db.DB, functions *lambda.Service, now func() time.Time) *Sync {
	return &Sync{log, d, functions, now}
}

// Read runs a transaction that reads, and Write one that writes.
func (s *Sync) Read(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Read(ctx, f) }

// Write runs a transaction that writes.
func (s *Sync) Write(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Write(ctx, f) }

// A Patch is a change of one record.
type Patch struct {
	Key           string
	Value         *string // nil removes the record
	Count         int64   // of the record that the device knows
	DeviceChanged time.Time
	added         bool // by the function, which knows no count
}

// An Update is what a device wants written.
type Update struct {
	Pool     cognito.Pool
	Identity string
	Dataset  string
	Device   string
	Patches  []Patch
	ByDevice bool // it came with credentials of the identity: the pool's function is asked
}

// Update writes records, as the pool's function will have it. Nothing is written unless
// all is.
func (s *Sync) Update(ctx context.Context, u Update) (written []Record, err error) {
	if len(u.Patches) > maxRecords {
		return nil, tooMany()
	}
	function, old := "", map[string]Record{}
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		if function, err = trigger(ctx, tx, u.Pool.ID); err != nil {
			return err
		}
		d, _, err := Find(ctx, tx, u.Pool.ID, u.Identity, u.Dataset)
		if err != nil {
			return err
		}
		for _, p := range u.Patches {
			if old[p.Key], err = current(ctx, tx, d, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if function != "" && u.ByDevice {
		if u.Patches, err = s.ask(ctx, function, u, old); err != nil {
			return nil, err
		}
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		written, err = s.write(ctx, tx, u)
		return err
	})
	return written, err
}

// current returns the record that a patch changes, if that is the one which the device
// knows.
func current(ctx context.Context, tx *db.Tx, d Dataset, p Patch) (Record, error) {
	r, err := findRecord(ctx, tx, d, p.Key)
	if err == nil && !p.added && r.Count != p.Count {
		return r, api.ResourceConflictException("Current SyncCount for record with key '%s' is %d, not %d.", p.Key, r.Count, p.Count)
	}
	return r, err
}

func tooMany() error {
	return api.LimitExceededException("A dataset has %d records at most.", maxRecords)
}

func (s *Sync) write(ctx context.Context, tx *db.Tx, u Update) (written []Record, err error) {
	d, there, err := Find(ctx, tx, u.Pool.ID, u.Identity, u.Dataset)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if !there {
		n, err := UsageOf(ctx, tx, u.Pool.ID, u.Identity)
		if err != nil {
			return nil, err
		}
		if n.Datasets >= maxDatasets {
			return nil, api.LimitExceededException("An identity has %d datasets at most.", maxDatasets)
		}
		d.Created, d.Deleted = now, 0
	}
	d.Count++
	if d.Changed, d.By = now, u.Device; d.By == "" {
		d.By = u.Identity
	}
	for _, p := range u.Patches {
		r, err := current(ctx, tx, d, p)
		if err != nil {
			return nil, err
		}
		if r.Value != nil {
			d.Records, d.Storage = d.Records-1, d.Storage-int64(len(r.Key)+len(*r.Value))
		}
		r.Value, r.Count, r.Changed, r.By, r.DeviceChanged = p.Value, d.Count, now, d.By, p.DeviceChanged
		if r.Value != nil {
			d.Records, d.Storage = d.Records+1, d.Storage+int64(len(r.Key)+len(*r.Value))
		}
		if err := putRecord(ctx, tx, d, r); err != nil {
			return nil, err
		}
		written = append(written, r)
	}
	switch {
	case d.Records > maxRecords:
		return nil, tooMany()
	case d.Storage > maxStorage:
		return nil, api.LimitExceededException("A dataset has %d bytes at most.", maxStorage)
	}
	return written, putDataset(ctx, tx, d)
}
