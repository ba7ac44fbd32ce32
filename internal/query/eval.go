package query

// Values calls yield with each value that a property has in an item, until that
// returns false.
type Values func(p Property, yield func(Value) bool)

// Holds reports whether a condition holds for an item. A property without a value
// holds for nothing.
func Holds(c Condition, of Values) bool {
	switch c := c.(type) {
	case And:
		for _, e := range c {
			if !Holds(e, of) {
				return false
			}
		}
	case Or:
		for _, e := range c {
			if Holds(e, of) {
				return true
			}
		}
		return false
	case Not:
		return !Holds(c.Condition, of)
	case *Predicate:
		found := false
		of(c.Property, func(v Value) bool {
			found = c.Holds(v)
			return !found
		})
		return found
	}
	return true
}

// ValuesOf returns the values of an item in its event form, as decoded JSON, and of
// the items that were joined to it.
func ValuesOf(form map[string]any) Values {
	return func(p Property, yield func(Value) bool) {
		form := partOf(form, p.Join)
		if p.IsTag() {
			tagValues(form[tags], p.Steps[1], yield)
			return
		}
		walk(form, p.Steps, yield)
	}
}

// walk follows the steps through objects and the elements of lists. A list in a
// list is not looked into, but for the values at the end of the path.
func walk(node any, steps []string, yield func(Value) bool) bool {
	if len(steps) == 0 {
		return leaves(node, 2, yield)
	}
	switch node := node.(type) {
	case map[string]any:
		return walk(node[steps[0]], steps[1:], yield)
	case []any:
		for _, e := range node {
			object, ok := e.(map[string]any)
			switch {
			case ok && !walk(object[steps[0]], steps[1:], yield):
				return false
			case !ok && IsPlain(steps) && !leaves(e, 1, yield):
				return false
			}
		}
	default:
		return !IsPlain(steps) || leaves(node, 0, yield)
	}
	return true
}

// leaves yields a value, or those of a list.
func leaves(node any, lists int, yield func(Value) bool) bool {
	if all, ok := node.([]any); ok && lists > 0 {
		for _, e := range all {
			if !leaves(e, lists-1, yield) {
				return false
			}
		}
		return true
	}
	v, ok := ValueOf(node)
	return !ok || yield(v)
}

func tagValues(all any, member string, yield func(Value) bool) {
	object, _ := all.(map[string]any)
	for k, v := range object {
		s, _ := v.(string)
		if !yield(Value{Kind: Text, Text: TagMember(member, k, s)}) {
			return
		}
	}
}

// TagMember returns the key, the value or the tag of a tag.
func TagMember(member, key, value string) string {
	switch member {
	case "key":
		return key
	case "value":
		return value
	}
	return key + "=" + value
}

// MayHold reports whether a condition may hold for an item of which only some
// properties are known.
func MayHold(c Condition, known map[string]string) bool {
	for _, one := range Conjuncts(c) {
		decided := true
		Properties(one, func(p Property) {
			_, ok := known[p.Name]
			decided = decided && ok
		})
		if decided && !Holds(one, func(p Property, yield func(Value) bool) { yield(Value{Kind: Text, Text: known[p.Name]}) }) {
			return false
		}
	}
	return true
}
