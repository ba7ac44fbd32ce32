package channel

import (
	"fmt"
	"time"

	"plumb/internal/settings"
)

// hours are those of each day in which nothing is sent; zero is none. They may go over
// midnight.
type hours struct {
	from, to int // minutes of the day
	zone     *time.Location
}

func newHours(q settings.Quiet) (h hours, err error) {
	if !q.Set() {
		return h, nil
	}
	if h.from, h.to, err = q.Minutes(); err != nil {
		return h, err
	}
	if h.zone, err = time.LoadLocation(q.Zone); err != nil {
		return h, fmt.Errorf("quiet hours: %w", err)
	}
	return h, nil
}

// after returns t, or the end of the quiet hours that t is in.
func (h hours) after(t time.Time) time.Time {
	if h.zone == nil {
		return t
	}
	here := t.In(h.zone)
	minute := here.Hour()*60 + here.Minute()
	within := h.from <= minute && minute < h.to
	if h.from > h.to {
		within = minute >= h.from || minute < h.to
	}
	if !within {
		return t
	}
	day := here.Day()
	if minute >= h.to {
		day++ // they end tomorrow
	}
	return time.Date(here.Year(), here.Month(), day, h.to/60, h.to%60, 0, 0, h.zone).UTC()
}
