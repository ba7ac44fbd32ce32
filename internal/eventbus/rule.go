package eventbus

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/eventsapi"
	"plumb/internal/pattern"
	"plumb/internal/schedule"
)

// A Rule takes the events of a bus that match its pattern, and makes events by its
// schedule.
type Rule struct {
	config.Place
	Bus         string
	Name        string
	Pattern     string
	Schedule    string
	State       string // ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
	Description string
	Role        string
	Tags        map[string]string

	due, since time.Time // of the schedule
}

// Disabled is the state of a rule that takes nothing.
const Disabled = "DISABLED"

// storedRule is how what no query asks for is kept.
type storedRule struct {
	State       string `json:"state"`
	Description string `json:"description,omitempty"`
	Role        string `json:"role,omitempty"`
}

// ARN returns the rule's ARN.
func (r Rule) ARN() string {
	name := r.Name
	if r.Bus != Default {
		name = r.Bus + "/" + r.Name
	}
	return arn.New("events", r.Region, r.Account, "rule/"+name).String()
}

func noSuchRule(bus, name string) error {
	return eventsapi.ResourceNotFoundException("Rule %s does not exist on EventBus %s.", name, bus)
}

const ruleColumns = `bus, name, pattern, schedule, due, since, definition, tags`

func scanRule(p config.Place, scan func(...any) error) (Rule, error) {
	r := Rule{Place: p, Tags: map[string]string{}}
	var due, since int64
	var definition, tags string
	if err := scan(&r.Bus, &r.Name, &r.Pattern, &r.Schedule, &due, &since, &definition, &tags); err != nil {
		return r, err
	}
	var s storedRule
	if err := json.Unmarshal([]byte(definition), &s); err != nil {
		return r, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	r.State, r.Description, r.Role, r.due, r.since = s.State, s.Description, s.Role, db.Time(due), db.Time(since)
	err := json.Unmarshal([]byte(tags), &r.Tags) // before the return, which may copy r first
	return r, err
}

// FindRule returns a rule, or the error ResourceNotFoundException.
func FindRule(ctx context.Context, tx *db.Tx, p config.Place, bus, name string) (Rule, error) {
	if _, err := FindBus(ctx, tx, p, bus); err != nil {
		return Rule{}, err
	}
	row := tx.QueryRow(ctx, `SELECT `+ruleColumns+` FROM event_rules WHERE account = ? AND region = ? AND bus = ? AND name = ?`,
		p.Account, p.Region, bus, name)
	r, err := scanRule(p, row.Scan)
	if noRows(err) {
		return r, noSuchRule(bus, name)
	}
	if err != nil {
		return r, fmt.Errorf("read rule %s: %w", name, err)
	}
	return r, nil
}

// Rules lists rules of a bus by name, those after the given one.
func Rules(ctx context.Context, tx *db.Tx, p config.Place, bus, prefix, after string, limit int) ([]Rule, error) {
	if _, err := FindBus(ctx, tx, p, bus); err != nil {
		return nil, err
	}
	return rulesWhere(ctx, tx, p, bus, `name > ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?`, after, len(prefix), prefix, limit)
}

func rulesWhere(ctx context.Context, tx *db.Tx, p config.Place, bus, where string, args ...any) (out []Rule, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r, err := scanRule(p, scan)
		out = append(out, r)
		return err
	}, `SELECT `+ruleColumns+` FROM event_rules WHERE account = ? AND region = ? AND bus = ? AND `+where,
		append([]any{p.Account, p.Region, bus}, args...)...)
	return out, err
}

// PutRule makes a rule or replaces it. The tags of one that is there stay.
func (b *Bus) PutRule(ctx context.Context, tx *db.Tx, r Rule) (Rule, error) {
	if err := checkRule(r); err != nil {
		return r, err
	}
	if err := tx.Lock(ctx, busARN(r.Place, r.Bus)); err != nil {
		return r, err
	}
	old, err := FindRule(ctx, tx, r.Place, r.Bus, r.Name)
	switch {
	case err == nil:
		r.Tags = old.Tags
	case !isNoRule(err, r):
		return r, err
	default:
		var n int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM event_rules WHERE account = ? AND region = ? AND bus = ?`, r.Account, r.Region, r.Bus).Scan(&n)
		if err != nil {
			return r, err
		}
		if n >= maxRules || len(r.Tags) > maxTags {
			return r, limitExceeded()
		}
	}
	return r, b.setRule(ctx, tx, r)
}

// isNoRule reports whether it is the rule that is not there, and not its bus.
func isNoRule(err error, r Rule) bool { return err.Error() == noSuchRule(r.Bus, r.Name).Error() }

func checkRule(r Rule) error {
	if r.Pattern == "" && r.Schedule == "" {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if r.Schedule != "" {
		if r.Bus != Default {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		if e, err := schedule.Parse(r.Schedule); err != nil || e.Once() || !e.Agrees() {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
	}
	if r.Pattern != "" {
		if _, err := pattern.Parse(r.Pattern); err != nil {
			return BadPattern(err)
		}
	}
	return nil
}

// BadPattern is the error of a pattern that cannot be read.
func BadPattern(reason error) error {
	return eventsapi.InvalidEventPatternException("Event pattern is not valid. Reason: %v", reason)
}

// setRule writes a rule and has its schedule begin anew.
func (b *Bus) setRule(ctx context.Context, tx *db.Tx, r Rule) error {
	r.due, r.since = time.Time{}, b.now()
	if r.Schedule != "" && r.State != Disabled {
		e, err := schedule.Parse(r.Schedule)
		if err != nil {
			return err
		}
		r.due, _ = e.Next(r.since, r.since, time.UTC)
	}
	if err := writeRule(ctx, tx, r); err != nil {
		return err
	}
	return b.await(ctx, tx, r)
}

func writeRule(ctx context.Context, tx *db.Tx, r Rule) error {
	definition, _ := json.Marshal(storedRule{r.State, r.Description, r.Role}) // text cannot fail
	tags, _ := json.Marshal(r.Tags)
	_, err := tx.Exec(ctx, `INSERT INTO event_rules (account, region, bus, name, pattern, schedule, enabled, due, since, definition, tags)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, bus, name) DO UPDATE SET pattern = excluded.pattern, schedule = excluded.schedule, enabled = excluded.enabled,
			due = excluded.due, since = excluded.since, definition = excluded.definition, tags = excluded.tags`,
		r.Account, r.Region, r.Bus, r.Name, r.Pattern, r.Schedule, r.State != Disabled, db.Micros(r.due), db.Micros(r.since), string(definition), string(tags))
	if err != nil {
		return fmt.Errorf("write rule %s: %w", r.Name, err)
	}
	return nil
}

// SetState enables or disables a rule.
func (b *Bus) SetState(ctx context.Context, tx *db.Tx, p config.Place, bus, name, state string) error {
	if err := tx.Lock(ctx, busARN(p, bus)); err != nil {
		return err
	}
	r, err := FindRule(ctx, tx, p, bus, name)
	if err != nil || r.State == state {
		return err
	}
	r.State = state
	return b.setRule(ctx, tx, r)
}

// DeleteRule removes a rule, which must have no targets. One that is not there is
// no error.
func (b *Bus) DeleteRule(ctx context.Context, tx *db.Tx, p config.Place, bus, name string) error {
	if err := tx.Lock(ctx, busARN(p, bus)); err != nil {
		return err
	}
	if _, err := FindBus(ctx, tx, p, bus); err != nil {
		return err
	}
	targets, err := targetsOf(ctx, tx, Rule{Place: p, Bus: bus, Name: name})
	if err != nil {
		return err
	}
	if len(targets) > 0 {
		return invalid("Rule can't be deleted since it has targets.")
	}
	_, err = tx.Exec(ctx, `DELETE FROM event_rules WHERE account = ? AND region = ? AND bus = ? AND name = ?`, p.Account, p.Region, bus, name)
	return err
}
