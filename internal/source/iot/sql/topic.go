package sql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// AWS IoT's limits of topics.
const (
	maxTopic  = 256 // bytes
	maxLevels = 8
)

func checkLength(what, s string) error {
	switch {
	case s == "" || len(s) > maxTopic || !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return fmt.Errorf("the %s %q has to have 1 to %d bytes of UTF-8", what, s, maxTopic)
	case !strings.HasPrefix(s, "$") && strings.Count(s, "/") >= maxLevels:
		return fmt.Errorf("the %s %q has more than %d levels", what, s, maxLevels)
	}
	return nil
}

// CheckTopic refuses a topic that nothing can be published to.
func CheckTopic(topic string) error {
	if strings.ContainsAny(topic, "+#") {
		return fmt.Errorf("the topic %q has a wildcard", topic)
	}
	return checkLength("topic", topic)
}

// CheckFilter refuses a filter whose wildcards stand where none may.
func CheckFilter(filter string) error {
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if strings.ContainsAny(l, "+#") && len(l) > 1 || l == "#" && i < len(levels)-1 {
			return fmt.Errorf("the topic filter %q has a wildcard that is no whole level, or # that is not the last one", filter)
		}
	}
	return checkLength("topic filter", filter)
}

// Matches reports whether a topic is one of a filter's: + is a level, # all that follow,
// none too. Wildcards do not stand for a first level that begins with $.
func Matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, level := range f {
		if level == "#" {
			return true
		}
		if i >= len(t) {
			return false
		}
		if level != "+" && level != t[i] {
			return false
		}
	}
	return len(f) == len(t)
}
