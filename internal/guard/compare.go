package guard

import (
	"fmt"
	"strings"

	"plumb/internal/guard/document"
)

// equalTo compares two values. Values of different kinds are not comparable, but
// for strings with regular expressions and numbers with ranges. The error is a
// regular expression that took too long.
func equalTo(a, b *document.Value) (equal, comparable bool, err error) {
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == document.String && kb == document.Regex:
		ok, err := b.Pattern().Match(a.Text())
		return ok, err == nil, err
	case ka == document.Regex && kb == document.String:
		ok, err := a.Pattern().Match(b.Text())
		return ok, err == nil, err
	case ka == document.Map && kb == document.Map:
		return mapsEqual(a, b)
	case ka == document.List && kb == document.List:
		return listsEqual(a, b)
	case ka == document.Bool && kb == document.Bool:
		return a.Bool() == b.Bool(), true, nil
	case ka == document.Regex && kb == document.Regex:
		return a.Text() == b.Text(), true, nil
	case inRange(ka, kb):
		return b.Contains(a), true, nil
	}
	order, comparable := compare(a, b)
	return comparable && order == 0, comparable, nil
}

func inRange(value, of document.Kind) bool {
	return value == document.Int && of == document.IntRange ||
		value == document.Float && of == document.FloatRange ||
		value == document.Char && of == document.CharRange
}

// mapsEqual compares maps key by key, in a's order.
func mapsEqual(a, b *document.Value) (equal, comparable bool, err error) {
	if a.Len() != b.Len() {
		return false, true, nil
	}
	for i, k := range a.Keys() {
		v := b.Get(k.Name)
		if v == nil {
			return false, true, nil
		}
		if equal, comparable, err := equalTo(a.Item(i), v); !equal {
			return false, comparable, err
		}
	}
	return true, true, nil
}

// listsEqual compares lists element by element, in their order.
func listsEqual(a, b *document.Value) (equal, comparable bool, err error) {
	if a.Len() != b.Len() {
		return false, true, nil
	}
	for i := range a.Len() {
		if equal, comparable, err := equalTo(a.Item(i), b.Item(i)); !equal {
			return false, comparable, err
		}
	}
	return true, true, nil
}

// compare orders two values of one kind.
func compare(a, b *document.Value) (order int, comparable bool) {
	if a.Kind() != b.Kind() {
		return 0, false
	}
	switch a.Kind() {
	case document.Null:
		return 0, true
	case document.Int:
		return cmp(a.Int(), b.Int()), true
	case document.Float:
		x, y := a.Float(), b.Float()
		return cmp(x, y), x == x && y == y
	case document.String:
		return strings.Compare(a.Text(), b.Text()), true
	case document.Char:
		return cmp(a.Char(), b.Char()), true
	}
	return 0, false
}

// cmp orders two numbers.
func cmp[T int64 | float64 | rune](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// same is equality for looking a value up in a list: what cannot be compared is
// not the same, and a value is in a range if it stands on the left.
func same(a, b *document.Value) (bool, error) {
	ka, kb := a.Kind(), b.Kind()
	if ka != kb || a.IsScalar() {
		ok, _, err := equalTo(a, b)
		return ok, err
	}
	if a.Len() != b.Len() {
		return false, nil
	}
	for i := range a.Len() {
		other := b.Item(i)
		if ka == document.Map {
			if other = b.Get(a.Keys()[i].Name); other == nil {
				return false, nil
			}
		}
		if ok, err := same(a.Item(i), other); !ok {
			return false, err
		}
	}
	return true, nil
}

// isElement tells whether a list has a value.
func isElement(list, v *document.Value) (bool, error) {
	for i := range list.Len() {
		if ok, err := same(list.Item(i), v); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// contains tells whether one string is part of another.
func contains(whole, part *document.Value) bool {
	return part.Kind() == document.String && strings.Contains(whole.Text(), part.Text())
}

// notComparable is the reason that goes into a record.
func notComparable(a, b *document.Value) string {
	return fmt.Sprintf("PathAwareValues are not comparable %s, %s", a.Kind(), b.Kind())
}
