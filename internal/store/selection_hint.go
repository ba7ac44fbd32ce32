package store

import (
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/query"
)

// Hints are columns that must have one of some values for a condition to hold. They
// lead to the rows; the condition is evaluated all the same.
type hints struct {
	ids, names, arns []string
	tagKeys          []string
	tags             []resourceTag // any of these
}

// hintsOf takes hints from those predicates that must all hold.
func hintsOf(all query.And) (h hints) {
	for _, c := range all {
		p, ok := c.(*query.Predicate)
		if !ok || p.Op != query.Equal && p.Op != query.In {
			continue
		}
		texts, ok := keptTexts(p)
		if !ok {
			continue
		}
		switch p.Property.Name {
		case "resourceId":
			h.ids = texts
		case "resourceName":
			h.names = texts
		case "arn":
			h.arns = texts
		case "tags.key":
			h.tagKeys = texts
		case "tags.tag":
			h.tags = splitTags(texts)
		}
	}
	return h
}

// keptTexts returns the texts that a predicate compares with. ok is false if a
// column may spell one otherwise than the body does, or leave it out.
func keptTexts(p *query.Predicate) (texts []string, ok bool) {
	for _, l := range p.Values {
		if strings.ContainsRune(l.Text, '\ufffd') || len(l.Text) > maxTagKey {
			return nil, false
		}
		texts = append(texts, l.Text)
	}
	return texts, true
}

// splitTags returns the tags that key=value may mean: a key may have = too.
func splitTags(texts []string) []resourceTag {
	out := []resourceTag{}
	for _, t := range texts {
		for i, c := range t {
			if c == '=' {
				out = append(out, resourceTag{key: t[:i], value: t[i+1:]})
			}
		}
	}
	return out
}

// say reports whether rows that the hints lead to need not be asked whether a
// predicate holds for them.
func (h hints) say(c query.Condition) bool {
	p, ok := c.(*query.Predicate)
	if !ok || p.Op != query.Equal && p.Op != query.In {
		return false
	}
	texts, _ := keptTexts(p)
	switch p.Property.Name {
	case "resourceId":
		return texts != nil && slices.Equal(texts, h.ids)
	case "tags.tag":
		return len(texts) == 1 && h.oneTag() && texts[0] == query.TagMember("tag", h.tags[0].key, h.tags[0].value)
	}
	return false
}

// oneTag reports whether one tag with its value leads to the rows.
func (h hints) oneTag() bool { return len(h.tags) == 1 }

// hasTags reports whether tags lead to the rows.
func (h hints) hasTags() bool { return h.tags != nil || h.tagKeys != nil }

// tagCondition returns the condition of a row t of resource_tag.
func (h hints) tagCondition() (string, []any) {
	if h.tags == nil {
		in, args := db.In(h.tagKeys)
		return `t.key IN ` + in, args
	}
	var args []any
	for _, t := range h.tags {
		args = append(args, t.key, t.value)
	}
	if len(args) == 0 {
		return `false`, nil
	}
	return `(t.key, t.value) IN (VALUES ` + rows(len(h.tags), "(?, ?)") + `)`, args
}

// columns returns the conditions of a row r of resource.
func (h hints) columns() (sql string, args []any) {
	for _, c := range []struct {
		column string
		values []string
	}{{"r.external_id", h.ids}, {"r.name <> '' AND r.name", h.names}, {"r.arn <> '' AND r.arn", h.arns}} {
		if c.values != nil {
			in, values := db.In(c.values)
			sql, args = sql+` AND `+c.column+` IN `+in, append(args, values...)
		}
	}
	return sql, args
}
