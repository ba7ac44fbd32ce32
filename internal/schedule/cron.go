package schedule

import (
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// The years that cron knows.
const (
	firstYear = 1970
	lastYear  = 2199
)

// A cron is the values of each field. Of the two fields of days, one is open.
type cron struct {
	minutes, hours, months uint64
	years                  [4]uint64 // counted from firstYear
	days                   daysOfMonth
	weekdays               daysOfWeek
}

type daysOfMonth struct {
	open    bool
	days    uint64
	last    bool // L: the last day
	working int  // nW: the working day that is closest to the nth; with last, the last one
}

type daysOfWeek struct {
	open bool
	days uint64 // 1 is Sunday
	last int    // nL: the last one of the month
	day  int    // n#m: the mth one of the month
	nth  int
}

// parseCron reads minutes, hours, days of the month, months, days of the week and
// years.
func parseCron(fields []string) (*cron, bool) {
	if len(fields) != 6 {
		return nil, false
	}
	c := &cron{}
	var ok [6]bool
	c.minutes, ok[0] = parseField(fields[0], 0, 59, nil)
	c.hours, ok[1] = parseField(fields[1], 0, 23, nil)
	c.days, ok[2] = parseDays(fields[2])
	c.months, ok[3] = parseField(fields[3], 1, 12, monthNames)
	c.weekdays, ok[4] = parseWeekdays(fields[4])
	c.years, ok[5] = parseYears(fields[5])
	return c, ok == [6]bool{true, true, true, true, true, true} && c.days.open != c.weekdays.open
}

var (
	monthNames = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	dayNames   = strings.Fields("SUN MON TUE WED THU FRI SAT")
)

// parseField reads a list of values, ranges and steps into a set.
func parseField(text string, low, high int, names []string) (set uint64, ok bool) {
	ok = eachValue(text, low, high, names, func(n int) { set |= 1 << n })
	return set, ok
}

func parseYears(text string) (set [4]uint64, ok bool) {
	ok = eachValue(text, firstYear, lastYear, nil, func(y int) { set[(y-firstYear)/64] |= 1 << ((y - firstYear) % 64) })
	return set, ok
}

func eachValue(text string, low, high int, names []string, add func(int)) bool {
	for part := range strings.SplitSeq(text, ",") {
		if !eachOfPart(part, low, high, names, add) {
			return false
		}
	}
	return true
}

// eachOfPart reads 5, 5-10, *, and each of these with a step: 5/2 begins at 5 and
// goes on to the end. A range may lead over the end to the beginning.
func eachOfPart(part string, low, high int, names []string, add func(int)) bool {
	values, every, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 || n > high {
			return false
		}
		step = n
	}
	from, to := low, high
	if values != "*" {
		first, last, isRange := strings.Cut(values, "-")
		var ok bool
		if from, ok = value(first, low, high, names); !ok {
			return false
		}
		switch {
		case isRange:
			if to, ok = value(last, low, high, names); !ok {
				return false
			}
		case !stepped:
			to = from
		}
	}
	size := high - low + 1
	if to < from {
		if high == lastYear {
			return false
		}
		to += size
	}
	for n := from; n <= to; n += step {
		add(low + (n-low)%size)
	}
	return true
}

func value(text string, low, high int, names []string) (int, bool) {
	for i, name := range names {
		if strings.EqualFold(text, name) {
			return low + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high && text[0] != '+' && text[0] != '-'
}

func parseDays(text string) (d daysOfMonth, ok bool) {
	switch upper := strings.ToUpper(text); {
	case text == "?":
		d.open = true
	case upper == "L":
		d.last = true
	case upper == "LW":
		d.last, d.working = true, 31
	case strings.HasSuffix(upper, "W"):
		d.working, ok = value(text[:len(text)-1], 1, 31, nil)
		return d, ok
	default:
		d.days, ok = parseField(text, 1, 31, nil)
		return d, ok
	}
	return d, true
}

func parseWeekdays(text string) (w daysOfWeek, ok bool) {
	upper := strings.ToUpper(text)
	day, nth, counted := strings.Cut(upper, "#")
	switch {
	case text == "?":
		w.open = true
		return w, true
	case upper == "L":
		w.days = 1 << 7 // the last day of the week
		return w, true
	case counted:
		var ok2 bool
		w.day, ok = value(day, 1, 7, dayNames)
		w.nth, ok2 = value(nth, 1, 5, nil)
		return w, ok && ok2
	case strings.HasSuffix(upper, "L"):
		w.last, ok = value(upper[:len(upper)-1], 1, 7, dayNames)
		return w, ok
	}
	w.days, ok = parseField(upper, 1, 7, dayNames)
	return w, ok
}

// next returns the first time after a time that the fields name.
func (c *cron) next(after time.Time, zone *time.Location) (time.Time, bool) {
	local := after.In(zone)
	year, month, day := local.Date()
	for y := max(year, firstYear); y <= lastYear; y++ {
		if c.years[(y-firstYear)/64]>>((y-firstYear)%64)&1 == 0 {
			continue
		}
		for m := 1; m <= 12; m++ {
			if c.months>>m&1 == 0 || y == year && m < int(month) {
				continue
			}
			for days := c.daysOf(y, time.Month(m)); days != 0; days &= days - 1 {
				d := bits.TrailingZeros64(days)
				if y == year && m == int(month) && d < day {
					continue
				}
				if t, ok := c.onDay(y, time.Month(m), d, after, zone); ok {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}

func (c *cron) onDay(y int, m time.Month, d int, after time.Time, zone *time.Location) (time.Time, bool) {
	for hours := c.hours; hours != 0; hours &= hours - 1 {
		for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
			h, min := bits.TrailingZeros64(hours), bits.TrailingZeros64(minutes)
			t := first(time.Date(y, m, d, h, min, 0, 0, zone))
			if t.After(after) && t.Hour() == h && t.Minute() == min { // otherwise the clock leaves it out
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// daysOf returns the days of a month that the two fields of days name.
func (c *cron) daysOf(y int, m time.Month) (days uint64) {
	last := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	first := int(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).Weekday()) // 0 is Sunday
	weekday := func(d int) int { return (first+d-1)%7 + 1 }
	for d := 1; d <= last; d++ {
		if c.days.names(d, last, weekday) || c.weekdays.names(d, last, weekday(d)) {
			days |= 1 << d
		}
	}
	return days
}

func (d daysOfMonth) names(day, last int, weekday func(int) int) bool {
	switch {
	case d.open:
		return false
	case d.working > 0:
		n := d.working
		if d.last {
			n = last
		}
		return n <= last && day == closestWorking(n, last, weekday(n))
	case d.last:
		return day == last
	}
	return d.days>>day&1 == 1
}

// closestWorking returns the working day that is closest to a day and in the same
// month.
func closestWorking(day, last, weekday int) int {
	switch {
	case weekday == 7 && day == 1: // Saturday
		return 3
	case weekday == 7:
		return day - 1
	case weekday == 1 && day == last: // Sunday
		return day - 2
	case weekday == 1:
		return day + 1
	}
	return day
}

func (w daysOfWeek) names(day, last, weekday int) bool {
	switch {
	case w.open:
		return false
	case w.last > 0:
		return weekday == w.last && day+7 > last
	case w.day > 0:
		return weekday == w.day && (day-1)/7+1 == w.nth
	}
	return w.days>>weekday&1 == 1
}
