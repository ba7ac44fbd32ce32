package eventbus

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// A path leads from an event to a part of it: $.detail.items[0].name.
type path []step

type step struct {
	name  string
	index int  // where it is not a name
	all   bool // [*]: every element
	list  bool // it leads into a list
}

// parsePath reads a JSON path: names after dots or in brackets, and positions in
// lists.
func parsePath(text string) (p path, ok bool) {
	rest, ok := strings.CutPrefix(text, "$")
	for ok && rest != "" {
		var s step
		switch {
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			s.name, rest = rest[2:2+end], rest[end+4:]
		case rest[0] == '[':
			inside, after, closed := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(inside)
			if !closed || inside != "*" && (err != nil || n < 0) {
				return nil, false
			}
			s, rest = step{index: n, all: inside == "*", list: true}, after
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			s.name, rest = rest[1:1+end], rest[1+end:]
			ok = s.name != ""
		default:
			return nil, false
		}
		p = append(p, s)
	}
	return p, ok
}

// of returns the part of a JSON value that the path leads to, as it is written
// there, or nil.
func (p path) of(v json.RawMessage) json.RawMessage {
	for i, s := range p {
		if !s.list {
			var members map[string]json.RawMessage
			if json.Unmarshal(v, &members) != nil {
				return nil
			}
			if v = members[s.name]; v == nil {
				return nil
			}
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			return nil
		}
		if s.all {
			return p[i+1:].ofEach(list)
		}
		if s.index >= len(list) {
			return nil
		}
		v = list[s.index]
	}
	return v
}

func (p path) ofEach(list []json.RawMessage) json.RawMessage {
	var found [][]byte
	for _, e := range list {
		if part := p.of(e); part != nil {
			found = append(found, part)
		}
	}
	return append(append([]byte{'['}, bytes.Join(found, []byte{','})...), ']')
}
