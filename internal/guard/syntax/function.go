package syntax

import "fmt"

// arity is the built-in functions and how many arguments each takes.
func arity(name string) (int, bool) {
	switch name {
	case "now":
		return 0, true
	case "count", "json_parse", "to_upper", "to_lower", "url_decode", "parse_string", "parse_boolean",
		"parse_float", "parse_int", "parse_epoch", "parse_char":
		return 1, true
	case "join":
		return 2, true
	case "substring", "regex_replace":
		return 3, true
	}
	return 0, false
}

// function reads a call of a built-in function.
func (p *parser) function() (*Function, bool) {
	start := p.pos
	f := &Function{At: p.here()}
	var ok bool
	if f.Name, f.Arguments, ok = p.invocation(); !ok {
		return nil, false
	}
	want, known := arity(f.Name)
	switch {
	case !known:
		p.reason, p.reasonAt = fmt.Sprintf("there is no function %q", f.Name), start
	case want != len(f.Arguments):
		p.reason = fmt.Sprintf("function %s takes %d arguments, found %d", f.Name, want, len(f.Arguments))
		p.reasonAt = start
	default:
		return f, true
	}
	return nil, false
}
