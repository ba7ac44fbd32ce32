package syntax

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"plumb/internal/guard/document"
	"plumb/internal/guard/pattern"
)

// value reads a literal. The order matters: a number is a float if it can be one,
// and null, true and false are taken wherever a word begins with them.
func (p *parser) value() (*document.Value, bool) {
	return try(p, func() (*document.Value, bool) {
		p.ws()
		return nested(p, p.bareValue)
	})
}

// bareValue tries every kind of value in the order that decides between them.
func (p *parser) bareValue() (*document.Value, bool) {
	for _, read := range []func() (*document.Value, bool){
		p.null, p.str, p.float, p.integer, p.boolean, p.regex, p.rangeValue, p.list, p.mapping,
	} {
		if v, ok := try(p, read); ok || p.failed {
			return v, ok
		}
	}
	return nil, p.want("a value")
}

func (p *parser) null() (*document.Value, bool) {
	if p.tag("null", "NULL") {
		return document.NewNull(), true
	}
	return nil, false
}

func (p *parser) boolean() (*document.Value, bool) {
	if p.tag("true", "True") {
		return document.NewBool(true), true
	}
	if p.tag("false", "False") {
		return document.NewBool(false), true
	}
	return nil, false
}

func (p *parser) str() (*document.Value, bool) {
	s, ok := p.quoted()
	return document.NewString(s), ok
}

// quoted reads a string in single or double quotes. A backslash before the quote
// keeps the quote in the string; it means nothing before any other character.
func (p *parser) quoted() (string, bool) {
	if p.pos >= len(p.src) || p.src[p.pos] != '\'' && p.src[p.pos] != '"' {
		return "", false
	}
	quote, start := p.src[p.pos], p.pos
	var text strings.Builder
	p.pos++
	for {
		end := strings.IndexByte(p.src[p.pos:], quote)
		if end < 0 {
			p.pos = start
			p.giveUp("the string that begins here does not end")
			return "", false
		}
		piece := p.src[p.pos : p.pos+end]
		p.pos += end + 1
		if before, escaped := strings.CutSuffix(piece, `\`); escaped {
			text.WriteString(before)
			text.WriteByte(quote)
			continue
		}
		text.WriteString(piece)
		return text.String(), true
	}
}

func (p *parser) digits() (string, bool) {
	start := p.pos
	for p.pos < len(p.src) && isDigit(p.src[p.pos]) {
		p.pos++
	}
	return p.src[start:p.pos], p.pos > start
}

// float reads digits with a fraction or an exponent. There is no sign before it.
func (p *parser) float() (*document.Value, bool) {
	start := p.pos
	if _, ok := p.digits(); !ok {
		return nil, false
	}
	_, fraction := try(p, func() (string, bool) {
		if !p.tag(".") {
			return "", false
		}
		return p.digits()
	})
	_, exponent := try(p, func() (string, bool) {
		if !p.tag("e", "E") {
			return "", false
		}
		if sign := p.tag("+", "-"); !sign && !fraction {
			return "", false
		}
		return p.digits()
	})
	if !fraction && !exponent {
		return nil, false
	}
	f, err := strconv.ParseFloat(p.src[start:p.pos], 64)
	if err != nil {
		p.pos = start
		p.giveUp("this number is out of range")
		return nil, false
	}
	return document.NewFloat(f), true
}

func (p *parser) integer() (*document.Value, bool) {
	i, ok := p.int64()
	return document.NewInt(i), ok
}

// int64 reads an integer. One that is too large is no integer, and is remembered as the
// likely reason if nothing else fits.
func (p *parser) int64() (int64, bool) {
	start := p.pos
	negative := p.tag("-")
	digits, ok := p.digits()
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		p.reason, p.reasonAt = "this number is out of range", start
		return 0, false
	}
	if negative {
		i = -i
	}
	return i, true
}

// regex reads /.../, in which a slash is written \/.
func (p *parser) regex() (*document.Value, bool) {
	start := p.pos
	if !p.tag("/") {
		return nil, false
	}
	var source strings.Builder
	for {
		end := strings.IndexByte(p.src[p.pos:], '/')
		if end <= 0 {
			return nil, p.unfinishedRegex(start, end)
		}
		piece := p.src[p.pos : p.pos+end]
		p.pos += end + 1
		if before, escaped := strings.CutSuffix(piece, `\`); escaped {
			source.WriteString(before)
			source.WriteByte('/')
			continue
		}
		source.WriteString(piece)
		break
	}
	re, err := pattern.Compile(source.String())
	if err != nil {
		p.reason, p.reasonAt = err.Error(), start
		return nil, false
	}
	return document.NewRegex(re), true
}

func (p *parser) unfinishedRegex(start, end int) bool {
	p.reason, p.reasonAt = "the regular expression that begins here does not end", start
	if end == 0 {
		p.reason = "a regular expression cannot be empty or have a piece that is"
	}
	return false
}

// rangeValue reads r[1,10], r(1,10) and the mixed forms.
func (p *parser) rangeValue() (*document.Value, bool) {
	if !p.tag("r") || p.pos >= len(p.src) || !strings.ContainsRune("([", rune(p.src[p.pos])) {
		return nil, false
	}
	low := p.src[p.pos] == '['
	p.pos++
	lower, ok := p.bound()
	if !ok || !p.char(',') {
		return nil, false
	}
	upper, ok := p.bound()
	if !ok || p.pos >= len(p.src) || !strings.ContainsRune(")]", rune(p.src[p.pos])) {
		return nil, p.want("the end of a range, ')' or ']'")
	}
	high := p.src[p.pos] == ']'
	p.pos++
	v, err := document.NewRange(lower, upper, low, high)
	if err != nil {
		p.giveUp(err.Error())
		return nil, false
	}
	return v, true
}

// bound reads an end of a range. Any character that is no number stands for itself.
func (p *parser) bound() (*document.Value, bool) {
	p.blanks()
	v, ok := try(p, p.float)
	if !ok && !p.failed {
		v, ok = try(p, p.integer)
	}
	if !ok && !p.failed && p.pos < len(p.src) {
		c, size := utf8.DecodeRuneInString(p.src[p.pos:])
		p.pos += size
		v, ok = document.NewChar(c), true
	}
	p.blanks()
	return v, ok && !p.failed
}

// list reads a list. A comma at its end is not allowed.
func (p *parser) list() (*document.Value, bool) {
	if !p.wsChar('[') {
		return nil, false
	}
	elements, ok := separated(p, func() bool { return p.wsChar(',') }, p.value)
	if !ok || !p.wsChar(']') {
		return nil, false
	}
	return document.NewList(elements), true
}

// separated reads any number of elements. A separator that nothing follows is left
// where it is.
func separated[T any](p *parser, separator func() bool, element func() (T, bool)) ([]T, bool) {
	var elements []T
	for {
		start := p.pos
		if len(elements) > 0 && !separator() {
			p.pos = start
			return elements, !p.failed
		}
		e, ok := element()
		if !ok {
			p.pos = start
			return elements, !p.failed
		}
		elements = append(elements, e)
	}
}

type entry struct {
	key   document.Key
	value *document.Value
}

func (p *parser) mapping() (*document.Value, bool) {
	if !p.char('{') {
		return nil, false
	}
	entries, ok := separated(p, func() bool { return p.wsChar(',') }, p.entry)
	if !ok || !p.wsChar('}') {
		return nil, false
	}
	keys, values := make([]document.Key, len(entries)), make([]*document.Value, len(entries))
	for i, e := range entries {
		keys[i], values[i] = e.key, e.value
	}
	return document.NewMap(keys, values), true
}

func (p *parser) entry() (entry, bool) {
	p.ws()
	key, ok := p.mapKey()
	if !ok || !p.wsChar(':') {
		return entry{}, false
	}
	v, ok := p.value()
	return entry{document.Key{Name: key}, v}, ok
}

// mapKey reads a key, which may be a number or have dashes.
func (p *parser) mapKey() (string, bool) {
	end := strings.IndexFunc(p.src[p.pos:], func(c rune) bool {
		return c != '-' && c != '_' && !unicode.IsLetter(c) && !unicode.IsNumber(c)
	})
	if end < 0 {
		end = len(p.src) - p.pos
	}
	if end == 0 {
		return p.quoted()
	}
	p.pos += end
	return p.src[p.pos-end : p.pos], true
}
