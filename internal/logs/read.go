package logs

import (
	"context"
	"errors"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// maxPage is how many bytes of events AWS answers at a time.
const maxPage = 1 << 20

// maxScan is how many events one call looks at that does not find enough.
const maxScan = 10000

// A Query says which events to read.
type Query struct {
	Streams  []string // names; all without
	Prefix   string   // of streams' names
	From     int64    // milliseconds, inclusive
	Until    int64    // exclusive; 0 for no end
	After    *Position
	Before   *Position // read backwards from here
	Backward bool
	Pattern  Pattern
	Limit    int
}

// A Page is what a query found, in the order of time.
type Page struct {
	Events []Event
	More   *Position // where the next page begins; nil at the end
}

// Stream reads the events of one stream.
func (s *Store) Stream(ctx context.Context, p config.Place, group, stream string, q Query) (Page, error) {
	q.Streams = []string{stream}
	return s.read(ctx, p, group, q, func(tx *db.Tx, g Group) error {
		_, err := findStream(ctx, tx, g, stream)
		return err
	})
}

// Filter reads the events of a group that a pattern matches.
func (s *Store) Filter(ctx context.Context, p config.Place, group string, q Query) (Page, error) {
	return s.read(ctx, p, group, q, func(tx *db.Tx, g Group) error {
		for _, name := range q.Streams {
			if _, err := findStream(ctx, tx, g, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) read(ctx context.Context, p config.Place, group string, q Query, check func(*db.Tx, Group) error) (page Page, err error) {
	s.Flush(ctx)
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		g, err := findGroup(ctx, tx, p, group)
		if err != nil {
			return err
		}
		if err := check(tx, g); err != nil {
			return err
		}
		page, err = s.page(ctx, tx, g, q)
		return err
	})
	return page, err
}

// errFull ends a walk through events.
var errFull = errors.New("the page is full")

func (s *Store) page(ctx context.Context, tx *db.Tx, g Group, q Query) (page Page, err error) {
	query, args := s.statement(g, q)
	size, seen := 0, 0
	var last Position
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		if len(page.Events) >= q.Limit || size >= maxPage || seen >= maxScan {
			page.More = &last
			return errFull
		}
		var e Event
		if err := scan(&e.at.Time, &e.at.Seq, &e.Ingested, &e.Message, &e.Stream); err != nil {
			return err
		}
		e.Time, last = e.at.Time, e.at
		seen++
		if q.Pattern.Matches(e.Message) {
			size += len(e.Message) + overhead
			page.Events = append(page.Events, e)
		}
		return nil
	}, query, args...)
	if errors.Is(err, errFull) {
		err = nil
	}
	if q.Backward {
		slices.Reverse(page.Events)
	}
	return page, err
}

// statement writes the query out. What retention has ended is not shown, though
// it may still be there.
func (s *Store) statement(g Group, q Query) (string, []any) {
	from := q.From
	if g.Retention > 0 {
		from = max(from, s.now().Add(-time.Duration(g.Retention)*24*time.Hour).UnixMilli())
	}
	query := `SELECT e.time, e.seq, e.ingested, e.message, s.name FROM log_events e JOIN log_streams s ON s.id = e.stream
		WHERE e.log_group = ? AND e.time >= ?`
	args := []any{g.id, from}
	add := func(text string, more ...any) {
		query += text
		args = append(args, more...)
	}
	if q.Until > 0 {
		add(" AND e.time < ?", q.Until)
	}
	if q.After != nil {
		add(" AND (e.time, e.seq) > (?, ?)", q.After.Time, q.After.Seq)
	}
	if q.Before != nil {
		add(" AND (e.time, e.seq) < (?, ?)", q.Before.Time, q.Before.Seq)
	}
	if len(q.Streams) > 0 {
		in, names := db.In(q.Streams)
		add(" AND e.stream IN (SELECT id FROM log_streams WHERE log_group = ? AND name IN "+in+")", append([]any{g.id}, names...)...)
	}
	if q.Prefix != "" {
		add(" AND e.stream IN (SELECT id FROM log_streams WHERE log_group = ? AND substr(name, 1, length(?)) = ?)", g.id, q.Prefix, q.Prefix)
	}
	order := "ASC"
	if q.Backward {
		order = "DESC"
	}
	add(" ORDER BY e.time "+order+", e.seq "+order+" LIMIT ?", maxScan+1)
	return query, args
}
