package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// A table is what the program prints, in Markdown.
type table struct{ rows [][]string }

// race adds a rate with its floor.
func (t *table) race(what, unit string, r race, goal float64) {
	cpu := ""
	if r.cpu > 0 { // 0 where the system does not tell it
		cpu = fmt.Sprintf("%.2f", r.cpu)
	}
	t.add(what, fmt.Sprintf("%.0f %s", r.ours, unit), fmt.Sprintf("%.0f", r.floor), fmt.Sprintf("%.2f", r.ratio), cpu,
		goalText(goal, func(g float64) string { return fmt.Sprintf(">= %.2g", g) }), verdict(goal == 0, r.ratio >= goal))
}

// latencies adds how long something took, in the middle and at worst.
func (t *table) latencies(what string, took []time.Duration, goal time.Duration) {
	p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
	t.add(what, fmt.Sprintf("p50 %s, p99 %s", short(p50), short(p99)), "", "", "",
		goalText(goal, func(g time.Duration) string { return "p99 <= " + short(g) }), verdict(goal == 0, p99 <= goal))
}

// beside adds how long something took next to a floor that took turns with it. The
// ratio is how many times the floor it takes in the middle.
func (t *table) beside(what string, took []time.Duration, floorIs string, floor []time.Duration, goal time.Duration) {
	p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
	t.add(what+"; floor: "+floorIs, fmt.Sprintf("p50 %s, p99 %s", short(p50), short(p99)), fmt.Sprintf("p50 %s, p99 %s", short(quantile(floor, 0.5)), short(quantile(floor, 0.99))),
		fmt.Sprintf("%.2f", p50.Seconds()/quantile(floor, 0.5).Seconds()), "", goalText(goal, func(g time.Duration) string { return "p99 <= " + short(g) }), verdict(goal == 0, p99 <= goal))
}

// limit adds a figure that stays below another.
func (t *table) limit(what, unit string, is, most float64) {
	t.add(what, fmt.Sprintf("%.0f %s", is, unit), "", "", "",
		goalText(most, func(g float64) string { return fmt.Sprintf("<= %.0f %s", g, unit) }), verdict(most == 0, is <= most))
}

// missing adds why something could not be measured.
func (t *table) missing(what, why string) { t.add(what, why, "", "", "", "", "") }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// goalText leaves out a goal that nobody set: the row is for orientation.
func goalText[T float64 | time.Duration](goal T, text func(T) string) string {
	if goal == 0 {
		return ""
	}
	return text(goal)
}

func verdict(none, reached bool) string {
	switch {
	case none:
		return ""
	case reached:
		return "reached"
	default:
		return "missed"
	}
}

func short(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
}

func (t *table) print(w io.Writer) {
	head := []string{"what", "Plumb", "floor", "ratio", "cpu", "goal", ""}
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
	}
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = strings.Repeat("-", max(widths[i], 3))
		widths[i] = max(widths[i], 3)
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
}
