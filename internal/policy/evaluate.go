package policy

import (
	"slices"
	"strings"
)

// A Request is what is asked of a policy.
type Request struct {
	// Principals are all names of the caller: its ARN, its account's id and root
	// ARN, its role's ARN, a service's name. A statement without a principal
	// element, as in an identity policy, speaks of whoever carries it.
	Principals []Principal
	Action     string
	Resource   string // empty where an action has none: only "*" speaks of it
	Context    Context
}

// A Decision is a policy's answer. Without a statement that speaks of the request
// nothing is allowed and nothing is denied.
type Decision struct {
	Allowed bool
	Denied  bool // by a Deny statement, which wins over every Allow
	// Statement is the statement that decided; nil when none did.
	Statement *Statement
}

// Evaluate answers a request: a Deny statement wins over every Allow.
func (d Document) Evaluate(r Request) Decision {
	var decision Decision
	for i := range d.Statements {
		s := &d.Statements[i]
		if !s.Covers(r) {
			continue
		}
		if s.Effect == Deny {
			return Decision{Denied: true, Statement: s}
		}
		if decision.Statement == nil {
			decision = Decision{Allowed: true, Statement: s}
		}
	}
	return decision
}

// Covers reports whether the statement speaks of the request.
func (s Statement) Covers(r Request) bool {
	return s.namesAction(r.Action) && s.namesResource(r.Resource, r.Context) && s.namesPrincipal(r.Principals) &&
		!slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !c.Holds(r.Context) })
}

func (s Statement) namesAction(action string) bool {
	action = strings.ToLower(action)
	if s.NotActions != nil {
		return !anyMatches(fold(s.NotActions), action)
	}
	return anyMatches(fold(s.Actions), action)
}

func (s Statement) namesResource(resource string, ctx Context) bool {
	filled := func(list []string) []string {
		out := make([]string, len(list))
		for i, r := range list {
			out[i] = substitute(r, ctx, true)
		}
		return out
	}
	switch {
	case s.NotResources != nil:
		return !anyMatches(filled(s.NotResources), resource)
	case s.Resources == nil: // a trust policy has none
		return true
	}
	return anyMatches(filled(s.Resources), resource)
}

func (s Statement) namesPrincipal(callers []Principal) bool {
	named := func(list []Principal) bool {
		return slices.ContainsFunc(list, func(p Principal) bool {
			return p.Everyone() || slices.Contains(callers, p)
		})
	}
	switch {
	case s.NotPrincipals != nil:
		return !named(s.NotPrincipals)
	case s.Principals == nil:
		return true
	}
	return named(s.Principals)
}
