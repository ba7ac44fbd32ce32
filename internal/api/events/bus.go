package events

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
)

// CreateEventBus makes a bus. Buses of partners are not built.
func (o operations) CreateEventBus(ctx context.Context, in *eventsapi.CreateEventBusInput) (*eventsapi.CreateEventBusOutput, error) {
	if in.EventSourceName != nil {
		return nil, model.ValidationException("Partners' event sources are not served here.")
	}
	bus := eventbus.EventBus{
		Place: caller.Place(ctx), Name: *in.Name, Tags: tagsOf(in.Tags), BusSettings: settings(in.Description, in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig),
	}
	err := o.bus.Write(ctx, func(tx *db.Tx) (err error) {
		bus, err = o.bus.CreateBus(ctx, tx, bus)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.CreateEventBusOutput{
		EventBusArn: new(bus.ARN()), Description: model.Optional(bus.Description), KmsKeyIdentifier: model.Optional(bus.Key),
		DeadLetterConfig: deadLetters(bus.DeadLetters), LogConfig: logging(bus),
	}, nil
}

func settings(description, key *string, dead *eventsapi.DeadLetterConfig, log *eventsapi.LogConfig) eventbus.BusSettings {
	s := eventbus.BusSettings{Description: model.Deref(description), Key: model.Deref(key)}
	if dead != nil {
		s.DeadLetters = model.Deref(dead.Arn)
	}
	if log != nil {
		s.LogLevel, s.LogDetail = string(log.Level), string(log.IncludeDetail)
	}
	return s
}

func deadLetters(queueARN string) *eventsapi.DeadLetterConfig {
	if queueARN == "" {
		return nil
	}
	return &eventsapi.DeadLetterConfig{Arn: &queueARN}
}

func logging(b eventbus.EventBus) *eventsapi.LogConfig {
	if b.LogLevel == "" && b.LogDetail == "" {
		return nil
	}
	return &eventsapi.LogConfig{Level: eventsapi.Level(b.LogLevel), IncludeDetail: eventsapi.IncludeDetail(b.LogDetail)}
}

// UpdateEventBus replaces what was set on a bus.
func (o operations) UpdateEventBus(ctx context.Context, in *eventsapi.UpdateEventBusInput) (*eventsapi.UpdateEventBusOutput, error) {
	p, name, err := ownBus(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var bus eventbus.EventBus
	err = o.bus.Write(ctx, func(tx *db.Tx) (err error) {
		bus, err = o.bus.ChangeBus(ctx, tx, p, name, func(b *eventbus.EventBus) error {
			b.BusSettings = settings(in.Description, in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.UpdateEventBusOutput{
		Arn: new(bus.ARN()), Name: &bus.Name, Description: model.Optional(bus.Description), KmsKeyIdentifier: model.Optional(bus.Key),
		DeadLetterConfig: deadLetters(bus.DeadLetters), LogConfig: logging(bus),
	}, nil
}

// DeleteEventBus removes a bus that has no rules.
func (o operations) DeleteEventBus(ctx context.Context, in *eventsapi.DeleteEventBusInput) (*eventsapi.DeleteEventBusOutput, error) {
	p, name, err := ownBus(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return nil, o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.DeleteBus(ctx, tx, p, name) })
}

// DescribeEventBus tells of a bus, and its policy.
func (o operations) DescribeEventBus(ctx context.Context, in *eventsapi.DescribeEventBusInput) (*eventsapi.DescribeEventBusOutput, error) {
	p, name, err := ownBus(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var b eventbus.EventBus
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		b, err = eventbus.FindBus(ctx, tx, p, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.DescribeEventBusOutput{
		Name: &b.Name, Arn: new(b.ARN()), Description: model.Optional(b.Description), KmsKeyIdentifier: model.Optional(b.Key), Policy: model.Optional(b.Policy),
		DeadLetterConfig: deadLetters(b.DeadLetters), LogConfig: logging(b), CreationTime: model.Moment(b.Created), LastModifiedTime: model.Moment(b.Changed),
	}, nil
}

// ListEventBuses lists buses by name.
func (o operations) ListEventBuses(ctx context.Context, in *eventsapi.ListEventBusesInput) (*eventsapi.ListEventBusesOutput, error) {
	prefix, limit := model.Deref(in.NamePrefix), pageSize(in.Limit)
	after, err := o.after("ListEventBuses", in.NextToken, prefix)
	if err != nil {
		return nil, err
	}
	var list []eventbus.EventBus
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = eventbus.Buses(ctx, tx, caller.Place(ctx), prefix, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListEventBusesOutput{EventBuses: []eventsapi.EventBus{}}
	list, out.NextToken = page(o, "ListEventBuses", list, limit, func(b eventbus.EventBus) string { return b.Name }, prefix)
	for _, b := range list {
		out.EventBuses = append(out.EventBuses, eventsapi.EventBus{
			Name: &b.Name, Arn: new(b.ARN()), Description: model.Optional(b.Description), Policy: model.Optional(b.Policy),
			CreationTime: model.Moment(b.Created), LastModifiedTime: model.Moment(b.Changed),
		})
	}
	return out, nil
}

// PutPermission lets another account put events on a bus, or sets the bus's policy.
func (o operations) PutPermission(ctx context.Context, in *eventsapi.PutPermissionInput) (*eventsapi.PutPermissionOutput, error) {
	p, name, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if in.Policy != nil {
		return nil, o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.SetPolicy(ctx, tx, p, name, *in.Policy) })
	}
	m := eventbus.Permission{Sid: model.Deref(in.StatementId), Action: model.Deref(in.Action), Principal: model.Deref(in.Principal)}
	switch {
	case m.Action == "":
		return nil, model.ValidationException("Parameter Action must be specified.")
	case m.Action != "events:PutEvents":
		return nil, model.ValidationException("Provided value in parameter 'action' is not supported.")
	case m.Principal == "":
		return nil, model.ValidationException("Parameter Principal must be specified.")
	case m.Sid == "":
		return nil, model.ValidationException("Parameter StatementId must be specified.")
	}
	if in.Condition != nil {
		m.Operator, m.Key, m.Value = *in.Condition.Type, *in.Condition.Key, *in.Condition.Value
		if m.Operator != "StringEquals" || m.Key != "aws:PrincipalOrgID" {
			return nil, model.ValidationException("Parameter Condition is not valid. Only StringEquals of aws:PrincipalOrgID is supported.")
		}
	}
	return nil, o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.PutPermission(ctx, tx, p, name, m) })
}

// RemovePermission takes a statement, or all, out of the policy of a bus.
func (o operations) RemovePermission(ctx context.Context, in *eventsapi.RemovePermissionInput) (*eventsapi.RemovePermissionOutput, error) {
	p, name, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	sid := model.Deref(in.StatementId)
	if model.Deref(in.RemoveAllPermissions) {
		sid = ""
	} else if sid == "" {
		return nil, model.ValidationException("Parameter StatementId is required.")
	}
	return nil, o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.RemovePermission(ctx, tx, p, name, sid) })
}
