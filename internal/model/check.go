package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Checker collects the constraints that a request breaks and words them as AWS does:
//
//	1 validation error detected: Value 'x' at 'configRule.source.owner' failed to satisfy constraint: Member must ...
//
// Generated check methods walk the input and tell it where they are; a valid request costs no allocation.
type Checker struct {
	code    string // of the error: ValidationException where empty
	shapes  string // package of structures in printed values
	notNull bool   // constraints of list members end in "Member must not be null"

	missing  string // code of a missing member, for services that word it their own way
	path     []step
	failures []string
	absent   []string // members, where missing is set
	limit    string   // a page size out of range, which has an exception of its own
}

// A step is a member, an index of a list (from 1), or a key of a map.
type step struct {
	name  string
	index int
}

// Err is nil when every constraint held.
func (c *Checker) Err() *Error {
	switch {
	case len(c.absent) > 0:
		return Errorf(Error{Code: c.missing, Status: 400}, "The request must contain the parameter %s.", c.absent[0])
	case len(c.failures) == 0 && c.limit != "":
		return Errorf(Error{Code: "InvalidLimitException", Status: 400}, "%s", c.limit)
	case c.limit != "":
		c.failures = append(c.failures, c.limit)
	case len(c.failures) == 0:
		return nil
	}
	plural := "s"
	if len(c.failures) == 1 {
		plural = ""
	}
	err := ValidationException("%d validation error%s detected: %s",
		len(c.failures), plural, strings.Join(c.failures, "; "))
	if c.code != "" {
		err.Code = c.code
	}
	return err
}

// In enters a member, Out leaves the latest thing entered.
func (c *Checker) In(member string) { c.path = append(c.path, step{name: member}) }

// Item enters the element of a list that is a member: evaluations.1.member.
func (c *Checker) Item(member string, i int) {
	c.path = append(c.path, step{name: member, index: i + 1})
}

// Entry enters the value of a key of a map that is a member.
func (c *Checker) Entry(member, key string) {
	c.path = append(c.path, step{name: member + "." + key, index: -1})
}

// Out leaves what In, Item or Entry entered last.
func (c *Checker) Out() { c.path = c.path[:len(c.path)-1] }

// Required fails when a required member is absent.
func (c *Checker) Required(member string, absent bool) {
	switch {
	case absent && c.missing != "":
		c.absent = append(c.absent, c.at(strings.ToUpper(member[:1])+member[1:]))
	case absent:
		c.failures = append(c.failures, fmt.Sprintf(
			"Value null at '%s' failed to satisfy constraint: Member must not be null", c.at(member)))
	}
}

// String checks an optional string.
func (c *Checker) String(member string, v *string, r *Rule) {
	if v == nil {
		return
	}
	r.each(*v, func(constraint string) { c.fail(member, *v, r, constraint) })
}

// Enum checks an enum or another string kept by value, where empty means absent.
func (c *Checker) Enum(member, v string, r *Rule) {
	if v != "" {
		r.each(v, func(constraint string) { c.fail(member, v, r, constraint) })
	}
}

// Number checks an optional integer or float.
func Number[T int32 | int64 | float64](c *Checker, member string, v *T, r *Rule) {
	if v == nil {
		return
	}
	r.span(float64(*v), "have value", func(constraint string) { c.fail(member, number(*v), r, constraint) })
}

// PageSize checks a number whose excess is an InvalidLimitException, without the usual preamble.
func (c *Checker) PageSize(member string, v *int32, r *Rule) {
	if v == nil {
		return
	}
	r.span(float64(*v), "have value", func(constraint string) {
		c.limit = fmt.Sprintf("Value '%d' at '%s' failed to satisfy constraint: %s", *v, c.at(member), constraint)
	})
}

// Blob checks the length of bytes. Their text is not repeated in the failure.
func (c *Checker) Blob(member string, v []byte, r *Rule) {
	if v != nil {
		r.span(float64(len(v)), "have length", func(constraint string) {
			c.fail(member, fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", len(v), len(v)), r, constraint)
		})
	}
}

// List checks the length of a list. Shape names the structure of its elements, and is empty for strings and numbers.
func List[T any](c *Checker, member string, v []T, r *Rule, shape string) {
	if v != nil {
		r.span(float64(len(v)), "have length", func(constraint string) {
			c.fail(member, printList(c, v, shape), r, constraint)
		})
	}
}

// Strings checks a list of strings and its elements; AWS blames the list for what its elements are.
func Strings[T ~string](c *Checker, member string, v []T, list, element *Rule) {
	List(c, member, v, list, "")
	if slices.ContainsFunc(v, func(s T) bool { return !element.holds(string(s)) }) {
		c.fail(member, printList(c, v, ""), element, "Member must satisfy constraint: "+c.all(element.words("length")))
	}
}

// Map checks the size of a map.
func Map[T any](c *Checker, member string, v map[string]T, r *Rule) {
	if v != nil {
		r.span(float64(len(v)), "have length", func(constraint string) {
			c.fail(member, printMap(c, v), r, constraint)
		})
	}
}

// StringMap checks a map of strings, its keys and its values.
func StringMap[T ~string](c *Checker, member string, v map[string]T, r, key, value *Rule) {
	Map(c, member, v, r)
	var badKey, badValue bool
	for k, s := range v {
		badKey = badKey || !key.holds(k)
		badValue = badValue || !value.holds(string(s))
	}
	if badKey {
		c.fail(member, printMap(c, v), key, "Map keys must satisfy constraint: "+c.all(key.words("length")))
	}
	if badValue {
		c.fail(member, printMap(c, v), value, "Map value must satisfy constraint: "+c.all(value.words("length")))
	}
}

// NumberMap checks a map of numbers, its keys and its values.
func NumberMap[T int32 | int64 | float64](c *Checker, member string, v map[string]T, r, key, value *Rule) {
	Map(c, member, v, r)
	badKey, badValue := "", ""
	for k, n := range v {
		key.each(k, func(string) { badKey = "Map keys must satisfy constraint: " + c.all(key.words("length")) })
		value.span(float64(n), "have value", func(string) {
			badValue = "Map value must satisfy constraint: " + c.all(value.words("value"))
		})
	}
	for _, bad := range []string{badKey, badValue} {
		if bad != "" {
			c.fail(member, printMap(c, v), nil, bad)
		}
	}
}

// Keys lists the keys of a map in order, so that failures come in the same order every time.
func Keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func (c *Checker) fail(member, value string, r *Rule, constraint string) {
	if r != nil && r.Sensitive {
		c.failures = append(c.failures, fmt.Sprintf(
			"Value at '%s' failed to satisfy constraint: %s", c.at(member), constraint))
		return
	}
	c.failures = append(c.failures, fmt.Sprintf(
		"Value '%s' at '%s' failed to satisfy constraint: %s", value, c.at(member), constraint))
}

// all words every constraint of an element, held or not, as AWS does.
func (c *Checker) all(words []string) string {
	if c.notNull {
		words = append(words, "Member must not be null")
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// at is the path of a member: lower camel case, indexes from one.
func (c *Checker) at(member string) string {
	var b strings.Builder
	for _, s := range c.path {
		b.WriteString(s.name)
		if s.index > 0 {
			b.WriteString("." + strconv.Itoa(s.index))
		}
		if s.index != 0 {
			b.WriteString(".member")
		}
		b.WriteByte('.')
	}
	b.WriteString(member)
	return b.String()
}
