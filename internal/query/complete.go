package query

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Spot is what is being written at a place of an expression.
type Spot struct {
	Word  string // what is written of it so far
	Value string // the property whose value it is, in quotes; empty if it is a name or a keyword
	Type  string // the resource type that the expression asks for; empty if it names none
}

var (
	askedType  = regexp.MustCompile(`(?i)\bresourceType\s*=\s*'([^']+)'`)
	unfinished = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*$`)
	// comparedTo is what stands before a text that a property is compared to.
	comparedTo = regexp.MustCompile(`(?i)([a-z][a-z0-9_.]*)\s*(?:[=<>!]+|\bLIKE|\bNOT\s+LIKE|\b(?:NOT\s+)?IN\s*\((?:[^()']|'[^']*')*)\s*$`)
)

// SpotAt says what is being written after a part of an expression; rest is what follows.
// Neither need be whole or right.
func SpotAt(before, rest string) Spot {
	var s Spot
	if m := askedType.FindStringSubmatch(before + rest); m != nil {
		s.Type = m[1]
	}
	if strings.Count(before, "'")%2 == 0 {
		s.Word = unfinished.FindString(before)
		return s
	}
	quote := strings.LastIndexByte(before, '\'')
	s.Word = before[quote+1:]
	if m := comparedTo.FindStringSubmatch(before[:quote]); m != nil {
		s.Value = m[1]
	}
	return s
}

// extensions are the keywords of extended mode, with what always follows them.
var extensions = []string{"AS OF '", "DISTINCT", "FROM history", "HAVING", "JOIN related ON relationships"}

// Words are the keywords, also those of extended mode, the properties that every item has, and those that have members,
// in the order of their names. Members of tags and relationships are among them; what a
// configuration has depends on the type.
func Words() []string {
	all := slices.Concat(reserved, extensions, parents, slices.Collect(maps.Keys(topLevel)))
	for _, f := range []Func{Count, Sum, Avg, Min, Max} {
		all = append(all, string(f)+"(")
	}
	for _, m := range tagMembers {
		all = append(all, tags+"."+m)
	}
	for m := range relationshipMembers {
		all = append(all, relationships+"."+m)
	}
	slices.Sort(all)
	return all
}
