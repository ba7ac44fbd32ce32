package store

import (
	"bytes"
	"encoding/json"

	"plumb/internal/config"
)

// itemWithText reads an item and leaves its configuration as the text that it is
// kept as: most readers hand it on, and to decode and encode it again is most of
// what they would do.
func itemWithText(body []byte) (config.Item, error) {
	before, text, after, ok := cutConfiguration(body)
	if !ok || bytes.Equal(text, []byte("null")) {
		return decodedItem(body)
	}
	rest := make([]byte, 0, len(before)+len(after)+len("null"))
	rest = append(append(append(rest, before...), "null"...), after...)
	it, err := decodedItem(rest)
	if err != nil {
		return it, err
	}
	it.Configuration = json.RawMessage(text)
	return it, nil
}

// cutConfiguration finds the configuration in the event form. Bare quotes are in
// no text of it, so the name is what it looks like; what stands before has no
// such name.
func cutConfiguration(body []byte) (before, text, after []byte, ok bool) {
	const name = `"configuration":`
	i := bytes.Index(body, []byte(name))
	if i < 0 {
		return nil, nil, nil, false
	}
	i += len(name)
	n := valueLength(body[i:])
	if n <= 0 {
		return nil, nil, nil, false
	}
	return body[:i], body[i : i+n], body[i+n:], true
}

// valueLength returns the length of the object, list or null that valid JSON
// begins with; 0 for anything else.
func valueLength(b []byte) int {
	if bytes.HasPrefix(b, []byte("null")) {
		return len("null")
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			i = endOfString(b, i)
		}
		if depth == 0 {
			if i == 0 {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// endOfString returns where the string that begins at i ends.
func endOfString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}
