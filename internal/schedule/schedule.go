package schedule

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid is the error of an expression that cannot be read. AWS's services
// tell no reason.
var ErrInvalid = errors.New("schedule expression is not valid")

// An Expression says when something is due: once, at a rate, or at the times of
// cron.
type Expression struct {
	once  time.Time // its clock is that of whatever zone it is asked for
	every time.Duration
	odd   bool // a rate whose unit disagrees with its number
	cron  *cron
}

// Parse reads an expression.
func Parse(text string) (Expression, error) {
	name, rest, ok := strings.Cut(text, "(")
	body, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return Expression{}, ErrInvalid
	}
	switch name {
	case "rate":
		return parseRate(body)
	case "at":
		t, err := time.Parse("2006-01-02T15:04:05", body)
		if err != nil || len(body) != len("2006-01-02T15:04:05") {
			return Expression{}, ErrInvalid
		}
		return Expression{once: t}, nil
	case "cron":
		c, ok := parseCron(strings.Fields(body))
		if !ok {
			return Expression{}, ErrInvalid
		}
		return Expression{cron: c}, nil
	}
	return Expression{}, ErrInvalid
}

var rate = regexp.MustCompile(`^([1-9][0-9]{0,8}) (minute|hour|day)(s?)$`)

func parseRate(body string) (Expression, error) {
	m := rate.FindStringSubmatch(body)
	if m == nil {
		return Expression{}, ErrInvalid
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	if err != nil || n > int(maxRate/unit) {
		return Expression{}, ErrInvalid
	}
	return Expression{every: time.Duration(n) * unit, odd: (n == 1) != (m[3] == "")}, nil
}

// maxRate keeps sums of times and rates in bounds.
const maxRate = 100 * 365 * 24 * time.Hour

// Once reports whether the expression is due only once.
func (e Expression) Once() bool { return !e.once.IsZero() }

// Rate reports whether the expression is due at a rate.
func (e Expression) Rate() bool { return e.every > 0 }

// Agrees reports whether a rate says minute of one and minutes of several, which
// EventBridge's rules insist on.
func (e Expression) Agrees() bool { return !e.odd }

// Next returns the first time after a time at which the expression is due, or false
// if there is none. A rate counts from a time. The other kinds are times on the
// clock of a zone: those that its clock leaves out are skipped, and those that it
// shows twice count once.
func (e Expression) Next(after, from time.Time, zone *time.Location) (time.Time, bool) {
	switch {
	case e.every > 0:
		if after.Before(from) {
			return from.Add(e.every), true
		}
		return from.Add(e.every * (after.Sub(from)/e.every + 1)), true
	case e.cron != nil:
		return e.cron.next(after, zone)
	case e.Once():
		y, m, d := e.once.Date()
		t := first(time.Date(y, m, d, e.once.Hour(), e.once.Minute(), e.once.Second(), 0, zone))
		return t, t.After(after)
	}
	return time.Time{}, false
}

// first returns the first of the times at which the clock of t's zone shows what it
// shows at t: it shows some times twice when it is turned back.
func first(t time.Time) time.Time {
	begin, _ := t.ZoneBounds()
	if begin.IsZero() {
		return t
	}
	_, now := t.Zone()
	_, before := begin.Add(-time.Nanosecond).Zone()
	if earlier := t.Add(time.Duration(now-before) * time.Second); earlier.Before(begin) && earlier.Before(t) {
		return earlier
	}
	return t
}
