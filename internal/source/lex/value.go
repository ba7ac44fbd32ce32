package lex

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"plumb/internal/model"
	api "plumb/internal/model/lexv2modelsapi"
)

// A resolution is what a text is as the value of a slot.
type resolution struct {
	value Value
	known bool // one of the values that there are, and not any text
}

// resolve reads a text as the value of a slot; false if it is none.
func (l *locale) resolve(s *slot, text string, now time.Time) (resolution, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return resolution{}, false
	}
	id := model.Deref(s.definition.SlotTypeId)
	if t, ok := l.types[id]; ok {
		return t.resolve(text, now)
	}
	return builtin(id, text, now)
}

func (t *slotType) resolve(text string, now time.Time) (resolution, bool) {
	if t.filter != nil && !t.filter.MatchString(text) {
		return resolution{}, false
	}
	if parent := model.Deref(t.definition.ParentSlotTypeSignature); parent != "" {
		return builtin(parent, text, now)
	}
	for _, v := range t.definition.SlotTypeValues {
		if v.SampleValue == nil || v.SampleValue.Value == nil {
			continue
		}
		value := *v.SampleValue.Value
		names := []string{value}
		for _, y := range v.Synonyms {
			names = append(names, model.Deref(y.Value))
		}
		for _, n := range names {
			if strings.EqualFold(normal(n), normal(text)) {
				return resolution{Value{text, value, []string{value}}, true}, true
			}
		}
	}
	if v := t.definition.ValueSelectionSetting; v != nil && v.ResolutionStrategy == api.SlotValueResolutionStrategyTopResolution {
		return resolution{}, false
	}
	return resolution{Value{text, text, []string{}}, false}, true
}

var (
	email    = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
	phone    = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)
	digits   = regexp.MustCompile(`[^0-9+]`)
	letters  = regexp.MustCompile(`^[A-Za-z0-9 .-]+$`)
	percent  = regexp.MustCompile(`(?i)^(.+?)\s*(?:%|percent)$`)
	clock    = regexp.MustCompile(`(?i)^([0-9]{1,2})(?::([0-9]{2}))?\s*([ap])?\.?m?\.?$`)
	duration = regexp.MustCompile(`(?i)^(\S+)\s+(second|minute|hour|day|week|month|year)s?$`)
)

// builtin reads a text as a value of one of Lex's own types. Those that only collect
// names take any text.
func builtin(id, text string, now time.Time) (resolution, bool) {
	found := func(value string, ok bool) (resolution, bool) {
		return resolution{Value{text, value, []string{value}}, true}, ok
	}
	word := strings.ToLower(normal(text))
	switch id {
	case "AMAZON.Number":
		return found(numberOf(word))
	case "AMAZON.Percentage":
		if m := percent.FindStringSubmatch(word); m != nil {
			word = m[1]
		}
		return found(numberOf(word))
	case "AMAZON.Date":
		return found(dateOf(word, now))
	case "AMAZON.Time":
		return found(timeOf(word))
	case "AMAZON.Duration":
		return found(durationOf(word))
	case "AMAZON.Confirmation":
		yes, ok := yesOrNo(word)
		if yes {
			return found("Yes", ok)
		}
		return found("No", ok)
	case "AMAZON.EmailAddress":
		return found(strings.ToLower(text), email.MatchString(text))
	case "AMAZON.PhoneNumber":
		return found(digits.ReplaceAllString(text, ""), phone.MatchString(text))
	case "AMAZON.AlphaNumeric":
		return found(strings.ReplaceAll(text, " ", ""), letters.MatchString(text))
	}
	return resolution{Value{text, text, []string{text}}, false}, true
}

var numbers = []string{
	"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
	"sixteen", "seventeen", "eighteen", "nineteen", "twenty",
}

func numberOf(word string) (string, bool) {
	for i, n := range numbers {
		if n == word {
			return strconv.Itoa(i), true
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(word, ",", ""), 64)
	if err != nil || f != f || f > 1e15 || f < -1e15 {
		return "", false
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true
}

// dateOf reads a date. One without a year is the next of that name.
func dateOf(word string, now time.Time) (string, bool) {
	const day = "2006-01-02"
	today := now.UTC().Truncate(24 * time.Hour)
	switch word {
	case "today", "now":
		return today.Format(day), true
	case "tomorrow":
		return today.AddDate(0, 0, 1).Format(day), true
	case "yesterday":
		return today.AddDate(0, 0, -1).Format(day), true
	}
	for i := 1; i <= 7; i++ {
		d := today.AddDate(0, 0, i)
		if name := strings.ToLower(d.Weekday().String()); word == name || word == "next "+name || word == "on "+name {
			return d.Format(day), true
		}
	}
	for _, form := range []string{day, "01/02/2006", "1/2/2006", "January 2 2006", "2 January 2006", "Jan 2 2006"} {
		if d, err := time.Parse(form, word); err == nil {
			return d.Format(day), true
		}
	}
	for _, form := range []string{"January 2", "2 January", "Jan 2"} {
		d, err := time.Parse(form, word)
		if err != nil {
			continue
		}
		d = time.Date(today.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.UTC)
		if d.Before(today) {
			d = d.AddDate(1, 0, 0)
		}
		return d.Format(day), true
	}
	return "", false
}

func timeOf(word string) (string, bool) {
	switch word {
	case "noon":
		return "12:00", true
	case "midnight":
		return "00:00", true
	}
	m := clock.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	switch half := strings.ToLower(m[3]); {
	case half != "" && (hour < 1 || hour > 12):
		return "", false
	case half == "p" && hour < 12:
		hour += 12
	case half == "a" && hour == 12:
		hour = 0
	}
	if hour > 23 || minute > 59 {
		return "", false
	}
	return time.Date(0, 1, 1, hour, minute, 0, 0, time.UTC).Format("15:04"), true
}

func durationOf(word string) (string, bool) {
	m := duration.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	n, ok := numberOf(m[1])
	if m[1] == "a" || m[1] == "an" {
		n, ok = "1", true
	}
	unit := strings.ToUpper(m[2][:1])
	if m[2] == "second" || m[2] == "minute" || m[2] == "hour" {
		return "PT" + n + unit, ok
	}
	return "P" + n + unit, ok
}

// yesOrNo reads an answer to a question.
func yesOrNo(word string) (yes, ok bool) {
	switch word {
	case "yes", "y", "yeah", "yep", "yup", "sure", "ok", "okay", "correct", "right", "true", "please do", "yes please":
		return true, true
	case "no", "n", "nope", "nah", "wrong", "false", "cancel", "no thanks", "no thank you":
		return false, true
	}
	return false, false
}
