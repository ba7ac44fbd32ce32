package eventbus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
)

func validation(text string) error { return model.ValidationException("%s", text) }

// An EventBus is a bus with what was set on it.
type EventBus struct {
	config.Place
	Name    string
	Created time.Time
	Changed time.Time
	BusSettings
	Policy string // JSON, or empty
	Tags   map[string]string
}

// BusSettings are what an update of a bus replaces.
type BusSettings struct {
	Description string
	Key         string // that encrypts events; kept and not used
	DeadLetters string // the queue of events that no policy of ours uses; kept
	LogLevel    string // kept and not used
	LogDetail   string
}

// storedBus is how the settings of a bus are kept.
type storedBus struct {
	Description string `json:"description,omitempty"`
	Key         string `json:"key,omitempty"`
	DeadLetters string `json:"deadLetters,omitempty"`
	LogLevel    string `json:"logLevel,omitempty"`
	LogDetail   string `json:"logDetail,omitempty"`
}

// ARN returns the bus's ARN.
func (b EventBus) ARN() string { return busARN(b.Place, b.Name) }

func busARN(p config.Place, name string) string {
	return arn.New("events", p.Region, p.Account, "event-bus/"+name).String()
}

// ParseBus reads what a request names a bus by: its name, its ARN, or nothing,
// which is the default one.
func ParseBus(p config.Place, nameOrARN string) (config.Place, string, error) {
	if nameOrARN == "" {
		return p, Default, nil
	}
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return p, nameOrARN, nil
	}
	a, err := arn.Parse(nameOrARN)
	name, ok := strings.CutPrefix(a.Resource, "event-bus/")
	if err != nil || !ok || a.Service != "events" || name == "" {
		return p, "", invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", nameOrARN)
	}
	return config.Place{Account: a.Account, Region: a.Region}, name, nil
}

// NoSuchBus is the error of a bus that is not there.
func NoSuchBus(name string) error {
	return eventsapi.ResourceNotFoundException("Event bus %s does not exist.", name)
}

// FindBus returns a bus, or the error ResourceNotFoundException.
func FindBus(ctx context.Context, tx *db.Tx, p config.Place, name string) (EventBus, error) {
	b := EventBus{Place: p, Name: name, Tags: map[string]string{}}
	var created, changed int64
	var definition, tags string
	err := tx.QueryRow(ctx, `SELECT created, changed, definition, policy, tags FROM event_buses WHERE account = ? AND region = ? AND name = ?`,
		p.Account, p.Region, name).Scan(&created, &changed, &definition, &b.Policy, &tags)
	if noRows(err) {
		if name == Default {
			return b, nil
		}
		return b, NoSuchBus(name)
	}
	if err != nil {
		return b, fmt.Errorf("read event bus %s: %w", name, err)
	}
	return fromBusRow(b, created, changed, definition, tags)
}

func fromBusRow(b EventBus, created, changed int64, definition, tags string) (EventBus, error) {
	var s storedBus
	if err := json.Unmarshal([]byte(definition), &s); err != nil {
		return b, fmt.Errorf("event bus %s: %w", b.Name, err)
	}
	if err := json.Unmarshal([]byte(tags), &b.Tags); err != nil {
		return b, fmt.Errorf("tags of event bus %s: %w", b.Name, err)
	}
	b.Created, b.Changed, b.BusSettings = db.Time(created), db.Time(changed), BusSettings(s)
	return b, nil
}

func writeBus(ctx context.Context, tx *db.Tx, b EventBus) error {
	definition, _ := json.Marshal(storedBus(b.BusSettings)) // text cannot fail
	tags, _ := json.Marshal(b.Tags)
	_, err := tx.Exec(ctx, `INSERT INTO event_buses (account, region, name, created, changed, definition, policy, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET
			changed = excluded.changed, definition = excluded.definition, policy = excluded.policy, tags = excluded.tags`,
		b.Account, b.Region, b.Name, db.Micros(b.Created), db.Micros(b.Changed), string(definition), b.Policy, string(tags))
	if err != nil {
		return fmt.Errorf("write event bus %s: %w", b.Name, err)
	}
	return nil
}

// CreateBus makes a bus.
func (b *Bus) CreateBus(ctx context.Context, tx *db.Tx, bus EventBus) (EventBus, error) {
	if strings.Contains(bus.Name, "/") {
		return bus, invalid("Event bus name must not contain '/'.")
	}
	if len(bus.Tags) > maxTags {
		return bus, limitExceeded()
	}
	if err := tx.Lock(ctx, "event buses "+bus.Place.String()); err != nil {
		return bus, err
	}
	if _, err := FindBus(ctx, tx, bus.Place, bus.Name); err == nil {
		return bus, eventsapi.ResourceAlreadyExistsException("Event bus %s already exists.", bus.Name)
	} else if !model.IsCode(err, "ResourceNotFoundException") {
		return bus, err
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM event_buses WHERE account = ? AND region = ? AND name <> ?`, bus.Account, bus.Region, Default).Scan(&n)
	if err != nil {
		return bus, err
	}
	if n >= maxBuses {
		return bus, limitExceeded()
	}
	bus.Created = b.now()
	bus.Changed = bus.Created
	return bus, writeBus(ctx, tx, bus)
}

// ChangeBus lets f change a bus.
func (b *Bus) ChangeBus(ctx context.Context, tx *db.Tx, p config.Place, name string, f func(*EventBus) error) (EventBus, error) {
	if err := tx.Lock(ctx, busARN(p, name)); err != nil {
		return EventBus{}, err
	}
	bus, err := FindBus(ctx, tx, p, name)
	if err != nil {
		return bus, err
	}
	if err := f(&bus); err != nil {
		return bus, err
	}
	bus.Changed = b.now()
	if bus.Created.IsZero() {
		bus.Created = bus.Changed
	}
	return bus, writeBus(ctx, tx, bus)
}

// DeleteBus removes a bus, which must have no rules.
func (b *Bus) DeleteBus(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if name == Default {
		return invalid("Cannot delete event bus default.")
	}
	if err := tx.Lock(ctx, busARN(p, name)); err != nil {
		return err
	}
	if _, err := FindBus(ctx, tx, p, name); err != nil {
		return err
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM event_rules WHERE account = ? AND region = ? AND bus = ?`, p.Account, p.Region, name).Scan(&n)
	if err != nil {
		return err
	}
	if n > 0 {
		return invalid("Event bus can't be deleted since it has rules.")
	}
	_, err = tx.Exec(ctx, `DELETE FROM event_buses WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

// Buses lists buses of a place by name, those after the given one. The default one
// is among them.
func Buses(ctx context.Context, tx *db.Tx, p config.Place, prefix, after string, limit int) (out []EventBus, err error) {
	seen := false
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		bus := EventBus{Place: p, Tags: map[string]string{}}
		var created, changed int64
		var definition, tags string
		if err := scan(&bus.Name, &created, &changed, &definition, &bus.Policy, &tags); err != nil {
			return err
		}
		bus, err := fromBusRow(bus, created, changed, definition, tags)
		seen = seen || bus.Name == Default
		out = append(out, bus)
		return err
	}, `SELECT name, created, changed, definition, policy, tags FROM event_buses
		WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?`,
		p.Account, p.Region, after, len(prefix), prefix, limit)
	if err != nil || seen || after >= Default || !strings.HasPrefix(Default, prefix) {
		return out, err
	}
	i := 0
	for i < len(out) && out[i].Name < Default {
		i++
	}
	if i == limit {
		return out, nil
	}
	out = append(out[:i:i], append([]EventBus{{Place: p, Name: Default, Tags: map[string]string{}}}, out[i:]...)...)
	return out[:min(len(out), limit)], nil
}
