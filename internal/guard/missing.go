package guard

import (
	"fmt"

	"plumb/internal/guard/syntax"
)

// A Missing is a query that led nowhere.
type Missing struct {
	Rest []syntax.Part // what was left of the path

	why  reason
	part syntax.Part // the part that failed
	word string
}

// A reason is why a query led nowhere.
type reason uint8

const (
	noKey reason = iota
	notAMap
	notAList
	outOfBounds
	noEntries
	noFilter
	noKeys
	noName
	noSuchName
)

// rest is what is left of the path.
func (st step) rest() []syntax.Part { return st.parts[st.i:] }

// missing is the finding of a query that ends here.
func (st step) missing(why reason, rest []syntax.Part) Finding {
	return Finding{Value: st.at, Missing: &Missing{Rest: rest, why: why, part: st.parts[st.i]}}
}

// Remaining is what was left of the path when the query led nowhere.
func (f Finding) Remaining() string {
	if f.Missing == nil {
		return ""
	}
	return syntax.Path(f.Missing.Rest)
}

// Reason says why a query led nowhere. It is empty if the value was found.
func (f Finding) Reason() string {
	if f.Missing == nil {
		return ""
	}
	m, v := f.Missing, f.Value
	switch m.why {
	case noKey:
		return fmt.Sprintf("Could not find key %s inside struct at path %s", m.part, v.Place())
	case notAMap:
		return fmt.Sprintf("Attempting to retrieve from key %s but type is not an struct type at path %s, "+
			"Type = %s, Value = %s", m.part, v.Place(), v.Kind(), v.Literal())
	case notAList:
		return fmt.Sprintf("Attempting to retrieve from index %s but type is not an array at path %s, type %s",
			m.part, v.Place(), v.Kind())
	case outOfBounds:
		return fmt.Sprintf("Array Index out of bounds for path = %s on index = %s inside Array = %s, "+
			"remaining query = %s", v.Place(), m.part, v.Literal(), f.Remaining())
	case noEntries:
		return fmt.Sprintf("No more entries for value at path = %s on type = %s ", v.Place(), v.Kind())
	case noFilter:
		return fmt.Sprintf("Filter on value type that was not a struct or array %s %s", v.Kind(), v.Place())
	case noKeys:
		return fmt.Sprintf("Map Filter for keys was not a struct %s %s", v.Kind(), v.Place())
	case noSuchName:
		return fmt.Sprintf("Could not locate key = %s inside struct at path = %s", m.word, v.Place())
	default:
		return fmt.Sprintf("The names in variable %s could not be resolved at path %s", m.part, v.Place())
	}
}
