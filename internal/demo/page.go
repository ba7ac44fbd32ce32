package demo

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A page is the story's paper: chapters, and lines in columns. Several lines may
// come at the same time.
type page struct {
	mu    sync.Mutex
	w     io.Writer
	color bool
	begun time.Time
}

func newPage(w io.Writer, color bool) *page { return &page{w: w, color: color, begun: time.Now()} }

// chapter begins a chapter, from which times count.
func (p *page) chapter(n int, title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "\n%s\n\n", p.paint(bold, fmt.Sprintf("%d  %s", n, title)))
	p.begun = time.Now()
}

// line prints what was done or seen, and how long after the chapter's beginning.
func (p *page) line(what, text string) { p.lineAt(time.Now(), what, text) }

func (p *page) lineAt(at time.Time, what, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "   %s  %-9s %s\n", p.paint(faint, fmt.Sprintf("%6.0f ms", float64(at.Sub(p.begun).Microseconds())/1000)), what, text)
}

type style string

const (
	bold  style = "1"
	faint style = "2"
	red   style = "31"
	green style = "32"
)

func (p *page) paint(s style, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// verdict paints a compliance in its colour.
func (p *page) verdict(v string) string {
	switch v {
	case "COMPLIANT":
		return p.paint(green, v)
	case "NON_COMPLIANT":
		return p.paint(red, v)
	}
	return v
}
