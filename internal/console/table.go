package console

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"plumb/internal/config"
)

// A table is rows that a page lists, shows and exports.
type table struct {
	ID      string
	Caption string
	Columns []col
	Rows    []row
	More    string // the address of the next page
	Empty   string // what is shown instead of no rows
	Else    cell   // a link that follows Empty: where else to look
	Note    string // what the reader has to know of the numbers
	Pick    string // the name of the field that rows are picked with; empty if they cannot be
}

type col struct {
	Name string
	Num  bool
}

type row struct {
	Cells []cell
	Mark  string // bad, good, warn
	Value string // of a picked row
}

// A cell is a value and how it is shown.
type cell struct {
	Text string
	Href string
	Kind string // num, time, verdict, code, bar, faint, chip
	Note string // beside it, faintly
	At   time.Time
	Bar  *bar
}

// A bar is a share of a whole.
type bar struct{ Good, Bad int64 }

func plain(s string) cell        { return cell{Text: s} }
func linked(s, href string) cell { return cell{Text: s, Href: href} }
func faint(s string) cell        { return cell{Text: s, Kind: "faint"} }
func code(s string) cell         { return cell{Text: s, Kind: "code"} }
func number(n int64) cell        { return cell{Text: grouped(n), Kind: "num"} }
func verdict(c config.Compliance) cell {
	return cell{Text: string(c), Kind: "verdict"}
}

// moment is a time with its age.
func moment(t, now time.Time) cell {
	if t.IsZero() {
		return cell{Text: "never", Kind: "faint"}
	}
	return cell{Text: shortTime(t), Kind: "time", At: t, Note: age(now.Sub(t))}
}

func share(good, bad int64) cell {
	return cell{Text: strconv.FormatInt(percent(good, bad), 10) + " %", Kind: "bar", Bar: &bar{good, bad}}
}

func percent(good, bad int64) int64 {
	if good+bad == 0 {
		return 0
	}
	return good * 100 / (good + bad)
}

// Good and Bad widths of a bar of 100.
func (b *bar) Width() int64 { return percent(b.Good, b.Bad) }

// Rest is the other part.
func (b *bar) Rest() int64 {
	if b.Good+b.Bad == 0 {
		return 0
	}
	return 100 - b.Width()
}

// A chip is a filter in force.
type chip struct {
	Key, Value string
	Not        bool
	Off, Turn  string
}

// A facet is what a list can be narrowed by.
type facet struct {
	Name   string
	Values []facetValue
	More   int // how many are not shown
}

type facetValue struct {
	Text     string
	Count    string
	On, Not  string // addresses: only these, and without these
	Selected bool
}

// facet makes one of values with their counts, the first few of them.
func (v *visit) facet(key, name string, values []string, count func(string) string) facet {
	const shown = 12
	f := facet{Name: name}
	for i, text := range values {
		selected := len(v.filters.is[key]) > 0 && v.filters.leave(key, text)
		if i >= shown && !selected {
			f.More++
			continue
		}
		f.Values = append(f.Values, facetValue{text, count(text), v.filtered("is", key, text), v.filtered("not", key, text), selected})
	}
	return f
}

// value is what a cell is exported as.
func (c cell) value() string {
	if c.Kind == "time" {
		return c.At.UTC().Format(time.RFC3339Nano)
	}
	return c.Text
}

// writeCSV writes the table. A text that a spreadsheet would take for a formula gets an
// apostrophe in front.
func (p *page) writeCSV(w http.ResponseWriter) error {
	if p.Table == nil {
		return wrong("This page has no table.")
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+clean(p.Title)+`.csv"`)
	out := csv.NewWriter(w)
	var head []string
	for _, c := range p.Table.Columns {
		head = append(head, c.Name)
	}
	out.Write(head)
	for _, r := range p.Table.Rows {
		var line []string
		for _, c := range r.Cells {
			text := c.value()
			if text != "" && (text[0] == '=' || text[0] == '+' || text[0] == '-' || text[0] == '@' || text[0] == '\t' || text[0] == '\r') {
				text = "'" + text
			}
			line = append(line, text)
		}
		out.Write(line)
	}
	out.Flush()
	return nil
}

func (p *page) writeJSON(w http.ResponseWriter) error {
	out := p.JSON
	if out == nil {
		if p.Table == nil {
			return wrong("This page has no table.")
		}
		rows := []map[string]string{}
		for _, r := range p.Table.Rows {
			m := map[string]string{}
			for i, c := range r.Cells {
				m[p.Table.Columns[i].Name] = c.value()
			}
			rows = append(rows, m)
		}
		out = rows
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+clean(p.Title)+`.json"`)
	w.Write(append(text, '\n'))
	return nil
}
