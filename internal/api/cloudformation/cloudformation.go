// Package cloudformation is the face of the embedded CloudFormation: it checks
// what a request means, asks package stack, and answers in CloudFormation's
// shapes.
package cloudformation

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/stack"
	"plumb/internal/wire"
)

// New returns CloudFormation with its operations bound to stacks.
func New(stacks *stack.Stacks, tokens wire.Tokens) *model.Registry {
	s := cloudformationapi.NewService()
	register(s, face{stacks, tokens})
	return s.Registry()
}

// register is CloudFormation's table of contents. Stack sets, the registry of
// types, drift and generated templates are not built.
func register(s *cloudformationapi.Service, f face) {
	s.CreateStack(f.CreateStack)
	s.UpdateStack(f.UpdateStack)
	s.DeleteStack(f.DeleteStack)
	s.DescribeStacks(f.DescribeStacks)
	s.ListStacks(f.ListStacks)
	s.UpdateTerminationProtection(f.UpdateTerminationProtection)

	s.DescribeStackEvents(f.DescribeStackEvents)
	s.DescribeStackResource(f.DescribeStackResource)
	s.DescribeStackResources(f.DescribeStackResources)
	s.ListStackResources(f.ListStackResources)

	s.GetTemplate(f.GetTemplate)
	s.GetTemplateSummary(f.GetTemplateSummary)
	s.ValidateTemplate(f.ValidateTemplate)

	s.CreateChangeSet(f.CreateChangeSet)
	s.DescribeChangeSet(f.DescribeChangeSet)
	s.ExecuteChangeSet(f.ExecuteChangeSet)
	s.DeleteChangeSet(f.DeleteChangeSet)
	s.ListChangeSets(f.ListChangeSets)

	s.ListExports(f.ListExports)
	s.ListImports(f.ListImports)
}

type face struct {
	stacks *stack.Stacks
	tokens wire.Tokens
}

func who(ctx context.Context) stack.Who {
	c := caller.From(ctx)
	return stack.Who{Place: caller.Place(ctx), Principal: c.PrincipalARN, UserID: c.UserID, Unbounded: c.Root}
}

// page is how many of a list one answer has.
const page = 100

// position reads a token of a page.
func (f face) position(ctx context.Context, operation string, token *string, filters ...string) (string, error) {
	p := caller.Place(ctx)
	at, ok := f.tokens.Decode(operation, model.Deref(token), append(filters, p.Account, p.Region)...)
	if !ok {
		return "", stack.Invalid("The pagination token is not valid.")
	}
	return at, nil
}

func (f face) token(ctx context.Context, operation, at string, filters ...string) *string {
	p := caller.Place(ctx)
	return new(f.tokens.Encode(operation, at, append(filters, p.Account, p.Region)...))
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // we made it
	return n
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

var stackName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// checkName checks the name of a stack that is to be made.
func checkName(name string) error {
	if stackName.MatchString(name) {
		return nil
	}
	return stack.Invalid("1 validation error detected: Value '%.200s' at 'stackName' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
}
