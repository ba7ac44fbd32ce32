package cloudformation

import (
	"context"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/stack"
)

// DescribeStackEvents lists what happened, the newest first.
func (f face) DescribeStackEvents(
	ctx context.Context, in *cloudformationapi.DescribeStackEventsInput,
) (*cloudformationapi.DescribeStackEventsOutput, error) {
	name := model.Deref(in.StackName)
	if name == "" {
		return nil, stack.Invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	at, err := f.position(ctx, "DescribeStackEvents", in.NextToken, name)
	if err != nil {
		return nil, err
	}
	st, list, err := f.stacks.Events(ctx, caller.Place(ctx), name, number(at), page+1)
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.DescribeStackEventsOutput{StackEvents: []cloudformationapi.StackEvent{}}
	for i, e := range list {
		if i == page {
			out.NextToken = f.token(ctx, "DescribeStackEvents", strconv.FormatInt(list[i-1].Seq, 10), name)
			break
		}
		out.StackEvents = append(out.StackEvents, cloudformationapi.StackEvent{
			StackId: new(st.ID), StackName: new(st.Name), EventId: new(e.ID), LogicalResourceId: new(e.Resource), PhysicalResourceId: new(e.Physical),
			ResourceType: new(e.Type), Timestamp: new(e.Time), ResourceStatus: cloudformationapi.ResourceStatus(e.Status),
			ResourceStatusReason: textOrNil(e.Reason), ResourceProperties: textOrNil(e.Properties), ClientRequestToken: textOrNil(e.Token),
		})
	}
	return out, nil
}

// DescribeStackResource answers one resource of a stack.
func (f face) DescribeStackResource(
	ctx context.Context, in *cloudformationapi.DescribeStackResourceInput,
) (*cloudformationapi.DescribeStackResourceOutput, error) {
	st, list, err := f.resources(ctx, model.Deref(in.StackName))
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.ID != model.Deref(in.LogicalResourceId) {
			continue
		}
		return &cloudformationapi.DescribeStackResourceOutput{StackResourceDetail: &cloudformationapi.StackResourceDetail{
			StackId: new(st.ID), StackName: new(st.Name), LogicalResourceId: new(r.ID), PhysicalResourceId: new(r.Physical), ResourceType: new(r.Type),
			LastUpdatedTimestamp: new(r.Updated), ResourceStatus: cloudformationapi.ResourceStatus(r.Status), ResourceStatusReason: textOrNil(r.Reason),
			Metadata: new("{}"), DriftInformation: notChecked(),
		}}, nil
	}
	return nil, stack.Invalid("Resource %s does not exist for stack %s", model.Deref(in.LogicalResourceId), st.Name)
}

func notChecked() *cloudformationapi.StackResourceDriftInformation {
	return &cloudformationapi.StackResourceDriftInformation{StackResourceDriftStatus: cloudformationapi.StackResourceDriftStatusNotChecked}
}

// resources returns the resources of a stack, in AWS's words for one that is not
// there.
func (f face) resources(ctx context.Context, name string) (stack.Stack, []stack.Resource, error) {
	st, list, err := f.stacks.Resources(ctx, caller.Place(ctx), name)
	if err != nil && name != "" {
		if _, findErr := f.stacks.Find(ctx, caller.Place(ctx), name); findErr != nil {
			return st, nil, stack.Invalid("Stack '%s' does not exist", name)
		}
	}
	return st, list, err
}

// DescribeStackResources answers the resources of a stack, or of the one that a
// physical resource is in.
func (f face) DescribeStackResources(
	ctx context.Context, in *cloudformationapi.DescribeStackResourcesInput,
) (*cloudformationapi.DescribeStackResourcesOutput, error) {
	name, physical := model.Deref(in.StackName), model.Deref(in.PhysicalResourceId)
	switch {
	case name == "" && physical == "":
		return nil, stack.Invalid("Stack name or physical resource id must be specified.")
	case name != "" && physical != "":
		return nil, stack.Invalid("Stack name and physical resource id cannot both be specified.")
	case physical != "":
		st, err := f.stacks.Holder(ctx, caller.Place(ctx), physical)
		if err != nil {
			return nil, err
		}
		name = st.ID
	}
	st, list, err := f.stacks.Resources(ctx, caller.Place(ctx), name)
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.DescribeStackResourcesOutput{StackResources: []cloudformationapi.StackResource{}}
	for _, r := range list {
		if id := model.Deref(in.LogicalResourceId); id != "" && r.ID != id {
			continue
		}
		out.StackResources = append(out.StackResources, cloudformationapi.StackResource{
			StackId: new(st.ID), StackName: new(st.Name), LogicalResourceId: new(r.ID), PhysicalResourceId: new(r.Physical), ResourceType: new(r.Type),
			Timestamp: new(r.Updated), ResourceStatus: cloudformationapi.ResourceStatus(r.Status), ResourceStatusReason: textOrNil(r.Reason),
			DriftInformation: notChecked(),
		})
	}
	return out, nil
}

// ListStackResources lists the resources of a stack.
func (f face) ListStackResources(
	ctx context.Context, in *cloudformationapi.ListStackResourcesInput,
) (*cloudformationapi.ListStackResourcesOutput, error) {
	name := model.Deref(in.StackName)
	after, err := f.position(ctx, "ListStackResources", in.NextToken, name)
	if err != nil {
		return nil, err
	}
	_, list, err := f.stacks.Resources(ctx, caller.Place(ctx), name)
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.ListStackResourcesOutput{StackResourceSummaries: []cloudformationapi.StackResourceSummary{}}
	for _, r := range list {
		if r.ID <= after {
			continue
		}
		if n := len(out.StackResourceSummaries); n == page {
			out.NextToken = f.token(ctx, "ListStackResources", *out.StackResourceSummaries[n-1].LogicalResourceId, name)
			break
		}
		out.StackResourceSummaries = append(out.StackResourceSummaries, cloudformationapi.StackResourceSummary{
			LogicalResourceId: new(r.ID), PhysicalResourceId: new(r.Physical), ResourceType: new(r.Type), LastUpdatedTimestamp: new(r.Updated),
			ResourceStatus: cloudformationapi.ResourceStatus(r.Status), ResourceStatusReason: textOrNil(r.Reason),
			DriftInformation: &cloudformationapi.StackResourceDriftInformationSummary{StackResourceDriftStatus: cloudformationapi.StackResourceDriftStatusNotChecked},
		})
	}
	return out, nil
}

// ListExports lists what stacks export.
func (f face) ListExports(ctx context.Context, in *cloudformationapi.ListExportsInput) (*cloudformationapi.ListExportsOutput, error) {
	after, err := f.position(ctx, "ListExports", in.NextToken)
	if err != nil {
		return nil, err
	}
	list, err := f.stacks.Exports(ctx, caller.Place(ctx), after, page+1)
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.ListExportsOutput{Exports: []cloudformationapi.Export{}}
	for i, e := range list {
		if i == page {
			out.NextToken = f.token(ctx, "ListExports", list[i-1].Name)
			break
		}
		out.Exports = append(out.Exports, cloudformationapi.Export{ExportingStackId: new(e.Stack), Name: new(e.Name), Value: new(e.Value)})
	}
	return out, nil
}

// ListImports lists the stacks that use an export.
func (f face) ListImports(ctx context.Context, in *cloudformationapi.ListImportsInput) (*cloudformationapi.ListImportsOutput, error) {
	export := model.Deref(in.ExportName)
	after, err := f.position(ctx, "ListImports", in.NextToken, export)
	if err != nil {
		return nil, err
	}
	list, err := f.stacks.Importers(ctx, caller.Place(ctx), export, after, page+1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && after == "" {
		return nil, stack.Invalid("Export '%s' is not imported by any stack.", export)
	}
	out := &cloudformationapi.ListImportsOutput{Imports: list}
	if len(list) > page {
		out.Imports = list[:page]
		out.NextToken = f.token(ctx, "ListImports", list[page-1], export)
	}
	return out, nil
}
