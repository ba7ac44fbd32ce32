package sql

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"strings"
)

// A node is an expression. What it says of a message may be undefined.
type node interface{ eval(e *env) any }

type literal struct{ value any }

func (l literal) eval(*env) any { return l.value }

// A path is a member or an element of what it is of. Of nothing it is the message.
type path struct {
	of    node
	key   string
	index node // instead of the key
}

// last names the column of a path.
func (p path) last(otherwise string) string {
	if p.index != nil || p.of == nil {
		return otherwise
	}
	return p.key
}

func (p path) eval(e *env) any {
	if p.of == nil {
		return e.payload
	}
	of := p.of.eval(e)
	if p.index == nil {
		return member(of, p.key)
	}
	return get(of, p.index.eval(e))
}

func member(of any, key string) any {
	if m, ok := of.(map[string]any); ok {
		if v, ok := m[key]; ok {
			return v
		}
	}
	return undefined{}
}

// get returns an element by its index from 0, or a member by its key.
func get(of, at any) any {
	switch of := of.(type) {
	case []any:
		if i, ok := asInt(at); ok && i >= 0 && i < int64(len(of)) {
			return of[i]
		}
	case map[string]any:
		if key, ok := at.(string); ok {
			return member(of, key)
		}
	case string:
		if i, ok := asInt(at); ok && i >= 0 && i < int64(len([]rune(of))) {
			return string([]rune(of)[i])
		}
	}
	return undefined{}
}

type array struct{ elements []node }

func (a array) eval(e *env) any {
	out := make([]any, len(a.elements))
	for i, n := range a.elements {
		out[i] = n.eval(e)
	}
	return out
}

type object struct{ members []item }

func (o object) eval(e *env) any {
	out := map[string]any{}
	for _, m := range o.members {
		out[m.as] = m.value.eval(e)
	}
	return out
}

type not struct{ value node }

func (n not) eval(e *env) any {
	if b, ok := asBool(n.value.eval(e)); ok {
		return !b
	}
	return undefined{}
}

type choice struct {
	value        node
	whens, thens []node
	otherwise    node
}

func (c choice) eval(e *env) any {
	value := c.value.eval(e)
	for i, w := range c.whens {
		if compare("=", value, w.eval(e)) == true {
			return c.thens[i].eval(e)
		}
	}
	return c.otherwise.eval(e)
}

type call struct {
	function  function
	arguments []node
}

func (c call) eval(e *env) any {
	in := make([]any, len(c.arguments))
	for i, a := range c.arguments {
		in[i] = a.eval(e)
		if _, none := in[i].(undefined); none && !c.function.ofUndefined {
			return undefined{}
		}
	}
	return c.function.do(e, in)
}

type cast struct {
	value node
	to    func(any) any
}

func (c cast) eval(e *env) any { return c.to(c.value.eval(e)) }

// casts are the types of cast, by their names in small letters.
var casts = map[string]func(any) any{
	"string": func(v any) any {
		if s, ok := asText(v); ok {
			return s
		}
		return undefined{}
	},
	"int":     castInt,
	"integer": castInt,
	"decimal": castDecimal,
	"boolean": castBoolean,
	"bool":    castBoolean,
}

func castDecimal(v any) any {
	if b, ok := v.(bool); ok {
		if b {
			return intNumber(1)
		}
		return intNumber(0)
	}
	if n, ok := v.(json.Number); ok {
		return n
	}
	if f, ok := asFloat(v); ok {
		return floatNumber(f)
	}
	return undefined{}
}

func castInt(v any) any {
	if f, ok := asFloat(castDecimal(v)); ok {
		return floatNumber(math.Trunc(f))
	}
	return undefined{}
}

// castBoolean: numbers are true but for 0, and texts are what they say.
func castBoolean(v any) any {
	if b, ok := asBool(v); ok {
		return b
	}
	if n, ok := v.(json.Number); ok {
		f, _ := n.Float64()
		return f != 0
	}
	return undefined{}
}

type operation struct {
	operator    string
	left, right node
}

func (o operation) eval(e *env) any {
	left, right := o.left.eval(e), o.right.eval(e)
	switch o.operator {
	case "AND", "OR":
		return logic(o.operator, left, right)
	case "IN":
		list, ok := right.([]any)
		if !ok {
			return undefined{}
		}
		for _, v := range list {
			if compare("=", left, v) == true {
				return true
			}
		}
		return false
	case "+", "-", "*", "/", "%":
		return arithmetic(o.operator, left, right)
	}
	return compare(o.operator, left, right)
}

// logic is undefined where a side that decides is neither true nor false.
func logic(operator string, left, right any) any {
	l, lok := asBool(left)
	r, rok := asBool(right)
	decides := operator == "OR"
	switch {
	case lok && l == decides, rok && r == decides:
		return decides
	case lok && rok:
		return !decides
	}
	return undefined{}
}

func arithmetic(operator string, left, right any) any {
	_, ltext := left.(string)
	_, rtext := right.(string)
	if operator == "+" && (ltext || rtext) { // one that is a text makes it a concatenation
		l, lok := asText(left)
		r, rok := asText(right)
		if !lok || !rok {
			return undefined{}
		}
		return l + r
	}
	if l, ok := asInt(left); ok {
		if r, ok := asInt(right); ok {
			if v, ok := integers(operator, l, r); ok {
				return intNumber(v)
			}
		}
	}
	l, lok := asFloat(left)
	r, rok := asFloat(right)
	if !lok || !rok {
		return undefined{}
	}
	switch operator {
	case "+":
		return floatNumber(l + r)
	case "-":
		return floatNumber(l - r)
	case "*":
		return floatNumber(l * r)
	case "/":
		return floatNumber(l / r)
	}
	return floatNumber(math.Mod(l, r))
}

// integers is false where the result has to be computed as a decimal.
func integers(operator string, l, r int64) (int64, bool) {
	const most = 1 << 31 // whose products fit
	if l <= -most || l >= most || r <= -most || r >= most {
		return 0, false
	}
	switch operator {
	case "+":
		return l + r, true
	case "-":
		return l - r, true
	case "*":
		return l * r, true
	case "%":
		if r != 0 {
			return l % r, true
		}
	case "/":
		if r != 0 && l%r == 0 {
			return l / r, true
		}
	}
	return 0, false
}

// compare is undefined for values that cannot be compared. A text that is a number is
// one beside a number.
func compare(operator string, left, right any) any {
	_, lnone := left.(undefined)
	_, rnone := right.(undefined)
	if lnone || rnone {
		return undefined{}
	}
	c, ok := 0, true
	lt, ltext := left.(string)
	rt, rtext := right.(string)
	_, lnumber := left.(json.Number)
	_, rnumber := right.(json.Number)
	switch {
	case ltext && rtext:
		c = strings.Compare(lt, rt)
	case (lnumber || ltext) && (rnumber || rtext):
		l, lok := asFloat(left)
		r, rok := asFloat(right)
		if !lok || !rok {
			return undefined{}
		}
		c = sign(l, r)
	default:
		ok = false
	}
	if !ok {
		same := reflect.DeepEqual(left, right)
		switch operator {
		case "=":
			return same
		case "<>", "!=":
			return !same
		}
		return undefined{}
	}
	switch operator {
	case "=":
		return c == 0
	case "<>", "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func sign(l, r float64) int {
	switch {
	case l < r:
		return -1
	case l > r:
		return 1
	}
	return 0
}

// merge returns the members of the message with those that were selected beside *.
func merge(payload any, selected map[string]any) map[string]any {
	out := map[string]any{}
	if m, ok := payload.(map[string]any); ok {
		maps.Copy(out, m)
	}
	maps.Copy(out, selected)
	return out
}
