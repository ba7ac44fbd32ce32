package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

// An object is a map that keeps its order, so that output is always the same.
type object []member

type member struct {
	name  string
	value any
}

// A list is any number of values.
type list []any

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := compactJSON(m.name)
		if err != nil {
			return nil, err
		}
		value, err := compactJSON(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func compactJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// writeJSON writes a value over several lines, without a line end after it.
func writeJSON(w io.Writer, v any) error {
	compact, err := compactJSON(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// writeYAML writes a value in block style.
func writeYAML(w io.Writer, v any) error {
	var b strings.Builder
	yamlValue(&b, v, 0, false)
	_, err := io.WriteString(w, b.String())
	return err
}

// yamlValue writes a value at a depth. inline means that the line is begun: by the
// dash of a list.
func yamlValue(b *strings.Builder, v any, depth int, inline bool) {
	switch v := flat(v).(type) {
	case object:
		yamlObject(b, v, depth, inline)
	case list:
		yamlList(b, v, depth, inline)
	default:
		b.WriteString(yamlWord(v) + "\n")
	}
}

func yamlObject(b *strings.Builder, o object, depth int, inline bool) {
	if len(o) == 0 {
		b.WriteString("{}\n")
		return
	}
	for i, m := range o {
		if i > 0 || !inline {
			b.WriteString(strings.Repeat("  ", depth))
		}
		b.WriteString(yamlWord(m.name) + ":")
		switch v := flat(m.value).(type) {
		case object:
			yamlNested(b, v, len(v), depth+1)
		case list: // a list stands no deeper than its name
			yamlNested(b, v, len(v), depth)
		default:
			b.WriteString(" " + yamlWord(v) + "\n")
		}
	}
}

func yamlNested(b *strings.Builder, v any, n, depth int) {
	if n == 0 {
		b.WriteByte(' ')
	} else {
		b.WriteByte('\n')
	}
	yamlValue(b, v, depth, false)
}

func yamlList(b *strings.Builder, l list, depth int, inline bool) {
	if len(l) == 0 {
		b.WriteString("[]\n")
		return
	}
	for i, v := range l {
		if i > 0 || !inline {
			b.WriteString(strings.Repeat("  ", depth))
		}
		b.WriteString("- ")
		yamlValue(b, v, depth+1, true)
	}
}

// flat turns documents and verdicts into what the writers know.
func flat(v any) any {
	switch v := v.(type) {
	case *document.Value:
		return flatDocument(v)
	case guard.Status:
		return v.String()
	case *string:
		if v == nil {
			return nil
		}
		return *v
	}
	return v
}

func flatDocument(v *document.Value) any {
	switch v.Kind() {
	case document.Map:
		o := make(object, v.Len())
		for i, k := range v.Keys() {
			o[i] = member{k.Name, v.Item(i)}
		}
		return o
	case document.List:
		l := make(list, v.Len())
		for i := range l {
			l[i] = v.Item(i)
		}
		return l
	case document.Null:
		return nil
	case document.Bool:
		return v.Bool()
	case document.Int:
		return v.Int()
	case document.Float:
		return v.Float()
	case document.Regex:
		return "/" + v.Text() + "/"
	}
	return v.Plain()
}

func yamlWord(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return yamlString(v)
	case float64:
		return document.NewFloat(v).JSONNumber()
	}
	return fmt.Sprint(v)
}

// plainYAML is what needs no quotes: it cannot be taken for anything but text.
var plainYAML = regexp.MustCompile(`^[A-Za-z_/$(.][^\x00-\x1f"\x7f-\x9f]*$`)

func yamlString(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan":
		return "'" + s + "'"
	}
	switch {
	case strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }):
		return strconv.Quote(s)
	case plainYAML.MatchString(s) && !strings.Contains(s, ": ") && !strings.Contains(s, " #") &&
		!strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ") && !looksNumeric(s):
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func looksNumeric(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
