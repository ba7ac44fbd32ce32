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

// Digests spare terse rules the look at verdicts that stay: of fifty rules on a
// hundred items, most find again what they found.
type digests struct {
	place config.Place
	kept  map[config.ResourceKey]pairs
	now   map[config.ResourceKey]pairs // of resources with news
	only  map[digest]bool              // the rules that are judging; nil keeps those of others
}

// The pairs of a resource are two digests for each rule: of the rule, and of its
// result when its verdict was last found to be, or made, just that. They are the
// bytes that are kept; they are short, and reading them makes no garbage.
type pairs []byte

type digest [8]byte

const pairSize = 2 * len(digest{})

// find returns where the pair of a rule begins, or -1.
func (p pairs) find(rule digest) int {
	for i := 0; i+pairSize <= len(p); i += pairSize {
		if digest(p[i:]) == rule {
			return i
		}
	}
	return -1
}

func (p pairs) has(rule, result digest) bool {
	i := p.find(rule)
	return i >= 0 && digest(p[i+len(rule):]) == result
}

// with returns the pairs with what a rule found now. It may change p.
func (p pairs) with(rule, result digest) pairs {
	if i := p.find(rule); i >= 0 {
		copy(p[i+len(rule):], result[:])
		return p
	}
	return append(append(p, rule[:]...), result[:]...)
}

// readDigests returns the digests on what terse batches are about.
func readDigests(ctx context.Context, tx *db.Tx, p config.Place, batches []config.Batch) (*digests, error) {
	kept, err := store.VerdictDigests(ctx, tx, p, keys(p, batches))
	if err != nil {
		return nil, err
	}
	d := &digests{place: p, kept: make(map[config.ResourceKey]pairs, len(kept)), now: map[config.ResourceKey]pairs{}}
	for k, bytes := range kept {
		d.kept[k] = bytes
	}
	if len(batches) > 1 { // all rules that look at a resource: what others found is out of date
		d.only = map[digest]bool{}
		for _, b := range batches {
			d.only[digestOfRule(b.Rule)] = true
		}
	}
	return d, nil
}

// onlyNews leaves out what was found before, and batches without anything else.
func (d *digests) onlyNews(batches []config.Batch) []config.Batch {
	var out []config.Batch
	for _, b := range batches {
		rule, all := digestOfRule(b.Rule), b.Evaluations
		b.Evaluations = nil
		for _, e := range all {
			if !d.kept[d.key(e)].has(rule, digestOfResult(e)) {
				b.Evaluations = append(b.Evaluations, e)
			}
		}
		if len(b.Evaluations) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func (d *digests) key(e config.Evaluation) config.ResourceKey {
	return config.ResourceKey{Place: d.place, Type: e.ResourceType, ID: e.ResourceID}
}

// add notes what the verdicts of a rule are now.
func (d *digests) add(r config.Rule, evaluations []config.Evaluation) {
	rule := digestOfRule(r)
	for _, e := range evaluations {
		k := d.key(e)
		now, begun := d.now[k]
		if !begun {
			now = d.begin(k)
		}
		d.now[k] = now.with(rule, digestOfResult(e))
	}
}

func (d *digests) begin(k config.ResourceKey) pairs {
	kept := d.kept[k]
	if d.only == nil {
		return bytes.Clone(kept)
	}
	out := make(pairs, 0, len(kept)+pairSize)
	for pair := range slices.Chunk(kept, pairSize) {
		if len(pair) == pairSize && d.only[digest(pair)] {
			out = append(out, pair...)
		}
	}
	return out
}

func (d *digests) write(ctx context.Context, tx *db.Tx) error {
	kept := make(map[config.ResourceKey][]byte, len(d.now))
	for k, p := range d.now {
		kept[k] = p
	}
	return store.PutVerdictDigests(ctx, tx, d.place, kept)
}

func digestOfRule(r config.Rule) digest {
	sum := sha256.Sum256([]byte(r.ID))
	return digest(sum[:])
}

// digestOfResult begins with the compliance itself, so that no two annotations,
// whose texts people choose, can make one verdict pass for another.
func digestOfResult(e config.Evaluation) digest {
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

// onlyChanges reports whether all batches are terse; those of functions come one
// by one.
func onlyChanges(batches []config.Batch) bool {
	return !slices.ContainsFunc(batches, func(b config.Batch) bool { return !b.Terse })
}
