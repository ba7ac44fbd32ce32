package managed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
)

func checkKind(kind string) error {
	switch kind {
	case "String", "CSV", "int", "double", "boolean", "StringMap":
		return nil
	}
	return fmt.Errorf("the parameter type %q is none of String, CSV, int, double, boolean, StringMap", kind)
}

// A Refusal is why PutConfigRule does not take a rule, in AWS's words where they
// are known: the message of an InvalidParameterValueException.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// readParameters checks a rule's InputParameters in the order and with the texts
// of PutConfigRule. Values are texts, also of numbers.
func readParameters(declared []Parameter, input string) (map[string]string, error) {
	given := map[string]any{}
	if strings.TrimSpace(input) != "" {
		if err := json.Unmarshal([]byte(input), &given); err != nil {
			return nil, refuse("Invalid json %s passed in the InputParameters field", input)
		}
	}
	for name := range given {
		if !slices.ContainsFunc(declared, func(p Parameter) bool { return p.Name == name }) {
			return nil, refuse("Unknown parameters provided in the inputParameters: %s", input)
		}
	}
	if missing := missingParameters(declared, given); len(missing) > 0 {
		return nil, refuse("The required parameter [%s] is not present in the inputParameters",
			strings.Join(missing, ", "))
	}
	values := map[string]string{}
	for _, p := range declared {
		value, ok := given[p.Name]
		if !ok {
			continue
		}
		s, isText := value.(string)
		if !isText || strings.TrimSpace(s) == "" {
			return nil, refuse("Blank spaces are not acceptable for input parameter: %s. InputParameters': '%s'",
				p.Name, input)
		}
		if _, err := p.value(s); err != nil {
			return nil, err
		}
		values[p.Name] = s
	}
	return values, nil
}

// checkDomains refuses values that are not in the domain of their parameter.
func checkDomains(declared []Parameter, values map[string]string) error {
	for _, p := range declared {
		if wrong := p.Domain.check(values[p.Name]); wrong != "" {
			return refuse("The value %s of the input parameter %s is not valid. %s.", values[p.Name], p.Name, wrong)
		}
	}
	return nil
}

func missingParameters(declared []Parameter, given map[string]any) []string {
	var missing []string
	for _, p := range declared {
		if _, ok := given[p.Name]; !ok && !p.Optional {
			missing = append(missing, p.Name)
		}
	}
	slices.Sort(missing)
	return missing
}

// value reads a parameter's text as its kind. CSV elements lose the space around
// them, and empty ones are dropped.
func (p Parameter) value(s string) (any, error) {
	if p.Raw {
		return s, nil
	}
	var v any
	var err error
	switch p.Kind {
	case "String":
		v = s
	case "CSV":
		v = splitCSV(s)
	case "StringMap":
		v = splitMap(s)
	case "int":
		v, err = strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	case "double":
		v, err = strconv.ParseFloat(strings.TrimSpace(s), 64)
	case "boolean":
		v, err = parseBool(strings.TrimSpace(s))
	}
	if err != nil {
		return nil, refuse("The value %s of the input parameter %s is not of type %s", s, p.Name, p.Kind)
	}
	return v, nil
}

// parseBool reads true and false, whatever the case, and nothing else.
func parseBool(s string) (bool, error) {
	if !same(s, []string{"true", "false"}) {
		return false, strconv.ErrSyntax
	}
	return strings.EqualFold(s, "true"), nil
}

// absent is what a parameter is that was not given and has no default.
func (p Parameter) absent() any {
	if p.Raw {
		return ""
	}
	switch p.Kind {
	case "String":
		return ""
	case "CSV":
		return []string{}
	case "StringMap":
		return map[string]string{}
	}
	return nil
}

// celType is the type of parameters.NAME. What may be null is typed as CEL's
// wrapper, so that `parameters.port == null` is sound and a wrong comparison is
// found when the file is read.
func (p Parameter) celType() *cel.Type {
	types := map[string]*cel.Type{
		"String": cel.StringType, "CSV": cel.ListType(cel.StringType),
		"StringMap": cel.MapType(cel.StringType, cel.StringType),
		"int":       cel.IntType, "double": cel.DoubleType, "boolean": cel.BoolType,
	}
	t := types[p.Kind]
	if p.Raw {
		t = cel.StringType
	}
	if p.absent() == nil && p.Optional && p.Default == "" {
		return cel.NullableType(t)
	}
	return t
}

func splitCSV(s string) []string {
	list := []string{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// splitMap reads "key:value,key": a key without a value has an empty one.
func splitMap(s string) map[string]string {
	m := map[string]string{}
	for _, part := range splitCSV(s) {
		key, value, _ := strings.Cut(part, ":")
		m[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return m
}
