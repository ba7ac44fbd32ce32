package eventbus

import (
	"context"
	"maps"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// Tags returns the tags of the bus or rule that an ARN names.
func Tags(ctx context.Context, tx *db.Tx, p config.Place, resourceARN string) (map[string]string, error) {
	bus, rule, err := parseResource(p, resourceARN)
	if err != nil {
		return nil, err
	}
	if rule == "" {
		b, err := FindBus(ctx, tx, p, bus)
		return b.Tags, err
	}
	r, err := FindRule(ctx, tx, p, bus, rule)
	return r.Tags, err
}

// Tag sets and removes tags of the bus or rule that an ARN names.
func (b *Bus) Tag(ctx context.Context, tx *db.Tx, p config.Place, resourceARN string, set map[string]string, remove []string) error {
	bus, rule, err := parseResource(p, resourceARN)
	if err != nil {
		return err
	}
	if rule == "" {
		_, err := b.ChangeBus(ctx, tx, p, bus, func(b *EventBus) error { return retag(b.Tags, set, remove) })
		return err
	}
	if err := tx.Lock(ctx, busARN(p, bus)); err != nil {
		return err
	}
	r, err := FindRule(ctx, tx, p, bus, rule)
	if err != nil {
		return err
	}
	if err := retag(r.Tags, set, remove); err != nil {
		return err
	}
	return writeRule(ctx, tx, r)
}

func retag(tags, set map[string]string, remove []string) error {
	for _, key := range remove {
		delete(tags, key)
	}
	maps.Copy(tags, set)
	if len(tags) > maxTags {
		return limitExceeded()
	}
	return nil
}

// parseResource reads the ARN of a bus or a rule of a place.
func parseResource(p config.Place, resourceARN string) (bus, rule string, err error) {
	a, err := arn.Parse(resourceARN)
	if err != nil || a.Service != "events" || a.Account != p.Account || a.Region != p.Region {
		return "", "", invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", resourceARN)
	}
	if name, ok := strings.CutPrefix(a.Resource, "event-bus/"); ok {
		return name, "", nil
	}
	name, ok := strings.CutPrefix(a.Resource, "rule/")
	if !ok {
		return "", "", invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", resourceARN)
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:], nil
	}
	return Default, name, nil
}
