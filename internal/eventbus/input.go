package eventbus

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"
)

var placeholder = regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`)

// The placeholders that every template has.
const (
	ruleARN   = "aws.events.rule-arn"
	ruleName  = "aws.events.rule-name"
	ingestion = "aws.events.event.ingestion-time"
	eventOnly = "aws.events.event"
	eventJSON = "aws.events.event.json"
)

// checkInput refuses an input that can never be made.
func checkInput(t Target) error {
	if t.Input != "" && !json.Valid([]byte(t.Input)) {
		return invalid("JSON syntax error in input for target %s", t.ID)
	}
	if _, ok := parsePath(t.Path); t.Path != "" && !ok {
		return invalid("InputPath for target %s is invalid.", t.ID)
	}
	if t.Transformer == nil {
		return nil
	}
	known := map[string]bool{ruleARN: true, ruleName: true, ingestion: true, eventOnly: true, eventJSON: true}
	for name, text := range t.Transformer.Paths {
		if _, ok := parsePath(text); !ok {
			return invalid("InputPath for target %s is invalid.", t.ID)
		}
		known[name] = true
	}
	for _, m := range placeholder.FindAllStringSubmatch(t.Transformer.Template, -1) {
		if !known[m[1]] {
			return invalid("InputTemplate for target %s contains invalid placeholder %s.", t.ID, m[1])
		}
	}
	return nil
}

// errNotJSON says that a template made something that is not JSON of the event.
var errNotJSON = errors.New("the input template and the event do not make valid JSON")

// input returns what a target of a rule is given for an event.
func (t Target) input(r Rule, event []byte, ingested time.Time) (string, error) {
	switch {
	case t.Input != "":
		return t.Input, nil
	case t.Path != "":
		p, _ := parsePath(t.Path) // checked when it was put
		part := p.of(event)
		if part == nil {
			part = json.RawMessage("null")
		}
		return string(part), nil
	case t.Transformer != nil:
		return t.Transformer.fill(r, event, ingested)
	}
	return string(event), nil
}

// fill puts parts of the event into the template. In a quoted text of the template,
// strings stand without their quotes; so does all else if the whole template is such
// text, and a part that is not there is empty.
func (t Transformer) fill(r Rule, event []byte, ingested time.Time) (string, error) {
	values := t.values(r, event, ingested)
	isText := strings.HasPrefix(strings.TrimSpace(t.Template), `"`)
	var out strings.Builder
	quoted, from := false, 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(t.Template, -1) {
		between := t.Template[from:m[0]]
		out.WriteString(between)
		quoted = quotedAfter(between, quoted)
		v := values[t.Template[m[2]:m[3]]]
		out.WriteString(written(v, quoted, isText))
		from = m[1]
	}
	out.WriteString(t.Template[from:])
	if !isJSON(out.String()) {
		return "", errNotJSON
	}
	return out.String(), nil
}

func (t Transformer) values(r Rule, event []byte, ingested time.Time) map[string]json.RawMessage {
	quote := func(s string) json.RawMessage {
		b, _ := json.Marshal(s) // text cannot fail
		return b
	}
	values := map[string]json.RawMessage{
		ruleARN: quote(r.ARN()), ruleName: quote(r.Name), ingestion: quote(FormatTime(ingested)), eventOnly: withoutDetail(event), eventJSON: event,
	}
	for name, text := range t.Paths {
		if p, ok := parsePath(text); ok {
			values[name] = p.of(event)
		}
	}
	return values
}

// withoutDetail is what <aws.events.event> stands for: the members of the event but
// for its detail, and with a name of its own for its type.
func withoutDetail(event []byte) json.RawMessage {
	var e struct {
		ID         json.RawMessage `json:"id"`
		Account    json.RawMessage `json:"account"`
		DetailType json.RawMessage `json:"detail-type"`
		Time       json.RawMessage `json:"time"`
		Source     json.RawMessage `json:"source"`
		Region     json.RawMessage `json:"region"`
		Resources  json.RawMessage `json:"resources"`
		Version    json.RawMessage `json:"version"`
	}
	if json.Unmarshal(event, &e) != nil {
		return nil
	}
	out, _ := json.Marshal(struct { // what was read is JSON
		ID         json.RawMessage `json:"id"`
		Account    json.RawMessage `json:"account"`
		DetailType json.RawMessage `json:"detailType"`
		Time       json.RawMessage `json:"time"`
		Source     json.RawMessage `json:"source"`
		Region     json.RawMessage `json:"region"`
		Resources  json.RawMessage `json:"resources"`
		Version    json.RawMessage `json:"version"`
	}(e))
	return out
}

// quotedAfter reports whether a quoted text is open after a piece of a template.
func quotedAfter(piece string, quoted bool) bool {
	for i := 0; i < len(piece); i++ {
		switch piece[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		}
	}
	return quoted
}

var unquote = strings.NewReplacer(`\"`, ``, `"`, ``)

func written(v json.RawMessage, quoted, isText bool) string {
	switch {
	case v == nil && quoted:
		return ""
	case v == nil:
		return `""`
	case !quoted:
		return string(v)
	case v[0] == '"':
		return string(v[1 : len(v)-1])
	case isText:
		return unquote.Replace(string(v))
	}
	return string(v)
}

// isJSON reports whether a text is JSON values one after the other: a template may
// be several lines of text.
func isJSON(text string) bool {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	for n := 0; ; n++ {
		var v json.RawMessage
		err := d.Decode(&v)
		if err == io.EOF {
			return n > 0
		}
		if err != nil {
			return false
		}
	}
}
