package authorization

import (
	"context"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model"
	"plumb/internal/policy"
)

// An Assumption is a request for the credentials of a role.
type Assumption struct {
	Role       arn.ARN
	Session    string
	Duration   time.Duration
	ExternalID string
	Given      caller.Session
	PolicyARNs []string // of managed policies that narrow the session as well
}

// Assume decides whether the caller of ctx may have the credentials of a role. known
// says that the role is kept here and its trust policy was asked: then the caller's
// account does not matter any more. Without enforcement, and for a role that only the
// account's target knows, it decides nothing.
func (a *Authorizer) Assume(ctx context.Context, as Assumption, enforce bool) (r credential.Role, known bool, err error) {
	c := caller.From(ctx)
	r = credential.Role{ARN: as.Role.String(), Session: as.Session, Given: as.Given}
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		e, err := identity.Find(ctx, tx, as.Role.Account, identity.Role, as.Role.Resource[strings.LastIndexByte(as.Role.Resource, '/')+1:])
		if model.IsCode(err, "NoSuchEntity") || err == nil && e.ARN() != r.ARN {
			if enforce && !(IsRoot(c) && c.Account == as.Role.Account) {
				return mayNotAssume(c, r.ARN)
			}
			return nil
		}
		if err != nil {
			return err
		}
		r.ID = e.ID
		if as.Duration > time.Duration(e.MaxSession)*time.Second {
			return invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
		}
		if r.Given.Policies, err = sessionPolicies(ctx, tx, e.Account, as); err != nil || !enforce {
			return err
		}
		if strings.Contains(c.PrincipalARN, ":assumed-role/") && as.Duration > time.Hour {
			return invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
		}
		known = true
		return a.trusts(ctx, tx, c, e, as)
	})
	return r, known, err
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "ValidationError", Status: 400}, format, args...)
}

func mayNotAssume(c caller.Caller, role string) error {
	return model.Errorf(model.Error{Code: "AccessDenied", Status: 403}, "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.PrincipalARN, role)
}

// sessionPolicies returns the documents that narrow the session: that of the request,
// and managed ones as they are now.
func sessionPolicies(ctx context.Context, tx *db.Tx, account string, as Assumption) ([]string, error) {
	out := slices.Clone(as.Given.Policies)
	for _, policyARN := range as.PolicyARNs {
		e, err := identity.FindPolicy(ctx, tx, account, policyARN)
		if err != nil {
			return nil, invalid("The policy %s cannot be found in the role's account.", policyARN)
		}
		v, err := identity.FindVersion(ctx, tx, e, e.Default)
		if err != nil {
			return nil, err
		}
		out = append(out, v.Document)
	}
	return out, nil
}

// trusts asks the role's trust policy, and the caller's own policies where it leaves
// that to the caller's account.
func (a *Authorizer) trusts(ctx context.Context, tx *db.Tx, c caller.Caller, role identity.Entity, as Assumption) error {
	root := IsRoot(c)
	if root && c.Account == role.Account {
		return nil
	}
	s, err := a.subject(ctx, tx, c, root)
	if err != nil {
		return err
	}
	trust, err := policy.Parse(role.Trust)
	if err != nil {
		return mayNotAssume(c, role.ARN())
	}
	for _, action := range as.actions() {
		q := Ask{Action: action, Resource: role.ARN(), Owner: role.Account, Context: as.context()}
		v := s.judge(q, role.Account, []policy.Source{{Name: "trust", Kind: "resource", Document: trust}}, a.o.Now())
		// Within an account, too, the role itself must let the caller in.
		let := trust.Evaluate(policy.Request{Principals: s.principals(), Action: action, Resource: role.ARN(), Context: s.context(q, a.o.Now())})
		if !v.Allowed || !let.Allowed {
			e := mayNotAssume(c, role.ARN()).(*model.Error)
			e.Message = strings.Replace(e.Message, "sts:AssumeRole", action, 1)
			return e
		}
	}
	return nil
}

func (as Assumption) actions() []string {
	out := []string{"sts:AssumeRole"}
	if len(as.Given.Tags) > 0 {
		out = append(out, "sts:TagSession")
	}
	if as.Given.SourceIdentity != "" {
		out = append(out, "sts:SetSourceIdentity")
	}
	return out
}

func (as Assumption) context() policy.Context {
	out := policy.Context{"sts:rolesessionname": {as.Session}}
	if as.ExternalID != "" {
		out["sts:externalid"] = []string{as.ExternalID}
	}
	if as.Given.SourceIdentity != "" {
		out["sts:sourceidentity"] = []string{as.Given.SourceIdentity}
	}
	for k, v := range as.Given.Tags {
		out["aws:requesttag/"+strings.ToLower(k)] = []string{v}
		out["aws:tagkeys"] = append(out["aws:tagkeys"], k)
	}
	return out
}
