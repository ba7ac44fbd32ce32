package cloudformation

import (
	"context"
	"regexp"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/stack"
)

var changeSetName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// CreateChangeSet computes a change of a stack.
func (f face) CreateChangeSet(ctx context.Context, in *cloudformationapi.CreateChangeSetInput) (*cloudformationapi.CreateChangeSetOutput, error) {
	if err := checkProposal(in); err != nil {
		return nil, err
	}
	text, err := f.stacks.Text(ctx, caller.Place(ctx), model.Deref(in.TemplateBody), model.Deref(in.TemplateURL))
	if err != nil {
		return nil, err
	}
	p := stack.Proposal{
		Name: model.Deref(in.ChangeSetName), Kind: string(in.ChangeSetType), Description: model.Deref(in.Description),
		Request: stack.Request{
			Who: who(ctx), Stack: model.Deref(in.StackName), Template: text, Again: model.Deref(in.UsePreviousTemplate), KeepTags: in.Tags == nil,
			Token: model.Deref(in.ClientToken), Settings: stack.Settings{
				Capabilities: texts(in.Capabilities), Tags: tags(in.Tags), Role: model.Deref(in.RoleARN), Notifications: in.NotificationARNs,
				OnFailure: string(in.OnStackFailure),
			},
		},
	}
	if p.Given, err = given(in.Parameters); err != nil {
		return nil, err
	}
	set, err := f.stacks.Propose(ctx, p)
	if err != nil {
		return nil, err
	}
	return &cloudformationapi.CreateChangeSetOutput{Id: &set.ID, StackId: &set.Stack}, nil
}

func checkProposal(in *cloudformationapi.CreateChangeSetInput) error {
	name := model.Deref(in.ChangeSetName)
	switch {
	case in.ChangeSetType == cloudformationapi.ChangeSetTypeImport || len(in.ResourcesToImport) > 0 || model.Deref(in.ImportExistingResources):
		return stack.Invalid("Resources cannot be imported into stacks: change sets of the type IMPORT are not supported.")
	case model.Deref(in.IncludeNestedStacks):
		return stack.Invalid("Change sets of nested stacks are not supported.")
	case in.DeploymentMode != "":
		return stack.Invalid("The DeploymentMode %s is not supported.", in.DeploymentMode)
	case !changeSetName.MatchString(name):
		return stack.Invalid("1 validation error detected: Value '%.200s' at 'changeSetName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	case in.ChangeSetType == cloudformationapi.ChangeSetTypeCreate:
		if err := checkName(model.Deref(in.StackName)); err != nil {
			return err
		}
	}
	return refused(in.RollbackConfiguration, in.ResourceTypes)
}

// DescribeChangeSet answers a change set with its changes.
func (f face) DescribeChangeSet(
	ctx context.Context, in *cloudformationapi.DescribeChangeSetInput,
) (*cloudformationapi.DescribeChangeSetOutput, error) {
	at, err := f.position(ctx, "DescribeChangeSet", in.NextToken, model.Deref(in.ChangeSetName))
	if err != nil {
		return nil, err
	}
	set, st, err := f.stacks.ChangeSet(ctx, who(ctx), model.Deref(in.StackName), model.Deref(in.ChangeSetName))
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.DescribeChangeSetOutput{
		ChangeSetName: new(set.Name), ChangeSetId: new(set.ID), StackId: new(set.Stack), StackName: new(st.Name), Description: textOrNil(set.Description),
		Parameters: parameterShapes(set.Parameters), CreationTime: new(set.Created), ExecutionStatus: cloudformationapi.ExecutionStatus(set.Execution),
		Status: cloudformationapi.ChangeSetStatus(set.Status), StatusReason: textOrNil(set.Reason), NotificationARNs: set.Notifications,
		RollbackConfiguration: &cloudformationapi.RollbackConfiguration{}, Tags: tagShapes(set.Tags), IncludeNestedStacks: new(false),
		Changes: []cloudformationapi.Change{},
	}
	for _, c := range set.Capabilities {
		out.Capabilities = append(out.Capabilities, cloudformationapi.Capability(c))
	}
	from := min(int(number(at)), len(set.Changes))
	for i, c := range set.Changes[from:] {
		if i == page {
			out.NextToken = f.token(ctx, "DescribeChangeSet", strconv.Itoa(from+page), model.Deref(in.ChangeSetName))
			break
		}
		out.Changes = append(out.Changes, changeShape(c))
	}
	return out, nil
}

func changeShape(c stack.Change) cloudformationapi.Change {
	out := cloudformationapi.ResourceChange{
		Action: cloudformationapi.ChangeAction(c.Action), LogicalResourceId: new(c.ID), PhysicalResourceId: textOrNil(c.Physical), ResourceType: new(c.Type),
		Replacement: cloudformationapi.Replacement(c.Replacement), Scope: []cloudformationapi.ResourceAttribute{},
		Details: []cloudformationapi.ResourceChangeDetail{},
	}
	if len(c.Properties) > 0 {
		out.Scope = append(out.Scope, cloudformationapi.ResourceAttributeProperties)
	}
	recreation := cloudformationapi.RequiresRecreationNever
	if c.Replacement == "True" {
		recreation = cloudformationapi.RequiresRecreationAlways
	}
	for _, p := range c.Properties {
		out.Details = append(out.Details, cloudformationapi.ResourceChangeDetail{
			ChangeSource: cloudformationapi.ChangeSourceDirectModification, Evaluation: cloudformationapi.EvaluationTypeStatic,
			Target: &cloudformationapi.ResourceTargetDefinition{
				Attribute: cloudformationapi.ResourceAttributeProperties, Name: new(p), RequiresRecreation: recreation,
			},
		})
	}
	return cloudformationapi.Change{Type: cloudformationapi.ChangeTypeResource, ResourceChange: &out}
}

// ExecuteChangeSet makes the changes.
func (f face) ExecuteChangeSet(
	ctx context.Context, in *cloudformationapi.ExecuteChangeSetInput,
) (*cloudformationapi.ExecuteChangeSetOutput, error) {
	err := f.stacks.Execute(ctx, who(ctx), model.Deref(in.StackName), model.Deref(in.ChangeSetName), model.Deref(in.ClientRequestToken), model.Deref(in.DisableRollback))
	return &cloudformationapi.ExecuteChangeSetOutput{}, err
}

// DeleteChangeSet deletes a change set and leaves its stack alone.
func (f face) DeleteChangeSet(ctx context.Context, in *cloudformationapi.DeleteChangeSetInput) (*cloudformationapi.DeleteChangeSetOutput, error) {
	return &cloudformationapi.DeleteChangeSetOutput{}, f.stacks.DropChangeSet(ctx, who(ctx), model.Deref(in.StackName), model.Deref(in.ChangeSetName))
}

// ListChangeSets lists the change sets of a stack.
func (f face) ListChangeSets(ctx context.Context, in *cloudformationapi.ListChangeSetsInput) (*cloudformationapi.ListChangeSetsOutput, error) {
	at, err := f.position(ctx, "ListChangeSets", in.NextToken, model.Deref(in.StackName))
	if err != nil {
		return nil, err
	}
	list, st, err := f.stacks.ChangeSets(ctx, who(ctx), model.Deref(in.StackName))
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.ListChangeSetsOutput{Summaries: []cloudformationapi.ChangeSetSummary{}}
	from := min(int(number(at)), len(list))
	for i, c := range list[from:] {
		if i == page {
			out.NextToken = f.token(ctx, "ListChangeSets", strconv.Itoa(from+page), model.Deref(in.StackName))
			break
		}
		out.Summaries = append(out.Summaries, cloudformationapi.ChangeSetSummary{
			StackId: new(st.ID), StackName: new(st.Name), ChangeSetId: new(c.ID), ChangeSetName: new(c.Name), Status: cloudformationapi.ChangeSetStatus(c.Status),
			StatusReason: textOrNil(c.Reason), ExecutionStatus: cloudformationapi.ExecutionStatus(c.Execution), CreationTime: new(c.Created),
			Description: textOrNil(c.Description), IncludeNestedStacks: new(false),
		})
	}
	return out, nil
}
