package authorization

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model"
	"plumb/internal/policy"
)

// Options are what an authorizer asks.
type Options struct {
	DB *db.DB
	// Policy returns the policy of a queue, topic or function; empty if there is none.
	Policy func(ctx context.Context, tx *db.Tx, resourceARN string) (string, error)
	// Remember returns the context of a request in which Policy may leave what it read for the operation; nil leaves it.
	Remember func(ctx context.Context) context.Context
	// Elsewhere reports whether a place has a target, whose roles are not kept here.
	Elsewhere func(p config.Place) bool
	Now       func() time.Time
}

// An Authorizer decides. It is safe for concurrent use.
type Authorizer struct {
	o     Options
	mu    sync.Mutex
	known map[who]known
}

// New returns it.
func New(o Options) *Authorizer { return &Authorizer{o: o, known: map[who]known{}} }

// who is an identity of an account.
type who struct {
	account string
	kind    identity.Kind
	name    string // in lower case
}

// known is what was read of an identity at a revision of its account.
type known struct {
	revision int64
	entity   identity.Entity
	policies identity.Policies
	absent   bool
}

// maxKnown is how many identities are remembered.
const maxKnown = 4096

// identityOf returns who a caller is, as policies are kept by.
func identityOf(c caller.Caller) (who, bool) {
	a, err := arn.Parse(c.PrincipalARN)
	if err != nil {
		return who{}, false
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "user":
		return who{a.Account, identity.User, strings.ToLower(rest[strings.LastIndexByte(rest, '/')+1:])}, true
	case "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		return who{a.Account, identity.Role, strings.ToLower(name)}, true
	}
	return who{}, false
}

// policies returns the policies of an identity, read again if any identity of its
// account has changed.
func (a *Authorizer) policies(ctx context.Context, tx *db.Tx, w who) (known, error) {
	if tx == nil {
		return known{}, errNeedsStore
	}
	revision, err := identity.Revision(ctx, tx, w.account)
	if err != nil {
		return known{}, err
	}
	a.mu.Lock()
	k, ok := a.known[w]
	a.mu.Unlock()
	if ok && k.revision == revision {
		return k, nil
	}
	k = known{revision: revision}
	k.entity, err = identity.Find(ctx, tx, w.account, w.kind, w.name)
	switch {
	case model.IsCode(err, "NoSuchEntity"):
		k.absent = true
	case err != nil:
		return known{}, err
	default:
		if k.policies, err = identity.PoliciesOf(ctx, tx, k.entity); err != nil {
			return known{}, fmt.Errorf("read the policies of %s %s: %w", w.kind, w.name, err)
		}
	}
	a.mu.Lock()
	if len(a.known) >= maxKnown {
		clear(a.known)
	}
	a.known[w] = k
	a.mu.Unlock()
	return k, nil
}

// maxRevisionAge is how old the revision may be that was read with a caller's access key:
// a request asks at once, and nobody else has one.
const maxRevisionAge = time.Second

// policiesNow are the policies of an identity by the revision that came with the caller,
// if they are known.
func (a *Authorizer) policiesNow(w who, r caller.Revision) (known, bool) {
	if r.At.IsZero() || time.Since(r.At) > maxRevisionAge {
		return known{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.known[w]
	return k, ok && k.revision == r.N
}

// errNeedsStore is the answer to a question without a transaction that needs one.
var errNeedsStore = errors.New("the store must be asked")

// IsRoot reports whether a caller may do everything in its account.
func IsRoot(c caller.Caller) bool {
	return c.Root || strings.HasSuffix(c.PrincipalARN, ":root") && strings.HasPrefix(c.PrincipalARN, "arn:")
}

// An Ask is one question: an action on a resource.
type Ask struct {
	Action   string
	Resource string // an ARN; "*" where there is none
	Or       string // another way to write the resource; empty if there is none
	Owner    string // the resource's account; empty is the one in the ARN
	Policy   string // the resource's policy, where the caller has it
	Context  policy.Context
}

// owner returns the account that the resource belongs to, the caller's where none is
// named.
func (q Ask) owner(c caller.Caller) string {
	if q.Owner != "" {
		return q.Owner
	}
	if a, err := arn.Parse(q.Resource); err == nil && arn.IsAccount(a.Account) {
		return a.Account
	}
	return c.Account
}

// May answers questions about one request: all must be allowed. The context that it
// returns says if that lets the caller use what another account has.
func (a *Authorizer) May(ctx context.Context, asks ...Ask) (context.Context, error) {
	if c := caller.From(ctx); IsRoot(c) && allOwn(c, asks) {
		return caller.Grant(ctx, ""), nil
	}
	granted := ""
	err := a.o.DB.Read(ctx, func(tx *db.Tx) (err error) {
		granted, err = a.mayIn(ctx, tx, asks)
		return err
	})
	return caller.Grant(ctx, granted), err // what another question was granted is none of this one
}

// mayIn is May in a transaction; without one, it may answer errNeedsStore. It returns the account whose resources the caller may
// use though they are another's; empty if there is none.
func (a *Authorizer) mayIn(ctx context.Context, tx *db.Tx, asks []Ask) (string, error) {
	c := caller.From(ctx)
	s, err := a.subject(ctx, tx, c, IsRoot(c))
	if err != nil || s.free && allOwn(c, asks) {
		return "", err
	}
	grants := map[string]bool{} // accounts whose resources are asked for: whether all of these are granted
	for _, q := range asks {
		granted, err := a.decide(ctx, tx, s, q)
		if err != nil {
			return "", err
		}
		if owner := q.owner(c); owner != c.Account {
			before, asked := grants[owner]
			grants[owner] = granted == owner && (before || !asked)
		}
	}
	for owner, all := range grants {
		if all && len(grants) == 1 { // one request uses what one other account has, or none
			return owner, nil
		}
	}
	return "", nil
}

func allOwn(c caller.Caller, asks []Ask) bool {
	for _, q := range asks {
		if q.owner(c) != c.Account {
			return false
		}
	}
	return true
}

// A subject is a caller with what says what it may do.
type subject struct {
	caller.Caller
	free     bool // everything in its account
	entity   identity.Entity
	policies identity.Policies
	session  []policy.Source
}

func (a *Authorizer) subject(ctx context.Context, tx *db.Tx, c caller.Caller, root bool) (subject, error) {
	s := subject{Caller: c, free: root}
	if root {
		return s, nil
	}
	if w, ok := identityOf(c); ok {
		k, ok := a.policiesNow(w, c.Revision)
		if !ok {
			var err error
			if k, err = a.policies(ctx, tx, w); err != nil {
				return s, err
			}
		}
		s.entity, s.policies = k.entity, k.policies
		// A role of the target's is known there, and here only by its name.
		s.free = k.absent && w.kind == identity.Role && a.o.Elsewhere != nil && a.o.Elsewhere(config.Place{Account: c.Account, Region: c.Region})
	}
	if c.Session == nil {
		return s, nil
	}
	for _, text := range c.Session.Policies {
		d, err := policy.Parse(text)
		if err != nil {
			return s, fmt.Errorf("read a policy of temporary credentials: %w", err)
		}
		s.session = append(s.session, policy.Source{Name: "session", Kind: "session", Document: d})
	}
	return s, nil
}

// decide answers one question: with an error, or with the account whose resource the
// caller may use though it is another's.
func (a *Authorizer) decide(ctx context.Context, tx *db.Tx, s subject, q Ask) (granted string, err error) {
	owner := q.owner(s.Caller)
	if s.free && owner == s.Account {
		return "", nil
	}
	resource, err := a.resourcePolicy(ctx, tx, q)
	if err != nil {
		return "", err
	}
	v := s.judge(q, owner, resource, a.o.Now())
	switch {
	case owner == s.Account && !v.Allowed, owner != s.Account && (v.Denied || !v.Allowed && v.Reason != policy.ResourceBased):
		return "", refusal(s.Caller, q, v)
	case owner != s.Account && v.Allowed:
		return owner, nil
	}
	return "", nil // the other account does not let it in: the face says so in its words
}

// principals returns all names of the caller.
func (s subject) principals() []policy.Principal {
	out := policy.PrincipalsOf(s.PrincipalARN)
	if s.entity.ID != "" { // of a role, its own name, which a session's leaves the path out of
		out = append(out, policy.Principal{Type: "AWS", ID: s.entity.ARN()})
	}
	return out
}

func (s subject) judge(q Ask, owner string, resource []policy.Source, now time.Time) policy.Verdict {
	c := policy.Case{
		Request: policy.Request{Principals: s.principals(), Action: q.Action, Resource: q.Resource, Context: s.context(q, now)},
		Account: s.Account, Owner: owner, Identity: s.policies.Own, Boundary: s.policies.Boundary, Bounded: s.policies.Bounded,
		Session: s.session, Limited: len(s.session) > 0, Resource: resource,
	}
	if s.free {
		c.Identity, c.Bounded, c.Limited = []policy.Source{everything}, false, false
	}
	v := c.Judge()
	if q.Or == "" || v.Denied {
		return v
	}
	c.Resource, c.Request.Resource = resource, q.Or
	other := c.Judge()
	if other.Denied || other.Allowed {
		return other
	}
	return v
}

// everything is what an account itself may do.
var everything = policy.Source{Name: "root", Document: policy.Document{Statements: []policy.Statement{{
	Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"},
}}}}

func (a *Authorizer) resourcePolicy(ctx context.Context, tx *db.Tx, q Ask) ([]policy.Source, error) {
	text := q.Policy
	if text == "" && a.o.Policy != nil && strings.HasPrefix(q.Resource, "arn:") {
		if tx == nil {
			return nil, errNeedsStore
		}
		var err error
		if text, err = a.o.Policy(ctx, tx, q.Resource); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return nil, nil
	}
	if tx == nil {
		return nil, errNeedsStore
	}
	d, err := db.Decoded(tx, text, func(text []byte, d *policy.Document) (err error) {
		*d, err = policy.Parse(string(text))
		return err
	})
	if err != nil {
		return nil, nil // who put it was told; it grants nothing
	}
	return []policy.Source{{Name: "resource", Kind: "resource", Document: d}}, nil
}

// refusal says no in AWS's words.
func refusal(c caller.Caller, q Ask, v policy.Verdict) error {
	because := fmt.Sprintf("because no %s policy allows the %s action", v.Reason, q.Action)
	if v.Reason == policy.PermissionsBounded {
		because = fmt.Sprintf("because no permissions boundary allows the %s action", q.Action)
	}
	if v.Denied {
		because = "with an explicit deny in " + article[v.Reason]
	}
	return model.AccessDeniedException("User: %s is not authorized to perform: %s on resource: %s %s", c.PrincipalARN, q.Action, q.Resource, because)
}

var article = map[policy.Reason]string{
	policy.IdentityBased: "an identity-based policy", policy.ResourceBased: "a resource-based policy",
	policy.PermissionsBounded: "a permissions boundary", policy.SessionBased: "a session policy",
}
