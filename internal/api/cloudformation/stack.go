package cloudformation

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/stack"
)

func given(list []cloudformationapi.Parameter) (out []stack.Given, err error) {
	for _, p := range list {
		if model.Deref(p.ParameterKey) == "" {
			return nil, stack.Invalid("Every parameter must have a ParameterKey.")
		}
		if model.Deref(p.UsePreviousValue) && p.ParameterValue != nil {
			return nil, stack.Invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", *p.ParameterKey)
		}
		out = append(out, stack.Given{Name: *p.ParameterKey, Value: model.Deref(p.ParameterValue), Again: model.Deref(p.UsePreviousValue)})
	}
	return out, nil
}

func tags(list []cloudformationapi.Tag) (out []stack.Tag) {
	for _, t := range list {
		out = append(out, stack.Tag{Key: model.Deref(t.Key), Value: model.Deref(t.Value)})
	}
	return out
}

func texts[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// refused says which parts of a request are not built.
func refused(rollback *cloudformationapi.RollbackConfiguration, types []string, policy ...*string) error {
	switch {
	case rollback != nil && len(rollback.RollbackTriggers) > 0:
		return stack.Invalid("RollbackTriggers are not supported.")
	case len(types) > 0:
		return stack.Invalid("ResourceTypes are not supported.")
	}
	for _, p := range policy {
		if model.Deref(p) != "" {
			return stack.Invalid("Stack policies are not supported.")
		}
	}
	return nil
}

// CreateStack begins a stack.
func (f face) CreateStack(ctx context.Context, in *cloudformationapi.CreateStackInput) (*cloudformationapi.CreateStackOutput, error) {
	if err := checkName(model.Deref(in.StackName)); err != nil {
		return nil, err
	}
	if in.DisableRollback != nil && in.OnFailure != "" {
		return nil, stack.Invalid("You may only specify either DisableRollback or OnFailure.")
	}
	if err := refused(in.RollbackConfiguration, in.ResourceTypes, in.StackPolicyBody, in.StackPolicyURL); err != nil {
		return nil, err
	}
	text, err := f.stacks.Text(ctx, caller.Place(ctx), model.Deref(in.TemplateBody), model.Deref(in.TemplateURL))
	if err != nil {
		return nil, err
	}
	r := stack.Request{
		Who: who(ctx), Stack: model.Deref(in.StackName), Template: text, Token: model.Deref(in.ClientRequestToken), Protect: model.Deref(in.EnableTerminationProtection),
		Settings: stack.Settings{
			Capabilities: texts(in.Capabilities), Tags: tags(in.Tags), Role: model.Deref(in.RoleARN), Notifications: in.NotificationARNs,
			Timeout: int(model.Deref(in.TimeoutInMinutes)), OnFailure: string(in.OnFailure), KeepFailed: model.Deref(in.DisableRollback),
		},
	}
	if r.Given, err = given(in.Parameters); err != nil {
		return nil, err
	}
	id, err := f.stacks.Create(ctx, r)
	return &cloudformationapi.CreateStackOutput{StackId: textOrNil(id)}, err
}

// UpdateStack begins a change of a stack.
func (f face) UpdateStack(ctx context.Context, in *cloudformationapi.UpdateStackInput) (*cloudformationapi.UpdateStackOutput, error) {
	err := refused(in.RollbackConfiguration, in.ResourceTypes, in.StackPolicyBody, in.StackPolicyURL, in.StackPolicyDuringUpdateBody, in.StackPolicyDuringUpdateURL)
	if err != nil {
		return nil, err
	}
	text, err := f.stacks.Text(ctx, caller.Place(ctx), model.Deref(in.TemplateBody), model.Deref(in.TemplateURL))
	if err != nil {
		return nil, err
	}
	if model.Deref(in.UsePreviousTemplate) && text != "" {
		return nil, stack.Invalid("You cannot specify both usePreviousTemplate and a template.")
	}
	r := stack.Request{
		Who: who(ctx), Stack: model.Deref(in.StackName), Template: text, Again: model.Deref(in.UsePreviousTemplate), KeepTags: in.Tags == nil,
		Token: model.Deref(in.ClientRequestToken), Settings: stack.Settings{
			Capabilities: texts(in.Capabilities), Tags: tags(in.Tags), Role: model.Deref(in.RoleARN), Notifications: in.NotificationARNs,
			KeepFailed: model.Deref(in.DisableRollback),
		},
	}
	if r.Given, err = given(in.Parameters); err != nil {
		return nil, err
	}
	id, err := f.stacks.Update(ctx, r)
	if err != nil {
		return nil, err
	}
	return &cloudformationapi.UpdateStackOutput{StackId: &id}, nil
}

// DeleteStack begins the end of a stack.
func (f face) DeleteStack(ctx context.Context, in *cloudformationapi.DeleteStackInput) (*cloudformationapi.DeleteStackOutput, error) {
	if in.DeletionMode == cloudformationapi.DeletionModeForceDeleteStack {
		return nil, stack.Invalid("The DeletionMode FORCE_DELETE_STACK is not supported.")
	}
	return nil, f.stacks.Delete(ctx, stack.Deletion{
		Who: who(ctx), Stack: model.Deref(in.StackName), Role: model.Deref(in.RoleARN), Retain: in.RetainResources, Token: model.Deref(in.ClientRequestToken),
	})
}

// UpdateTerminationProtection sets whether a stack may be deleted.
func (f face) UpdateTerminationProtection(
	ctx context.Context, in *cloudformationapi.UpdateTerminationProtectionInput,
) (*cloudformationapi.UpdateTerminationProtectionOutput, error) {
	id, err := f.stacks.Protect(ctx, caller.Place(ctx), model.Deref(in.StackName), model.Deref(in.EnableTerminationProtection))
	return &cloudformationapi.UpdateTerminationProtectionOutput{StackId: textOrNil(id)}, err
}

// DescribeStacks answers one stack, or all that were not deleted.
func (f face) DescribeStacks(ctx context.Context, in *cloudformationapi.DescribeStacksInput) (*cloudformationapi.DescribeStacksOutput, error) {
	out := &cloudformationapi.DescribeStacksOutput{Stacks: []cloudformationapi.Stack{}}
	if name := model.Deref(in.StackName); name != "" {
		st, err := f.stacks.Find(ctx, caller.Place(ctx), name)
		if err != nil {
			return nil, err
		}
		out.Stacks = append(out.Stacks, stackShape(st))
		return out, nil
	}
	list, next, err := f.list(ctx, "DescribeStacks", in.NextToken, false, nil)
	for _, st := range list {
		out.Stacks = append(out.Stacks, stackShape(st))
	}
	out.NextToken = next
	return out, err
}

// list returns a page of stacks and the token of the next one.
func (f face) list(ctx context.Context, operation string, token *string, deleted bool, statuses []string) ([]stack.Stack, *string, error) {
	filter := strings.Join(statuses, ",")
	at, err := f.position(ctx, operation, token, filter)
	if err != nil {
		return nil, nil, err
	}
	l := stack.Listing{Place: caller.Place(ctx), Deleted: deleted, Statuses: statuses, Limit: page + 1}
	if created, id, ok := strings.Cut(at, " "); ok {
		l.Before = stack.Position{Created: time.UnixMicro(number(created)), ID: id}
	}
	list, err := f.stacks.List(ctx, l)
	if err != nil || len(list) <= page {
		return list, nil, err
	}
	last := list[page-1]
	return list[:page], f.token(ctx, operation, strconv.FormatInt(last.Created.UnixMicro(), 10)+" "+last.ID, filter), nil
}

// ListStacks lists stacks, also those that were deleted.
func (f face) ListStacks(ctx context.Context, in *cloudformationapi.ListStacksInput) (*cloudformationapi.ListStacksOutput, error) {
	list, next, err := f.list(ctx, "ListStacks", in.NextToken, true, texts(in.StackStatusFilter))
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.ListStacksOutput{StackSummaries: []cloudformationapi.StackSummary{}, NextToken: next}
	for _, st := range list {
		out.StackSummaries = append(out.StackSummaries, cloudformationapi.StackSummary{
			StackId: new(st.ID), StackName: new(st.Name), TemplateDescription: textOrNil(st.Description), CreationTime: new(st.Created),
			LastUpdatedTime: timeOrNil(st.Updated), DeletionTime: timeOrNil(st.Deleted), StackStatus: cloudformationapi.StackStatus(st.Status),
			StackStatusReason: textOrNil(st.Reason), ParentId: textOrNil(st.Parent), RootId: rootOf(st),
			DriftInformation: &cloudformationapi.StackDriftInformationSummary{StackDriftStatus: cloudformationapi.StackDriftStatusNotChecked},
		})
	}
	return out, nil
}

// rootOf is the outermost stack of a nested one.
func rootOf(st stack.Stack) *string {
	if st.Parent == "" {
		return nil
	}
	return new(st.Root)
}

func stackShape(st stack.Stack) cloudformationapi.Stack {
	out := cloudformationapi.Stack{
		StackId: new(st.ID), StackName: new(st.Name), Description: textOrNil(st.Description), ChangeSetId: textOrNil(st.ChangeSet),
		Parameters: parameterShapes(st.Parameters), CreationTime: new(st.Created), LastUpdatedTime: timeOrNil(st.Updated),
		DeletionTime: timeOrNil(st.Deleted), RollbackConfiguration: &cloudformationapi.RollbackConfiguration{},
		StackStatus: cloudformationapi.StackStatus(st.Status), StackStatusReason: textOrNil(st.Reason), DisableRollback: new(st.KeepFailed),
		NotificationARNs: st.Notifications, RoleARN: textOrNil(st.Role), EnableTerminationProtection: new(st.Protected),
		ParentId: textOrNil(st.Parent), RootId: rootOf(st), Tags: tagShapes(st.Tags),
		DriftInformation: &cloudformationapi.StackDriftInformation{StackDriftStatus: cloudformationapi.StackDriftStatusNotChecked},
	}
	if st.Timeout > 0 {
		out.TimeoutInMinutes = new(int32(st.Timeout))
	}
	for _, c := range st.Capabilities {
		out.Capabilities = append(out.Capabilities, cloudformationapi.Capability(c))
	}
	for _, o := range st.Outputs {
		out.Outputs = append(out.Outputs, cloudformationapi.Output{
			OutputKey: new(o.Name), OutputValue: new(o.Value), Description: textOrNil(o.Description), ExportName: textOrNil(o.Export),
		})
	}
	return out
}

func tagShapes(list []stack.Tag) []cloudformationapi.Tag {
	out := []cloudformationapi.Tag{}
	for _, t := range list {
		out = append(out, cloudformationapi.Tag{Key: new(t.Key), Value: new(t.Value)})
	}
	return out
}

// parameterShapes shows the values that are not hidden.
func parameterShapes(list []stack.Parameter) (out []cloudformationapi.Parameter) {
	for _, p := range list {
		value := p.Value
		if p.Hidden {
			value = "****"
		}
		out = append(out, cloudformationapi.Parameter{ParameterKey: new(p.Name), ParameterValue: &value})
	}
	return slices.Clip(out)
}
