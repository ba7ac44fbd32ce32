package syntax

import (
	"strconv"
	"strings"
)

var opWords = [...]string{
	"EQUALS", "IN", "GREATER THAN", "LESS THAN", "LESS THAN EQUALS", "GREATER THAN EQUALS", "EXISTS", "EMPTY",
	"IS STRING", "IS LIST", "IS MAP", "IS BOOL", "IS INT", "IS FLOAT", "IS NULL",
}

var opNames = [...]string{
	"Eq", "In", "Gt", "Lt", "Le", "Ge", "Exists", "Empty",
	"IsString", "IsList", "IsMap", "IsBool", "IsInt", "IsFloat", "IsNull",
}

// String is the comparison in the words of Guard's messages.
func (o Op) String() string { return opWords[o] }

// Name is the comparison in structured output.
func (o Op) Name() string { return opNames[o] }

// String is the step as messages show it.
func (p Part) String() string {
	switch p.Kind {
	case This:
		return "_"
	case Key:
		return p.Name
	case Variable:
		return "%" + p.Name
	case Index:
		return strconv.Itoa(int(p.Index))
	case AllIndices:
		return "[*]"
	case AllValues:
		return "*"
	case Filter:
		return p.Name + " (filter-clauses)"
	default:
		return p.Name + " (map-key-filter-clauses)"
	}
}

// Path writes steps one after the other, as messages show them.
func Path(parts []Part) string {
	steps := make([]string, len(parts))
	for i, p := range parts {
		steps[i] = p.String()
	}
	return strings.ReplaceAll(strings.Join(steps, "."), ".[", "[")
}

// String is the query's path.
func (q *Query) String() string { return Path(q.Parts) }

// String is the call as messages show it.
func (f *Function) String() string {
	arguments := make([]string, len(f.Arguments))
	for i, a := range f.Arguments {
		arguments[i] = Show(a)
	}
	return f.Name + "(" + strings.Join(arguments, ", ") + ")"
}

// Show writes an operand as messages do.
func Show(o Operand) string {
	switch o := o.(type) {
	case *Literal:
		return o.Value.Literal()
	case *Query:
		return o.String()
	case *Function:
		return o.String()
	}
	return ""
}

// String is the check as messages show it.
func (c *Check) String() string {
	not, opNot := "", ""
	if c.Not {
		not = "not"
	}
	if c.OpNot {
		opNot = "not "
	}
	return not + " " + c.Query.String() + " " + opNot + c.Op.String() + "  " + Show(c.With)
}
