package lex

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexv2modelsapi"
)

// A locale is a bot in a language, ready to talk.
type locale struct {
	intents  map[string]*intent // by name
	fallback *intent            // nil if there is none
	types    map[string]*slotType
}

// An intent is what users may want.
type intent struct {
	id, name   string
	definition api.UpdateIntentInput
	utterances []utterance
	slots      []*slot // in the order in which they are asked for
}

// A slot is what has to be known for an intent.
type slot struct {
	id, name   string
	definition api.UpdateSlotInput
	utterances []utterance
}

// A slotType says which values there are.
type slotType struct {
	definition api.UpdateSlotTypeInput
	filter     *regexp.Regexp
}

// maxParts bounds what is read of a locale.
const maxParts = 10_000

// readLocale reads a bot in a language.
func readLocale(ctx context.Context, tx *db.Tx, like Resource) (*locale, error) {
	l := &locale{intents: map[string]*intent{}, types: map[string]*slotType{}}
	like.Kind = KindSlotType
	types, err := List(ctx, tx, like, "", maxParts)
	if err != nil {
		return nil, err
	}
	for _, r := range types {
		t := &slotType{}
		if err := read(r, &t.definition); err != nil {
			return nil, err
		}
		if s := t.definition.ValueSelectionSetting; s != nil && s.RegexFilter != nil && s.RegexFilter.Pattern != nil {
			t.filter, _ = regexp.Compile(`^(?:` + *s.RegexFilter.Pattern + `)$`) // checked when it was written
		}
		l.types[r.ID] = t
	}
	like.Kind = KindIntent
	intents, err := List(ctx, tx, like, "", maxParts)
	if err != nil {
		return nil, err
	}
	for _, r := range intents {
		i := &intent{id: r.ID, name: r.Name}
		if err := read(r, &i.definition); err != nil {
			return nil, err
		}
		if err := i.readSlots(ctx, tx, like); err != nil {
			return nil, err
		}
		i.utterances = utterancesOf(i.definition.SampleUtterances)
		l.intents[r.Name] = i
		if model.Deref(i.definition.ParentIntentSignature) == fallbackParent {
			l.fallback = i
		}
	}
	return l, nil
}

func read(r Resource, into any) error {
	if err := json.Unmarshal(r.Definition, into); err != nil {
		return fmt.Errorf("%s %s: %w", r.Kind, r.ID, err)
	}
	return nil
}

// readSlots reads an intent's slots in the order of their priorities, those without one
// last, by name.
func (i *intent) readSlots(ctx context.Context, tx *db.Tx, like Resource) error {
	like.Kind, like.Intent = KindSlot, i.id
	all, err := List(ctx, tx, like, "", maxParts)
	if err != nil {
		return err
	}
	priority := map[string]int32{}
	for _, p := range i.definition.SlotPriorities {
		priority[model.Deref(p.SlotId)] = model.Deref(p.Priority) + 1
	}
	const last = 1 << 30
	for _, r := range all {
		s := &slot{id: r.ID, name: r.Name}
		if err := read(r, &s.definition); err != nil {
			return err
		}
		if e := s.definition.ValueElicitationSetting; e != nil {
			s.utterances = utterancesOf(e.SampleUtterances)
		}
		i.slots = append(i.slots, s)
	}
	slices.SortStableFunc(i.slots, func(a, b *slot) int {
		return cmp.Compare(cmp.Or(priority[a.id], last), cmp.Or(priority[b.id], last))
	})
	return nil
}

func (i *intent) slot(name string) *slot {
	for _, s := range i.slots {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (s *slot) required() bool {
	e := s.definition.ValueElicitationSetting
	return e != nil && e.SlotConstraint == api.SlotConstraintRequired
}

// prompt is what asks for the slot; nil where nothing does.
func (s *slot) prompt() *api.PromptSpecification {
	if e := s.definition.ValueElicitationSetting; e != nil {
		return e.PromptSpecification
	}
	return nil
}

// An utterance is a sample of what users say, with slots in braces.
type utterance struct {
	pattern *regexp.Regexp
	slots   []string // by the groups of the pattern
	words   int      // that are given
}

var placeholder = regexp.MustCompile(`\{([0-9a-zA-Z_-]+)\}`)

// utterancesOf compiles samples. One that is none was refused when it was written.
func utterancesOf(samples []api.SampleUtterance) (out []utterance) {
	for _, s := range samples {
		if u, err := compile(model.Deref(s.Utterance)); err == nil {
			out = append(out, u)
		}
	}
	return out
}

func compile(sample string) (utterance, error) {
	var u utterance
	var parts []string
	at := 0
	literal := func(text string) {
		for _, w := range strings.Fields(normal(text)) {
			parts = append(parts, regexp.QuoteMeta(w))
			u.words++
		}
	}
	for _, m := range placeholder.FindAllStringSubmatchIndex(sample, -1) {
		literal(sample[at:m[0]])
		parts = append(parts, `(\S.*?|\S)`)
		u.slots = append(u.slots, sample[m[2]:m[3]])
		at = m[1]
	}
	literal(sample[at:])
	if len(parts) == 0 {
		return u, fmt.Errorf("the utterance %q has no words", sample)
	}
	var err error
	u.pattern, err = regexp.Compile(`(?is)^` + strings.Join(parts, `\s+`) + `$`)
	return u, err
}

var thousands = regexp.MustCompile(`([0-9]),([0-9]{3})`)

// normal takes from a text what does not matter between words.
func normal(text string) string {
	text = thousands.ReplaceAllString(text, "$1$2")
	text = strings.Map(func(r rune) rune {
		switch r {
		case ',', ';', '!', '?', '"', '\u201c', '\u201d':
			return ' '
		case '\u2019':
			return '\''
		}
		return r
	}, text)
	fields := strings.Fields(text)
	for i, f := range fields {
		if t := strings.TrimRight(f, "."); t != "" && (i == len(fields)-1 || len(t) > 1) {
			fields[i] = t
		}
	}
	return strings.Join(fields, " ")
}
