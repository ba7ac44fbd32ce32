package outside

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/automation"
	"plumb/internal/cognito"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/organization"
	"plumb/internal/scheduler"
	"plumb/internal/source/codecommit"
)

// recordFinders find by their names what services keep as plain records. An error of those codes says that it is not here.
var recordFinders = map[string]struct {
	absent string
	find   func(ctx context.Context, tx *db.Tx, p config.Place, name string) error
}{
	"codecommit": {"RepositoryDoesNotExistException", func(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
		_, err := codecommit.Find(ctx, tx, p, name)
		return err
	}},
	"cognito-identity": {"ResourceNotFoundException", func(ctx context.Context, tx *db.Tx, _ config.Place, id string) error {
		_, err := cognito.FindPool(ctx, tx, id)
		return err
	}},
	"scheduler": {"ResourceNotFoundException", func(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
		group, name, _ := strings.Cut(name, "/")
		if name == "" {
			_, err := scheduler.FindGroup(ctx, tx, p, group)
			return err
		}
		_, err := scheduler.Find(ctx, tx, p, group, name)
		return err
	}},
	"events": {"ResourceNotFoundException", func(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
		bus, rule, _ := strings.Cut(name, "/")
		if rule == "" {
			_, err := eventbus.FindBus(ctx, tx, p, bus)
			return err
		}
		_, err := eventbus.FindRule(ctx, tx, p, bus, rule)
		return err
	}},
	"organizations": {"AWSOrganizationsNotInUseException", func(ctx context.Context, tx *db.Tx, p config.Place, _ string) error {
		_, err := organization.Member(ctx, tx, p.Account)
		return err
	}},
}

// holdsRecord reports whether a plain record of a service is here.
func (o *Router) holdsRecord(ctx context.Context, p config.Place, service, name string) (bool, error) {
	f := recordFinders[service]
	return present(o.stores.DB.Read(ctx, func(tx *db.Tx) error { return f.find(ctx, tx, p, name) }), f.absent)
}

// inWhatIsNotHere reports whether names are those of rules or schedules in a bus or a group that the target has.
func (o *Router) inWhatIsNotHere(ctx context.Context, p config.Place, service string, names []string) (bool, error) {
	if service != "events" && service != "scheduler" || len(names) == 0 {
		return false, nil
	}
	in, _, found := strings.Cut(names[0], "/")
	if !found || in == eventbus.Default {
		return false, nil
	}
	held, err := o.holdsRecord(ctx, p, service, in)
	return !held, err
}

// holdsDocument reports whether a document of Systems Manager is here.
func (o *Router) holdsDocument(ctx context.Context, p config.Place, name string) (bool, error) {
	err := o.stores.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := o.stores.Documents.Document(ctx, tx, p, name, "")
		return err
	})
	if errors.Is(err, automation.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// eventsIn returns the rule or the bus that a request to EventBridge is about, as BUS/RULE or BUS. That of the bus
// default is nothing that only one side has.
func eventsIn(q *routed) []string {
	bus, rule := q.parameter("EventBusName"), q.parameter("Rule")
	if name := q.parameter("Name"); strings.HasSuffix(q.operation, "EventBus") {
		bus = name
	} else if rule == "" && strings.HasSuffix(q.operation, "Rule") {
		rule = name
	}
	if a, err := arn.Parse(q.parameter("ResourceARN")); err == nil {
		kind, name, _ := strings.Cut(a.Resource, "/")
		if kind == "event-bus" {
			bus = name
		} else if kind == "rule" {
			if bus, rule, _ = strings.Cut(name, "/"); rule == "" {
				bus, rule = "", name
			}
		}
	}
	if a, err := arn.Parse(bus); err == nil {
		bus = strings.TrimPrefix(a.Resource, "event-bus/")
	}
	switch {
	case rule != "":
		return []string{cmp.Or(bus, eventbus.Default) + "/" + rule}
	case bus == "" || bus == eventbus.Default:
		return nil
	}
	return []string{bus}
}

// schedulesIn returns the schedule, as GROUP/NAME, or the group in a path of EventBridge Scheduler's.
func schedulesIn(q *routed) []string {
	if name, ok := strings.CutPrefix(q.r.URL.Path, "/schedules/"); ok && name != "" {
		return []string{cmp.Or(q.parameter("groupName"), q.parameter("GroupName"), scheduler.Default) + "/" + name}
	}
	if name, ok := strings.CutPrefix(q.r.URL.Path, "/schedule-groups/"); ok && name != "" {
		return []string{name}
	}
	return nil
}

// readsOrganization reports whether a request reads the organization that the account is in. Invitations
// are of accounts that are in none.
func (q *routed) readsOrganization() bool {
	return (strings.HasPrefix(q.operation, "Describe") || strings.HasPrefix(q.operation, "List")) && !strings.Contains(q.operation, "Handshake")
}
