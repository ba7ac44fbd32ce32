package conformance

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"plumb/internal/config"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/template"
)

// maxRules is how many rules a template may have.
const maxRules = 130

// maxName is how long the name of a rule may be, its pack's suffix included.
const maxName = 128

// An ID is the identity of a pack: what the names of its rules end in.
type ID string

// idLength is how long every ID is.
const idLength = len("conformance-pack-") + 9

// RuleName returns the name that a rule of the template has once it is deployed.
func (id ID) RuleName(inTemplate string) string { return inTemplate + "-" + string(id) }

// Contents are what a template asks for.
type Contents struct {
	Rules        []config.PackRule // by the names that the template gives them
	Remediations []configapi.RemediationConfiguration
}

// Given is what a template is read with.
type Given struct {
	Place      config.Place
	Parameters []config.PackParameter
	StackName  string
	StackARN   string
}

// The types of resources that a pack may have.
const (
	typeRule        = "AWS::Config::ConfigRule"
	typeRemediation = "AWS::Config::RemediationConfiguration"
)

// options are what the templates of packs have beside CloudFormation's: parameters
// of the types that managed rules take, and controls of rules.
func options() template.Options {
	return template.Options{
		ParameterTypes: map[string]template.Kind{
			"int": template.Number, "double": template.Number, "boolean": template.Boolean,
			"CSV": template.String, "StringMap": template.Map,
		},
		Attributes: []string{"Controls", "Description"},
	}
}

// Read reads a template. The error is a *template.Error.
func Read(text []byte, g Given) (Contents, error) {
	var c Contents
	t, err := template.Parse(text, options())
	if err != nil {
		return c, err
	}
	plan, err := t.Plan(template.Input{Parameters: values(g.Parameters), Pseudo: pseudo(g)})
	if err != nil {
		return c, err
	}
	r := &reader{plan: plan, checks: newChecks(), place: g.Place, names: map[string]string{}}
	for _, kind := range []string{typeRule, typeRemediation} { // which refer to rules by their names
		for _, resource := range plan.Resources() {
			if resource.Type != kind {
				continue
			}
			if err := r.resource(resource); err != nil {
				return c, err
			}
		}
	}
	r.others()
	if len(r.contents.Rules) > maxRules {
		r.wrong = append(r.wrong, template.Problem{Message: "Number of resources provided in the template exceeds the allowed limit"})
	}
	if len(r.wrong) > 0 {
		return c, &template.Error{Problems: r.wrong}
	}
	return r.contents, nil
}

func values(given []config.PackParameter) map[string]string {
	out := make(map[string]string, len(given))
	for _, p := range given {
		out[p.Name] = p.Value
	}
	return out
}

func pseudo(g Given) map[string]any {
	out := map[string]any{
		"AWS::AccountId": g.Place.Account, "AWS::Region": g.Place.Region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::NotificationARNs": []any{},
	}
	if g.StackName != "" {
		out["AWS::StackName"], out["AWS::StackId"] = g.StackName, g.StackARN
	}
	return out
}

// A reader makes rules and remediations of the resources of a plan.
type reader struct {
	plan     *template.Plan
	checks   checks
	place    config.Place
	names    map[string]string // of the rules, by the ids of their resources
	contents Contents
	wrong    []template.Problem
}

func (r *reader) fail(id string, keys []string, format string, args ...any) {
	r.wrong = append(r.wrong, r.plan.Problem(id, keys, fmt.Sprintf(format, args...)))
}

// resource reads one resource. What is wrong with it is noted; an error is of the
// template's functions.
func (r *reader) resource(s template.Resource) error {
	properties, err := r.plan.Properties(s.ID, r.attribute)
	if err != nil {
		return err
	}
	if s.Type == typeRemediation {
		r.remediation(s.ID, properties)
		return nil
	}
	controls, err := r.controls(s.ID)
	if err != nil {
		return err
	}
	r.rule(s.ID, properties, controls)
	return nil
}

// others notes the resources of types that packs do not have.
func (r *reader) others() {
	for _, s := range r.plan.Resources() {
		if s.Type != typeRule && s.Type != typeRemediation {
			r.fail(s.ID, []string{"Type"}, "The resource type %s is not supported in conformance packs: only %s and %s are.", s.Type, typeRule, typeRemediation)
		}
	}
}

// attribute returns the name of a rule, as the template has it. What else it has is
// known only when it is deployed.
func (r *reader) attribute(id, attribute string) (any, error) {
	name, ok := r.names[id]
	if !ok || attribute != "" {
		return nil, fmt.Errorf("the attribute %s of %s is not available to the resources of a conformance pack", attribute, id)
	}
	return name, nil
}

func (r *reader) rule(id string, properties map[string]any, controls []string) {
	if err := textParameters(properties); err != nil {
		r.fail(id, []string{"Properties", "InputParameters"}, "%s", err)
		return
	}
	var shape configapi.ConfigRule
	if w := fill(&shape, properties, []string{
		"ConfigRuleName", "Description", "InputParameters", "MaximumExecutionFrequency", "Scope", "Source", "EvaluationModes",
	}); w != nil {
		r.fail(id, append([]string{"Properties"}, w.keys...), "%s", w.message)
		return
	}
	if shape.ConfigRuleName == nil {
		shape.ConfigRuleName = &id
	}
	name := *shape.ConfigRuleName
	switch most := maxName - idLength - 1; {
	case utf8.RuneCountInString(name) > most:
		r.fail(id, []string{"Properties", "ConfigRuleName"},
			"The name %s has more than the %d characters that leave room for the suffix of the conformance pack.", name, most)
	case r.named(name):
		r.fail(id, []string{"Properties", "ConfigRuleName"}, "Another rule of the template is named %s.", name)
	}
	if err := r.checks.rule(&shape); err != nil {
		r.fail(id, []string{"Properties"}, "%s", err.Message)
		return
	}
	r.names[id] = name
	r.contents.Rules = append(r.contents.Rules, config.PackRule{Rule: rule.FromShape(r.place, &shape), Controls: controls})
}

func (r *reader) named(name string) bool {
	for _, other := range r.names {
		if other == name {
			return true
		}
	}
	return false
}

// The bounds of a rule's Controls.
const (
	maxControls      = 20
	maxControlLength = 128
)

func (r *reader) controls(id string) ([]string, error) {
	v, ok, err := r.plan.Attribute(id, "Controls", r.attribute)
	if err != nil || !ok {
		return nil, err
	}
	list, isList := v.([]any)
	var out []string
	for _, item := range list {
		s, ok := template.Text(item)
		if !ok || s == "" || utf8.RuneCountInString(s) > maxControlLength {
			isList = false
		}
		out = append(out, s)
	}
	if !isList || len(out) > maxControls {
		r.fail(id, []string{"Controls"}, "The Controls must be a list of up to %d strings of up to %d characters.", maxControls, maxControlLength)
	}
	return out, nil
}

func (r *reader) remediation(id string, properties map[string]any) {
	var shape configapi.RemediationConfiguration
	if w := fill(&shape, properties, []string{
		"ConfigRuleName", "TargetType", "TargetId", "TargetVersion", "Parameters", "ResourceType", "Automatic", "ExecutionControls",
		"MaximumAutomaticAttempts", "RetryAttemptSeconds",
	}); w != nil {
		r.fail(id, append([]string{"Properties"}, w.keys...), "%s", w.message)
		return
	}
	if err := r.checks.remediation(shape); err != nil {
		r.fail(id, []string{"Properties"}, "%s", err.Message)
		return
	}
	if !r.named(*shape.ConfigRuleName) {
		r.fail(id, []string{"Properties", "ConfigRuleName"}, "The template has no rule named %s.", *shape.ConfigRuleName)
	}
	r.contents.Remediations = append(r.contents.Remediations, shape)
}

// invalid returns what is wrong with a template in the words of
// ConformancePackTemplateValidationException.
func invalid(err error) error {
	return configapi.ConformancePackTemplateValidationException(
		"Invalid conformance pack template provided. Errors found: [%s]. Fix your template and try again.", strings.TrimSuffix(err.Error(), "."))
}
