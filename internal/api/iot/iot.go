// Package iot is the embedded AWS IoT's API, as far as topic rules and things go: it checks
// what a request means, asks package source/iot, and answers in IoT's shapes. It keeps
// nothing.
package iot

import (
	"context"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iotapi"
	"plumb/internal/source/iot"
	"plumb/internal/wire"
)

// New returns IoT with its operations bound to the engine. endpoint says where devices
// connect, or where clients of HTTP do, as HOST:PORT, to somebody who reached the server
// at a URL.
func New(e *iot.Engine, tokens wire.Tokens, endpoint func(url string, devices bool) string) *model.Registry {
	service := iotapi.NewService()
	register(service, operations{e, tokens, endpoint})
	return service.Registry()
}

// register is the table of contents.
func register(s *iotapi.Service, o operations) {
	s.CreateTopicRule(o.CreateTopicRule)
	s.ReplaceTopicRule(o.ReplaceTopicRule)
	s.GetTopicRule(o.GetTopicRule)
	s.ListTopicRules(o.ListTopicRules)
	s.EnableTopicRule(o.EnableTopicRule)
	s.DisableTopicRule(o.DisableTopicRule)
	s.DeleteTopicRule(o.DeleteTopicRule)

	s.CreateThing(o.CreateThing)
	s.DescribeThing(o.DescribeThing)
	s.ListThings(o.ListThings)
	s.UpdateThing(o.UpdateThing)
	s.DeleteThing(o.DeleteThing)

	s.DescribeEndpoint(o.DescribeEndpoint)
}

type operations struct {
	engine   *iot.Engine
	tokens   wire.Tokens
	endpoint func(url string, devices bool) string
}

func invalid(format string, args ...any) error {
	return iotapi.InvalidRequestException(format, args...)
}

// DescribeEndpoint tells where devices connect, and opens the listener.
func (o operations) DescribeEndpoint(ctx context.Context, in *iotapi.DescribeEndpointInput) (*iotapi.DescribeEndpointOutput, error) {
	devices := false
	switch kind := strings.ToLower(model.Deref(in.EndpointType)); kind {
	case "", "iot:data", "iot:data-ats":
		devices = true
	case "iot:credentialprovider", "iot:jobs":
	default:
		return nil, invalid("The endpoint type %s is not known.", *in.EndpointType)
	}
	if devices {
		if err := o.engine.Write(ctx, func(tx *db.Tx) error { return iot.NeedEndpoint(ctx, tx, caller.Place(ctx)) }); err != nil {
			return nil, err
		}
		o.engine.Changed(ctx)
	}
	return &iotapi.DescribeEndpointOutput{EndpointAddress: new(o.endpoint(caller.From(ctx).Endpoint, devices))}, nil
}

// pageSize is what a client wants, up to most.
func pageSize(n *int32, usual, most int) (int, error) {
	switch {
	case n == nil:
		return usual, nil
	case *n < 1 || int(*n) > most:
		return 0, invalid("maxResults is %d, and has to be from 1 to %d.", *n, most)
	}
	return int(*n), nil
}

func badToken() error { return invalid("Invalid nextToken.") }
