package identity

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/policy"
)

// Policies are the documents that say what an identity may do.
type Policies struct {
	Own      []policy.Source // its own, and those of its groups
	Boundary []policy.Source
	Bounded  bool
}

// PoliciesOf returns the policies of a user, a group or a role.
func PoliciesOf(ctx context.Context, tx *db.Tx, e Entity) (Policies, error) {
	var p Policies
	if err := p.add(ctx, tx, e); err != nil {
		return p, err
	}
	if e.Kind == User {
		groups, err := Containers(ctx, tx, Group, e)
		if err != nil {
			return p, err
		}
		for _, g := range groups {
			if err := p.add(ctx, tx, g); err != nil {
				return p, err
			}
		}
	}
	if e.Boundary == "" {
		return p, nil
	}
	p.Bounded = true
	s, err := inForce(ctx, tx, e.Account, e.Boundary)
	if isMissing(err) {
		return p, nil // nothing is allowed by a boundary that is not there
	}
	p.Boundary = []policy.Source{s}
	return p, err
}

func (p *Policies) add(ctx context.Context, tx *db.Tx, e Entity) error {
	inlines, err := Inlines(ctx, tx, e)
	if err != nil {
		return err
	}
	for _, i := range inlines {
		s, err := source(tx, i.Name, string(e.Kind), i.Document)
		if err != nil {
			return err
		}
		p.Own = append(p.Own, s)
	}
	attached, err := Attached(ctx, tx, e)
	if err != nil {
		return err
	}
	for _, a := range attached {
		s, err := inForce(ctx, tx, e.Account, a)
		if isMissing(err) {
			continue // a policy of AWS's that is not in the catalogue grants nothing
		}
		if err != nil {
			return err
		}
		p.Own = append(p.Own, s)
	}
	return nil
}

// inForce returns the version of a managed policy that is in force.
func inForce(ctx context.Context, tx *db.Tx, account, policyARN string) (policy.Source, error) {
	e, err := FindPolicy(ctx, tx, account, policyARN)
	if err != nil {
		return policy.Source{}, err
	}
	v, err := FindVersion(ctx, tx, e, e.Default)
	if err != nil {
		return policy.Source{}, err
	}
	kind := "user-managed"
	if e.Account == "aws" {
		kind = "aws-managed"
	}
	return source(tx, e.Name, kind, v.Document)
}

func source(tx *db.Tx, name, kind, document string) (policy.Source, error) {
	d, err := db.Decoded(tx, document, func(text []byte, d *policy.Document) (err error) {
		*d, err = policy.Parse(string(text))
		return err
	})
	return policy.Source{Name: name, Kind: kind, Document: d}, err
}
