package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// errNotJSON says that a text is something else, or broken: YAML's reader says
// better where.
var errNotJSON = errors.New("the text is not JSON")

// readJSON reads one JSON value with the lines of its parts. An *Error is about a
// text that is JSON and no template.
func readJSON(text []byte) (*node, error) {
	r := &jsonReader{decoder: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1}
	r.decoder.UseNumber()
	n, err := r.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return n, nil
}

// A jsonReader walks tokens and counts lines.
type jsonReader struct {
	decoder *json.Decoder
	text    []byte
	counted int // up to where lines were counted
	line    int
}

// next returns the next token and its line.
func (r *jsonReader) next() (json.Token, int, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, 0, errNotJSON
	}
	end := int(r.decoder.InputOffset())
	r.line += bytes.Count(r.text[r.counted:end], []byte{'\n'})
	r.counted = end
	return token, r.line, nil
}

func (r *jsonReader) value(path string, depth int) (*node, error) {
	token, line, err := r.next()
	if err != nil {
		return nil, err
	}
	n := &node{line: line, path: path}
	if depth > maxDepth {
		return nil, failure(n, "The template is nested more than %d levels deep.", maxDepth)
	}
	switch token {
	case json.Delim('{'):
		n.kind = mapping
		return n, r.members(n, depth)
	case json.Delim('['):
		n.kind = sequence
		return n, r.elements(n, depth)
	default:
		n.value = token
		return n, nil
	}
}

func (r *jsonReader) elements(n *node, depth int) error {
	for r.decoder.More() {
		item, err := r.value(below(n.path, strconv.Itoa(len(n.items))), depth+1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, _, err := r.next()
	return err
}

func (r *jsonReader) members(n *node, depth int) error {
	seen := map[string]bool{}
	for r.decoder.More() {
		token, line, err := r.next()
		if err != nil {
			return err
		}
		key, _ := token.(string) // the decoder lets nothing else be a key
		if seen[key] {
			return failure(&node{line: line, path: n.path}, "The key %q is given more than once.", key)
		}
		seen[key] = true
		item, err := r.value(below(n.path, key), depth+1)
		if err != nil {
			return err
		}
		n.keys, n.items = append(n.keys, key), append(n.items, item)
	}
	_, _, err := r.next()
	return err
}
