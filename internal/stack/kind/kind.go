// Package kind knows the types of resources that stacks can have: how each is
// made, changed and deleted through the API of its service, what its name is and
// which attributes it has.
//
// The properties of a template become the input of an operation by the service's
// own description, which says what is a number and what a text. Nothing is
// checked that the service checks itself. Calls are made through a func that is
// handed in; the package keeps nothing.
//
//	t, ok := kind.NewCatalogue(apis).Type("AWS::SQS::Queue")
//	err := t.Create(ctx, &kind.Request{Place: p, Name: name, Properties: properties, Call: call})
package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// A Call makes one call of a service as the owner of the stack.
type Call func(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error)

// A Request is about one resource.
type Request struct {
	Place      config.Place
	Name       string // for a resource that the template does not name
	Physical   string // set by Create
	Properties map[string]any
	Old        map[string]any    // properties before an update
	Attributes map[string]any    // set by Create and Update
	Tags       map[string]string // of the stack
	OldTags    map[string]string // before an update
	Again      bool              // it may have been made by an attempt whose end is not known

	Call Call
	APIs *awsclient.Models
}

// A Type is how resources of a type are handled. Funcs that are nil are not
// needed: without Update every change makes another resource.
type Type struct {
	Service string   // as AWS's messages name it
	Naming  Naming   // of resources that the template does not name
	Fixed   []string // properties whose change makes another resource
	Create  func(ctx context.Context, r *Request) error
	Update  func(ctx context.Context, r *Request) error
	Delete  func(ctx context.Context, r *Request) error
	// Settled reports whether what was made or changed is ready.
	Settled func(ctx context.Context, r *Request) (bool, error)
	// Absent reports whether what was deleted is gone.
	Absent func(ctx context.Context, r *Request) (bool, error)
}

// Naming is how names look that a type's resources get.
type Naming struct {
	Property string // that names a resource; empty: resources have no names
	Max      int
	Lower    bool
}

// Replaces reports whether a change of properties makes another resource.
func (t Type) Replaces(before, after map[string]any) bool {
	if t.Update == nil {
		return true
	}
	return slices.ContainsFunc(t.Fixed, func(p string) bool { return !reflect.DeepEqual(before[p], after[p]) })
}

// A Refusal is why a resource cannot be had as the template wants it, in the
// words of a handler of CloudFormation.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Message }

// The codes of handlers that are used here.
const (
	AlreadyExists  = "AlreadyExists"
	InvalidRequest = "InvalidRequest"
	NotFound       = "NotFound"
)

func refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Catalogue has the types.
type Catalogue struct {
	types map[string]Type
}

// NewCatalogue returns all types.
func NewCatalogue() *Catalogue {
	c := &Catalogue{types: map[string]Type{}}
	for _, list := range []map[string]Type{
		configTypes(), lambdaTypes(), messageTypes(), bucketTypes(), logTypes(), identityTypes(), eventTypes(), scheduleTypes(), restTypes(), planTypes(), httpTypes(),
		busTypes(), sourceTypes(),
	} {
		maps.Copy(c.types, list)
	}
	return c
}

// Type returns a type by its name.
func (c *Catalogue) Type(name string) (Type, bool) {
	t, ok := c.types[name]
	return t, ok
}

// name is what the template calls a resource, or the name that it gets.
func (r *Request) name(property string) string {
	if s := r.text(property); s != "" {
		return s
	}
	return r.Name
}

// text returns a property that is a text, or nothing.
func (r *Request) text(property string) string { return textOf(r.Properties[property]) }

// send makes a call with an input whose values are put into the kinds that the
// operation takes.
func (r *Request) send(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
	api, err := r.APIs.API(service)
	if err != nil {
		return nil, err
	}
	op := api.Operations[operation]
	if op == nil {
		return nil, refuse(InvalidRequest, "The operation %s of %s is not supported.", operation, service)
	}
	fitted, err := fit(op.Input, in, nil)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	m, _ := fitted.(map[string]any)
	return r.Call(ctx, service, operation, m)
}

// without returns properties without some of them.
func without(properties map[string]any, names ...string) map[string]any {
	out := maps.Clone(properties)
	if out == nil {
		out = map[string]any{}
	}
	for _, n := range names {
		delete(out, n)
	}
	return out
}

// changed reports whether an update changes one of some properties.
func (r *Request) changed(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return !reflect.DeepEqual(r.Old[n], r.Properties[n]) })
}

// only refuses properties that a type does not have.
func (r *Request) only(names ...string) error {
	for _, n := range slices.Sorted(maps.Keys(r.Properties)) {
		if !slices.Contains(names, n) {
			return extraneous(nil, n)
		}
	}
	return nil
}

// absent takes the error of a resource that is not there for success.
func absent(err error) error {
	if isAbsent(err) {
		return nil
	}
	return err
}

func isAbsent(err error) bool {
	code := awsclient.Code(err)
	return err != nil && (strings.HasPrefix(code, "NoSuch") || strings.Contains(code, "NotFound") || strings.Contains(code, "NonExistent") ||
		strings.Contains(code, "DoesNotExist") || code == "404" || code == "NotFoundException" || code == "NoSuchEntity")
}

// isThere reports whether an error says that a resource is there already.
func isThere(err error) bool {
	code := awsclient.Code(err)
	return strings.Contains(code, "AlreadyExist") || strings.Contains(code, "AlreadyOwnedByYou") || code == "ResourceConflictException" ||
		code == "QueueNameExists" || code == "AlreadyExists" || code == "RepositoryNameExistsException"
}

// mine takes the error of a resource that is there already for success where it
// is that of an attempt whose end is not known.
func (r *Request) mine(err error) error {
	if r.Again && isThere(err) {
		return nil
	}
	return err
}

// tagsOf joins the tags of the stack and those of a property, which is a list of
// Key and Value, or a mapping.
func (r *Request) tags(property string) map[string]string {
	out := maps.Clone(r.Tags)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, tagsOf(r.Properties[property]))
	return out
}

// oldTags are the tags before an update.
func (r *Request) oldTags(property string) map[string]string {
	out := maps.Clone(r.OldTags)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, tagsOf(r.Old[property]))
	return out
}

func tagsOf(v any) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if m, ok := item.(map[string]any); ok {
				out[textOf(m["Key"])] = textOf(m["Value"])
			}
		}
	case map[string]any:
		for k, item := range v {
			out[k] = textOf(item)
		}
	}
	return out
}

// tagList writes tags as most services take them.
func tagList(tags map[string]string) []any {
	out := []any{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, map[string]any{"Key": k, "Value": tags[k]})
	}
	return out
}

func tagMap(tags map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range tags {
		out[k] = v
	}
	return out
}

// set copies a property into an input if it is there.
func set(in map[string]any, member string, properties map[string]any, property string) {
	if v, ok := properties[property]; ok {
		in[member] = v
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// at walks down an answer and returns the text there.
func at(v any, path ...any) string {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return ""
			}
			v = l[step]
		}
	}
	return textOf(v)
}
