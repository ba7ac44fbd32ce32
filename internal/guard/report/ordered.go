package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
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

// writeJSON writes a value over several lines, without a line end after it.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	jsonValue(&b, v, 0)
	_, err := io.WriteString(w, b.String())
	return err
}

// jsonValue writes a value at a depth, in one pass however deep it is.
func jsonValue(b *strings.Builder, v any, depth int) {
	switch v := flat(v).(type) {
	case object:
		jsonEntries(b, "{}", len(v), depth, func(i int) {
			b.WriteString(jsonString(v[i].name) + ": ")
			jsonValue(b, v[i].value, depth+1)
		})
	case list:
		jsonEntries(b, "[]", len(v), depth, func(i int) { jsonValue(b, v[i], depth+1) })
	default:
		b.WriteString(jsonWord(v))
	}
}

// jsonEntries writes what is common to objects and lists.
func jsonEntries(b *strings.Builder, brackets string, n, depth int, entry func(i int)) {
	if n == 0 {
		b.WriteString(brackets)
		return
	}
	b.WriteByte(brackets[0])
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + strings.Repeat("  ", depth+1))
		entry(i)
	}
	b.WriteString("\n" + strings.Repeat("  ", depth))
	b.WriteByte(brackets[1])
}

// jsonWord writes a scalar. Floats that JSON does not have become strings.
func jsonWord(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return jsonString(v)
	case float64:
		number := document.NewFloat(v).JSONNumber()
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return jsonString(number)
		}
		return number
	}
	return fmt.Sprint(v)
}

// jsonString quotes a text. The encoder cannot fail on a string, and is the one that
// knows what JSON cannot hold.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.Quote(s)
	}
	return strings.TrimSuffix(b.String(), "\n")
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

// yamlObject writes one member a line. The first stands behind the dash of a list.
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

// yamlNested writes a container behind its name: below it, or beside it if it is empty.
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

// flatDocument unfolds one level of a document; the writers ask for the next.
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

// yamlWord writes a scalar.
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

// yamlString quotes what could be taken for anything but text.
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
