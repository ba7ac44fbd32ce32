package compliance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Notes spare terse rules the look at verdicts that stay: of fifty rules on a
// hundred items, most say again what they said.
type notes struct {
	place config.Place
	kept  map[config.ResourceKey]note
	now   map[config.ResourceKey]note // of resources with news
	only  map[digest]bool             // the rules that are speaking; nil keeps what others said
}

// A note on a resource has a pair of digests for each rule: of the rule, and of
// what it said when its verdict was last found to be, or made, just that. It is
// the text that is kept; notes are short, and reading them makes no garbage.
type note []byte

type digest [8]byte

const pairSize = 2 * len(digest{})

// find returns where the pair of a rule begins, or -1.
func (n note) find(rule digest) int {
	for i := 0; i+pairSize <= len(n); i += pairSize {
		if digest(n[i:]) == rule {
			return i
		}
	}
	return -1
}

func (n note) says(rule, saying digest) bool {
	i := n.find(rule)
	return i >= 0 && digest(n[i+len(rule):]) == saying
}

// with returns the note with what a rule says now. It may change n.
func (n note) with(rule, saying digest) note {
	if i := n.find(rule); i >= 0 {
		copy(n[i+len(rule):], saying[:])
		return n
	}
	return append(append(n, rule[:]...), saying[:]...)
}

// readNotes returns the notes on what terse batches speak of.
func readNotes(ctx context.Context, tx *db.Tx, p config.Place, batches []config.Batch) (*notes, error) {
	texts, err := store.Said(ctx, tx, p, keys(p, batches))
	if err != nil {
		return nil, err
	}
	n := &notes{place: p, kept: make(map[config.ResourceKey]note, len(texts)), now: map[config.ResourceKey]note{}}
	for k, text := range texts {
		n.kept[k] = text
	}
	if len(batches) > 1 { // all rules that look at a resource: what others said is out of date
		n.only = map[digest]bool{}
		for _, b := range batches {
			n.only[digestOfRule(b.Rule)] = true
		}
	}
	return n, nil
}

// onlyNews leaves out what was noted, and batches without anything else.
func (n *notes) onlyNews(batches []config.Batch) []config.Batch {
	var out []config.Batch
	for _, b := range batches {
		rule, said := digestOfRule(b.Rule), b.Evaluations
		b.Evaluations = nil
		for _, e := range said {
			if !n.kept[n.key(e)].says(rule, digestOfSaying(e)) {
				b.Evaluations = append(b.Evaluations, e)
			}
		}
		if len(b.Evaluations) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func (n *notes) key(e config.Evaluation) config.ResourceKey {
	return config.ResourceKey{Place: n.place, Type: e.ResourceType, ID: e.ResourceID}
}

// add notes what the verdicts of a rule are now.
func (n *notes) add(r config.Rule, evaluations []config.Evaluation) {
	rule := digestOfRule(r)
	for _, e := range evaluations {
		k := n.key(e)
		now, begun := n.now[k]
		if !begun {
			now = n.begin(k)
		}
		n.now[k] = now.with(rule, digestOfSaying(e))
	}
}

func (n *notes) begin(k config.ResourceKey) note {
	kept := n.kept[k]
	if n.only == nil {
		return bytes.Clone(kept)
	}
	out := make(note, 0, len(kept)+pairSize)
	for pair := range slices.Chunk(kept, pairSize) {
		if len(pair) == pairSize && n.only[digest(pair)] {
			out = append(out, pair...)
		}
	}
	return out
}

func (n *notes) write(ctx context.Context, tx *db.Tx) error {
	texts := make(map[config.ResourceKey][]byte, len(n.now))
	for k, note := range n.now {
		texts[k] = note
	}
	return store.PutSaid(ctx, tx, n.place, texts)
}

func digestOfRule(r config.Rule) digest {
	sum := sha256.Sum256([]byte(r.ID))
	return digest(sum[:])
}

// digestOfSaying begins with the compliance itself, so that no two annotations,
// whose texts people choose, can make one verdict pass for another.
func digestOfSaying(e config.Evaluation) digest {
	var d digest
	if e.Annotation != "" {
		sum := sha256.Sum256([]byte(e.Annotation))
		copy(d[:], sum[:])
	}
	switch e.Compliance {
	case config.Compliant:
		d[0] = 'c'
	case config.NonCompliant:
		d[0] = 'n'
	case config.NotApplicable:
		d[0] = 'a'
	default:
		d[0] = '?'
	}
	return d
}

// isTerse reports whether all batches are; those of functions come one by one.
func isTerse(batches []config.Batch) bool {
	return !slices.ContainsFunc(batches, func(b config.Batch) bool { return !b.Terse })
}
