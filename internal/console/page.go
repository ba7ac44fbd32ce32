package console

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/settings"
)

// A page is what a view shows.
type page struct {
	Title    string
	Template string // of Data
	Data     any
	Facets   []facet
	Table    *table // what is exported
	JSON     any    // what is exported as JSON, where that is no table
	Calls    []call // that answer the same
	AtNote   string // what at means here, where it does not mean everything
	Live     string // the address of what goes on
	LivePage string // the page that is read again then; empty for this one

	path   string
	part   string // the template of the part that was asked for; empty for the whole
	status int
}

// A call is another way to ask what a page shows.
type call struct{ With, Text string }

// A frame is what stands around a page.
type frame struct {
	*page
	Body    template.HTML
	Nav     []navEntry
	Chips   []chip
	At      time.Time
	AtText  string // in the way of a browser's own control
	Past    bool
	Now     time.Time
	Steps   []step // through time
	Keep    []pair // parts of the address that the time control leaves
	CSV     string
	AsJSON  string
	Account string
	Others  []string // accounts that can be chosen in its place
	Who     string   // by the login's provider
	CSRF    string
	Mode    settings.Mode
	Version string
	CSS, JS []string
	Icon    string
	Find    string
	Home    string
	Asked   string // in the search field
}

type navEntry struct {
	Label, Href string
	Here        bool
}

type step struct{ Label, Href string }

type pair struct{ Name, Value string }

// write answers with a page, or with what is exported of it.
func (c *Console) write(w http.ResponseWriter, v *visit, p *page) error {
	switch v.q.Get("format") {
	case "csv":
		return p.writeCSV(w)
	case "json":
		return p.writeJSON(w)
	}
	all, err := c.pages()
	if err != nil {
		return err
	}
	var body, whole bytes.Buffer
	if p.part != "" {
		p.Template = p.part
	}
	if err := all.ExecuteTemplate(&body, p.Template, p.Data); err != nil {
		return err
	}
	if p.part == "" {
		f := c.frame(v, p)
		f.Body = template.HTML(body.String()) // made by a template that escaped what it got
		if err := all.ExecuteTemplate(&whole, "frame", f); err != nil {
			return err
		}
	} else {
		whole = body
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(whole.Len()))
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	if v.r.Method != http.MethodHead {
		w.Write(whole.Bytes())
	}
	return nil
}

func (c *Console) frame(v *visit, p *page) *frame {
	f := &frame{
		page: p, Chips: v.chips(), At: v.at, Past: v.past(), Now: v.now, CSRF: v.csrf(), Mode: c.Settings.Mode, Version: c.Version,
		CSS: []string{c.assets.link("console.css")}, JS: []string{c.assets.link("htmx.min.js"), c.assets.link("console.js")},
		Icon: c.assets.link("icon.svg"), Find: Root + "find", Home: v.link(""), Asked: v.q.Get("q"),
	}
	if v.key != nil {
		f.Account, f.Who = v.key.Account, v.subject
		f.Others = slices.DeleteFunc(slices.Clone(v.accounts), func(a string) bool { return a == f.Account })
	}
	for _, view := range c.views {
		if view.label != "" && (v.key != nil || c.development()) {
			f.Nav = append(f.Nav, navEntry{view.label, v.link(view.path), view.path == p.path})
		}
	}
	if p.Table != nil {
		f.CSV = v.with("format", "csv")
	}
	if p.Table != nil || p.JSON != nil {
		f.AsJSON = v.with("format", "json")
	}
	f.addTime(v)
	return f
}

// addTime adds the control of the one time that all pages have.
func (f *frame) addTime(v *visit) {
	f.AtText = v.then().UTC().Format("2006-01-02T15:04:05")
	back := func(d time.Duration) string { return v.with("at", v.then().Add(-d).UTC().Format(time.RFC3339)) }
	f.Steps = []step{{"1 h earlier", back(time.Hour)}, {"1 day earlier", back(24 * time.Hour)}}
	if v.past() {
		f.Steps = append(f.Steps, step{"now", v.with("at", "")})
	}
	f.Keep = v.parts(func(name string) bool { return !slices.Contains([]string{"at", "after", "format", "part"}, name) })
}

// parts are those of the address, by their names, that a form keeps.
func (v *visit) parts(kept func(name string) bool) (all []pair) {
	for name, values := range v.q {
		if !kept(name) {
			continue
		}
		for _, text := range values {
			all = append(all, pair{name, text})
		}
	}
	return all
}

// clean returns a text for a name of a file.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
}
