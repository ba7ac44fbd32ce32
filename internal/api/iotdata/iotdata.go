// Package iotdata is the API of the embedded AWS IoT's data plane: messages that are
// published by HTTP, and those that are retained. It keeps nothing.
package iotdata

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iotdataapi"
	"plumb/internal/source/iot"
	"plumb/internal/wire"
)

// New returns the data plane with its operations bound to the engine.
func New(e *iot.Engine, tokens wire.Tokens) *model.Registry {
	service := iotdataapi.NewService()
	o := operations{e, tokens}
	service.Publish(o.Publish)
	service.GetRetainedMessage(o.GetRetainedMessage)
	service.ListRetainedMessages(o.ListRetainedMessages)
	return service.Registry()
}

type operations struct {
	engine *iot.Engine
	tokens wire.Tokens
}

// Publish takes a message. The properties of MQTT 5 are not handed on.
func (o operations) Publish(ctx context.Context, in *iotdataapi.PublishInput) (*iotdataapi.PublishOutput, error) {
	qos := model.Deref(in.Qos)
	if qos < 0 || qos > 1 {
		return nil, iotdataapi.InvalidRequestException("The quality of service is %d, and has to be 0 or 1.", qos)
	}
	return &iotdataapi.PublishOutput{}, o.engine.Publish(ctx, iot.Message{
		Place: caller.Place(ctx), Topic: *in.Topic, Payload: in.Payload, QoS: byte(qos), Retain: model.Deref(in.Retain), Principal: caller.From(ctx).UserID,
	})
}

// GetRetainedMessage returns the retained message of a topic.
func (o operations) GetRetainedMessage(ctx context.Context, in *iotdataapi.GetRetainedMessageInput) (*iotdataapi.GetRetainedMessageOutput, error) {
	var r iot.Retained
	err := o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = iot.FindRetained(ctx, tx, caller.Place(ctx), *in.Topic)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iotdataapi.GetRetainedMessageOutput{Topic: &r.Topic, Payload: r.Payload, Qos: new(int32(r.QoS)), LastModifiedTime: new(r.Changed.UnixMilli())}, nil
}

// ListRetainedMessages lists retained messages by topic.
func (o operations) ListRetainedMessages(ctx context.Context, in *iotdataapi.ListRetainedMessagesInput) (*iotdataapi.ListRetainedMessagesOutput, error) {
	const most = 200
	limit := most
	if n := in.MaxResults; n != nil {
		if *n < 1 || *n > most {
			return nil, iotdataapi.InvalidRequestException("maxResults is %d, and has to be from 1 to %d.", *n, most)
		}
		limit = int(*n)
	}
	after, ok := o.tokens.Decode("ListRetainedMessages", model.Deref(in.NextToken))
	if !ok {
		return nil, iotdataapi.InvalidRequestException("Invalid nextToken.")
	}
	var list []iot.Retained
	err := o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = iot.AllRetained(ctx, tx, caller.Place(ctx), after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iotdataapi.ListRetainedMessagesOutput{RetainedTopics: []iotdataapi.RetainedMessageSummary{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListRetainedMessages", list[limit-1].Topic))
	}
	for _, r := range list {
		out.RetainedTopics = append(out.RetainedTopics, iotdataapi.RetainedMessageSummary{Topic: &r.Topic, PayloadSize: &r.Size, Qos: new(int32(r.QoS)),
			LastModifiedTime: new(r.Changed.UnixMilli())})
	}
	return out, nil
}
