package logs

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/logsapi"
)

// A Group is a log group.
type Group struct {
	Place     config.Place
	Name      string
	Created   int64 // milliseconds
	Retention int   // days; 0 for ever
	Tags      map[string]string
	Bytes     int64

	id int64
}

// ARN returns the group's name of names, without the :* that some of AWS's
// answers add.
func (g Group) ARN() string {
	return fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", arn.Partition(g.Place.Region), g.Place.Region, g.Place.Account, g.Name)
}

// A Store keeps logs. It is safe for concurrent use.
type Store struct {
	// Written is told of events of a stream, and Deleted of a group, in the transaction
	// that writes or deletes them. They may be nil.
	Written func(ctx context.Context, tx *db.Tx, g Group, events []Event) error
	Deleted func(ctx context.Context, tx *db.Tx, g Group) error

	log *slog.Logger
	db  *db.DB
	now func() time.Time

	maxGroup int64 // bytes

	mu      sync.Mutex
	lines   []Line // added and not written
	size    int    // bytes of them
	lost    int    // lines that found no room
	writing sync.Mutex
	wake    chan struct{} // capacity 1: there is something to write
}

// New returns the logs kept in d. Run writes what Add takes.
func New(log *slog.Logger, d *db.DB, now func() time.Time) *Store {
	return &Store{log: log, db: d, now: now, maxGroup: maxGroupBytes, wake: make(chan struct{}, 1)}
}

// Now is the store's time.
func (s *Store) Now() time.Time { return s.now() }

func (s *Store) millis() int64 { return s.now().UnixMilli() }

// CreateGroup makes a group.
func (s *Store) CreateGroup(ctx context.Context, p config.Place, name string, tags map[string]string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		made, err := s.insertGroup(ctx, tx, p, name, tags)
		if err == nil && !made {
			return logsapi.ResourceAlreadyExistsException("The specified log group already exists")
		}
		return err
	})
}

func (s *Store) insertGroup(ctx context.Context, tx *db.Tx, p config.Place, name string, tags map[string]string) (made bool, err error) {
	if tags == nil {
		tags = map[string]string{}
	}
	text, err := json.Marshal(tags)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO log_groups (account, region, name, id, created, retention, tags, seq, bytes) VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0)
		ON CONFLICT (account, region, name) DO NOTHING`, p.Account, p.Region, name, newID(), s.millis(), string(text))
	return n == 1, err
}

// newID returns a number that no other server makes.
func newID() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

const groupColumns = "account, region, name, id, created, retention, tags, bytes"

func scanGroup(scan func(...any) error) (g Group, err error) {
	var tags string
	if err = scan(&g.Place.Account, &g.Place.Region, &g.Name, &g.id, &g.Created, &g.Retention, &tags, &g.Bytes); err != nil {
		return g, err
	}
	return g, json.Unmarshal([]byte(tags), &g.Tags)
}

// findGroup returns a group, or the error that there is none.
func findGroup(ctx context.Context, tx *db.Tx, p config.Place, name string) (Group, error) {
	g, err := scanGroup(tx.QueryRow(ctx, "SELECT "+groupColumns+" FROM log_groups WHERE account = ? AND region = ? AND name = ?",
		p.Account, p.Region, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return g, NoSuchGroup()
	}
	return g, err
}

// NoSuchGroup is the error for a group that is not there.
func NoSuchGroup() error {
	return logsapi.ResourceNotFoundException("The specified log group does not exist.")
}

// Groups lists up to limit groups by name, after one of them, whose names begin
// with prefix and hold part.
func (s *Store) Groups(ctx context.Context, p config.Place, prefix, part, after string, limit int) (out []Group, err error) {
	s.Flush(ctx)
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			g, err := scanGroup(scan)
			out = append(out, g)
			return err
		}, `SELECT `+groupColumns+` FROM log_groups
			WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, length(?)) = ? AND replace(name, ?, '') <> CASE WHEN ? = '' THEN '' ELSE name END
			ORDER BY name LIMIT ?`, p.Account, p.Region, after, prefix, prefix, part, part, limit)
	})
	return out, err
}

// Group returns a group.
func (s *Store) Group(ctx context.Context, p config.Place, name string) (g Group, err error) {
	s.Flush(ctx)
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		g, err = findGroup(ctx, tx, p, name)
		return err
	})
	return g, err
}

// DeleteGroup removes a group with all that is in it.
func (s *Store) DeleteGroup(ctx context.Context, p config.Place, name string) error {
	s.Flush(ctx)
	return s.changeGroup(ctx, p, name, func(tx *db.Tx, g Group) error {
		for _, statement := range []string{
			"DELETE FROM log_events WHERE log_group = ?", "DELETE FROM log_streams WHERE log_group = ?", "DELETE FROM log_groups WHERE id = ?",
		} {
			if _, err := tx.Exec(ctx, statement, g.id); err != nil {
				return err
			}
		}
		if s.Deleted == nil {
			return nil
		}
		return s.Deleted(ctx, tx, g)
	})
}

// SetRetention has events go after days; 0 keeps them.
func (s *Store) SetRetention(ctx context.Context, p config.Place, name string, days int) error {
	return s.changeGroup(ctx, p, name, func(tx *db.Tx, g Group) error {
		_, err := tx.Exec(ctx, "UPDATE log_groups SET retention = ? WHERE id = ?", days, g.id)
		if err == nil && days > 0 {
			err = s.expire(ctx, tx, g.id, days)
		}
		return err
	})
}

// maxTags is how many tags a group may have.
const maxTags = 50

// ChangeTags adds tags to a group and removes some.
func (s *Store) ChangeTags(ctx context.Context, p config.Place, name string, add map[string]string, remove []string) error {
	return s.changeGroup(ctx, p, name, func(tx *db.Tx, g Group) error {
		maps.Copy(g.Tags, add)
		for _, key := range remove {
			delete(g.Tags, key)
		}
		if len(g.Tags) > maxTags {
			return logsapi.TooManyTagsException("A resource can have at most %d tags.", maxTags)
		}
		text, err := json.Marshal(g.Tags)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE log_groups SET tags = ? WHERE id = ?", string(text), g.id)
		return err
	})
}

func (s *Store) changeGroup(ctx context.Context, p config.Place, name string, change func(tx *db.Tx, g Group) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		g, err := findGroup(ctx, tx, p, name)
		if err != nil {
			return err
		}
		return change(tx, g)
	})
}
