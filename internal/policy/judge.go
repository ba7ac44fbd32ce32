package policy

import (
	"slices"
	"strings"
)

// A Source is a policy and what it is called.
type Source struct {
	Name     string
	Kind     string // what the caller likes to know it by
	Document Document
}

// A Case is a request with all policies that have a say in it.
type Case struct {
	Request
	Account  string   // of the caller; empty for a service
	Owner    string   // the resource's account; empty: the caller's
	Identity []Source // the caller's own, those of its groups among them
	Boundary []Source // what bounds the caller, if Bounded
	Bounded  bool
	Session  []Source // what its session was limited to, if Limited
	Limited  bool
	Resource []Source // those of the resource
}

// A Reason is the kind of policy that a verdict is about.
type Reason string

// The reasons, as IAM words them.
const (
	IdentityBased      Reason = "identity-based"
	ResourceBased      Reason = "resource-based"
	PermissionsBounded Reason = "permissions boundary"
	SessionBased       Reason = "session"
)

// A Verdict is the answer to a case, and why. Without a statement that allows it,
// what is asked is refused, and no source is to blame.
type Verdict struct {
	Allowed   bool
	Denied    bool   // by a Deny statement
	Reason    Reason // what decided, or what failed to allow
	Source    *Source
	Statement *Statement
}

// Judge answers a case by IAM's evaluation logic: a Deny wins wherever it stands;
// within an account the caller's policies or the resource's must allow it, between
// accounts both; a boundary and a session's policies narrow what the caller's own
// allow, and what the resource's allow unless they name the caller itself.
func (c Case) Judge() Verdict {
	groups := []struct {
		reason  Reason
		sources []Source
	}{{IdentityBased, c.Identity}, {ResourceBased, c.Resource}, {PermissionsBounded, c.Boundary}, {SessionBased, c.Session}}
	verdicts := make([]Verdict, len(groups))
	for i, g := range groups {
		verdicts[i] = ask(g.sources, g.reason, c.Request)
		if verdicts[i].Denied {
			return verdicts[i]
		}
	}
	if c.Owner == "" || c.Owner == c.Account {
		verdicts[1] = c.directly(verdicts[1])
	}
	return c.combine(verdicts[0], verdicts[1], verdicts[2], verdicts[3])
}

// directly returns what the resource's policies allow the caller itself. What they
// allow its whole account they leave to the account, which grants it by the policies
// of its identities.
func (c Case) directly(v Verdict) Verdict {
	if !v.Allowed || c.Account == "" {
		return v
	}
	out := Verdict{Reason: ResourceBased}
	for i := range c.Resource {
		for j := range c.Resource[i].Document.Statements {
			s := &c.Resource[i].Document.Statements[j]
			if s.Effect != Allow || !c.grantsDirectly(s) || !s.Covers(c.Request) {
				continue
			}
			found := Verdict{Allowed: true, Reason: ResourceBased, Source: &c.Resource[i], Statement: s}
			if c.namesItself(s) { // which is worth more than what names everybody
				return found
			}
			if !out.Allowed {
				out = found
			}
		}
	}
	return out
}

func (c Case) grantsDirectly(s *Statement) bool {
	return slices.ContainsFunc(s.Principals, func(p Principal) bool {
		return p.Everyone() || !isAccount(p, c.Account) && slices.Contains(c.Principals, p)
	})
}

// isAccount reports whether a principal is a whole account.
func isAccount(p Principal, account string) bool {
	return p.Type == "AWS" && (p.ID == account || strings.HasPrefix(p.ID, "arn:") && strings.HasSuffix(p.ID, ":iam::"+account+":root"))
}

func (c Case) combine(own, resource, boundary, session Verdict) Verdict {
	narrowed := func(v Verdict) Verdict {
		switch {
		case c.Bounded && !boundary.Allowed:
			return boundary
		case c.Limited && !session.Allowed:
			return session
		}
		return v
	}
	foreign := c.Owner != "" && c.Owner != c.Account
	switch {
	case c.Account == "": // a service has no policies of its own
		return resource
	case foreign && !own.Allowed:
		return own
	case foreign && !resource.Allowed:
		return resource
	case foreign:
		return narrowed(own)
	case resource.Allowed && c.namesItself(resource.Statement):
		return resource
	case resource.Allowed:
		return narrowed(resource)
	case own.Allowed:
		return narrowed(own)
	}
	return own
}

// namesItself reports whether a resource's statement names the user, or the session
// of a role: then an implicit refusal of a boundary or of session policies does not
// matter.
func (c Case) namesItself(s *Statement) bool {
	return slices.ContainsFunc(s.Principals, func(p Principal) bool {
		return p.Type == "AWS" && slices.Contains(c.Principals, p) && (strings.Contains(p.ID, ":user/") || strings.Contains(p.ID, ":assumed-role/"))
	})
}

// ask asks some policies of one kind: a Deny of one wins over an Allow of another.
func ask(sources []Source, reason Reason, r Request) Verdict {
	out := Verdict{Reason: reason}
	for i := range sources {
		d := sources[i].Document.Evaluate(r)
		switch {
		case d.Denied:
			return Verdict{Denied: true, Reason: reason, Source: &sources[i], Statement: d.Statement}
		case d.Allowed && !out.Allowed:
			out = Verdict{Allowed: true, Reason: reason, Source: &sources[i], Statement: d.Statement}
		}
	}
	return out
}

// Variables returns the context keys that a document's conditions and variables
// ask for, each once, in order.
func (d Document) Variables() []string {
	seen := map[string]bool{}
	add := func(texts []string) {
		for _, t := range texts {
			for _, part := range strings.Split(t, "${")[1:] {
				name, _, closed := strings.Cut(part, "}")
				name, _, _ = strings.Cut(name, ",")
				if name = strings.TrimSpace(name); closed && name != "*" && name != "?" && name != "$" {
					seen[strings.ToLower(name)] = true
				}
			}
		}
	}
	for _, s := range d.Statements {
		add(s.Resources)
		add(s.NotResources)
		for _, c := range s.Conditions {
			seen[c.Key] = true
			add(c.Values)
		}
	}
	out := make([]string, 0, len(seen))
	for k := range seen {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// AskedFor returns the context keys that the statements ask for which speak of a
// request's action and resource, if their conditions hold or not.
func (d Document) AskedFor(r Request) []string {
	var asked Document
	for _, s := range d.Statements {
		if s.namesAction(r.Action) && s.namesResource(r.Resource, r.Context) {
			asked.Statements = append(asked.Statements, s)
		}
	}
	return asked.Variables()
}

// WithinBoundary reports whether the boundary alone would allow what is asked.
func (c Case) WithinBoundary() bool { return ask(c.Boundary, PermissionsBounded, c.Request).Allowed }

// PrincipalsOf returns all names of the one whom an ARN names: the session of a
// role is its role too, and everyone is their account.
func PrincipalsOf(principalARN string) []Principal {
	parts := strings.SplitN(principalARN, ":", 6)
	if len(parts) != 6 {
		return nil
	}
	account := parts[4]
	out := []Principal{{"AWS", principalARN}, {"AWS", account}}
	if root := "arn:" + parts[1] + ":iam::" + account + ":root"; root != principalARN {
		out = append(out, Principal{"AWS", root})
	}
	if session, ok := strings.CutPrefix(parts[5], "assumed-role/"); ok {
		role, _, _ := strings.Cut(session, "/")
		out = append(out, Principal{"AWS", "arn:" + parts[1] + ":iam::" + account + ":role/" + role})
	}
	return out
}
