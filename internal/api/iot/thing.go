package iot

import (
	"context"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iotapi"
	"plumb/internal/source/iot"
)

// CreateThing makes a thing, without a type or a billing group.
func (o operations) CreateThing(ctx context.Context, in *iotapi.CreateThingInput) (*iotapi.CreateThingOutput, error) {
	if in.ThingTypeName != nil {
		return nil, noType(*in.ThingTypeName)
	}
	if in.BillingGroupName != nil {
		return nil, iotapi.ResourceNotFoundException("Billing Group %s not found", *in.BillingGroupName)
	}
	t := iot.Thing{Place: caller.Place(ctx), Name: *in.ThingName, Attributes: map[string]string{}}
	if in.AttributePayload != nil {
		set(t.Attributes, in.AttributePayload.Attributes)
	}
	err := o.engine.Write(ctx, func(tx *db.Tx) (err error) {
		t, err = o.engine.CreateThing(ctx, tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iotapi.CreateThingOutput{ThingName: &t.Name, ThingArn: new(t.ARN()), ThingId: &t.ID}, nil
}

func noType(name string) error {
	return iotapi.ResourceNotFoundException("Thing type %s not found", name)
}

// set adds attributes. One with an empty value is removed.
func set(attributes, given map[string]string) {
	for name, value := range given {
		attributes[name] = value
		if value == "" {
			delete(attributes, name)
		}
	}
}

// DescribeThing tells of a thing.
func (o operations) DescribeThing(ctx context.Context, in *iotapi.DescribeThingInput) (*iotapi.DescribeThingOutput, error) {
	var t iot.Thing
	err := o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		t, err = iot.FindThing(ctx, tx, caller.Place(ctx), *in.ThingName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iotapi.DescribeThingOutput{DefaultClientId: &t.Name, ThingName: &t.Name, ThingId: &t.ID, ThingArn: new(t.ARN()), Attributes: t.Attributes,
		Version: &t.Version}, nil
}

// ListThings lists things by name, all or those with an attribute. A page may have fewer
// than were asked for.
func (o operations) ListThings(ctx context.Context, in *iotapi.ListThingsInput) (*iotapi.ListThingsOutput, error) {
	const most = 250
	limit, err := pageSize(in.MaxResults, most, most)
	if err != nil {
		return nil, err
	}
	name, value, prefix := model.Deref(in.AttributeName), model.Deref(in.AttributeValue), model.Deref(in.UsePrefixAttributeValue)
	filters := []string{name, value, strconv.FormatBool(prefix), model.Deref(in.ThingTypeName)}
	after, ok := o.tokens.Decode("ListThings", model.Deref(in.NextToken), filters...)
	if !ok {
		return nil, badToken()
	}
	var list []iot.Thing
	err = o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = iot.Things(ctx, tx, caller.Place(ctx), after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iotapi.ListThingsOutput{Things: []iotapi.ThingAttribute{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListThings", list[limit-1].Name, filters...))
	}
	for _, t := range list {
		have, ok := t.Attributes[name]
		if in.ThingTypeName != nil || name != "" && (!ok || have != value && !(prefix && strings.HasPrefix(have, value))) {
			continue // no thing has a type
		}
		out.Things = append(out.Things, iotapi.ThingAttribute{ThingName: &t.Name, ThingArn: new(t.ARN()), Attributes: t.Attributes, Version: &t.Version})
	}
	return out, nil
}

// UpdateThing changes the attributes of a thing: all, or with merge those that are named.
func (o operations) UpdateThing(ctx context.Context, in *iotapi.UpdateThingInput) (*iotapi.UpdateThingOutput, error) {
	if in.ThingTypeName != nil {
		return nil, noType(*in.ThingTypeName)
	}
	return &iotapi.UpdateThingOutput{}, o.engine.Write(ctx, func(tx *db.Tx) error {
		return o.engine.ChangeThing(ctx, tx, caller.Place(ctx), *in.ThingName, model.Deref(in.ExpectedVersion), func(t *iot.Thing) {
			a := in.AttributePayload
			if a == nil {
				return
			}
			if !model.Deref(a.Merge) || t.Attributes == nil {
				t.Attributes = map[string]string{}
			}
			set(t.Attributes, a.Attributes)
		})
	})
}

// DeleteThing removes a thing.
func (o operations) DeleteThing(ctx context.Context, in *iotapi.DeleteThingInput) (*iotapi.DeleteThingOutput, error) {
	return &iotapi.DeleteThingOutput{}, o.engine.Write(ctx, func(tx *db.Tx) error {
		return o.engine.DeleteThing(ctx, tx, caller.Place(ctx), *in.ThingName, model.Deref(in.ExpectedVersion))
	})
}
