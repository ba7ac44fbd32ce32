package syntax

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"plumb/internal/guard/casing"
	"plumb/internal/guard/document"
)

// A parser reads a file from left to right. The language has no tokens: whether a
// word is a keyword depends on what can stand where it stands, and blanks matter in
// places. So every method looks at the text itself.
//
// A method that returns false has not found its construct: the caller goes back and
// tries another. Where nothing else can be meant, the parser gives up (giveUp), and
// no alternative is tried any more.
type parser struct {
	file string
	src  string
	pos  int

	lines []int // offsets at which lines begin

	failed   bool
	failedAt int
	reason   string
	reasonAt int

	far   int // the farthest place where something was looked for in vain
	wants []string

	depth   int
	memo    map[memoKey]memoEntry
	spelled map[string][casing.Count]string
}

// maxNesting bounds how deep clauses and values may be nested.
const maxNesting = 200

// A memoKey is a construct and the place where it was looked for. Alternatives
// begin alike, and nested ones would be read again and again without this memory.
type memoKey struct {
	construct byte
	pos       int
}

type memoEntry struct {
	result any
	end    int
	ok     bool
}

// remember reads a construct once for each place.
func remember[T any](p *parser, construct byte, read func() (T, bool)) (T, bool) {
	key := memoKey{construct, p.pos}
	if e, ok := p.memo[key]; ok {
		p.pos = e.end
		result, _ := e.result.(T)
		return result, e.ok
	}
	result, ok := read()
	if !p.failed {
		p.memo[key] = memoEntry{result, p.pos, ok}
	}
	return result, ok
}

// try reads a construct, or nothing at all.
func try[T any](p *parser, read func() (T, bool)) (T, bool) {
	start := p.pos
	result, ok := read()
	if !ok {
		p.pos = start
	}
	return result, ok && !p.failed
}

// nested runs read one level deeper.
func nested[T any](p *parser, read func() (T, bool)) (T, bool) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		var none T
		p.giveUp("nested more than 200 levels deep")
		return none, false
	}
	return read()
}

// giveUp ends the reading of the file. An empty reason means that what was looked
// for last says enough.
func (p *parser) giveUp(reason string) {
	if p.failed {
		return
	}
	p.failed, p.failedAt = true, p.pos
	if reason != "" {
		p.reason, p.reasonAt = reason, p.pos
	}
}

// must gives up if ok is false.
func (p *parser) must(ok bool) bool {
	if !ok {
		p.giveUp("")
	}
	return ok && !p.failed
}

// want notes that something was looked for here in vain.
func (p *parser) want(what string) bool {
	if p.pos > p.far {
		p.far, p.wants = p.pos, p.wants[:0]
	}
	if p.pos == p.far && len(p.wants) < 64 {
		p.wants = append(p.wants, what)
	}
	return false
}

// tag takes one of the words if the text goes on with it. A word may be the
// beginning of a longer one.
func (p *parser) tag(words ...string) bool {
	for _, w := range words {
		if strings.HasPrefix(p.src[p.pos:], w) {
			p.pos += len(w)
			return true
		}
	}
	return false
}

// char takes a character, or notes that it was wanted.
func (p *parser) char(c byte) bool {
	if p.pos < len(p.src) && p.src[p.pos] == c {
		p.pos++
		return true
	}
	return p.want("'" + string(c) + "'")
}

// wsChar takes a character that blanks and comments may precede.
func (p *parser) wsChar(c byte) bool {
	p.ws()
	return p.char(c)
}

// ws skips blanks, line ends and comments.
func (p *parser) ws() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		case '#':
			p.comment()
		default:
			return
		}
	}
}

// ws1 skips at least one blank, line end or comment.
func (p *parser) ws1() bool {
	start := p.pos
	p.ws()
	if p.pos == start {
		return p.want("a space")
	}
	return true
}

func (p *parser) comment() {
	if end := strings.IndexByte(p.src[p.pos:], '\n'); end >= 0 {
		p.pos += end
	} else {
		p.pos = len(p.src)
	}
}

// blanks skips spaces and tabs.
func (p *parser) blanks() int {
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] == ' ' || p.src[p.pos] == '\t') {
		p.pos++
	}
	return p.pos - start
}

// multispace skips blanks and line ends, but no comments.
func (p *parser) multispace() {
	for p.pos < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

// name takes the name of a variable, rule or property.
func (p *parser) name() (string, bool) {
	start := p.pos
	for p.pos < len(p.src) && isLetter(p.src[p.pos]) {
		p.pos++
	}
	if p.pos == start {
		return "", p.want("a name")
	}
	for p.pos < len(p.src) {
		c, size := utf8.DecodeRuneInString(p.src[p.pos:])
		if c != '_' && !unicode.IsLetter(c) && !unicode.IsNumber(c) {
			break
		}
		p.pos += size
	}
	return p.src[start:p.pos], true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (p *parser) here() document.Pos { return p.position(p.pos) }

func (p *parser) position(offset int) document.Pos {
	line := sort.SearchInts(p.lines, offset+1) - 1
	return document.Pos{Line: line + 1, Column: utf8.RuneCountInString(p.src[p.lines[line]:offset]) + 1}
}

func lineStarts(src string) []int {
	starts := []int{0}
	for i := range len(src) {
		if src[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
