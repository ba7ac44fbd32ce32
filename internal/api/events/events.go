// Package events is the embedded EventBridge's API: it checks what a request means,
// asks package eventbus, and answers in AWS's shapes. It keeps nothing.
package events

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
	"plumb/internal/wire"
)

// May returns an error unless a sender may put events on a bus of another account.
type May func(ctx context.Context, tx *db.Tx, from caller.Sender, busARN string) error

// New returns EventBridge with its operations bound to the buses.
func New(b *eventbus.Bus, may May, tokens wire.Tokens) *model.Registry {
	s := eventsapi.NewService()
	register(s, operations{b, may, tokens})
	return s.Registry()
}

// register is the table of contents. Archives and replays, connections and API
// destinations, global endpoints and partners' sources are not built.
func register(s *eventsapi.Service, o operations) {
	s.CreateEventBus(o.CreateEventBus)
	s.UpdateEventBus(o.UpdateEventBus)
	s.DeleteEventBus(o.DeleteEventBus)
	s.DescribeEventBus(o.DescribeEventBus)
	s.ListEventBuses(o.ListEventBuses)
	s.PutPermission(o.PutPermission)
	s.RemovePermission(o.RemovePermission)

	s.PutRule(o.PutRule)
	s.DescribeRule(o.DescribeRule)
	s.ListRules(o.ListRules)
	s.EnableRule(o.EnableRule)
	s.DisableRule(o.DisableRule)
	s.DeleteRule(o.DeleteRule)

	s.PutTargets(o.PutTargets)
	s.RemoveTargets(o.RemoveTargets)
	s.ListTargetsByRule(o.ListTargetsByRule)
	s.ListRuleNamesByTarget(o.ListRuleNamesByTarget)

	s.PutEvents(o.PutEvents)
	s.TestEventPattern(o.TestEventPattern)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.ListTagsForResource(o.ListTagsForResource)
}

type operations struct {
	bus    *eventbus.Bus
	may    May
	tokens wire.Tokens
}

// ownBus returns the name of the bus of the caller's place that a request names. One
// of another account is none that the caller may see.
func ownBus(ctx context.Context, nameOrARN *string) (config.Place, string, error) {
	here := caller.Place(ctx)
	p, name, err := eventbus.ParseBus(here, model.Deref(nameOrARN))
	if err == nil && p != here {
		err = eventbus.NoSuchBus(name)
	}
	return here, name, err
}

// maxPage is EventBridge's largest page, and the default.
const maxPage = 100

func pageSize(limit *int32) int {
	if limit == nil {
		return maxPage
	}
	return int(*limit)
}

// page cuts a list that was read with one entry more than the page has, and returns
// the token of the next page if there is one.
func page[T any](o operations, operation string, list []T, limit int, key func(T) string, filters ...string) ([]T, *string) {
	if len(list) <= limit {
		return list, nil
	}
	list = list[:limit]
	return list, new(o.tokens.Encode(operation, key(list[limit-1]), filters...))
}

func (o operations) after(operation string, token *string, filters ...string) (string, error) {
	position, ok := o.tokens.Decode(operation, model.Deref(token), filters...)
	if !ok {
		return "", model.ValidationException("Parameter NextToken is not valid.")
	}
	return position, nil
}
