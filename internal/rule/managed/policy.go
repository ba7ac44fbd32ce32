package managed

import (
	"slices"

	"plumb/internal/arn"
	"plumb/internal/policy"
)

// statements reads an IAM or resource policy, in whatever form it was recorded,
// into its statements:
//
//	effect                       "Allow" or "Deny"
//	sid                          text
//	principals                   [{type: "AWS", id: "*"}]
//	strangers                    its principals may be anyone
//	public                       it lets anyone in, conditions and Deny statements considered
//	actions, notActions          lists of text
//	resources, notResources      lists of text
//	conditions                   [{operator: "StringEquals", key: "aws:sourcearn", values: [...]}]
//
// Null, and text without a policy, have no statements. Text that cannot be read
// is an error: what nobody understood has no verdict.
func statements(v any) (any, error) {
	d, err := policy.Parse(v)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(d.Statements))
	for i, s := range d.Statements {
		list[i] = statementForm(d, s)
	}
	return list, nil
}

func statementForm(d policy.Document, s policy.Statement) map[string]any {
	return map[string]any{
		"effect": string(s.Effect), "sid": s.Sid, "principals": principalForms(s.Principals), "notPrincipals": principalForms(s.NotPrincipals),
		"strangers": s.MeansStrangers(), "public": d.PublicStatement(s),
		"actions": anys(s.Actions), "notActions": anys(s.NotActions),
		"resources": anys(s.Resources), "notResources": anys(s.NotResources), "conditions": conditionForms(s.Conditions),
	}
}

func principalForms(principals []policy.Principal) []any {
	list := make([]any, len(principals))
	for i, p := range principals {
		list[i] = map[string]any{"type": p.Type, "id": p.ID}
	}
	return list
}

func conditionForms(conditions []policy.Condition) []any {
	list := make([]any, len(conditions))
	for i, c := range conditions {
		list[i] = map[string]any{"operator": c.Operator, "key": c.Key, "values": anys(c.Values)}
	}
	return list
}

// statementOf reads back what statementForm wrote, as far as questions about one
// statement look at it.
func statementOf(v any) policy.Statement {
	form, _ := v.(map[string]any)
	s := policy.Statement{
		Effect: policy.Effect(text(form["effect"])), Actions: elements(form["actions"]), NotActions: elements(form["notActions"]),
	}
	conditions, _ := form["conditions"].([]any)
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		s.Conditions = append(s.Conditions, policy.Condition{Operator: text(m["operator"]), Key: text(m["key"]), Values: texts(m["values"])})
	}
	return s
}

// elements returns nil for an empty list: an element of a policy is there or not.
func elements(v any) []string {
	list := texts(v)
	if len(list) == 0 {
		return nil
	}
	return list
}

// accountOf returns the account of a principal that is an account's id or an ARN;
// empty for any other.
func accountOf(principal string) string {
	if arn.IsAccount(principal) {
		return principal
	}
	a, err := arn.Parse(principal)
	if err != nil {
		return ""
	}
	return a.Account
}

// grantsAllOf reports whether a policy grants one of the actions on all resources
// of a service that are named so; see policy.GrantsAllOf.
func grantsAllOf(v, actions, service, names any) (any, error) {
	d, err := policy.Parse(v)
	if err != nil {
		return nil, err
	}
	return d.GrantsAllOf(texts(actions), text(service), text(names)), nil
}

// arns returns the ARNs that a resource without account and region, such as a
// bucket, has in each partition.
func arns(service, resource string) []string {
	var list []string
	for _, partition := range arn.Partitions() {
		list = append(list, "arn:"+partition+":"+service+":::"+resource)
	}
	return list
}

// deniesEveryone reports whether a policy keeps everyone from the action on one of
// the resources in all requests whose context is known so; see
// policy.DeniesEveryone.
func deniesEveryone(v, action, resources, known any) (any, error) {
	d, err := policy.Parse(v)
	if err != nil {
		return nil, err
	}
	context := policy.Context{}
	m, _ := known.(map[string]any)
	for key, value := range m {
		context[key] = elements(value)
	}
	return slices.ContainsFunc(texts(resources), func(r string) bool { return d.DeniesEveryone(text(action), r, context) }), nil
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
