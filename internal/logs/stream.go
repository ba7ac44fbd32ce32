package logs

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/logsapi"
)

// A Stream is a log stream. Times are in milliseconds; First, Last and Ingested
// are 0 before its first event.
type Stream struct {
	Group                          Group
	Name                           string
	Created, First, Last, Ingested int64

	id int64
}

// ARN returns the stream's name of names.
func (st Stream) ARN() string { return st.Group.ARN() + ":log-stream:" + st.Name }

// CreateStream makes a stream in a group.
func (s *Store) CreateStream(ctx context.Context, p config.Place, group, name string) error {
	return s.changeGroup(ctx, p, group, func(tx *db.Tx, g Group) error {
		made, err := s.insertStream(ctx, tx, g.id, name)
		if err == nil && !made {
			return logsapi.ResourceAlreadyExistsException("The specified log stream already exists")
		}
		return err
	})
}

func (s *Store) insertStream(ctx context.Context, tx *db.Tx, group int64, name string) (made bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO log_streams (log_group, name, id, created, first, last, ingested) VALUES (?, ?, ?, ?, 0, 0, 0)
		ON CONFLICT (log_group, name) DO NOTHING`, group, name, newID(), s.millis())
	return n == 1, err
}

const streamColumns = "name, id, created, first, last, ingested"

func scanStream(scan func(...any) error, g Group) (Stream, error) {
	st := Stream{Group: g}
	return st, scan(&st.Name, &st.id, &st.Created, &st.First, &st.Last, &st.Ingested)
}

func findStream(ctx context.Context, tx *db.Tx, g Group, name string) (Stream, error) {
	st, err := scanStream(tx.QueryRow(ctx, "SELECT "+streamColumns+" FROM log_streams WHERE log_group = ? AND name = ?", g.id, name).Scan, g)
	if errors.Is(err, db.ErrNoRows) {
		return st, logsapi.ResourceNotFoundException("The specified log stream does not exist.")
	}
	return st, err
}

// DeleteStream removes a stream with its events.
func (s *Store) DeleteStream(ctx context.Context, p config.Place, group, name string) error {
	s.Flush(ctx)
	return s.changeGroup(ctx, p, group, func(tx *db.Tx, g Group) error {
		st, err := findStream(ctx, tx, g, name)
		if err != nil {
			return err
		}
		var bytes int64
		if err := tx.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM log_events WHERE stream = ?", st.id).Scan(&bytes); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM log_events WHERE stream = ?", st.id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM log_streams WHERE id = ?", st.id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE log_groups SET bytes = bytes - ? WHERE id = ?", bytes, g.id)
		return err
	})
}

// A StreamList says which streams to list and in which order.
type StreamList struct {
	Prefix     string
	ByLast     bool // by the time of their last event instead of by name
	Descending bool
	After      *Stream // the last one of the page before: name and time count
	Limit      int
}

// Streams lists streams of a group.
func (s *Store) Streams(ctx context.Context, g Group, l StreamList) (out []Stream, err error) {
	compare, order := ">", "ASC"
	if l.Descending {
		compare, order = "<", "DESC"
	}
	query, args := "SELECT "+streamColumns+" FROM log_streams WHERE log_group = ? AND substr(name, 1, length(?)) = ?", []any{g.id, l.Prefix, l.Prefix}
	switch {
	case l.ByLast && l.After != nil:
		query += fmt.Sprintf(" AND (last, name) %s (?, ?)", compare)
		args = append(args, l.After.Last, l.After.Name)
	case l.After != nil:
		query += fmt.Sprintf(" AND name %s ?", compare)
		args = append(args, l.After.Name)
	}
	if l.ByLast {
		query += fmt.Sprintf(" ORDER BY last %s, name %s LIMIT ?", order, order)
	} else {
		query += fmt.Sprintf(" ORDER BY name %s LIMIT ?", order)
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			st, err := scanStream(scan, g)
			out = append(out, st)
			return err
		}, query, append(args, l.Limit)...)
	})
	return out, err
}
