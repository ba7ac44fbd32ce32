package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

func looksLikeJSON(text []byte) bool {
	t := bytes.TrimLeft(text, " \t\r\n")
	return len(t) > 0 && (t[0] == '{' || t[0] == '[')
}

// parseJSON reads one JSON value with the places of its parts.
func parseJSON(text []byte) (*Value, error) {
	p := jsonReader{dec: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1}
	p.dec.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading JSON: text follows the value")
	}
	return v, nil
}

// A jsonReader walks the tokens and keeps count of lines.
type jsonReader struct {
	dec  *json.Decoder
	text []byte

	offset    int // what line and lineStart are true for
	line      int
	lineStart int
}

// value reads the value that comes next.
func (p *jsonReader) value(depth int) (*Value, error) {
	if depth > maxNesting {
		return nil, errors.New("document is nested too deeply")
	}
	token, place, err := p.next()
	if err != nil {
		return nil, err
	}
	var v *Value
	switch token {
	case json.Delim('{'):
		v, err = p.object(depth)
	case json.Delim('['):
		v, err = p.array(depth)
	default:
		v = new(Value)
		err = fillScalar(v, token)
	}
	if err != nil {
		return nil, err
	}
	v.at = place
	return v, nil
}

func (p *jsonReader) array(depth int) (*Value, error) {
	var elements []*Value
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
	}
	_, err := p.dec.Token()
	return NewList(elements), err
}

func (p *jsonReader) object(depth int) (*Value, error) {
	var keys []Key
	var values []*Value
	for p.dec.More() {
		name, place, err := p.next()
		if err != nil {
			return nil, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		text, _ := name.(string) // the decoder lets nothing else be a key
		keys, values = append(keys, Key{Name: text, At: place}), append(values, v)
	}
	_, err := p.dec.Token()
	return NewMap(keys, values), err
}

// next is the next token with the place where it begins.
func (p *jsonReader) next() (json.Token, Pos, error) {
	start := int(p.dec.InputOffset())
	for start < len(p.text) && bytes.IndexByte([]byte(" \t\r\n,:"), p.text[start]) >= 0 {
		start++
	}
	token, err := p.dec.Token()
	return token, p.place(start), err
}

// place counts lines from where the last place was: tokens come in order.
func (p *jsonReader) place(offset int) Pos {
	for ; p.offset < offset; p.offset++ {
		if p.text[p.offset] == '\n' {
			p.line++
			p.lineStart = p.offset + 1
		}
	}
	return Pos{Line: p.line, Column: utf8.RuneCount(p.text[p.lineStart:offset]) + 1}
}
