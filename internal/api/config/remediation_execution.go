package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/remediation"
	"plumb/internal/store"
)

func resourceKeys(p config.Place, in []configapi.ResourceKey) []config.ResourceKey {
	out := make([]config.ResourceKey, len(in))
	for i, k := range in {
		out[i] = config.ResourceKey{Place: p, Type: string(k.ResourceType), ID: *k.ResourceId}
	}
	return out
}

func resourceKeyShape(k config.ResourceKey) configapi.ResourceKey {
	return configapi.ResourceKey{ResourceType: configapi.ResourceType(k.Type), ResourceId: &k.ID}
}

// StartRemediationExecution has resources put right. Those that cannot be come
// back with the reason of the first.
func (r remediations) StartRemediationExecution(
	ctx context.Context, in *configapi.StartRemediationExecutionInput,
) (*configapi.StartRemediationExecutionOutput, error) {
	var failed []config.ResourceKey
	var reason string
	err := r.DB.Write(ctx, func(tx *db.Tx) (err error) {
		failed, reason, err = r.Remediation.Start(ctx, tx, caller.Place(ctx), *in.ConfigRuleName, resourceKeys(caller.Place(ctx), in.ResourceKeys))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start remediation of %s: %w", *in.ConfigRuleName, err)
	}
	out := &configapi.StartRemediationExecutionOutput{FailureMessage: optional(reason)}
	for _, k := range failed {
		out.FailedItems = append(out.FailedItems, resourceKeyShape(k))
	}
	return out, nil
}

// DescribeRemediationExecutionStatus returns how the last remediation of each
// resource goes, or went.
func (r remediations) DescribeRemediationExecutionStatus(
	ctx context.Context, in *configapi.DescribeRemediationExecutionStatusInput,
) (*configapi.DescribeRemediationExecutionStatusOutput, error) {
	p, n := caller.Place(ctx), limit(in.Limit, 100)
	filters := []string{p.String(), *in.ConfigRuleName, fmt.Sprint(resourceKeys(p, in.ResourceKeys))}
	position, ok := r.Tokens.Decode("DescribeRemediationExecutionStatus", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	after := config.ResourceKey{Place: p}
	after.Type, after.ID, _ = strings.Cut(position, "\x00")
	out := &configapi.DescribeRemediationExecutionStatusOutput{RemediationExecutionStatuses: []configapi.RemediationExecutionStatus{}}
	err := r.DB.Read(ctx, func(tx *db.Tx) error {
		if _, err := remediation.Named(ctx, tx, p, *in.ConfigRuleName); err != nil {
			return err
		}
		found, err := remediationsOf(ctx, tx, p, *in.ConfigRuleName, resourceKeys(p, in.ResourceKeys), after, n+1)
		if err != nil {
			return err
		}
		if len(in.ResourceKeys) == 0 && len(found) > n {
			found = found[:n]
			out.NextToken = new(r.Tokens.Encode("DescribeRemediationExecutionStatus", found[n-1].Type+"\x00"+found[n-1].ID, filters...))
		}
		for _, e := range found {
			shape, err := executionShape(ctx, tx, e)
			if err != nil {
				return err
			}
			out.RemediationExecutionStatuses = append(out.RemediationExecutionStatuses, shape)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe remediation of %s: %w", *in.ConfigRuleName, err)
	}
	return out, nil
}

// remediationsOf returns the executions of some resources, or a page of all.
func remediationsOf(ctx context.Context, tx *db.Tx, p config.Place, name string, keys []config.ResourceKey, after config.ResourceKey, n int) (
	[]config.RemediationExecution, error,
) {
	if len(keys) == 0 {
		return store.RemediationExecutions(ctx, tx, p, name, after, n)
	}
	var out []config.RemediationExecution
	for _, k := range keys {
		e, err := store.RemediationExecution(ctx, tx, name, k)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func executionShape(ctx context.Context, tx *db.Tx, e config.RemediationExecution) (configapi.RemediationExecutionStatus, error) {
	out := configapi.RemediationExecutionStatus{
		ResourceKey: new(resourceKeyShape(e.ResourceKey)), State: configapi.RemediationExecutionState(e.State),
		InvocationTime: model.Moment(e.Invoked), LastUpdatedTime: model.Moment(e.Updated),
	}
	steps := e.Steps
	if e.State == config.RemediationInProgress {
		running, err := remediation.StepsOf(ctx, tx, e.Execution)
		if err != nil {
			return out, err
		}
		if len(running) > 0 { // else it runs elsewhere, and they are as it was last looked at
			steps = running
		}
	}
	for _, s := range steps {
		out.StepDetails = append(out.StepDetails, configapi.RemediationExecutionStep{
			Name: &s.Name, State: configapi.RemediationExecutionStepState(s.State), ErrorMessage: optional(s.Error),
			StartTime: model.Moment(s.Started), StopTime: model.Moment(s.Stopped),
		})
	}
	return out, nil
}
