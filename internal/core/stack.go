package core

import (
	"context"
	"errors"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/outside"
	"plumb/internal/stack"
)

// addStacks makes the embedded CloudFormation.
func (m *Machine) addStacks() {
	calls := outside.NewCaller(m.Outside, m.Embedded)
	m.Stacks = stack.New(m.log, stack.Options{
		DB: m.DB, Jobs: m.Jobs, APIs: m.Known.APIs, Announce: m.changed, Object: m.stackObject, AnswerAt: m.options.FunctionURL, Now: m.Clock.Now,
		Call: func(ctx context.Context, w stack.Who, service, operation string, in map[string]any) (map[string]any, error) {
			who := caller.Identity{Account: w.Account, PrincipalARN: w.Principal, UserID: w.UserID, Root: w.Unbounded}
			return calls.CallAs(ctx, w.Place, who, service, operation, in)
		},
	})
}

// stackObject reads a template from a bucket.
func (m *Machine) stackObject(ctx context.Context, p config.Place, bucket, key, version string, limit int64) ([]byte, error) {
	body, err := m.object(ctx, p, bucket, key, version, limit)
	if errors.Is(err, errTooLarge) {
		return nil, stack.ErrTooLarge
	}
	return body, err
}
