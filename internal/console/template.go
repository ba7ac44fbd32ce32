package console

import (
	"fmt"
	"html/template"
	"time"
)

// templates are all pages and components.
type templates struct{ *template.Template }

// parse reads the templates, for the first request that needs one.
func (c *Console) parse() (*templates, error) {
	t := template.New("").Funcs(template.FuncMap{
		"time": shortTime, "stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }, "grouped": grouped, "short": short,
		"verdictClass": verdictClass, "verdictWord": verdictWord, "dict": dict, "add": func(a, b int) int { return a + b },
	})
	t, err := t.ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates of the console: %w", err)
	}
	return &templates{t}, nil
}

// dict makes a map of names and values, for templates that take several.
func dict(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// verdictClass is how a verdict looks. Only COMPLIANT is green.
func verdictClass(c string) string {
	switch c {
	case "COMPLIANT":
		return "good"
	case "NON_COMPLIANT":
		return "bad"
	case "NOT_APPLICABLE":
		return "none"
	}
	return "unknown"
}

// verdictWord is how a verdict reads, in words.
func verdictWord(c string) string {
	switch c {
	case "COMPLIANT":
		return "compliant"
	case "NON_COMPLIANT":
		return "non-compliant"
	case "NOT_APPLICABLE":
		return "not applicable"
	case "INSUFFICIENT_DATA", "":
		return "no data yet"
	}
	return c
}
