package template

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// noValue is what AWS::NoValue is: the property, or the element of a list, is not
// there.
type noValue struct{}

// maxValues is how many bytes the values of one resource may have. Functions in
// functions could make any number of a short template.
const maxValues = 4 << 20

// A scope is what the expressions of one place are evaluated with.
type scope struct {
	*Plan
	of   Attribute // nil: no resource was made
	left int       // bytes that values may still have
}

func (p *Plan) scope(of Attribute) *scope { return &scope{Plan: p, of: of, left: maxValues} }

// spend counts the bytes of a value.
func (s *scope) spend(at *node, n int) error {
	if s.left -= n; s.left < 0 {
		return failure(at, "The values become larger than %d bytes.", maxValues)
	}
	return nil
}

// value evaluates an expression.
func (s *scope) value(n *node) (any, error) {
	if name, argument, call := n.function(); call {
		return s.call(n, name, argument)
	}
	switch n.kind {
	case sequence:
		return s.values(n)
	case mapping:
		return s.members(n)
	default:
		text, _ := n.text()
		return n.value, s.spend(n, len(text)+1)
	}
}

func (s *scope) values(n *node) (any, error) {
	out := make([]any, 0, len(n.items))
	for _, item := range n.items {
		v, err := s.value(item)
		if err != nil {
			return nil, err
		}
		if v != any(noValue{}) {
			out = append(out, v)
		}
	}
	return out, s.spend(n, 1)
}

func (s *scope) members(n *node) (any, error) {
	out := make(map[string]any, len(n.items))
	for i, item := range n.items {
		v, err := s.value(item)
		if err != nil {
			return nil, err
		}
		if v != any(noValue{}) {
			out[n.keys[i]] = v
		}
		if err := s.spend(n, len(n.keys[i])); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// call evaluates a function. Its arguments were checked when the template was
// read.
func (s *scope) call(n *node, name string, argument *node) (any, error) {
	switch name {
	case "Ref":
		target, _ := argument.text()
		return s.ref(n, target)
	case "Fn::GetAtt":
		id, attribute, _ := attributeOf(argument)
		of, err := s.text(attribute, "The attribute of Fn::GetAtt")
		if err != nil {
			return nil, err
		}
		return s.attribute(n, id, of)
	case "Fn::Sub":
		return s.sub(n, argument)
	case "Fn::Join":
		return s.join(argument)
	case "Fn::Split":
		return s.split(argument)
	case "Fn::Select":
		return s.choose(argument)
	case "Fn::If":
		condition, _ := argument.items[0].text()
		if s.conditions[condition] {
			return s.value(argument.items[1])
		}
		return s.value(argument.items[2])
	case "Fn::FindInMap":
		return s.find(n, argument)
	case "Fn::Base64":
		text, err := s.text(argument, "The value of Fn::Base64")
		if err != nil {
			return nil, err
		}
		out := base64.StdEncoding.EncodeToString([]byte(text))
		return out, s.spend(n, len(out))
	case "Fn::ImportValue":
		return s.imported(n, argument)
	case "Fn::GetAZs":
		return s.zones(argument)
	default:
		return nil, failure(n, "%s is not a function that is supported.", name)
	}
}

// text evaluates an expression whose value has to be a text.
func (s *scope) text(n *node, what string) (string, error) {
	v, err := s.value(n)
	if err != nil {
		return "", err
	}
	text, ok := Text(v)
	if !ok {
		return "", failure(n, "%s must be a string.", what)
	}
	return text, nil
}

// list evaluates an expression whose value has to be a list.
func (s *scope) list(n *node, what string) ([]any, error) {
	v, err := s.value(n)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, failure(n, "%s must be a list.", what)
	}
	return list, nil
}

// imported asks what another stack exports.
func (s *scope) imported(n, argument *node) (any, error) {
	name, err := s.text(argument, "The name of Fn::ImportValue")
	if err != nil {
		return nil, err
	}
	if s.imports == nil {
		return nil, failure(n, "No export named %s found.", name)
	}
	v, err := s.imports(name)
	if err != nil {
		return nil, failure(n, "%s", err)
	}
	return v, s.spend(n, len(v)+1)
}

// zones lists the zones of a region. Which ones an account has is not known, so
// that they are the first three.
func (s *scope) zones(argument *node) (any, error) {
	region, err := s.text(argument, "The region of Fn::GetAZs")
	if err != nil {
		return nil, err
	}
	if region == "" {
		region, _ = Text(s.pseudo["AWS::Region"])
	}
	return []any{region + "a", region + "b", region + "c"}, s.spend(argument, 3*len(region))
}

func (s *scope) ref(n *node, name string) (any, error) {
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	v, ok := s.parameters[name]
	if !ok {
		v, ok = s.pseudo[name]
	}
	if ok {
		return v, s.spend(n, size(v))
	}
	if isPseudo(name) {
		return nil, failure(n, "%s has no value here.", name)
	}
	return s.attribute(n, name, "")
}

// size returns how many bytes count for a value.
func size(v any) int {
	switch v := v.(type) {
	case []any:
		n := 1
		for _, item := range v {
			n += size(item)
		}
		return n
	default:
		text, _ := Text(v)
		return len(text) + 1
	}
}

// attribute asks what a resource is called, or has.
func (s *scope) attribute(n *node, id, attribute string) (any, error) {
	switch {
	case !s.chosen[id]:
		return nil, failure(n, "Unresolved resource dependencies [%s] in the template: its condition is false.", id)
	case s.of == nil:
		return nil, failure(n, "The resource %s was not made yet.", id)
	}
	v, err := s.of(id, attribute)
	if err != nil {
		return nil, failure(n, "%s", err)
	}
	return v, s.spend(n, size(v))
}

func (s *scope) sub(n, argument *node) (any, error) {
	text, variables, _ := subArguments(argument)
	parts, _ := splitSub(text)
	given := map[string]any{}
	var err error
	if variables != nil {
		for i, name := range variables.keys {
			if given[name], err = s.value(variables.items[i]); err != nil {
				return nil, err
			}
		}
	}
	var b strings.Builder
	for _, part := range parts {
		literal := part.literal
		if part.name != "" {
			if literal, err = s.variable(n, given, part.name); err != nil {
				return nil, err
			}
		}
		if err := s.spend(n, len(literal)); err != nil {
			return nil, err
		}
		b.WriteString(literal)
	}
	return b.String(), nil
}

// variable returns the text that ${name} stands for.
func (s *scope) variable(n *node, given map[string]any, name string) (string, error) {
	v, ok := given[name]
	if !ok {
		var err error
		if id, attribute, dot := strings.Cut(name, "."); dot {
			v, err = s.attribute(n, id, attribute)
		} else {
			v, err = s.ref(n, name)
		}
		if err != nil {
			return "", err
		}
	}
	text, ok := Text(v)
	if !ok {
		return "", failure(n, "The variable %s of Fn::Sub must be a string.", name)
	}
	return text, nil
}

func (s *scope) join(argument *node) (any, error) {
	delimiter, _ := argument.items[0].text()
	list, err := s.list(argument.items[1], "The second element of Fn::Join")
	if err != nil {
		return nil, err
	}
	parts := make([]string, len(list))
	for i, v := range list {
		text, ok := Text(v)
		if !ok {
			return nil, failure(argument, "The values that Fn::Join joins must be strings.")
		}
		parts[i] = text
		if err := s.spend(argument, len(text)+len(delimiter)); err != nil {
			return nil, err
		}
	}
	return strings.Join(parts, delimiter), nil
}

func (s *scope) split(argument *node) (any, error) {
	delimiter, _ := argument.items[0].text()
	text, err := s.text(argument.items[1], "The second element of Fn::Split")
	if err != nil {
		return nil, err
	}
	if delimiter == "" {
		return nil, failure(argument, "The delimiter of Fn::Split must not be empty.")
	}
	out := []any{}
	for part := range strings.SplitSeq(text, delimiter) {
		out = append(out, part)
	}
	return out, s.spend(argument, len(text)+len(out))
}

func (s *scope) choose(argument *node) (any, error) {
	at, err := s.text(argument.items[0], "The index of Fn::Select")
	if err != nil {
		return nil, err
	}
	list, err := s.list(argument.items[1], "The second element of Fn::Select")
	if err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(at)
	if err != nil || i < 0 || i >= len(list) {
		return nil, failure(argument, "Fn::Select cannot select nonexistent value at index %s of %d.", at, len(list))
	}
	return list[i], nil
}

func (s *scope) find(n, argument *node) (any, error) {
	var keys [3]string
	for i := range keys {
		var err error
		if keys[i], err = s.text(argument.items[i], "The keys of Fn::FindInMap"); err != nil {
			return nil, err
		}
	}
	m := s.template.mappings[keys[0]]
	if m == nil {
		return nil, failure(n, "Mapping named '%s' is not present in the 'Mappings' section of the template.", keys[0])
	}
	top := m.get(keys[1])
	if top == nil || top.get(keys[2]) == nil {
		return nil, failure(n, "Unable to get mapping for %s::%s::%s.", keys[0], keys[1], keys[2])
	}
	return s.value(top.get(keys[2]))
}

// condition evaluates a named condition, once.
func (s *scope) condition(name string) (bool, error) {
	if v, ok := s.conditions[name]; ok {
		return v, nil
	}
	v, err := s.truth(s.template.conditions[name])
	if err == nil {
		s.conditions[name] = v
	}
	return v, err
}

func (s *scope) truth(n *node) (bool, error) {
	if n.keys[0] == "Condition" {
		name, _ := n.items[0].text()
		return s.condition(name)
	}
	argument := n.items[0]
	switch n.keys[0] {
	case "Fn::Equals":
		return s.equals(argument)
	case "Fn::Not":
		v, err := s.truth(argument.items[0])
		return !v, err
	case "Fn::And", "Fn::Or":
		any := n.keys[0] == "Fn::Or"
		for _, item := range argument.items {
			if v, err := s.truth(item); err != nil || v == any {
				return v, err
			}
		}
		return !any, nil
	default:
		return false, fmt.Errorf("%s is no condition", n.keys[0])
	}
}

// equals compares texts as they are written, and lists element by element.
func (s *scope) equals(argument *node) (bool, error) {
	a, err := s.value(argument.items[0])
	if err != nil {
		return false, err
	}
	b, err := s.value(argument.items[1])
	if err != nil {
		return false, err
	}
	x, aText := Text(a)
	y, bText := Text(b)
	if aText && bText {
		return x == y, nil
	}
	return reflect.DeepEqual(a, b), nil
}
