package guard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/guard/document"
	"plumb/internal/guard/pattern"
	"plumb/internal/guard/syntax"
)

// function calls a built-in function. Most work on each value of their first
// argument and leave out those that they do not apply to.
func (e *evaluation) function(f *syntax.Function, s *scope) ([]Finding, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	args := make([][]Finding, len(f.Arguments))
	for i, a := range f.Arguments {
		found, err := e.operand(a, s, nil)
		if err != nil {
			return nil, err
		}
		args[i] = found
	}
	results, err := e.apply(f.Name, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return results, nil
}

// apply calls a function on what its arguments found.
func (e *evaluation) apply(name string, args [][]Finding) ([]Finding, error) {
	switch name {
	case "now":
		return []Finding{{Value: document.NewInt(e.now().Unix())}}, nil
	case "count":
		return []Finding{count(args[0])}, nil
	case "join":
		return join(args[0], args[1])
	}
	convert, err := converter(name, args)
	if err != nil {
		return nil, err
	}
	var results []Finding
	for _, f := range args[0] {
		if err := e.step(); err != nil {
			return nil, err
		}
		if f.Missing != nil {
			continue
		}
		v, err := convert(f.Value)
		if err != nil {
			return nil, err
		}
		if v != nil {
			results = append(results, Finding{Value: f.Value.As(v)})
		}
	}
	return results, nil
}

// A conversion makes a value of another. Nil means that it does not apply.
type conversion func(v *document.Value) (*document.Value, error)

// converter is the conversion that a function makes of each value.
func converter(name string, args [][]Finding) (conversion, error) {
	switch name {
	case "to_upper":
		return onText(func(s string) (string, bool) { return strings.ToUpper(s), true }), nil
	case "to_lower":
		return onText(func(s string) (string, bool) { return strings.ToLower(s), true }), nil
	case "url_decode":
		return onText(urlDecode), nil
	case "substring":
		return substring(args)
	case "regex_replace":
		return regexReplace(args)
	case "json_parse":
		return jsonParse, nil
	case "parse_int":
		return parseInt, nil
	case "parse_float":
		return parseFloat, nil
	case "parse_boolean":
		return parseBoolean, nil
	case "parse_string":
		return parseString, nil
	case "parse_char":
		return parseChar, nil
	case "parse_epoch":
		return parseEpoch, nil
	}
	return nil, fmt.Errorf("there is no such function")
}

// onText is a conversion of strings.
func onText(convert func(s string) (string, bool)) conversion {
	return func(v *document.Value) (*document.Value, error) {
		if v.Kind() != document.String {
			return nil, nil
		}
		s, ok := convert(v.Text())
		if !ok {
			return nil, nil
		}
		return document.NewString(s), nil
	}
}

// count counts the values that were found. It stands where the first one stands.
func count(args []Finding) Finding {
	n := 0
	for _, f := range args {
		if f.Missing == nil {
			n++
		}
	}
	v := document.NewInt(int64(n))
	if len(args) > 0 {
		v = args[0].Value.As(v)
	}
	return Finding{Value: v}
}

// join is strict where other functions leave values out: a list with a gap would read
// like another list.
func join(args, delimiter []Finding) ([]Finding, error) {
	d, err := one(delimiter, "second", "a string or character")
	if err != nil {
		return nil, err
	}
	if d.Kind() != document.String && d.Kind() != document.Char {
		return nil, fmt.Errorf("the second argument must be a string or character, found %s", d.Kind())
	}
	parts := make([]string, len(args))
	for i, f := range args {
		if f.Missing != nil {
			return nil, fmt.Errorf("a value to join is missing: %s", f.Reason())
		}
		if f.Value.Kind() != document.String {
			return nil, fmt.Errorf("a value to join is no string: %s", f.Value)
		}
		parts[i] = f.Value.Text()
	}
	v := document.NewString(strings.Join(parts, d.Plain()))
	if len(args) > 0 {
		v = args[0].Value.As(v)
	}
	return []Finding{{Value: v}}, nil
}

// one is the first value of an argument.
func one(arg []Finding, which, what string) (*document.Value, error) {
	if len(arg) == 0 || arg[0].Missing != nil {
		return nil, fmt.Errorf("the %s argument must be %s, found nothing", which, what)
	}
	return arg[0].Value, nil
}

// substring takes the bytes from one position up to another.
func substring(args [][]Finding) (conversion, error) {
	from, err := position(args[1], "second")
	if err != nil {
		return nil, err
	}
	to, err := position(args[2], "third")
	if err != nil {
		return nil, err
	}
	return onText(func(s string) (string, bool) {
		if from >= to || to > len(s) || !utf8.ValidString(s[from:to]) {
			return "", false
		}
		return s[from:to], true
	}), nil
}

// position is a number in the range of 16 bits, as the original has it.
func position(arg []Finding, which string) (int, error) {
	v, err := one(arg, which, "a number")
	if err != nil {
		return 0, err
	}
	switch v.Kind() {
	case document.Int:
		return int(uint16(v.Int())), nil
	case document.Float:
		return int(min(max(v.Float(), 0), math.MaxUint16)), nil
	}
	return 0, fmt.Errorf("the %s argument must be a number, found %s", which, v.Kind())
}

// regexReplace compiles the expression once for all values.
func regexReplace(args [][]Finding) (conversion, error) {
	var texts [2]string
	for i, which := range []string{"second", "third"} {
		v, err := one(args[i+1], which, "a string")
		if err != nil {
			return nil, err
		}
		if v.Kind() != document.String {
			return nil, fmt.Errorf("the %s argument must be a string, found %s", which, v.Kind())
		}
		texts[i] = v.Text()
	}
	re, err := pattern.Compile(texts[0])
	if err != nil {
		return nil, err
	}
	return func(v *document.Value) (*document.Value, error) {
		if v.Kind() != document.String {
			return nil, nil
		}
		s, err := re.Extract(v.Text(), texts[1])
		return document.NewString(s), err
	}, nil
}

// urlDecode decodes percent signs; what is no valid encoding stays as it is.
func urlDecode(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), utf8.ValidString(b.String())
}

// jsonParse reads YAML as well, of which JSON is a part.
func jsonParse(v *document.Value) (*document.Value, error) {
	if v.Kind() != document.String {
		return nil, nil
	}
	parsed, err := document.Parse([]byte(v.Text()), document.Core)
	if err != nil {
		return nil, fmt.Errorf("the text at %s: %w", v.Place(), err)
	}
	return parsed, nil
}

// parseEpoch reads RFC 3339, with a space or small letters for T and Z.
func parseEpoch(v *document.Value) (*document.Value, error) {
	if v.Kind() != document.String {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(strings.Replace(v.Text(), " ", "T", 1)))
	if err != nil {
		return nil, fmt.Errorf("%q at %s is no time in the form 2006-01-02T15:04:05Z", v.Text(), v.Place())
	}
	return document.NewInt(t.Unix()), nil
}
