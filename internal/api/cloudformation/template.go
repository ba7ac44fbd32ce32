package cloudformation

import (
	"context"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/stack"
	"plumb/internal/template"
)

// GetTemplate answers the template of a stack or a change set.
func (f face) GetTemplate(ctx context.Context, in *cloudformationapi.GetTemplateInput) (*cloudformationapi.GetTemplateOutput, error) {
	if in.StackName == nil && in.ChangeSetName == nil {
		return nil, stack.Invalid("StackName is required if ChangeSetName is not specified.")
	}
	text, given, err := f.stacks.TemplateOf(ctx, who(ctx), model.Deref(in.StackName), model.Deref(in.ChangeSetName))
	if err != nil {
		return nil, err
	}
	if in.TemplateStage != cloudformationapi.TemplateStageOriginal && text != "" {
		t, err := f.stacks.Parse(caller.Place(ctx), text, given)
		if err != nil {
			return nil, err
		}
		if processed := t.Processed(); processed != "" {
			text = processed
		}
	}
	return &cloudformationapi.GetTemplateOutput{
		TemplateBody:    &text,
		StagesAvailable: []cloudformationapi.TemplateStage{cloudformationapi.TemplateStageOriginal, cloudformationapi.TemplateStageProcessed},
	}, nil
}

// read returns a template that a request has or names.
func (f face) read(ctx context.Context, body, address *string) (*template.Template, error) {
	text, err := f.stacks.Text(ctx, caller.Place(ctx), model.Deref(body), model.Deref(address))
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, stack.Invalid("Either Template URL or Template Body must be specified.")
	}
	return f.stacks.Parse(caller.Place(ctx), text, nil)
}

// ValidateTemplate reads a template and says what it asks for.
func (f face) ValidateTemplate(
	ctx context.Context, in *cloudformationapi.ValidateTemplateInput,
) (*cloudformationapi.ValidateTemplateOutput, error) {
	t, err := f.read(ctx, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	out := &cloudformationapi.ValidateTemplateOutput{
		Parameters: []cloudformationapi.TemplateParameter{}, Description: new(t.Declared().Description),
	}
	for _, p := range t.Parameters() {
		out.Parameters = append(out.Parameters, cloudformationapi.TemplateParameter{
			ParameterKey: new(p.Name), DefaultValue: p.Default, NoEcho: new(p.NoEcho), Description: textOrNil(p.Description),
		})
	}
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	out.DeclaredTransforms = t.Transforms()
	return out, nil
}

func capabilities(t *template.Template) (list []cloudformationapi.Capability, reason *string) {
	needed, why := stack.Capabilities(t)
	for _, c := range needed {
		list = append(list, cloudformationapi.Capability(c))
	}
	return list, textOrNil(why)
}

// GetTemplateSummary says what a template asks for and has.
func (f face) GetTemplateSummary(
	ctx context.Context, in *cloudformationapi.GetTemplateSummaryInput,
) (*cloudformationapi.GetTemplateSummaryOutput, error) {
	body := in.TemplateBody
	switch name := model.Deref(in.StackName); {
	case model.Deref(in.StackSetName) != "":
		return nil, cloudformationapi.StackSetNotFoundException("StackSet %s not found", *in.StackSetName)
	case name != "" && (body != nil || in.TemplateURL != nil):
		return nil, stack.Invalid("Only one of stack name, template body and template URL may be specified.")
	case name != "":
		text, given, err := f.stacks.TemplateOf(ctx, who(ctx), name, "")
		if err != nil {
			return nil, err
		}
		t, err := f.stacks.Parse(caller.Place(ctx), text, given)
		if err != nil {
			return nil, err
		}
		return summary(t), nil
	}
	t, err := f.read(ctx, body, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	return summary(t), nil
}

func summary(t *template.Template) *cloudformationapi.GetTemplateSummaryOutput {
	d := t.Declared()
	out := &cloudformationapi.GetTemplateSummaryOutput{
		Parameters: []cloudformationapi.ParameterDeclaration{}, Description: textOrNil(d.Description), Version: textOrNil(d.Version),
		Metadata: textOrNil(t.Metadata()), ResourceTypes: []string{},
	}
	for _, p := range t.Parameters() {
		declared := cloudformationapi.ParameterDeclaration{
			ParameterKey: new(p.Name), ParameterType: new(p.Type), DefaultValue: p.Default, NoEcho: new(p.NoEcho), Description: textOrNil(p.Description),
			ParameterConstraints: &cloudformationapi.ParameterConstraints{AllowedValues: p.Allowed()},
		}
		out.Parameters = append(out.Parameters, declared)
	}
	for _, kind := range t.Types() {
		if !slices.Contains(out.ResourceTypes, kind) {
			out.ResourceTypes = append(out.ResourceTypes, kind)
		}
	}
	out.DeclaredTransforms = t.Transforms()
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	return out
}
