package kind

import (
	"context"
	"maps"
	"strings"

	"plumb/internal/awsclient"
)

// A Request with Again may find what its first attempt has made: the service refuses a
// second resource of the same name, and the one that is there is looked up.
//
// Some services give resources ids of their own and refuse nothing: REST and HTTP APIs,
// their deployments, integrations and request validators, identity pools and versions of
// layers. One that has the same name may be another's, and taking it over would delete it
// with the stack. So a repeat makes another one, and the first stays: deployments,
// integrations and validators go with their API; an API or a pool has to be deleted by hand.

// A lookup is how a service lists resources.
type lookup struct {
	service, operation string
	in                 map[string]any
	list               string // the member of the answer
	token, next        string // members that name the page: of the input, of the answer
}

// find returns the resource of a list that is the one that is looked for, or nil.
func (r *Request) find(ctx context.Context, l lookup, is func(item map[string]any) bool) (map[string]any, error) {
	in := maps.Clone(l.in)
	for {
		out, err := r.send(ctx, l.service, l.operation, in)
		if err != nil {
			return nil, err
		}
		list, _ := out[l.list].([]any)
		for _, v := range list {
			if item, ok := v.(map[string]any); ok && is(item) {
				return item, nil
			}
		}
		next := at(out, l.next)
		if next == "" || next == textOf(in[l.token]) {
			return nil, nil
		}
		in[l.token] = next
	}
}

// orFound returns what is looked for in place of an error that says it is there already.
func (r *Request) orFound(ctx context.Context, conflict error, l lookup, is func(item map[string]any) bool) (map[string]any, error) {
	item, err := r.find(ctx, l, is)
	if err == nil && item == nil {
		err = conflict
	}
	return item, err
}

// conflicts reports whether an attempt whose end is not known has made the resource.
func (r *Request) conflicts(err error) bool {
	return r.Again && awsclient.Code(err) == "ConflictException"
}

// restParts lists parts of a REST API.
func (r *Request) restParts(operation string) lookup {
	return lookup{
		service: "apigateway", operation: operation, in: map[string]any{"restApiId": r.text("RestApiId"), "limit": 500},
		list: "items", token: "position", next: "position",
	}
}

// httpParts lists parts of an HTTP API.
func (r *Request) httpParts(operation string) lookup {
	return lookup{
		service: "apigatewayv2", operation: operation, in: map[string]any{"ApiId": r.text("ApiId"), "MaxResults": 500},
		list: "Items", token: "NextToken", next: "NextToken",
	}
}

// nameTaken reports whether an authorizer was refused for its name, for which API Gateway
// has no code of its own.
func nameTaken(err error) bool {
	return awsclient.Code(err) == "BadRequestException" && strings.Contains(err.Error(), "name must be unique")
}
