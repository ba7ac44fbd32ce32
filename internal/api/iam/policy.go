package iam

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerPolicies(s *iamapi.Service) {
	s.CreatePolicy(f.CreatePolicy)
	s.GetPolicy(f.GetPolicy)
	s.ListPolicies(f.ListPolicies)
	s.DeletePolicy(f.DeletePolicy)
	s.CreatePolicyVersion(f.CreatePolicyVersion)
	s.GetPolicyVersion(f.GetPolicyVersion)
	s.ListPolicyVersions(f.ListPolicyVersions)
	s.DeletePolicyVersion(f.DeletePolicyVersion)
	s.SetDefaultPolicyVersion(f.SetDefaultPolicyVersion)
}

// CreatePolicy makes a managed policy.
func (f face) CreatePolicy(ctx context.Context, in *iamapi.CreatePolicyInput) (*iamapi.CreatePolicyOutput, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &iamapi.CreatePolicyOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.CreatePolicy(ctx, tx, identity.Entity{
			Account: account, Kind: identity.Policy, Name: text(in.PolicyName), Path: text(in.Path), Description: text(in.Description), Tags: tags,
		}, text(in.PolicyDocument))
		out.Policy = new(policyShape(e, 0, 0))
		out.Policy.Tags = tagsOrNone(e.Tags)
		return err
	})
}

// GetPolicy answers a managed policy, AWS's own among them.
func (f face) GetPolicy(ctx context.Context, in *iamapi.GetPolicyInput) (*iamapi.GetPolicyOutput, error) {
	out := &iamapi.GetPolicyOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.FindPolicy(ctx, tx, account, text(in.PolicyArn))
		if err != nil {
			return err
		}
		attached, bounding, err := identity.Usage(ctx, tx, account, e.ARN())
		out.Policy = new(policyShape(e, attached, bounding))
		out.Policy.Description, out.Policy.Tags = &e.Description, tagList(e.Tags)
		return err
	})
}

// ListPolicies lists managed policies by name: the account's, then AWS's.
func (f face) ListPolicies(ctx context.Context, in *iamapi.ListPoliciesInput) (*iamapi.ListPoliciesOutput, error) {
	only := in.OnlyAttached != nil && *in.OnlyAttached
	l, err := f.list(ctx, "ListPolicies", in.Marker, in.MaxItems, text(in.PathPrefix), string(in.Scope), string(in.PolicyUsageFilter), strconv.FormatBool(only))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListPoliciesOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		candidates, err := allPolicies(ctx, tx, account, in.Scope, text(in.PathPrefix))
		if err != nil {
			return err
		}
		var found []iamapi.Policy
		for _, e := range candidates {
			if policyPlace(e) <= l.after && l.after != "" || len(found) > l.n {
				continue
			}
			attached, bounding, err := identity.Usage(ctx, tx, account, e.ARN())
			if err != nil {
				return err
			}
			switch {
			case only && attached+bounding == 0:
			case in.PolicyUsageFilter == iamapi.PolicyUsageTypePermissionsPolicy && attached == 0:
			case in.PolicyUsageFilter == iamapi.PolicyUsageTypePermissionsBoundary && bounding == 0:
			default:
				found = append(found, policyShape(e, attached, bounding))
			}
		}
		var last end
		out.Policies, last = cut(l, found, func(p iamapi.Policy) string { return placeOf(*p.Arn, *p.PolicyName) }, same)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		return nil
	})
}

// policyPlace is where a policy stands in the list.
func policyPlace(e identity.Entity) string { return placeOf(e.ARN(), e.Name) }

func placeOf(policyARN, name string) string {
	if strings.HasPrefix(policyARN, "arn:aws:iam::aws:") {
		return "2" + strings.ToLower(name)
	}
	return "1" + strings.ToLower(name)
}

// allPolicies returns the policies of a scope in the order of the list.
func allPolicies(ctx context.Context, tx *db.Tx, account string, scope iamapi.PolicyScopeType, path string) ([]identity.Entity, error) {
	var out []identity.Entity
	if scope != iamapi.PolicyScopeTypeAws {
		local, err := identity.List(ctx, tx, account, identity.Policy, path, "", 1<<20)
		if err != nil {
			return nil, err
		}
		out = local
	}
	if scope != iamapi.PolicyScopeTypeLocal {
		for _, e := range identity.AllManaged() {
			if strings.HasPrefix(e.Path, path) {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b identity.Entity) int { return strings.Compare(policyPlace(a), policyPlace(b)) })
	return out, nil
}

// DeletePolicy removes a policy that nobody uses.
func (f face) DeletePolicy(ctx context.Context, in *iamapi.DeletePolicyInput) (*iamapi.DeletePolicyOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.DeletePolicy(ctx, tx, account, text(in.PolicyArn))
	})
}

// CreatePolicyVersion adds a version to a policy.
func (f face) CreatePolicyVersion(ctx context.Context, in *iamapi.CreatePolicyVersionInput) (*iamapi.CreatePolicyVersionOutput, error) {
	out := &iamapi.CreatePolicyVersionOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		v, e, err := f.store.AddVersion(ctx, tx, account, text(in.PolicyArn), text(in.PolicyDocument), in.SetAsDefault != nil && *in.SetAsDefault)
		out.PolicyVersion = new(versionShape(e, v))
		return err
	})
}

// versionNumber reads the id of a version.
func versionNumber(id *string) int {
	major, _, _ := strings.Cut(strings.TrimPrefix(text(id), "v"), ".")
	n, _ := strconv.Atoi(major) // 0 is no version
	return n
}

// GetPolicyVersion answers a version with its document.
func (f face) GetPolicyVersion(ctx context.Context, in *iamapi.GetPolicyVersionInput) (*iamapi.GetPolicyVersionOutput, error) {
	out := &iamapi.GetPolicyVersionOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.FindPolicy(ctx, tx, account, text(in.PolicyArn))
		if err != nil {
			return err
		}
		v, err := identity.FindVersion(ctx, tx, e, versionNumber(in.VersionId))
		out.PolicyVersion = new(versionShape(e, v))
		out.PolicyVersion.Document = encoded(v.Document)
		return err
	})
}

// ListPolicyVersions lists the versions of a policy, the newest first.
func (f face) ListPolicyVersions(ctx context.Context, in *iamapi.ListPolicyVersionsInput) (*iamapi.ListPolicyVersionsOutput, error) {
	l, err := f.list(ctx, "ListPolicyVersions", in.Marker, in.MaxItems, text(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListPolicyVersionsOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.FindPolicy(ctx, tx, account, text(in.PolicyArn))
		if err != nil {
			return err
		}
		all, err := identity.Versions(ctx, tx, e)
		var last end
		// The newest is first, so positions count down.
		out.Versions, last = cutAll(l, all, func(v identity.Version) string { return strconv.Itoa(1<<40 - v.Number) },
			func(v identity.Version) iamapi.PolicyVersion { return versionShape(e, v) })
		out.IsTruncated, out.Marker = last.truncated, last.marker
		return err
	})
}

// DeletePolicyVersion removes a version that is not in force.
func (f face) DeletePolicyVersion(ctx context.Context, in *iamapi.DeletePolicyVersionInput) (*iamapi.DeletePolicyVersionOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.DeleteVersion(ctx, tx, account, text(in.PolicyArn), versionNumber(in.VersionId))
	})
}

// SetDefaultPolicyVersion puts a version in force.
func (f face) SetDefaultPolicyVersion(
	ctx context.Context, in *iamapi.SetDefaultPolicyVersionInput,
) (*iamapi.SetDefaultPolicyVersionOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.SetDefault(ctx, tx, account, text(in.PolicyArn), versionNumber(in.VersionId))
	})
}
