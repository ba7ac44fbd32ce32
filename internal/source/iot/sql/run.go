package sql

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// A Message is what rules are asked of.
type Message struct {
	Account   string
	Topic     string // as topic() knows it
	Payload   []byte
	Client    string // the id of the MQTT client; empty for one that came by HTTP
	Principal string
	Trace     string
	Time      time.Time
}

// An env is a message that is being asked, with its payload decoded.
type env struct {
	Message
	payload any // undefined if it is no JSON
}

func newEnv(m Message) *env {
	d := json.NewDecoder(bytes.NewReader(m.Payload))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		v = undefined{}
	} else if _, err := d.Token(); err != io.EOF {
		v = undefined{} // something follows
	}
	return &env{m, v}
}

// isPayload reports whether a value is the message itself, and not an equal one.
func (e *env) isPayload(v any) bool {
	switch e.payload.(type) {
	case map[string]any, []any:
		a, b := reflect.ValueOf(e.payload), reflect.ValueOf(v)
		return a.Kind() == b.Kind() && a.Pointer() == b.Pointer()
	}
	return false
}

// Run returns what the statement selects of a message, and whether the message is one
// of those that it asks for. A message that is all that is selected leaves as it came.
func (q *Query) Run(m Message) (body []byte, ok bool) {
	e := newEnv(m)
	if q.where != nil {
		if b, is := q.where.eval(e).(bool); !is || !b {
			return nil, false
		}
	}
	if q.all && len(q.items) == 0 {
		return m.Payload, true
	}
	selected := map[string]any{}
	for _, i := range q.items {
		v := i.value.eval(e)
		if _, none := v.(undefined); !none {
			selected[i.as] = v
		}
	}
	if q.all {
		selected = merge(e.payload, selected)
	}
	return []byte(encode(selected)), true
}

// A Template is a text with expressions in ${ }.
type Template struct {
	texts []string // around the expressions
	nodes []node
}

// ParseTemplate reads a text with expressions.
func ParseTemplate(source string) (*Template, error) {
	t := &Template{}
	for {
		before, rest, found := strings.Cut(source, "${")
		t.texts = append(t.texts, before)
		if !found {
			return t, nil
		}
		inside, after, found := strings.Cut(rest, "}")
		if !found {
			return nil, fmt.Errorf("the expression ${%s does not end", rest)
		}
		p, err := newParser(inside)
		if err != nil {
			return nil, err
		}
		n, err := p.expression()
		if err == nil {
			err = p.ended()
		}
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", inside, err)
		}
		t.nodes, source = append(t.nodes, n), after
	}
}

// Fill returns the text for a message. It fails where an expression is undefined.
func (t *Template) Fill(m Message) (string, error) {
	var b strings.Builder
	b.WriteString(t.texts[0])
	e := newEnv(m)
	for i, n := range t.nodes {
		s, ok := asText(n.eval(e))
		if !ok {
			return "", fmt.Errorf("an expression of the text %q is undefined for the message", strings.Join(t.texts, "${...}"))
		}
		b.WriteString(s)
		b.WriteString(t.texts[i+1])
	}
	return b.String(), nil
}
