package bucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
)

// grace is how long bytes outlive their object, for those who are reading it.
const grace = 15 * time.Minute

// strayAge is when a file without a row counts as left over by a crash; no
// upload of one part lasts that long.
const strayAge = 24 * time.Hour

// sweep is the job that removes bytes whose grace is over.
type sweep struct{}

// Kind names the job.
func (sweep) Kind() string { return "bucket.sweep" }

func (s *Store) handleSweep() {
	job.HandlePrepared(s.jobs, func(ctx context.Context, _ job.Job[sweep]) (job.Commit, error) {
		return s.sweepAgain, s.emptyTrash(ctx)
	}, job.Policy{Timeout: 10 * time.Minute})
}

// discard gives the blobs of an owner to the trash.
func (s *Store) discard(ctx context.Context, tx *db.Tx, owner string) error {
	if err := s.scheduleSweep(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO object_trash (blob, at) SELECT blob, ? FROM object_blobs WHERE owner = ?`,
		db.Micros(s.now().Add(grace)), owner)
	if err != nil {
		return fmt.Errorf("discard blobs: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM object_blobs WHERE owner = ?`, owner); err != nil {
		return fmt.Errorf("discard blobs: %w", err)
	}
	return nil
}

// scheduleSweep inserts a job unless the trash has something already, for which
// there is one.
func (s *Store) scheduleSweep(ctx context.Context, tx *db.Tx) error {
	if err := tx.LockShared(ctx, trashLock); err != nil {
		return err
	}
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM object_trash LIMIT 1`).Scan(&one)
	if !errors.Is(err, db.ErrNoRows) {
		return err
	}
	return s.jobs.Insert(ctx, tx, sweep{}, job.Options{At: s.now().Add(grace)})
}

// emptyTrash removes what is due.
func (s *Store) emptyTrash(ctx context.Context) error {
	const batch = 500
	for {
		blobs, err := s.trash(ctx, batch)
		if err != nil {
			return err
		}
		if len(blobs) == 0 {
			return nil
		}
		for _, id := range blobs {
			if err := s.blobs.Remove(ctx, id); err != nil {
				return err
			}
		}
		in, args := db.In(blobs)
		err = s.db.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM object_trash WHERE blob IN `+in, args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("empty trash: %w", err)
		}
	}
}

func (s *Store) trash(ctx context.Context, limit int) (ids []string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var id string
			if err := scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
			return nil
		}, `SELECT blob FROM object_trash WHERE at <= ? ORDER BY at LIMIT ?`, db.Micros(s.now()), limit)
	})
	return ids, err
}

// trashLock is held by those who add to the trash, together, and alone by the
// job that decides whether it needs a successor: else each could rely on the
// other for it.
const trashLock = "object trash"

// sweepAgain inserts the job's successor while the trash is not empty.
func (s *Store) sweepAgain(ctx context.Context, tx *db.Tx) error {
	if err := tx.Lock(ctx, trashLock); err != nil {
		return err
	}
	var at int64
	err := tx.QueryRow(ctx, `SELECT at FROM object_trash ORDER BY at DESC LIMIT 1`).Scan(&at)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.jobs.Insert(ctx, tx, sweep{}, job.Options{At: db.Time(at)})
}

// Sweep removes the bytes that a crash left without a row, and what is due in
// the trash. The program calls it after its start; it walks every blob.
func (s *Store) Sweep(ctx context.Context) error {
	if err := s.emptyTrash(ctx); err != nil {
		return err
	}
	// The files' times are the machine's, whatever the program's clock says.
	return s.blobs.Strays(ctx, time.Now().Add(-strayAge), func(id string) error {
		named, err := s.named(ctx, id)
		if err != nil || named {
			return err
		}
		s.log.Info("removed bytes that a crash left behind", "blob", id)
		return s.blobs.Remove(ctx, id)
	})
}

func (s *Store) named(ctx context.Context, blob string) (ok bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var n int
		err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM object_blobs WHERE blob = ?) + (SELECT count(*) FROM object_trash WHERE blob = ?)`,
			blob, blob).Scan(&n)
		ok = n > 0
		return err
	})
	return ok, err
}
