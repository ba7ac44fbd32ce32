package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/schedulerapi"
)

// Default is the group that every place has.
const Default = "default"

// Scheduler's limits.
const (
	maxGroups    = 500
	maxSchedules = 1_000_000 // of a place
	maxTags      = 50
)

// A Group is a group of schedules.
type Group struct {
	config.Place
	Name    string
	Created time.Time
	Changed time.Time
	Tags    map[string]string
}

// ARN returns the group's ARN.
func (g Group) ARN() string {
	return arn.New("scheduler", g.Region, g.Account, "schedule-group/"+g.Name).String()
}

func invalid(format string, args ...any) error {
	return schedulerapi.ValidationException(format, args...)
}

// FindGroup returns a group, or the error ResourceNotFoundException.
func FindGroup(ctx context.Context, tx *db.Tx, p config.Place, name string) (Group, error) {
	row := tx.QueryRow(ctx, `SELECT name, created, changed, tags FROM schedule_groups WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	g, err := scanGroup(p, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		if name == Default {
			return Group{Place: p, Name: name, Tags: map[string]string{}}, nil
		}
		return g, schedulerapi.ResourceNotFoundException("Schedule group %s does not exist.", name)
	}
	if err != nil {
		return g, fmt.Errorf("read schedule group %s: %w", name, err)
	}
	return g, nil
}

func scanGroup(p config.Place, scan func(...any) error) (Group, error) {
	g := Group{Place: p, Tags: map[string]string{}}
	var created, changed int64
	var tags string
	if err := scan(&g.Name, &created, &changed, &tags); err != nil {
		return g, err
	}
	g.Created, g.Changed = db.Time(created), db.Time(changed)
	err := json.Unmarshal([]byte(tags), &g.Tags) // before the return, which may copy g first
	return g, err
}

func writeGroup(ctx context.Context, tx *db.Tx, g Group) error {
	tags, _ := json.Marshal(g.Tags) // text cannot fail
	_, err := tx.Exec(ctx, `INSERT INTO schedule_groups (account, region, name, created, changed, tags) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET changed = excluded.changed, tags = excluded.tags`,
		g.Account, g.Region, g.Name, db.Micros(g.Created), db.Micros(g.Changed), string(tags))
	if err != nil {
		return fmt.Errorf("write schedule group %s: %w", g.Name, err)
	}
	return nil
}

// CreateGroup makes a group.
func (s *Scheduler) CreateGroup(ctx context.Context, tx *db.Tx, g Group) (Group, error) {
	if err := tx.Lock(ctx, "schedule groups "+g.Place.String()); err != nil {
		return g, err
	}
	if _, err := FindGroup(ctx, tx, g.Place, g.Name); err == nil {
		return g, schedulerapi.ConflictException("Schedule group %s already exists.", g.Name)
	} else if !model.IsCode(err, "ResourceNotFoundException") {
		return g, err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM schedule_groups WHERE account = ? AND region = ?`, g.Account, g.Region).Scan(&n); err != nil {
		return g, err
	}
	if n >= maxGroups {
		return g, schedulerapi.ServiceQuotaExceededException("The maximum number of schedule groups has been reached.")
	}
	if len(g.Tags) > maxTags {
		return g, invalid("A schedule group may have up to %d tags.", maxTags)
	}
	g.Created = s.now()
	g.Changed = g.Created
	return g, writeGroup(ctx, tx, g)
}

// DeleteGroup removes a group with its schedules.
func (s *Scheduler) DeleteGroup(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if name == Default {
		return invalid("The default schedule group cannot be deleted.")
	}
	if _, err := FindGroup(ctx, tx, p, name); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM schedules WHERE account = ? AND region = ? AND grouping = ?`, p.Account, p.Region, name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM schedule_groups WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

// Groups lists groups of a place by name, those after the given one. The default one
// is among them.
func Groups(ctx context.Context, tx *db.Tx, p config.Place, prefix, after string, limit int) (out []Group, err error) {
	byDefault, err := FindGroup(ctx, tx, p, Default)
	if err != nil {
		return nil, err
	}
	pending := strings.HasPrefix(Default, prefix) && Default > after
	add := func(g Group) {
		if pending && g.Name > Default {
			out, pending = append(out, byDefault), false
		}
		if g.Name == Default {
			pending = false
		}
		out = append(out, g)
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		g, err := scanGroup(p, scan)
		if err == nil {
			add(g)
		}
		return err
	}, `SELECT name, created, changed, tags FROM schedule_groups WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ?
		ORDER BY name LIMIT ?`, p.Account, p.Region, after, len(prefix), prefix, limit)
	if pending && len(out) < limit {
		out = append(out, byDefault)
	}
	return out[:min(len(out), limit)], err
}

// ParseGroupARN reads the ARN of a group of a place.
func ParseGroupARN(p config.Place, text string) (string, error) {
	a, err := arn.Parse(text)
	name, ok := strings.CutPrefix(a.Resource, "schedule-group/")
	if err != nil || !ok || a.Service != "scheduler" || a.Account != p.Account || a.Region != p.Region {
		return "", invalid("%s is not the ARN of a schedule group of this account and region: only groups have tags.", text)
	}
	return name, nil
}

// Tag sets and removes tags of a group.
func (s *Scheduler) Tag(ctx context.Context, tx *db.Tx, p config.Place, name string, set map[string]string, remove []string) error {
	if err := tx.Lock(ctx, "schedule groups "+p.String()); err != nil {
		return err
	}
	g, err := FindGroup(ctx, tx, p, name)
	if err != nil {
		return err
	}
	for _, key := range remove {
		delete(g.Tags, key)
	}
	maps.Copy(g.Tags, set)
	if len(g.Tags) > maxTags {
		return invalid("A schedule group may have up to %d tags.", maxTags)
	}
	g.Changed = s.now()
	if g.Created.IsZero() {
		g.Created = g.Changed
	}
	return writeGroup(ctx, tx, g)
}
