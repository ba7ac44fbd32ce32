package iam

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
	"plumb/internal/policy"
)

func (f face) registerSimulation(s *iamapi.Service) {
	s.SimulateCustomPolicy(f.SimulateCustomPolicy)
	s.SimulatePrincipalPolicy(f.SimulatePrincipalPolicy)
	s.GetContextKeysForCustomPolicy(f.GetContextKeysForCustomPolicy)
	s.GetContextKeysForPrincipalPolicy(f.GetContextKeysForPrincipalPolicy)
}

// A simulation is what is asked of policies that need not be in force.
type simulation struct {
	policies  identity.Policies
	account   string
	caller    string
	actions   []string
	resources []string
	owner     string
	resource  []policy.Source
	context   policy.Context
}

// SimulateCustomPolicy answers what policies would say that stand in the request.
func (f face) SimulateCustomPolicy(ctx context.Context, in *iamapi.SimulateCustomPolicyInput) (*iamapi.SimulateCustomPolicyOutput, error) {
	return f.simulate(ctx, "SimulateCustomPolicy", &iamapi.SimulatePrincipalPolicyInput{
		PolicyInputList: in.PolicyInputList, PermissionsBoundaryPolicyInputList: in.PermissionsBoundaryPolicyInputList, ActionNames: in.ActionNames,
		ResourceArns: in.ResourceArns, ResourcePolicy: in.ResourcePolicy, ResourceOwner: in.ResourceOwner, CallerArn: in.CallerArn,
		ContextEntries: in.ContextEntries, MaxItems: in.MaxItems, Marker: in.Marker,
	}, simulation{})
}

// SimulatePrincipalPolicy answers what an identity's policies say, together with
// those of the request.
func (f face) SimulatePrincipalPolicy(
	ctx context.Context, in *iamapi.SimulatePrincipalPolicyInput,
) (*iamapi.SimulatePrincipalPolicyOutput, error) {
	s := simulation{caller: text(in.PolicySourceArn)}
	if strings.Contains(s.caller, ":group/") {
		s.caller = ""
	}
	err := f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := f.principal(ctx, tx, account, text(in.PolicySourceArn))
		if err != nil {
			return err
		}
		s.policies, err = identity.PoliciesOf(ctx, tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.simulate(ctx, "SimulatePrincipalPolicy", in, s)
}

// principal finds the identity of an ARN.
func (f face) principal(ctx context.Context, tx *db.Tx, account, principalARN string) (identity.Entity, error) {
	a, err := arn.Parse(principalARN)
	kind, path, _ := strings.Cut(a.Resource, "/")
	if err != nil || a.Service != "iam" || !slices.Contains([]string{"user", "group", "role"}, kind) {
		return identity.Entity{}, iamapi.InvalidInputException("Invalid Entity Arn: %s does not clearly define entity type and name.", principalARN)
	}
	if a.Account != account {
		return identity.Entity{}, iamapi.NoSuchEntityException("The %s with name %s cannot be found.", kind, path)
	}
	return identity.Find(ctx, tx, account, identity.Kind(kind), path[strings.LastIndexByte(path, '/')+1:])
}

// maxQuestions is how many pairs of an action and a resource one request may ask.
const maxQuestions = 10_000

func (f face) simulate(ctx context.Context, operation string, in *iamapi.SimulatePrincipalPolicyInput, s simulation) (*iamapi.SimulatePolicyResponse, error) {
	l, err := f.list(ctx, operation, in.Marker, in.MaxItems, text(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, in); err != nil {
		return nil, err
	}
	results := make([]iamapi.EvaluationResult, 0, len(s.actions))
	for _, action := range s.actions {
		for _, resource := range s.resources {
			results = append(results, s.ask(action, resource))
		}
	}
	// The position is a number, written so that it sorts.
	places := make([]int, len(results))
	for i := range places {
		places[i] = i
	}
	out := &iamapi.SimulatePolicyResponse{}
	var last end
	out.EvaluationResults, last = cutAll(l, places, func(i int) string { return fmt.Sprintf("%09d", i) }, func(i int) iamapi.EvaluationResult { return results[i] })
	out.IsTruncated, out.Marker = last.truncated, last.marker
	return out, nil
}

func (s *simulation) fill(ctx context.Context, in *iamapi.SimulatePrincipalPolicyInput) (err error) {
	s.account, s.actions, s.resources = account(ctx), in.ActionNames, in.ResourceArns
	for _, a := range s.actions {
		if vendor, name, ok := strings.Cut(a, ":"); !ok || vendor == "" || name == "" {
			return iamapi.InvalidInputException("Invalid Action name: %s", a)
		}
	}
	if len(s.resources) == 0 {
		s.resources = []string{"*"}
	}
	if len(s.actions)*len(s.resources) > maxQuestions {
		return iamapi.InvalidInputException("At most %d pairs of an action and a resource can be simulated at once.", maxQuestions)
	}
	own, err := inputs("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return err
	}
	s.policies.Own = append(s.policies.Own, own...)
	if len(in.PermissionsBoundaryPolicyInputList) > 0 {
		s.policies.Bounded = true
		if s.policies.Boundary, err = inputs("PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList); err != nil {
			return err
		}
	}
	if in.CallerArn != nil {
		s.caller = *in.CallerArn
	}
	if a, err := arn.Parse(s.caller); err == nil {
		s.account = a.Account
	}
	if p := text(in.ResourcePolicy); p != "" {
		d, err := policy.Parse(p)
		if err != nil {
			return iamapi.InvalidInputException("The resource policy cannot be read.")
		}
		s.resource = []policy.Source{{Name: "ResourcePolicy", Kind: "resource", Document: d}}
		if s.caller == "" {
			return iamapi.InvalidInputException("CallerArn is required when you use ResourcePolicy.")
		}
	}
	if s.owner = ownerOf(text(in.ResourceOwner)); s.owner == "" {
		s.owner = s.account
	}
	s.context = policy.Context{}
	for _, e := range in.ContextEntries {
		s.context[strings.ToLower(text(e.ContextKeyName))] = e.ContextKeyValues
	}
	return nil
}

// ownerOf returns the account of a resource's owner, given as its root's ARN.
func ownerOf(owner string) string {
	if a, err := arn.Parse(owner); err == nil {
		return a.Account
	}
	return owner
}

func inputs(list string, documents []string) ([]policy.Source, error) {
	var out []policy.Source
	for i, text := range documents {
		if err := identity.CheckDocument(text); err != nil {
			return nil, iamapi.InvalidInputException("Invalid policy in %s.%d: %s", list, i+1, err)
		}
		d, err := policy.Parse(text)
		if err != nil {
			return nil, err
		}
		out = append(out, policy.Source{Name: fmt.Sprintf("%s.%d", list, i+1), Kind: "none", Document: d})
	}
	return out, nil
}

func (s *simulation) ask(action, resource string) iamapi.EvaluationResult {
	c := policy.Case{
		Request: policy.Request{Action: action, Resource: resource, Context: s.context, Principals: policy.PrincipalsOf(s.caller)},
		Account: s.account, Owner: s.owner, Identity: s.policies.Own, Boundary: s.policies.Boundary, Bounded: s.policies.Bounded, Resource: s.resource,
	}
	v := c.Judge()
	out := iamapi.EvaluationResult{
		EvalActionName: &action, EvalResourceName: &resource, EvalDecision: iamapi.PolicyEvaluationDecisionTypeImplicitDeny,
		MatchedStatements: []iamapi.Statement{}, MissingContextValues: s.missing(c.Request),
	}
	switch {
	case v.Denied:
		out.EvalDecision = iamapi.PolicyEvaluationDecisionTypeExplicitDeny
	case v.Allowed:
		out.EvalDecision = iamapi.PolicyEvaluationDecisionTypeAllowed
	}
	if v.Source != nil {
		out.MatchedStatements = append(out.MatchedStatements, iamapi.Statement{SourcePolicyId: &v.Source.Name, SourcePolicyType: sourceType(v.Source.Kind)})
	}
	if s.policies.Bounded {
		out.PermissionsBoundaryDecisionDetail = &iamapi.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: new(c.WithinBoundary())}
	}
	return out
}

// sourceType is what answers call the kind of a policy: its words, not those that
// the model lists.
func sourceType(kind string) iamapi.PolicySourceType {
	if kind == "none" || kind == "resource" {
		return "IAM Policy"
	}
	return iamapi.PolicySourceType(kind)
}

// missing returns the context keys that policies ask for and the request lacks.
func (s *simulation) missing(r policy.Request) []string {
	keys := map[string]bool{}
	for _, list := range [][]policy.Source{s.policies.Own, s.policies.Boundary, s.resource} {
		for _, p := range list {
			for _, k := range p.Document.AskedFor(r) {
				if len(s.context[k]) == 0 {
					keys[k] = true
				}
			}
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(keys))...)
}

func keysOf(sources []policy.Source) []string {
	keys := map[string]bool{}
	for _, s := range sources {
		for _, k := range s.Document.Variables() {
			keys[k] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(keys))...)
}

// GetContextKeysForCustomPolicy answers which context keys policies ask for.
func (f face) GetContextKeysForCustomPolicy(
	_ context.Context, in *iamapi.GetContextKeysForCustomPolicyInput,
) (*iamapi.GetContextKeysForCustomPolicyOutput, error) {
	sources, err := inputs("PolicyInputList", in.PolicyInputList)
	return &iamapi.GetContextKeysForCustomPolicyOutput{ContextKeyNames: keysOf(sources)}, err
}

// GetContextKeysForPrincipalPolicy answers which context keys the policies of an
// identity ask for, together with those of the request.
func (f face) GetContextKeysForPrincipalPolicy(
	ctx context.Context, in *iamapi.GetContextKeysForPrincipalPolicyInput,
) (*iamapi.GetContextKeysForPrincipalPolicyOutput, error) {
	sources, err := inputs("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetContextKeysForPrincipalPolicyOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := f.principal(ctx, tx, account, text(in.PolicySourceArn))
		if err != nil {
			return err
		}
		p, err := identity.PoliciesOf(ctx, tx, e)
		out.ContextKeyNames = keysOf(append(sources, p.Own...))
		return err
	})
}
