package policy

import (
	"slices"
	"strings"
)

// Grants reports whether an Allow statement grants some action that one of the
// patterns names. Conditions and resources are not looked at.
func (s Statement) Grants(patterns []string) bool {
	if s.Effect != Allow {
		return false
	}
	actions, not := fold(s.Actions), fold(s.NotActions)
	for _, p := range fold(patterns) {
		if anyOverlaps(actions, p) {
			return true
		}
		// NotAction grants everything that it does not name.
		if s.NotActions != nil && !anyCovers(not, p) {
			return true
		}
	}
	return false
}

// GrantsAllOf reports whether the policy grants one of the actions on all
// resources of a service that are named so, in some account and region. A Deny
// statement without conditions takes away what it covers. Conditions of Allow
// statements are not looked at.
func (d Document) GrantsAllOf(actions []string, service, names string) bool {
	for _, s := range d.Statements {
		if s.Effect != Allow || !s.coversAllOf(service, names) {
			continue
		}
		for _, p := range fold(actions) {
			if slices.ContainsFunc(s.granted(p), func(a string) bool { return !d.deniesAllOf(a, service, names) }) {
				return true
			}
		}
	}
	return false
}

// granted returns patterns of what an Allow statement grants of what p names.
func (s Statement) granted(p string) []string {
	if s.NotActions != nil {
		if anyCovers(fold(s.NotActions), p) {
			return nil
		}
		return []string{p}
	}
	var out []string
	for _, a := range fold(s.Actions) {
		switch {
		case Covers(a, p):
			out = append(out, p)
		case Overlaps(a, p):
			out = append(out, a)
		}
	}
	return out
}

// coversAllOf reports whether the statement's resources hold all of a service's
// that are named so. NotResource leaves most of them, unless it names them all.
func (s Statement) coversAllOf(service, names string) bool {
	if s.NotResources != nil {
		return !slices.ContainsFunc(s.NotResources, func(r string) bool { return coversEverywhere(r, service, names) })
	}
	return slices.ContainsFunc(s.Resources, func(r string) bool { return CoversAllOf(r, service, names) })
}

// deniesAllOf reports whether a Deny statement without conditions covers an action
// on all resources of a service that are named so.
func (d Document) deniesAllOf(action, service, names string) bool {
	return slices.ContainsFunc(d.Statements, func(s Statement) bool {
		if s.Effect != Deny || len(s.Conditions) > 0 || !s.coversAction(action) {
			return false
		}
		if s.NotResources != nil {
			return !slices.ContainsFunc(s.NotResources, func(r string) bool { return namesSomeOf(r, service, names) })
		}
		return slices.ContainsFunc(s.Resources, func(r string) bool { return coversEverywhere(r, service, names) })
	})
}

// coversAction reports whether the statement speaks of all that an action pattern
// names.
func (s Statement) coversAction(pattern string) bool {
	pattern = strings.ToLower(pattern)
	if s.NotActions != nil {
		return !anyOverlaps(fold(s.NotActions), pattern)
	}
	return anyCovers(fold(s.Actions), pattern)
}

// coversResource is coversAction for a resource pattern.
func (s Statement) coversResource(pattern string) bool {
	if s.NotResources != nil {
		return !anyOverlaps(s.NotResources, pattern)
	}
	return anyCovers(s.Resources, pattern)
}

// DeniesEveryone reports whether a Deny statement keeps everyone from all that
// the action and resource patterns name, in every request with these keys. A key
// with nil is absent from the request. A condition on any other key may or may not
// hold, so its statement does not count.
func (d Document) DeniesEveryone(action, resource string, known Context) bool {
	return slices.ContainsFunc(d.Statements, func(s Statement) bool {
		return s.Effect == Deny && slices.ContainsFunc(s.Principals, Principal.Everyone) &&
			s.coversAction(action) && s.coversResource(resource) &&
			!slices.ContainsFunc(s.Conditions, func(c Condition) bool {
				_, isKnown := known[c.Key]
				return !isKnown || !c.Holds(known)
			})
	})
}
