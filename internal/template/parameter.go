package template

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumb/internal/guard/pattern"
)

// A Kind is what the values of a parameter are.
type Kind uint8

// The kinds of parameters. Values of all but lists are texts to those who refer
// to them.
const (
	String Kind = iota + 1
	Number
	Boolean
	Map // a JSON object of texts
	List
	NumberList
)

// A Parameter is a value that a template asks for.
type Parameter struct {
	Name, Type, Description string
	Default                 *string // nil: it has to be given
	NoEcho                  bool

	kind                 Kind
	allowed              []string
	pattern              *pattern.Pattern
	minLength, maxLength *int
	minValue, maxValue   *big.Rat
	constraint           string // ConstraintDescription
	at                   *node
}

// parameterKeys are what a declaration may have.
func parameterKeys() []string {
	return []string{
		"Type", "Default", "Description", "NoEcho", "AllowedValues", "AllowedPattern", "ConstraintDescription",
		"MinLength", "MaxLength", "MinValue", "MaxValue",
	}
}

// declare reads the declaration of a parameter.
func (t *Template) declare(name string, n *node, p *problems) {
	if n.kind != mapping {
		p.add(n, "A parameter is a mapping with a Type, found %s.", n.describe())
		return
	}
	for i, k := range n.keys {
		if !slices.Contains(parameterKeys(), k) {
			p.add(n.items[i], "Invalid template parameter property '%s'.", k)
		}
	}
	r := reader{p}
	out := Parameter{Name: name, at: n}
	out.Type, _ = r.text(n, "Type")
	out.Description, _ = r.text(n, "Description")
	out.constraint, _ = r.text(n, "ConstraintDescription")
	noEcho, _ := r.text(n, "NoEcho")
	out.NoEcho = strings.EqualFold(noEcho, "true")
	out.kind = t.kindOf(out.Type)
	switch {
	case n.get("Type") == nil:
		p.add(n, "Every parameter must have a Type: it is required.")
	case out.kind == 0:
		p.add(n.get("Type"), "%s is not a type that parameters can have here.", out.Type)
	}
	out.constraints(n, r)
	if d := n.get("Default"); d != nil {
		if s, ok := defaultText(d); ok {
			out.Default = &s
		} else {
			p.add(d, "Every Default member must be a string, found %s.", d.describe())
		}
	}
	t.parameters = append(t.parameters, out)
	if out.Default != nil && len(p.list) == 0 {
		if _, err := out.value(*out.Default); err != nil {
			p.add(n.get("Default"), "The default is not valid: %s", err)
		}
	}
}

// defaultText takes null for an empty text: that is how an empty YAML value reads.
func defaultText(n *node) (string, bool) {
	if n.kind == scalar && n.value == nil {
		return "", true
	}
	return n.text()
}

// kindOf returns the kind of a type's name; 0 if there is none.
func (t *Template) kindOf(name string) Kind {
	inner, isList := strings.CutPrefix(name, "List<")
	switch {
	case name == "String":
		return String
	case name == "Number":
		return Number
	case name == "CommaDelimitedList":
		return List
	case name == "List<Number>":
		return NumberList
	case strings.HasPrefix(name, "AWS::SSM::"):
		return 0 // the value would have to be looked up
	case strings.HasPrefix(name, "AWS::"):
		return String
	case isList && strings.HasPrefix(inner, "AWS::") && strings.HasSuffix(inner, ">"):
		return List
	default:
		return t.options.ParameterTypes[name]
	}
}

// constraints reads what values are allowed.
func (d *Parameter) constraints(n *node, r reader) {
	if list := n.get("AllowedValues"); list != nil {
		for _, item := range list.items {
			s, ok := defaultText(item)
			if !ok {
				r.add(item, "The AllowedValues must be strings, found %s.", item.describe())
			}
			d.allowed = append(d.allowed, s)
		}
		if list.kind != sequence || len(list.items) == 0 {
			r.add(list, "The AllowedValues must be a list that is not empty.")
		}
	}
	if s, ok := r.text(n, "AllowedPattern"); ok {
		var err error
		if d.pattern, err = pattern.Compile(`\A(?:` + s + `)\z`); err != nil {
			r.add(n.get("AllowedPattern"), "The AllowedPattern is not a regular expression that is understood: %s.", err)
		}
	}
	d.minLength, d.maxLength = r.count(n, "MinLength"), r.count(n, "MaxLength")
	d.minValue, d.maxValue = r.rational(n, "MinValue"), r.rational(n, "MaxValue")
}

// value checks a text that was given and returns what a reference to the
// parameter is: a text or a list. The error says what is wrong and not whose
// parameter it is.
func (d *Parameter) value(given string) (any, error) {
	if d.kind == List || d.kind == NumberList {
		list := []any{}
		for part := range strings.SplitSeq(given, ",") {
			part = strings.TrimSpace(part)
			if err := d.check(part); err != nil {
				return nil, err
			}
			list = append(list, part)
		}
		if given == "" {
			list = []any{}
		}
		return list, nil
	}
	return given, d.check(given)
}

func (d *Parameter) check(s string) error {
	if err := d.checkKind(s); err != nil {
		return err
	}
	if err := d.checkConstraints(s); err != nil {
		if d.constraint != "" {
			return fmt.Errorf("failed to satisfy constraint: %s", d.constraint)
		}
		return err
	}
	return nil
}

func (d *Parameter) checkKind(s string) error {
	switch d.kind {
	case Number, NumberList:
		if _, ok := rational(s); !ok {
			return fmt.Errorf("must be a number, found %q", s)
		}
	case Boolean:
		if !strings.EqualFold(s, "true") && !strings.EqualFold(s, "false") {
			return fmt.Errorf("must be true or false, found %q", s)
		}
	case Map:
		var m map[string]string
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			return fmt.Errorf("must be a JSON object of strings, found %q", s)
		}
	}
	return nil
}

func (d *Parameter) checkConstraints(s string) error {
	if len(d.allowed) > 0 && !slices.Contains(d.allowed, s) {
		return fmt.Errorf("must be one of AllowedValues [%s], found %q", strings.Join(d.allowed, ", "), s)
	}
	if d.pattern != nil {
		if ok, err := d.pattern.Match(s); err != nil || !ok {
			return fmt.Errorf("must match pattern %s, found %q", strings.TrimSuffix(strings.TrimPrefix(d.pattern.String(), `\A(?:`), `)\z`), s)
		}
	}
	length := utf8.RuneCountInString(s)
	switch {
	case d.minLength != nil && length < *d.minLength:
		return fmt.Errorf("must contain at least %d characters", *d.minLength)
	case d.maxLength != nil && length > *d.maxLength:
		return fmt.Errorf("must contain at most %d characters", *d.maxLength)
	}
	if d.minValue == nil && d.maxValue == nil {
		return nil
	}
	v, ok := rational(s)
	switch {
	case !ok:
		return fmt.Errorf("must be a number, found %q", s)
	case d.minValue != nil && v.Cmp(d.minValue) < 0:
		return fmt.Errorf("must be a number not less than %s", d.minValue.RatString())
	case d.maxValue != nil && v.Cmp(d.maxValue) > 0:
		return fmt.Errorf("must be a number not greater than %s", d.maxValue.RatString())
	}
	return nil
}

// maxDigits is how long a number may be written. An exponent could name more
// digits than there is memory.
const maxDigits = 40

// rational reads a decimal number exactly.
func rational(s string) (*big.Rat, bool) {
	if len(s) > maxDigits || s == "" || strings.Trim(s, "+-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// A reader reads members of a declaration.
type reader struct{ *problems }

// text returns a member that is a text, and whether it is there.
func (r reader) text(n *node, key string) (string, bool) {
	m := n.get(key)
	if m == nil {
		return "", false
	}
	s, ok := m.text()
	if !ok {
		r.add(m, "The %s must be a string, found %s.", key, m.describe())
	}
	return s, ok
}

func (r reader) count(n *node, key string) *int {
	s, ok := r.text(n, key)
	if !ok {
		return nil
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 {
		r.add(n.get(key), "The %s must be a whole number, found %q.", key, s)
		return nil
	}
	return &i
}

func (r reader) rational(n *node, key string) *big.Rat {
	s, ok := r.text(n, key)
	if !ok {
		return nil
	}
	v, ok := rational(s)
	if !ok {
		r.add(n.get(key), "The %s must be a number, found %q.", key, s)
	}
	return v
}

// Allowed returns the values that a parameter may have; none are named where all
// may be.
func (d *Parameter) Allowed() []string { return slices.Clone(d.allowed) }
