package firehose

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// byHour is what follows a prefix that has no expression.
const byHour = "!{timestamp:yyyy/MM/dd/HH}/"

// failures is the folder of records that a function did not take.
const failures = "processing-failed"

var expression = regexp.MustCompile(`!\{([^:{}]*):([^{}]*)\}`)

// maxPrefix is how long an evaluated prefix may be.
const maxPrefix = 512

// checkPrefixes returns Firehose's answer to prefixes that cannot be evaluated.
func checkPrefixes(prefix, errorPrefix string) error {
	for _, p := range []string{prefix, errorPrefix} {
		for _, m := range expression.FindAllStringSubmatch(p, -1) {
			if err := checkExpression(m[1], m[2]); err != nil {
				return err
			}
		}
		if strings.Contains(expression.ReplaceAllString(p, ""), "!{") {
			return invalid("The prefix %s has an expression that is not complete", p)
		}
	}
	switch {
	case strings.Contains(prefix, "!{firehose:error-output-type}"):
		return invalid("Prefix cannot contain !{firehose:error-output-type}")
	case expression.MatchString(prefix) && errorPrefix == "":
		return invalid("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions")
	case expression.MatchString(errorPrefix) && !strings.Contains(errorPrefix, "!{firehose:error-output-type}"):
		return invalid("ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type} when it contains expressions")
	}
	return nil
}

func checkExpression(namespace, value string) error {
	switch namespace {
	case "timestamp":
		_, err := formatTime(value, time.Time{})
		return err
	case "firehose":
		if value == "error-output-type" || value == "random-string" {
			return nil
		}
	case "partitionKeyFromQuery", "partitionKeyFromLambda":
		return invalid("Dynamic partitioning is not served here")
	}
	return invalid("The expression !{%s:%s} is not supported in a prefix", namespace, value)
}

// prefixOf evaluates the prefix of a buffer's object. seed determines what is random.
func (o Output) prefixOf(kind string, at time.Time, seed string) string {
	text := o.Prefix
	switch {
	case kind == failed && o.ErrorPrefix != "":
		if text = o.ErrorPrefix; !expression.MatchString(text) {
			text += failures + "/" + byHour
		}
	case kind == failed:
		text += failures + "/" + byHour
	case !expression.MatchString(text):
		text += byHour
	}
	n := 0
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		m := expression.FindStringSubmatch(e)
		switch {
		case m[1] == "timestamp":
			out, _ := formatTime(m[2], at) // checked when it was set
			return out
		case m[2] == "error-output-type":
			return failures
		}
		n++
		return random(fmt.Sprint(seed, n))
	})
}

// random returns eleven letters and digits that a seed determines.
func random(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:11]
}

// keyOf is the name of the object that a buffer becomes.
func (s Stream) keyOf(b buffer) string {
	o, zone := s.outputOf(b.kind), time.UTC
	if z, err := time.LoadLocation(s.Destination.Zone); err == nil {
		zone = z
	}
	at := b.opened.In(zone)
	id := b.id // a UUID
	key := o.prefixOf(b.kind, at, id) + fmt.Sprintf("%s-%d-%s-%s", s.Name, s.Version, at.Format("2006-01-02-15-04-05"), id)
	switch {
	case b.kind != failed && s.Destination.Extension != "":
		return key + s.Destination.Extension
	case o.Compression == Gzip:
		return key + ".gz"
	}
	return key
}

// outputOf is where a buffer of a kind goes.
func (s Stream) outputOf(kind string) Output {
	if kind == toBackUp && s.Destination.Backup != nil {
		return *s.Destination.Backup
	}
	return s.Destination.Output
}

// formatTime writes a time by a pattern of Java's DateTimeFormatter, as far as it is
// about dates and times.
func formatTime(pattern string, t time.Time) (string, error) {
	var out strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		if c == '\'' {
			text, n, err := quoted(pattern[i:])
			if err != nil {
				return "", err
			}
			out.WriteString(text)
			i += n
			continue
		}
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		text, ok := timeField(c, n, t)
		if !ok {
			return "", invalid("%s is not a pattern of dates that is supported in a prefix", pattern)
		}
		out.WriteString(text)
		i += n
	}
	return out.String(), nil
}

// quoted reads a text between apostrophes; two of them are one.
func quoted(rest string) (text string, n int, err error) {
	if strings.HasPrefix(rest, "''") {
		return "'", 2, nil
	}
	end := strings.IndexByte(rest[1:], '\'')
	if end < 0 {
		return "", 0, invalid("A pattern of dates in a prefix has an apostrophe without another")
	}
	return rest[1 : end+1], end + 2, nil
}

// timeField writes one field of a pattern: n times the letter c.
func timeField(c byte, n int, t time.Time) (string, bool) {
	number := func(v int) (string, bool) { return fmt.Sprintf("%0*d", n, v), n <= 4 }
	switch c {
	case 'y', 'u', 'Y':
		if n == 2 {
			return fmt.Sprintf("%02d", t.Year()%100), true
		}
		return number(t.Year())
	case 'M', 'L':
		switch n {
		case 3:
			return t.Format("Jan"), true
		case 4:
			return t.Format("January"), true
		}
		return number(int(t.Month()))
	case 'd':
		return number(t.Day())
	case 'D':
		return number(t.YearDay())
	case 'H':
		return number(t.Hour())
	case 'k':
		return number((t.Hour()+23)%24 + 1)
	case 'h':
		return number((t.Hour()+11)%12 + 1)
	case 'K':
		return number(t.Hour() % 12)
	case 'm':
		return number(t.Minute())
	case 's':
		return number(t.Second())
	case 'S':
		return fmt.Sprintf("%09d", t.Nanosecond())[:min(n, 9)], n <= 9
	case 'a':
		return t.Format("PM"), n == 1
	case 'E':
		if n == 4 {
			return t.Format("Monday"), true
		}
		return t.Format("Mon"), n <= 3
	}
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	return strings.Repeat(string([]byte{c}), n), !letter && !strings.ContainsRune("[]{}#", rune(c))
}
