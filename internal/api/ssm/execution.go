package ssm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/automation"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/ssmapi"
)

// StartAutomationExecution runs a document. Targets and rate controls are not
// built.
func (o operations) StartAutomationExecution(
	ctx context.Context, in *ssmapi.StartAutomationExecutionInput,
) (*ssmapi.StartAutomationExecutionOutput, error) {
	if len(in.Targets) > 0 || len(in.TargetMaps) > 0 || len(in.TargetLocations) > 0 || in.TargetLocationsURL != nil {
		return nil, ssmapi.InvalidTarget("Executions with targets are not run here: start one for each target.")
	}
	if in.Mode == ssmapi.ExecutionModeInteractive {
		return nil, ssmapi.InvalidAutomationExecutionParametersException("Interactive executions are not run here.")
	}
	var id string
	err := o.db.Write(ctx, func(tx *db.Tx) (err error) {
		id, err = o.engine.Start(ctx, tx, automation.Request{
			Place: caller.Place(ctx), Document: *in.DocumentName, Version: text(in.DocumentVersion), Parameters: in.Parameters, Token: text(in.ClientToken),
			By: caller.From(ctx).PrincipalARN,
		})
		return err
	})
	var wrong automation.ParameterError
	switch {
	case errors.As(err, &wrong):
		return nil, ssmapi.InvalidAutomationExecutionParametersException("%s", wrong)
	case errors.Is(err, automation.ErrToken):
		return nil, ssmapi.IdempotentParameterMismatch("The ClientToken was used with other parameters.")
	case errors.Is(err, automation.ErrNotFound):
		return nil, ssmapi.AutomationDefinitionNotFoundException("Automation definition not found or access denied for user: %s", *in.DocumentName)
	case err != nil:
		return nil, fmt.Errorf("start %s: %w", *in.DocumentName, err)
	}
	return &ssmapi.StartAutomationExecutionOutput{AutomationExecutionId: &id}, nil
}

// execution returns an execution of the place, or
// AutomationExecutionNotFoundException.
func execution(ctx context.Context, tx *db.Tx, id string) (automation.Execution, error) {
	x, err := automation.Get(ctx, tx, id)
	if errors.Is(err, automation.ErrNotFound) || err == nil && x.Place != caller.Place(ctx) {
		return x, ssmapi.AutomationExecutionNotFoundException("Automation execution not found: %s", id)
	}
	return x, err
}

// StopAutomationExecution cancels an execution that goes on.
func (o operations) StopAutomationExecution(
	ctx context.Context, in *ssmapi.StopAutomationExecutionInput,
) (*ssmapi.StopAutomationExecutionOutput, error) {
	err := o.db.Write(ctx, func(tx *db.Tx) error {
		x, err := execution(ctx, tx, *in.AutomationExecutionId)
		if err != nil {
			return err
		}
		if x.Status.Ended() {
			return ssmapi.InvalidAutomationStatusUpdateException("The execution %s has ended as %s.", x.ID, x.Status)
		}
		return o.engine.Stop(ctx, tx, x.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("stop an execution: %w", err)
	}
	return &ssmapi.StopAutomationExecutionOutput{}, nil
}

// GetAutomationExecution returns an execution with its steps.
func (o operations) GetAutomationExecution(
	ctx context.Context, in *ssmapi.GetAutomationExecutionInput,
) (*ssmapi.GetAutomationExecutionOutput, error) {
	x, steps, err := o.whole(ctx, *in.AutomationExecutionId)
	if err != nil {
		return nil, fmt.Errorf("get an execution: %w", err)
	}
	out := &ssmapi.AutomationExecution{
		AutomationExecutionId: &x.ID, DocumentName: &x.Document, DocumentVersion: &x.Version, ExecutionStartTime: &x.Started,
		ExecutionEndTime: model.Moment(x.Ended), AutomationExecutionStatus: ssmapi.AutomationExecutionStatus(x.Status), Parameters: x.Parameters,
		FailureMessage: optional(x.Failure), Mode: ssmapi.ExecutionModeAuto, ExecutedBy: optional(x.By), StepExecutionsTruncated: new(false),
		Outputs: outputs(x.Outputs()),
	}
	for _, s := range steps {
		out.StepExecutions = append(out.StepExecutions, stepShape(x, s))
		if !s.Status.Ended() {
			out.CurrentStepName, out.CurrentAction = &s.Name, &s.Action
		}
	}
	return &ssmapi.GetAutomationExecutionOutput{AutomationExecution: out}, nil
}

func (o operations) whole(ctx context.Context, id string) (x automation.Execution, steps []automation.StepRun, err error) {
	err = o.db.Read(ctx, func(tx *db.Tx) error {
		if x, err = execution(ctx, tx, id); err != nil {
			return err
		}
		steps, err = automation.Steps(ctx, tx, id)
		return err
	})
	return x, steps, err
}

// outputs returns values as lists of texts, which outputs are.
func outputs(values map[string]any) map[string][]string {
	if len(values) == 0 {
		return nil
	}
	out := map[string][]string{}
	for name, v := range values {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		out[name] = []string{}
		for _, inner := range list {
			out[name] = append(out[name], automation.Text(inner))
		}
	}
	return out
}

func stepShape(x automation.Execution, s automation.StepRun) ssmapi.StepExecution {
	out := ssmapi.StepExecution{
		StepName: &s.Name, Action: &s.Action, StepStatus: ssmapi.AutomationExecutionStatus(s.Status), FailureMessage: optional(s.Failure),
		ExecutionStartTime: model.Moment(s.Started), ExecutionEndTime: model.Moment(s.Ended), StepExecutionId: new(fmt.Sprintf("%s/%d", x.ID, s.Number)),
	}
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		if out.Inputs == nil {
			out.Inputs = map[string]string{}
		}
		out.Inputs[name] = automation.Text(s.Inputs[name])
	}
	shown := map[string]any{}
	for name, v := range s.Outputs {
		shown[name[len(s.Name)+1:]] = v // without the step's name
	}
	out.Outputs = outputs(shown)
	return out
}

const executionPage = 50

// DescribeAutomationExecutions lists executions, the newest first. The filters
// ExecutionStatus, ExecutionId and DocumentNamePrefix are known.
func (o operations) DescribeAutomationExecutions(
	ctx context.Context, in *ssmapi.DescribeAutomationExecutionsInput,
) (*ssmapi.DescribeAutomationExecutionsOutput, error) {
	q := automation.Query{Place: caller.Place(ctx), Limit: limit(in.MaxResults, executionPage) + 1}
	for _, f := range in.Filters {
		switch f.Key {
		case ssmapi.AutomationExecutionFilterKeyExecutionStatus:
			q.Statuses = f.Values
		case ssmapi.AutomationExecutionFilterKeyExecutionId:
			q.IDs = f.Values
		case ssmapi.AutomationExecutionFilterKeyDocumentNamePrefix:
			if len(f.Values) != 1 {
				return nil, ssmapi.InvalidFilterValue("The filter DocumentNamePrefix takes one value.")
			}
			q.Prefix = f.Values[0]
		default:
			return nil, ssmapi.InvalidFilterKey("The filter %s is not one that is known here: ExecutionStatus, ExecutionId, DocumentNamePrefix.", f.Key)
		}
	}
	filters := []string{q.Place.String(), fmt.Sprint(q.Statuses, q.IDs, q.Prefix)}
	position, ok := o.tokens.Decode("DescribeAutomationExecutions", text(in.NextToken), filters...)
	if !ok {
		return nil, ssmapi.InvalidNextToken("The specified token is not valid.")
	}
	fmt.Sscanf(position, "%d/%d", &q.Before.Started, &q.Before.ID)
	var found []automation.Listed
	err := o.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = automation.Executions(ctx, tx, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list executions: %w", err)
	}
	out := &ssmapi.DescribeAutomationExecutionsOutput{AutomationExecutionMetadataList: []ssmapi.AutomationExecutionMetadata{}}
	if n := q.Limit - 1; len(found) > n {
		found = found[:n]
		last := found[n-1].Position
		out.NextToken = new(o.tokens.Encode("DescribeAutomationExecutions", fmt.Sprintf("%d/%d", last.Started, last.ID), filters...))
	}
	for _, x := range found {
		out.AutomationExecutionMetadataList = append(out.AutomationExecutionMetadataList, ssmapi.AutomationExecutionMetadata{
			AutomationExecutionId: &x.ID, DocumentName: &x.Document, DocumentVersion: &x.Version, ExecutionStartTime: &x.Started,
			ExecutionEndTime: model.Moment(x.Ended), AutomationExecutionStatus: ssmapi.AutomationExecutionStatus(x.Status),
			FailureMessage: optional(x.Failure), Mode: ssmapi.ExecutionModeAuto, ExecutedBy: optional(x.By), Outputs: outputs(x.Outputs()),
			AutomationType: ssmapi.AutomationTypeLocal,
		})
	}
	return out, nil
}

// DescribeAutomationStepExecutions returns the steps of an execution in pages.
func (o operations) DescribeAutomationStepExecutions(
	ctx context.Context, in *ssmapi.DescribeAutomationStepExecutionsInput,
) (*ssmapi.DescribeAutomationStepExecutionsOutput, error) {
	if len(in.Filters) > 0 {
		return nil, ssmapi.InvalidFilterKey("Filters of steps are not known here.")
	}
	reverse := in.ReverseOrder != nil && *in.ReverseOrder
	filters := []string{caller.Place(ctx).String(), *in.AutomationExecutionId, fmt.Sprint(reverse)}
	position, ok := o.tokens.Decode("DescribeAutomationStepExecutions", text(in.NextToken), filters...)
	if !ok {
		return nil, ssmapi.InvalidNextToken("The specified token is not valid.")
	}
	x, steps, err := o.whole(ctx, *in.AutomationExecutionId)
	if err != nil {
		return nil, fmt.Errorf("list steps: %w", err)
	}
	if reverse {
		slices.Reverse(steps)
	}
	from := 0
	fmt.Sscanf(position, "%d", &from)
	steps = steps[min(from, len(steps)):]
	out := &ssmapi.DescribeAutomationStepExecutionsOutput{StepExecutions: []ssmapi.StepExecution{}}
	if n := limit(in.MaxResults, executionPage); len(steps) > n {
		steps = steps[:n]
		out.NextToken = new(o.tokens.Encode("DescribeAutomationStepExecutions", fmt.Sprint(from+n), filters...))
	}
	for _, s := range steps {
		out.StepExecutions = append(out.StepExecutions, stepShape(x, s))
	}
	return out, nil
}
