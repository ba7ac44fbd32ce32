package conformance

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/template"
)

// A wrong says what is wrong with properties, and where.
type wrong struct {
	keys    []string
	message string
}

func (w *wrong) below(key string) *wrong {
	if w != nil {
		w.keys = append([]string{key}, w.keys...)
	}
	return w
}

// fill sets the members of a shape from the properties of a resource, which have
// the same names. Templates write numbers and booleans as texts, and texts as
// numbers: what can be read as the other is. Only some members may be set, if any
// are named.
func fill(shape any, properties map[string]any, only []string) *wrong {
	return fillStruct(reflect.ValueOf(shape).Elem(), properties, only)
}

func fillStruct(into reflect.Value, properties map[string]any, only []string) *wrong {
	for _, key := range sorted(properties) {
		member := into.FieldByName(key)
		if !member.IsValid() || only != nil && !slices.Contains(only, key) {
			return &wrong{[]string{key}, fmt.Sprintf("Encountered unsupported property %s.", key)}
		}
		if w := fillValue(member, properties[key]); w != nil {
			return w.below(key)
		}
	}
	return nil
}

func fillValue(into reflect.Value, v any) *wrong {
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return fillValue(into.Elem(), v)
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return &wrong{message: "A mapping is wanted."}
		}
		return fillStruct(into, m, nil)
	case reflect.Map:
		return fillMap(into, v)
	case reflect.Slice:
		return fillList(into, v)
	default:
		return fillScalar(into, v)
	}
}

func fillMap(into reflect.Value, v any) *wrong {
	m, ok := v.(map[string]any)
	if !ok {
		return &wrong{message: "A mapping is wanted."}
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, key := range sorted(m) {
		element := reflect.New(into.Type().Elem()).Elem()
		if w := fillValue(element, m[key]); w != nil {
			return w.below(key)
		}
		into.SetMapIndex(reflect.ValueOf(key), element)
	}
	return nil
}

// fillList takes a single value for a list of one, as CloudFormation does.
func fillList(into reflect.Value, v any) *wrong {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := reflect.MakeSlice(into.Type(), len(list), len(list))
	for i, item := range list {
		if w := fillValue(out.Index(i), item); w != nil {
			return w
		}
	}
	into.Set(out)
	return nil
}

func fillScalar(into reflect.Value, v any) *wrong {
	text, ok := template.Text(v)
	if !ok {
		return &wrong{message: "A single value is wanted, not a list or a mapping."}
	}
	if strings.ContainsRune(text, 0) {
		return &wrong{message: "The value must not contain the character NUL."}
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return &wrong{message: fmt.Sprintf("true or false is wanted, found %q.", text)}
		}
		into.SetBool(text == "true")
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, into.Type().Bits())
		if err != nil {
			return &wrong{message: fmt.Sprintf("A whole number is wanted, found %q.", text)}
		}
		into.SetInt(n)
	default:
		return &wrong{message: "The property cannot be set."}
	}
	return nil
}

func sorted(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// textParameters makes the JSON text of InputParameters where a template has a
// mapping.
func textParameters(properties map[string]any) error {
	m, ok := properties["InputParameters"].(map[string]any)
	if !ok {
		return nil // a JSON text already, or none
	}
	if len(m) == 0 {
		delete(properties, "InputParameters")
		return nil
	}
	text, err := template.InputParameters(m)
	properties["InputParameters"] = text
	return err
}

// checks are the constraints that the API's model has for what a template makes.
type checks struct{ service *configapi.Service }

func newChecks() checks {
	s := configapi.NewService()
	// Nothing calls these: an operation's constraints come with its handler.
	s.PutConfigRule(func(context.Context, *configapi.PutConfigRuleInput) (*configapi.PutConfigRuleOutput, error) {
		return nil, nil
	})
	s.PutRemediationConfigurations(func(
		context.Context, *configapi.PutRemediationConfigurationsInput,
	) (*configapi.PutRemediationConfigurationsOutput, error) {
		return nil, nil
	})
	return checks{s}
}

// rule checks a rule as PutConfigRule does.
func (c checks) rule(r *configapi.ConfigRule) *model.Error {
	return c.of("PutConfigRule", &configapi.PutConfigRuleInput{ConfigRule: r})
}

// remediation checks a remediation as PutRemediationConfigurations does.
func (c checks) remediation(r configapi.RemediationConfiguration) *model.Error {
	return c.of("PutRemediationConfigurations",
		&configapi.PutRemediationConfigurationsInput{RemediationConfigurations: []configapi.RemediationConfiguration{r}})
}

func (c checks) of(operation string, in any) *model.Error {
	route, _ := c.service.Registry().Route(operation)
	checker := c.service.Registry().NewChecker()
	route.Check(in, checker)
	return checker.Err()
}
