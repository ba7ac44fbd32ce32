package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/template"
)

// Invalid is the error for a request that cannot be carried out.
func Invalid(format string, args ...any) *model.Error {
	return model.Errorf(model.Error{Code: "ValidationError", Status: 400}, format, args...)
}

// The limits of AWS.
const (
	MaxTemplateBody = 51200
	MaxTemplateURL  = 1 << 20
	maxResources    = 500
	maxParameters   = 200
)

// Parse reads the text of a template of a place. Its transforms see the parameters
// that are given, and the defaults of the others. The error is AWS's.
func (s *Stacks) Parse(p config.Place, text string, parameters []Parameter) (*template.Template, error) {
	t, err := template.Parse([]byte(text), options(p, parameters))
	if e, ok := errors.AsType[*template.Error](err); ok {
		return nil, templateError(e)
	}
	if err != nil {
		return nil, err
	}
	switch list := t.Declarations(); {
	case len(list) > maxResources:
		return nil, Invalid("Template format error: Number of resources, %d, is greater than maximum allowed, %d", len(list), maxResources)
	case len(t.Parameters()) > maxParameters:
		return nil, Invalid("Template format error: Number of parameters, %d, is greater than maximum allowed, %d", len(t.Parameters()), maxParameters)
	case len(t.Declared().Description) > 1024:
		return nil, Invalid("Template format error: 'Description' length is greater than 1024.")
	}
	return t, nil
}

// options are what a template is read with.
func options(p config.Place, parameters []Parameter) template.Options {
	values := map[string]string{"AWS::Region": p.Region, "AWS::Partition": arn.Partition(p.Region)}
	for _, one := range parameters {
		values[one.Name] = one.Value
	}
	return template.Options{Stack: true, Values: values}
}

// templateError puts what is wrong with a template behind AWS's first words.
func templateError(e *template.Error) error {
	all := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		if all[i] = p.Message; p.Line > 0 {
			all[i] = fmt.Sprintf("%s (line %d, %s)", p.Message, p.Line, p.Path)
		}
	}
	if e.Transform != "" {
		return Invalid("Transform %s failed with: Invalid Serverless Application Specification document. Number of errors found: %d. %s",
			e.Transform, len(all), strings.Join(all, " "))
	}
	return Invalid("Template format error: %s", strings.TrimPrefix(strings.Join(all, "; "), "Template error: "))
}

// recognized refuses a template with types that are not built.
func (s *Stacks) recognized(t *template.Template) error {
	var unknown []string
	for _, d := range t.Declarations() {
		if _, ok := s.kinds.Type(d.Type); !ok && !s.isSpecial(d.Type) && !slices.Contains(unknown, d.Type) {
			unknown = append(unknown, d.Type)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return Invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	return nil
}

// Capabilities returns what a template makes somebody acknowledge, and why.
func Capabilities(t *template.Template) (needed []string, reason string) {
	var named, types []string
	for _, d := range t.Declarations() {
		names := map[string]string{
			"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName", "AWS::IAM::Group": "GroupName",
			"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::InstanceProfile": "InstanceProfileName",
		}
		property, has := names[d.Type]
		switch {
		case has || strings.HasPrefix(d.Type, "AWS::IAM::"):
			if !slices.Contains(types, d.Type) {
				types = append(types, d.Type)
			}
			if has && slices.Contains(d.Properties, property) {
				named = append(named, d.ID)
			}
		}
	}
	if len(t.Transforms()) > 0 {
		needed = []string{expand}
	}
	switch {
	case len(named) > 0:
		needed = append(needed, "CAPABILITY_NAMED_IAM")
	case len(types) > 0:
		needed = append(needed, "CAPABILITY_IAM")
	default:
		return needed, ""
	}
	slices.Sort(types)
	return needed, fmt.Sprintf("The following resource(s) require capabilities: [%s]", strings.Join(types, ", "))
}

// expand is the capability of templates with transforms.
const expand = "CAPABILITY_AUTO_EXPAND"

// acknowledged refuses a template whose capabilities the request does not name. Who
// reviews a change set sees what the transforms made.
func acknowledged(t *template.Template, given []string, reviewed bool) error {
	needed, _ := Capabilities(t)
	if reviewed {
		needed = slices.DeleteFunc(needed, func(n string) bool { return n == expand })
	}
	for _, n := range needed {
		if !slices.Contains(given, n) && !(n == "CAPABILITY_IAM" && slices.Contains(given, "CAPABILITY_NAMED_IAM")) {
			return cloudformationapi.InsufficientCapabilitiesException("Requires capabilities : [%s]", strings.Join(needed, ", "))
		}
	}
	return nil
}

// plan reads a template with the parameters of a stack. imported is given the
// names of the exports that are used, unless it is nil.
func (s *Stacks) plan(ctx context.Context, st Stack, text string, imported *[]string) (*template.Plan, error) {
	t, err := template.Parse([]byte(text), options(st.Place, st.Parameters))
	if err != nil {
		return nil, err
	}
	exported, err := s.exportsOf(ctx, st.Place)
	if err != nil {
		return nil, err
	}
	return t.Plan(input(st, exported, imported))
}

func input(st Stack, exported map[string]string, imported *[]string) template.Input {
	in := template.Input{Parameters: map[string]string{}, Pseudo: map[string]any{
		"AWS::AccountId": st.Account, "AWS::Region": st.Region, "AWS::Partition": arn.Partition(st.Region), "AWS::URLSuffix": arn.Domain(st.Region),
		"AWS::StackName": st.Name, "AWS::StackId": st.ID, "AWS::NotificationARNs": anys(st.Notifications),
	}}
	for _, p := range st.Parameters {
		in.Parameters[p.Name] = p.Value
	}
	in.Import = func(name string) (string, error) {
		v, ok := exported[name]
		if !ok {
			return "", because("No export named %s found.", name)
		}
		if imported != nil && !slices.Contains(*imported, name) {
			*imported = append(*imported, name)
		}
		return v, nil
	}
	return in
}

func anys(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func (s *Stacks) exportsOf(ctx context.Context, p config.Place) (out map[string]string, err error) {
	out = map[string]string{}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var name, value string
			err := scan(&name, &value)
			out[name] = value
			return err
		}, `SELECT name, value FROM stack_export WHERE account = ? AND region = ?`, p.Account, p.Region)
	})
	return out, err
}
