// Package lambda is the face of the function service: it checks what a request
// means, asks package lambda of the floor below, and answers in AWS Lambda's
// shapes.
//
// A function is ready when its creation is answered. The answer says Pending, as
// AWS's does, and the first read says Active, so that clients that wait for the
// change see it.
package lambda

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/source/mapping"
)

// New returns Lambda with its operations bound to the functions.
func New(functions *lambda.Service, mappings *mapping.Store) *model.Registry {
	s := lambdaapi.NewService()
	f := face{functions, mappings}
	registerFunctions(s, f)
	registerVersions(s, f)
	registerAliases(s, f)
	registerPermissions(s, f)
	registerEventInvokes(s, f)
	registerEventSources(s, f)
	registerURLs(s, f)
	registerTags(s, f)
	registerConcurrency(s, f)
	s.Invoke(f.Invoke)
	s.InvokeAsync(f.InvokeAsync)
	return s.Registry()
}

type face struct {
	functions *lambda.Service
	mappings  *mapping.Store
}

// ref reads the function's name in a request, with the qualifier beside it.
func ref(ctx context.Context, name, qualifier *string) (lambda.Ref, error) {
	return lambda.Parse(caller.Place(ctx), value(name), value(qualifier))
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// limit is how many entries a page may have.
func limit(asked *int32, most int) int {
	if asked == nil || int(*asked) > most {
		return most
	}
	return int(*asked)
}
