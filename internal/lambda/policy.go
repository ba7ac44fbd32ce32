package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// maxPolicy is how many bytes a policy may have.
const maxPolicy = 20 << 10

// A Permission lets somebody call a function, a version or an alias.
type Permission struct {
	Sid           string
	Action        string
	Principal     string
	SourceARN     string
	SourceAccount string
	Token         string // of an event source
	Organization  string
	URLAuth       string
	ViaURL        *bool
}

// A statement is a permission as it stands in the policy.
type statement struct {
	Sid       string                    `json:"Sid"`
	Effect    string                    `json:"Effect"`
	Principal any                       `json:"Principal"`
	Action    string                    `json:"Action"`
	Resource  string                    `json:"Resource"`
	Condition map[string]map[string]any `json:"Condition,omitempty"`
}

// statement writes the permission out for a resource.
func (p Permission) statement(r Ref) (statement, error) {
	st := statement{Sid: p.Sid, Effect: "Allow", Action: p.Action, Resource: r.ARN()}
	var err error
	if st.Principal, err = principal(r, p.Principal); err != nil {
		return st, err
	}
	add := func(operator, key string, value any) {
		if st.Condition == nil {
			st.Condition = map[string]map[string]any{}
		}
		if st.Condition[operator] == nil {
			st.Condition[operator] = map[string]any{}
		}
		st.Condition[operator][key] = value
	}
	for _, c := range []struct{ operator, key, value string }{
		{"ArnLike", "AWS:SourceArn", p.SourceARN},
		{"StringEquals", "AWS:SourceAccount", p.SourceAccount},
		{"StringEquals", "lambda:EventSourceToken", p.Token},
		{"StringEquals", "aws:PrincipalOrgID", p.Organization},
		{"StringEquals", "lambda:FunctionUrlAuthType", p.URLAuth},
	} {
		if c.value != "" {
			add(c.operator, c.key, c.value)
		}
	}
	if p.ViaURL != nil {
		add("Bool", "lambda:InvokedViaFunctionUrl", *p.ViaURL)
	}
	return st, nil
}

// principal writes a principal in a policy's words.
func principal(r Ref, p string) (any, error) {
	switch {
	case p == "*":
		return "*", nil
	case strings.HasSuffix(p, ".amazonaws.com"), strings.HasSuffix(p, ".amazonaws.com.cn"), p == "alexa-appkit.amazon.com", p == "alexa-connectedhome.amazon.com":
		return map[string]string{"Service": p}, nil
	case arn.IsAccount(p):
		return map[string]string{"AWS": fmt.Sprintf("arn:%s:iam::%s:root", arn.Partition(r.Region), p)}, nil
	}
	if a, err := arn.Parse(p); err == nil && (a.Service == "iam" || a.Service == "sts") {
		return map[string]string{"AWS": p}, nil
	}
	return nil, lambdaapi.InvalidParameterValueException("The provided principal was invalid. Please check the principal and try again.")
}

// AddPermission adds a statement to the policy of what r means, and returns its
// text. revision is the policy's that the caller saw, or empty.
func (s *Service) AddPermission(ctx context.Context, r Ref, p Permission, revision string) (string, error) {
	if r.Qualifier == Latest {
		return "", lambdaapi.InvalidParameterValueException("We currently do not support adding policies for $LATEST.")
	}
	st, err := p.statement(r)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(st)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, func(tx *db.Tx) error {
		if err := lockPolicy(ctx, tx, r); err != nil {
			return err
		}
		f, err := resolve(ctx, tx, r)
		if err != nil {
			return err
		}
		list, seen, err := readPolicy(ctx, tx, r)
		if err != nil {
			return err
		}
		if revision != "" && revision != seen {
			return staleRevision("GetPolicy")
		}
		if slices.ContainsFunc(list, func(o statement) bool { return o.Sid == p.Sid }) {
			return lambdaapi.ResourceConflictException(
				"The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", p.Sid)
		}
		list = append(list, st)
		if len(document(list)) > maxPolicy {
			return lambdaapi.PolicyLengthExceededException("The final policy size (%d) is bigger than the limit (%d).", len(document(list)), maxPolicy)
		}
		if err := writePolicy(ctx, tx, r, list); err != nil {
			return err
		}
		return s.o.Changed(ctx, tx, f.Key())
	})
	return string(text), err
}

// lockPolicy has the changes of a policy come one after another: each writes all of it.
func lockPolicy(ctx context.Context, tx *db.Tx, r Ref) error {
	return tx.Lock(ctx, "function policy "+r.ARN())
}

// RemovePermission takes a statement out of a policy.
func (s *Service) RemovePermission(ctx context.Context, r Ref, sid, revision string) error {
	return s.change(ctx, func(tx *db.Tx) error {
		if err := lockPolicy(ctx, tx, r); err != nil {
			return err
		}
		f, err := resolve(ctx, tx, r)
		if err != nil {
			return lambdaapi.ResourceNotFoundException("No policy found for: %s", r.ARN())
		}
		list, seen, err := readPolicy(ctx, tx, r)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return lambdaapi.ResourceNotFoundException("No policy is associated with the given resource.")
		}
		i := slices.IndexFunc(list, func(o statement) bool { return o.Sid == sid })
		if i < 0 {
			return lambdaapi.ResourceNotFoundException("Statement %s is not found in resource policy.", sid)
		}
		if revision != "" && revision != seen {
			return staleRevision("GetPolicy")
		}
		if err := writePolicy(ctx, tx, r, slices.Delete(list, i, i+1)); err != nil {
			return err
		}
		return s.o.Changed(ctx, tx, f.Key())
	})
}

// Policy returns the policy of what r means as JSON, with its revision.
func (s *Service) Policy(ctx context.Context, r Ref) (text, revision string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := resolve(ctx, tx, r); err != nil {
			return err
		}
		list, rev, err := readPolicy(ctx, tx, r)
		if err == nil && len(list) == 0 {
			return lambdaapi.ResourceNotFoundException("The resource you requested does not exist.")
		}
		text, revision = document(list), rev
		return err
	})
	return text, revision, err
}

// PolicyText returns the policy of what an ARN names as JSON; without a statement it
// allows nothing.
func PolicyText(ctx context.Context, tx *db.Tx, functionARN string) (string, error) {
	r, err := ParseARN(functionARN)
	if err != nil {
		return "", err
	}
	if _, err := resolve(ctx, tx, r); err != nil {
		return "", err
	}
	if r.Qualifier == Latest {
		r.Qualifier = ""
	}
	list, _, err := readPolicy(ctx, tx, r)
	return document(list), err
}

func document(list []statement) string {
	text, _ := json.Marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []statement
	}{"2012-10-17", "default", list})
	return string(text)
}

func readPolicy(ctx context.Context, tx *db.Tx, r Ref) (list []statement, revision string, err error) {
	var text string
	err = tx.QueryRow(ctx, "SELECT statements, revision FROM lambda_policy WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
		r.Account, r.Region, r.Name, r.Qualifier).Scan(&text, &revision)
	if errors.Is(err, db.ErrNoRows) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, "", fmt.Errorf("policy of %s: %w", r.ARN(), err)
	}
	return list, revision, nil
}

// writePolicy keeps a policy; without statements there is none.
func writePolicy(ctx context.Context, tx *db.Tx, r Ref, list []statement) error {
	if len(list) == 0 {
		_, err := tx.Exec(ctx, "DELETE FROM lambda_policy WHERE account = ? AND region = ? AND name = ? AND qualifier = ?", r.Account, r.Region, r.Name, r.Qualifier)
		return err
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO lambda_policy (account, region, name, qualifier, statements, revision) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name, qualifier) DO UPDATE SET statements = excluded.statements, revision = excluded.revision`,
		r.Account, r.Region, r.Name, r.Qualifier, string(text), NewID())
	return err
}

// MayInvoke reports whether a function exists and its policy lets a service
// (config.amazonaws.com, sns.amazonaws.com) invoke it for a source. sourceARN and
// sourceAccount are those of the source; either may be empty, and then does not
// satisfy a condition on it.
func MayInvoke(ctx context.Context, tx *db.Tx, functionARN, service, sourceARN, sourceAccount string) (bool, error) {
	return Invoker{Service: service, ARN: sourceARN, Account: sourceAccount}.May(ctx, tx, functionARN)
}

// allows reports whether the statement lets a service do an action, given what
// is known of the request.
func (st statement) allows(action, service string, known map[string]string) bool {
	if !wildcard(strings.ToLower(st.Action), strings.ToLower(action)) {
		return false
	}
	switch p := st.Principal.(type) {
	case string:
		if p != "*" {
			return false
		}
	case map[string]any:
		if p["Service"] != service {
			return false
		}
	default:
		return false
	}
	for operator, keys := range st.Condition {
		for key, want := range keys {
			text, _ := want.(string)
			have := known[strings.ToLower(key)]
			if have == "" || operator == "ArnLike" && !arnLike(text, have) || operator == "StringEquals" && text != have || operator == "Bool" {
				return false
			}
		}
	}
	return true
}

// arnLike compares the parts of two ARNs; * and ? stand for anything in a part.
func arnLike(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != len(a) {
		return false
	}
	for i := range p {
		if !wildcard(p[i], a[i]) {
			return false
		}
	}
	return true
}

// wildcard matches a text with * for any characters and ? for one. On a mismatch
// it goes back to the last * and lets it stand for one more character, which is
// enough, and never takes long.
func wildcard(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
