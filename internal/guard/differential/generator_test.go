package differential

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A generator makes rules and documents that have enough in common to meet.
type generator struct{ r *rand.Rand }

func (g *generator) pick(words ...string) string { return words[g.r.IntN(len(words))] }

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func (g *generator) file() string {
	var b strings.Builder
	for _, name := range []string{"x", "y", "z"} {
		b.WriteString(g.letAs(name, 1) + "\n")
	}
	if g.chance(30) {
		fmt.Fprintf(&b, "rule call(p, q) {\n%s\n%s %s\n}\n", g.lines(2), g.pick("%p", "%q", "%p.a", "%q[*]"), g.tail(2))
	}
	for _, name := range []string{"first", "second", "third"}[:1+g.r.IntN(3)] {
		b.WriteString("rule " + name)
		if g.chance(40) {
			b.WriteString(" when " + g.condition(2))
		}
		b.WriteString(" {\n")
		if g.chance(40) {
			b.WriteString(g.let(2) + "\n")
		}
		if g.chance(15) {
			b.WriteString(g.pick("first", "second", "not first", "third <<m>>") + "\n")
		}
		if g.chance(15) {
			fmt.Fprintf(&b, "call(%s, %s)\n", g.argument(), g.argument())
		}
		if g.chance(20) {
			b.WriteString(g.typeBlock() + "\n")
		}
		b.WriteString(g.lines(2) + "\n}\n")
	}
	if g.chance(10) {
		b.WriteString(g.clause(2) + "\n")
	}
	return b.String()
}

func (g *generator) argument() string {
	if g.chance(40) {
		return g.literal(1)
	}
	return g.query(1)
}

func (g *generator) let(depth int) string { return g.letAs(g.pick("x", "y", "z"), depth) }

func (g *generator) letAs(name string, depth int) string {
	value := g.query(depth)
	switch g.r.IntN(6) {
	case 0:
		value = g.literal(2)
	case 1:
		value = g.function()
	case 2:
		value = "some " + value
	}
	return "let " + name + " = " + value
}

func (g *generator) function() string {
	switch g.r.IntN(8) {
	case 0:
		return "count(" + g.query(1) + ")"
	case 1:
		return "join(" + g.query(1) + ", ',')"
	case 2:
		return fmt.Sprintf("substring(%s, %d, %d)", g.query(1), g.r.IntN(3), g.r.IntN(5))
	case 3:
		return "regex_replace(" + g.query(1) + `, "^(.)(.*)", "${2}-$1")`
	case 4:
		return "json_parse(" + g.query(1) + ")"
	default:
		return g.pick("to_lower", "to_upper", "parse_int", "parse_string", "parse_float", "parse_boolean", "parse_char",
			"url_decode") + "(" + g.query(1) + ")"
	}
}

func (g *generator) lines(depth int) string {
	var lines []string
	for range 1 + g.r.IntN(2) {
		line := g.clause(depth)
		for g.chance(20) {
			line += " or " + g.clause(depth)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (g *generator) condition(depth int) string {
	c := g.query(depth) + " " + g.tail(depth)
	if g.chance(20) {
		c += " or\n " + g.query(depth) + " " + g.tail(depth)
	}
	return c
}

func (g *generator) clause(depth int) string {
	if depth > 0 {
		switch g.r.IntN(10) {
		case 0:
			return "when " + g.condition(depth-1) + " {\n" + g.lines(depth-1) + "\n}"
		case 1, 2:
			empty := g.pick("", "", " !empty")
			return g.some() + g.query(depth-1) + empty + " {\n" + g.blockLet() + g.lines(depth-1) + "\n}"
		}
	}
	not := ""
	if g.chance(10) {
		not = g.pick("not ", "!")
	}
	return not + g.some() + g.query(depth) + " " + g.tail(depth)
}

func (g *generator) typeBlock() string {
	condition := g.pick(" ", " ", " when "+g.condition(1)+" ")
	return g.pick("T::A::B", "T::C") + condition + "{\n" + g.lines(1) + "\n}"
}

func (g *generator) blockLet() string {
	if g.chance(30) {
		return g.let(1) + "\n"
	}
	return ""
}

func (g *generator) some() string {
	if g.chance(20) {
		return "some "
	}
	return ""
}

func (g *generator) tail(depth int) string {
	message := ""
	if g.chance(10) {
		message = " <<because>>"
	}
	if g.chance(40) {
		return g.pick("exists", "!exists", "empty", "not empty", "!empty", "is_string", "is_list", "!is_struct", "is_int",
			"is_bool", "is_null", "is_float", "not is_string") + message
	}
	op := g.pick("==", "==", "!=", "in", "not in", "<", "<=", ">", ">=", "!in")
	right := g.literal(2)
	switch {
	case op == "!=":
		// The build in the original's repository is older than its source, and compares
		// two queries for inequality differently.
	case g.chance(30):
		right = g.query(depth - 1)
	case g.chance(5):
		right = g.function()
	}
	return op + " " + right + message
}

func (g *generator) name() string {
	return g.pick("a", "a", "b", "b", "c", "Resources", "dE", "d_e", "List")
}

func (g *generator) query(depth int) string {
	q := g.name()
	switch g.r.IntN(12) {
	case 0:
		q = "this"
	case 1, 2, 3:
		q = "%" + g.pick("x", "y", "z")
	}
	for range g.r.IntN(3) {
		q += g.step(depth)
	}
	return q
}

func (g *generator) step(depth int) string {
	switch g.r.IntN(14) {
	case 0, 1:
		return ".*"
	case 2, 3:
		return "[*]"
	case 4:
		return fmt.Sprintf("[%d]", g.r.IntN(4)-1)
	case 5:
		return fmt.Sprintf(".%d", g.r.IntN(3))
	case 6:
		return g.pick("[k]", "[ k ]", "['a']", ".'b'")
	case 7, 8:
		if depth > 0 {
			capture := ""
			if g.chance(20) {
				capture = "k | "
			}
			return "[ " + capture + g.lines(depth-1) + " ]"
		}
	case 9:
		return "[ keys " + g.pick("==", "!=", "in", "not in") + " " + g.keys(depth) + " ]"
	case 10:
		return ".%" + g.pick("x", "y", "z")
	}
	return "." + g.name()
}

func (g *generator) keys(depth int) string {
	if depth > 0 && g.chance(30) {
		return g.query(0)
	}
	return g.pick("/^a/", "'a'", "['a','b']", "/b|c/", "'abc'", "[/a/, 'c']")
}

func (g *generator) literal(depth int) string {
	switch g.r.IntN(13) {
	case 0, 1:
		return g.pick("0", "1", "2", "-1", "10")
	case 2:
		return g.pick("1.0", "2.5", "1.5e1")
	case 3, 4:
		return g.pick("'a'", `"b"`, "'abc'", "''", "'1'", "'true'", `'{"a":1}'`)
	case 5:
		return g.pick("true", "false", "null")
	case 6:
		return g.pick("/^a/", "/b$/", `/\d+/`, "/(?<!a)b/")
	case 7:
		return g.pick("r[0,2]", "r(0,2)", "r[0.5,1.5]", "r(a,c]")
	case 8:
		if depth > 0 {
			return "{ a: " + g.literal(depth-1) + ", 'b': " + g.literal(depth-1) + " }"
		}
	case 9, 10, 11:
		if depth > 0 {
			elements := make([]string, g.r.IntN(4))
			for i := range elements {
				elements[i] = g.literal(depth - 1)
			}
			return "[" + strings.Join(elements, ", ") + "]"
		}
	}
	return g.pick("'a'", "1", "'abc'")
}

func (g *generator) document() string {
	m := map[string]any{}
	for range 2 + g.r.IntN(5) {
		m[g.name()] = g.value(3)
	}
	if g.chance(50) {
		m["Resources"] = map[string]any{
			"one": map[string]any{"Type": "T::A::B", "a": g.value(2), "b": g.value(2)},
			"two": map[string]any{"Type": "T::C", "c": g.value(2)},
		}
	}
	text, _ := json.Marshal(m)
	return string(text)
}

func (g *generator) value(depth int) any {
	n := g.r.IntN(12)
	if depth == 0 {
		n %= 7
	}
	switch n {
	case 0:
		return g.r.IntN(4) - 1
	case 1:
		return []float64{1.5, 2.5, 0.25}[g.r.IntN(3)]
	case 2, 3:
		return g.pick("a", "b", "abc", "", "1", "true", "a%20b", "2.5", `{"a":[1,2]}`)
	case 4:
		return g.chance(50)
	case 5:
		return nil
	case 6:
		return []any{}
	case 7, 8, 9:
		m := map[string]any{}
		for range g.r.IntN(4) {
			m[g.name()] = g.value(depth - 1)
		}
		return m
	default:
		l := make([]any, g.r.IntN(4))
		for i := range l {
			l[i] = g.value(depth - 1)
		}
		return l
	}
}
