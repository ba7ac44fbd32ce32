package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// shortTime writes a time to the second, in UTC.
func shortTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// age says how long ago something was.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + span(-d)
	case d < 2*time.Second:
		return "just now"
	}
	return span(d) + " ago"
}

// span writes a duration in its largest unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 2*day:
		return strconv.Itoa(int(d.Hours())) + " h"
	case d < 800*day:
		return strconv.Itoa(int(d/day)) + " days"
	}
	return strconv.Itoa(int(d/day/365)) + " years"
}

// grouped writes 12,345.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(s, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n < 0 {
		return "-" + digits
	}
	return digits
}

// counted writes a number with its noun.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// short cuts a text for a line.
func short(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// quoted writes a text for a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r == '-' || r == '_' || r == '.' || r == ':' || r == '/' || r == '=' || r == ',' || r == '@' ||
			'0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// cli returns an AWS CLI command. Parts are alternately options and values; those
// without a value are left out.
func (v *visit) cli(account, region, command string, parts ...string) call {
	var b strings.Builder
	fmt.Fprintf(&b, "aws %s --endpoint-url %s --region %s", command, v.c.Endpoint(), quoted(region))
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i+1] != "" {
			b.WriteString(" --" + parts[i] + " " + quoted(parts[i+1]))
		}
	}
	return call{"AWS CLI", b.String()}
}

// sql returns an advanced query.
func sql(text string) call { return call{"SQL", text} }

// sqlText writes a text for a query.
func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// joined is the path of a member.
func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
