package document

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// scalar reads a word: by its tag if it has one, as a string if it is quoted, else
// by what it looks like.
func (r *reader) scalar(n *yaml.Node) (*Value, error) {
	tagged := n.Style&yaml.TaggedStyle != 0
	switch {
	case tagged && strings.HasPrefix(n.Tag, "!!"):
		return byTag(n)
	case tagged && r.flavour == Template:
		return NewString(n.Value), nil
	case n.Style&quoted != 0:
		return NewString(n.Value), nil
	case r.flavour == Template:
		return templateWord(n.Value), nil
	default:
		return coreWord(n.Value), nil
	}
}

// byTag reads a word whose kind is written before it: !!int 5.
func byTag(n *yaml.Node) (*Value, error) {
	switch n.Tag {
	case "!!bool":
		if n.Value == "true" || n.Value == "false" {
			return NewBool(n.Value == "true"), nil
		}
	case "!!null":
		return NewNull(), nil
	case "!!int":
		i, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d, column %d: %q is not an integer", n.Line, n.Column, n.Value)
		}
		return NewInt(i), nil
	case "!!float":
		f, ok := decimal(n.Value)
		if !ok {
			return nil, fmt.Errorf("line %d, column %d: %q is not a float", n.Line, n.Column, n.Value)
		}
		return NewFloat(f), nil
	}
	return NewString(n.Value), nil
}

// templateWord reads a plain word of a template. YAML 1.1 has more booleans than 1.2, and
// CloudFormation's templates use them.
func templateWord(s string) *Value {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return NewInt(i)
	}
	if f, ok := decimal(s); ok {
		return NewFloat(f)
	}
	switch s {
	case "true", "yes", "on", "y":
		return NewBool(true)
	case "false", "no", "off", "n":
		return NewBool(false)
	}
	if s == "~" || strings.EqualFold(s, "null") {
		return NewNull()
	}
	return NewString(s)
}

// coreWord reads a plain word of YAML 1.2.
func coreWord(s string) *Value {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return NewNull()
	case "true", "True", "TRUE":
		return NewBool(true)
	case "false", "False", "FALSE":
		return NewBool(false)
	case ".nan", ".NaN", ".NAN":
		return NewFloat(math.NaN())
	}
	if i, ok := coreInt(s); ok {
		return NewInt(i)
	}
	if inf, ok := strings.CutPrefix(strings.TrimLeft(s, "+-"), "."); ok && strings.EqualFold(inf, "inf") {
		return NewFloat(math.Inf(map[bool]int{true: -1, false: 1}[s[0] == '-']))
	}
	if f, ok := decimal(s); ok && !math.IsInf(f, 0) && !math.IsNaN(f) && !leadingZero(s) {
		return NewFloat(f)
	}
	return NewString(s)
}

// coreInt reads decimal integers without leading zeros, and the prefixed ones.
func coreInt(s string) (int64, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || strings.Contains(s, "_") || leadingZero(s) {
		return 0, false
	}
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return i, true
	}
	u, err := strconv.ParseUint(digits, 0, 64)
	return int64(u), err == nil && digits == s
}

// leadingZero tells words such as 0123, which are account ids and not numbers.
func leadingZero(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return len(s) > 1 && s[0] == '0' && strings.Trim(s, "0123456789") == ""
}

// decimal reads a float as the original does: no hexadecimal, no underscores, and
// what is out of range is infinite.
func decimal(s string) (float64, bool) {
	if s == "" || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}
