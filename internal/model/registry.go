package model

import (
	"context"
	"fmt"
)

// Info is what the wire must know of a served service.
type Info struct {
	Name            string // config
	Title           string // AWS Config
	Signing         string // service name in credential scopes
	Protocol        string // json, query, rest-json
	JSONVersion     string // 1.0, 1.1
	TargetPrefix    string // StarlingDoveService
	APIVersion      string // 2014-11-12
	XMLNamespace    string
	QueryCompatible bool // speaks awsQuery to old clients as well
	ISOTimes        bool // times in JSON bodies are text in ISO 8601, not numbers

	ValidationCode string // of constraint failures; empty: ValidationException
	MissingCode    string // of required members that are absent; empty: a constraint failure
	MalformedCode  string // of bodies that do not parse; empty: SerializationException
	ShapePackage   string // how structures print in constraint failures
	ListNotNull    bool
	NoNUL          bool // texts with U+0000 are refused
}

// A Route is one operation of a served service, built or not.
type Route struct {
	Operation     string
	Method        string
	URI           string // may carry fixed query parameters: /2018-10-31/layers?find=LayerVersion
	Status        int
	ResultWrapper string
	NoOutput      bool // the model has no output: the answer's body is empty

	// Set when a handler is bound.
	New   func() any
	Check func(in any, c *Checker)
	Call  func(ctx context.Context, in any) (any, error)
}

// Built says whether a handler is bound.
func (r *Route) Built() bool { return r.Call != nil }

// A Registry is a served service: its routes, and which of them have handlers. Bind everything before serving.
type Registry struct {
	Info   Info
	routes []*Route
	byName map[string]*Route
}

// NewRegistry makes a registry in which nothing is built.
func NewRegistry(info Info, routes []Route) *Registry {
	r := &Registry{Info: info, byName: make(map[string]*Route, len(routes))}
	for i := range routes {
		r.routes = append(r.routes, &routes[i])
		r.byName[routes[i].Operation] = &routes[i]
	}
	return r
}

// Routes lists all operations of the service by name.
func (r *Registry) Routes() []*Route { return r.routes }

// Route finds an operation.
func (r *Registry) Route(operation string) (*Route, bool) {
	route, ok := r.byName[operation]
	return route, ok
}

// Bind gives an operation its handler. Generated code calls it, so that the types fit the operation.
func Bind[In, Out any](
	r *Registry, operation string, handle func(context.Context, *In) (*Out, error), check func(*In, *Checker),
) {
	route, ok := r.byName[operation]
	if !ok {
		panic(fmt.Sprintf("model: %s has no operation %s; generate again", r.Info.Name, operation))
	}
	route.New = func() any { return new(In) }
	route.Check = func(in any, c *Checker) { check(in.(*In), c) }
	route.Call = func(ctx context.Context, in any) (any, error) {
		out, err := handle(ctx, in.(*In))
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = new(Out)
		}
		return out, nil
	}
}

// NewChecker makes a checker that words failures the way the service does.
func (r *Registry) NewChecker() *Checker {
	return &Checker{code: r.Info.ValidationCode, missing: r.Info.MissingCode, shapes: r.Info.ShapePackage, notNull: r.Info.ListNotNull}
}
