package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Request is one of an AWS client that the server answered.
type Request struct {
	At                 time.Time
	Service, Operation string
	Path               string // where the operation does not say it
	Status             int
	Code, Message      string // of an error
	Took               time.Duration
	Caller, Agent      string
	Body               json.RawMessage // what it asked, without secrets; may be empty
	Unserved           bool            // nobody here serves it
}

const (
	maxRequests  = 300 // that are kept, in memory
	requestsPage = 100
	benchLive    = 25
)

// requests are those that were answered last. It is safe for concurrent use.
type requests struct {
	mu   sync.Mutex
	last []Request // oldest first
	n    int64     // that there were
}

func (r *requests) add(one Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == maxRequests {
		r.last = slices.Delete(r.last, 0, maxRequests/10)
	}
	r.last = append(r.last, one)
	r.n++
}

// newest returns those that keep wants, the newest first, and how many there were of all.
func (r *requests) newest(limit int, keep func(Request) bool) (out []Request, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range slices.Backward(r.last) {
		if len(out) < limit && keep(one) {
			out = append(out, one)
		}
	}
	return out, r.n
}

func (r *requests) count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// Notes reports whether the console shows requests.
func (c *Console) Notes() bool { return c.development() }

// Note has the live requests show one that was answered.
func (c *Console) Note(r Request) {
	r.At = c.Machine().Clock.Now()
	c.requests.add(r)
}

// A requestsView is what clients asked of late.
type requestsView struct {
	Kinds []choice
	Rows  []requestRow
	Note  string
	All   string // the address of the whole list; empty on it
}

type requestRow struct {
	Request
	Class string // of the status
	Age   string
	Text  string // the body, for people
}

// Which requests a list shows.
var requestKinds = []struct{ key, text string }{{"", "all"}, {"failed", "that failed"}, {"unserved", "that nobody serves"}}

func showRequests(v *visit) (*page, error) {
	show, limit, all := v.q.Get("show"), requestsPage, ""
	if v.q.Get("on") == "bench" { // which reads its part of the page here again
		limit, all = benchLive, v.link("requests")
	}
	d := v.requests(limit, show)
	d.All = all
	for _, k := range requestKinds {
		d.Kinds = append(d.Kinds, choice{k.text, v.with("show", k.key), k.key == show})
	}
	t := &table{Columns: []col{{Name: "at"}, {Name: "service"}, {Name: "operation"}, {Name: "status"}, {Name: "code"}, {Name: "caller"}, {Name: "agent"}, {Name: "asked"}}}
	for _, r := range d.Rows {
		t.Rows = append(t.Rows, row{Cells: []cell{{Kind: "time", At: r.At}, plain(r.Service), plain(r.Operation), plain(fmt.Sprint(r.Status)), plain(r.Code),
			plain(r.Caller), plain(r.Agent), plain(string(r.Body))}})
	}
	return &page{Title: "Live requests", Template: "requests-page", Data: d, Table: t, Live: Root + "events?of=requests",
		AtNote: "Requests are kept in memory: these are the last ones.", Calls: []call{{"Plumb", "plumb audit"}}}, nil
}

// requests returns those that were answered last.
func (v *visit) requests(limit int, show string) *requestsView {
	d := &requestsView{}
	words := strings.ToLower(v.q.Get("words"))
	some, n := v.c.requests.newest(limit, func(r Request) bool {
		return (show != "failed" || r.Status >= 400) && (show != "unserved" || r.Unserved) && strings.Contains(strings.ToLower(r.Service+":"+r.Operation), words)
	})
	for _, r := range some {
		one := requestRow{Request: r, Class: "good", Age: age(v.now.Sub(r.At)), Text: indented(r.Body)}
		one.Took = r.Took.Round(10 * time.Microsecond)
		switch {
		case r.Unserved:
			one.Class = "unknown"
		case r.Status >= 400:
			one.Class = "bad"
		}
		d.Rows = append(d.Rows, one)
	}
	d.Note = counted(n, "request was", "requests were") + " answered since the server began; at most the last " + grouped(maxRequests) + " are kept, without secrets."
	return d
}

func indented(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}
