package logs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An Event is one entry of a log.
type Event struct {
	Time     int64 // milliseconds
	Ingested int64
	Message  string
	Stream   string

	at Position
}

// ID returns the number under which AWS shows an event: 56 digits.
func (e Event) ID() string { return e.at.String() }

// At returns where the event stands in its group.
func (e Event) At() Position { return e.at }

// A Position is a place in a group between events or at one.
type Position struct{ Time, Seq int64 }

// String writes a position in 56 digits.
func (p Position) String() string { return fmt.Sprintf("%028d%028d", p.Time, p.Seq) }

// ParsePosition reads what String writes.
func ParsePosition(text string) (p Position, ok bool) {
	if len(text) != 56 || strings.Trim(text, "0123456789") != "" {
		return p, false
	}
	_, err := fmt.Sscanf(text, "%028d%028d", &p.Time, &p.Seq)
	return p, err == nil
}

// overhead is what AWS counts for an event beside its message.
const overhead = 26

// maxGroupBytes is how many bytes of events a group may hold.
const maxGroupBytes = 128 << 20

// An Entry is an event that is to be written.
type Entry struct {
	Time    int64
	Message string
}

// Put adds events to a stream that is there, in the order of their times.
func (s *Store) Put(ctx context.Context, p config.Place, group, stream string, entries []Entry) error {
	return s.changeGroup(ctx, p, group, func(tx *db.Tx, g Group) error {
		st, err := findStream(ctx, tx, g, stream)
		if err != nil || len(entries) == 0 {
			return err
		}
		return s.insert(ctx, tx, g, st, entries)
	})
}

// Append adds an event to a stream of a group that is there, in the caller's
// transaction. It makes the stream. Its errors leave the transaction usable when AWS
// names them.
func (s *Store) Append(ctx context.Context, tx *db.Tx, p config.Place, group, stream, message string) error {
	g, err := findGroup(ctx, tx, p, group)
	if err != nil {
		return err
	}
	if _, err := s.insertStream(ctx, tx, g.id, stream); err != nil {
		return err
	}
	st, err := findStream(ctx, tx, g, stream)
	if err != nil {
		return err
	}
	return s.insert(ctx, tx, g, st, []Entry{{s.millis(), message}})
}

// insert writes events, and makes room for them.
func (s *Store) insert(ctx context.Context, tx *db.Tx, g Group, st Stream, entries []Entry) error {
	var bytes, seq, held int64
	first, last := entries[0].Time, entries[0].Time
	for _, e := range entries {
		bytes += int64(len(e.Message) + overhead)
		first, last = min(first, e.Time), max(last, e.Time)
	}
	err := tx.QueryRow(ctx, "UPDATE log_groups SET seq = seq + ?, bytes = bytes + ? WHERE id = ? RETURNING seq, bytes", len(entries), bytes, g.id).
		Scan(&seq, &held)
	if err != nil {
		return err
	}
	now := s.millis()
	seq -= int64(len(entries))
	written := make([]Event, 0, len(entries))
	const rows = 100 // a statement
	for i := 0; i < len(entries); i += rows {
		part := entries[i:min(i+rows, len(entries))]
		var args []any
		for _, e := range part {
			seq++
			written = append(written, Event{Time: e.Time, Ingested: now, Message: clean(e.Message), Stream: st.Name, at: Position{e.Time, seq}})
			args = append(args, g.id, e.Time, seq, st.id, now, len(e.Message)+overhead, written[len(written)-1].Message)
		}
		values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?), ", len(part)), ", ")
		if _, err := tx.Exec(ctx, "INSERT INTO log_events (log_group, time, seq, stream, ingested, size, message) VALUES "+values, args...); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	if st.First != 0 {
		first, last = min(first, st.First), max(last, st.Last)
	}
	if _, err := tx.Exec(ctx, "UPDATE log_streams SET first = ?, last = ?, ingested = ? WHERE id = ?", first, last, now, st.id); err != nil {
		return err
	}
	if s.Written != nil {
		if err := s.Written(ctx, tx, g, written); err != nil {
			return err
		}
	}
	if g.Retention > 0 {
		if err := s.expire(ctx, tx, g.id, g.Retention); err != nil {
			return err
		}
	}
	return s.trim(ctx, tx, g.id, held)
}

// clean keeps what both databases can hold: valid UTF-8 without NUL.
func clean(message string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(message, "\uFFFD"), "\x00", "\uFFFD")
}

// expire removes the events that are older than the retention, of a group.
func (s *Store) expire(ctx context.Context, tx *db.Tx, group int64, days int) error {
	oldest := s.now().Add(-time.Duration(days) * 24 * time.Hour).UnixMilli()
	var bytes int64
	err := tx.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM log_events WHERE log_group = ? AND time < ?", group, oldest).Scan(&bytes)
	if err != nil || bytes == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM log_events WHERE log_group = ? AND time < ?", group, oldest); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE log_groups SET bytes = bytes - ? WHERE id = ?", bytes, group)
	return err
}

// trim removes the oldest events of a group that holds too much, a tenth at
// least, so that it is not trimmed by every write.
func (s *Store) trim(ctx context.Context, tx *db.Tx, group, held int64) error {
	if held <= s.maxGroup {
		return nil
	}
	var (
		freed int64
		upTo  Position
		done  = held - s.maxGroup*9/10
	)
	rows, err := tx.Query(ctx, "SELECT time, seq, size FROM log_events WHERE log_group = ? ORDER BY time, seq", group)
	if err != nil {
		return err
	}
	for freed < done && rows.Next() {
		var size int64
		if err := rows.Scan(&upTo.Time, &upTo.Seq, &size); err != nil {
			rows.Close()
			return err
		}
		freed += size
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM log_events WHERE log_group = ? AND (time, seq) <= (?, ?)", group, upTo.Time, upTo.Seq); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE log_groups SET bytes = bytes - ? WHERE id = ?", freed, group)
	return err
}
