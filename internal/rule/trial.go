package rule

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// A Trial is a rule that is tried on what is recorded, without anything of it being
// kept. It is compared with the rule of its name, if there is one.
type Trial struct {
	Rule     config.Rule // its place, name, scope and source
	Compiled Compiled
	Since    time.Time // zero: the newest items alone
	// Progress is called after each page of resources; may be nil.
	Progress func(Tried)
}

// A Flip is an item on which the tried rule decides otherwise.
type Flip struct {
	config.ResourceKey
	At         time.Time         // when the item was captured
	Before     config.Compliance // of the rule that is there; empty: it says nothing, or it is not known
	After      config.Compliance
	Annotation string
	Now        bool // it is the resource's newest item, and Before is the recorded verdict
}

// Tried counts what came of a trial.
type Tried struct {
	Resources, Items int
	Compared         string // with what: "the rule NAME", or nothing
	Flips            int
	// Turned counts the resources that would be otherwise now, by what they would be;
	// all resources if there is nothing to compare with.
	Turned  map[config.Compliance]int
	Failed  int    // items that the rule failed at
	Failure string // the first of these
}

// maxStep is how many items of one resource a trial holds at once.
const maxStep = 100

// A stretch is some items of one resource, oldest first.
type stretch struct {
	items    []config.Item
	last     bool // no item follows
	recorded config.Compliance
}

// Try evaluates the items that resources had since a time, and tells of each item
// at which a verdict would be another. A difference that goes on over several items
// is told once. What the rule looks through beside the item is as it is now; the
// time that it is told is the item's.
func (e *Engine) Try(ctx context.Context, t Trial, tell func(Flip) error) (Tried, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	there, err := e.there(ctx, t.Rule)
	if err != nil {
		return Tried{}, err
	}
	g := &trial{Trial: t, e: e, there: there, tell: tell, view: e.view(ctx, t.Rule.Place), done: Tried{Turned: map[config.Compliance]int{}}}
	if there != nil {
		g.done.Compared = "the rule " + there.Name
	}
	pages := make(chan []stretch, 1)
	failed := make(chan error, 1)
	go func() {
		defer close(pages)
		failed <- g.read(ctx, func(page []stretch) error {
			select {
			case pages <- page:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	for page := range pages {
		if err := g.page(ctx, page); err != nil {
			return g.done, err
		}
		if t.Progress != nil {
			t.Progress(g.done)
		}
	}
	return g.done, <-failed
}

// there is the rule of a name that is there, with its evaluator unless it is a
// function or nobody evaluates it; nil if there is none.
func (e *Engine) there(ctx context.Context, r config.Rule) (*inProcess, error) {
	var found config.Rule
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Rule(ctx, tx, r.Place, r.Name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := &inProcess{Rule: found}
	if found.Source.Owner != config.OwnerLambda {
		if in.Compiled, err = e.Compile(found); err != nil && !errors.Is(err, ErrNoEvaluator) {
			return nil, err
		}
	}
	return in, nil
}

// A trial is a Trial under way.
type trial struct {
	Trial
	e     *Engine
	there *inProcess
	tell  func(Flip) error
	view  view.View
	done  Tried

	key           config.ResourceKey // that was evaluated last
	before, after config.Compliance  // of its last item
}

// read reads the resources page by page.
func (g *trial) read(ctx context.Context, give func([]stretch) error) error {
	types := g.Compiled.Types
	if scope := scopeTypes(g.Rule); len(scope) > 0 {
		types = scope
	}
	after := config.ResourceKey{}
	for {
		var keys, changed []config.ResourceKey
		var page []stretch
		err := g.e.DB.Read(ctx, func(tx *db.Tx) (err error) {
			page, changed = nil, nil
			walk := store.ResourcesOf
			if g.Since.IsZero() {
				walk = store.LiveKeys
			}
			if keys, err = walk(ctx, tx, g.Rule.Place, types, after, maxPage); err != nil || len(keys) == 0 {
				return err
			}
			page, changed, err = g.readPage(ctx, tx, keys)
			return err
		})
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := give(page); err != nil {
			return err
		}
		for _, key := range changed {
			if err := g.readPast(ctx, key, give); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

// readPage reads the resources that have not changed since the trial's time, and
// returns the keys of the others.
func (g *trial) readPage(ctx context.Context, tx *db.Tx, keys []config.ResourceKey) (page []stretch, changed []config.ResourceKey, err error) {
	same := keys
	if !g.Since.IsZero() {
		heads, err := store.Heads(ctx, tx, g.Rule.Place, keys)
		if err != nil {
			return nil, nil, err
		}
		same = nil
		for _, k := range keys {
			switch h := heads[k]; {
			case h.Captured.After(g.Since):
				changed = append(changed, k)
			case !h.Status.Gone():
				same = append(same, k)
			}
		}
	}
	items, err := store.DecodedItems(ctx, tx, g.Rule.Place, same)
	if err != nil {
		return nil, nil, err
	}
	recorded, err := g.recorded(ctx, tx, same)
	for _, it := range items {
		page = append(page, stretch{items: []config.Item{it}, last: true, recorded: recorded[it.ResourceKey].Compliance})
	}
	return page, changed, err
}

func (g *trial) recorded(ctx context.Context, tx *db.Tx, keys []config.ResourceKey) (map[config.ResourceKey]config.Verdict, error) {
	if g.there == nil {
		return nil, nil
	}
	return store.RuleVerdicts(ctx, tx, g.there.Rule, keys)
}

// readPast reads the items that a resource had since the trial's time.
func (g *trial) readPast(ctx context.Context, key config.ResourceKey, give func([]stretch) error) error {
	for after := int64(0); ; {
		var s stretch
		err := g.e.DB.Read(ctx, func(tx *db.Tx) (err error) {
			if s.items, err = store.Past(ctx, tx, key, g.Since, after, maxStep); err != nil {
				return err
			}
			if s.last = len(s.items) < maxStep; s.last {
				recorded, err := g.recorded(ctx, tx, []config.ResourceKey{key})
				s.recorded = recorded[key].Compliance
				return err
			}
			after = s.items[len(s.items)-1].StateID
			return nil
		})
		if err != nil || len(s.items) == 0 {
			return err
		}
		if err := give([]stretch{s}); err != nil || s.last {
			return err
		}
	}
}

func (g *trial) page(ctx context.Context, page []stretch) error {
	for _, s := range page {
		for i, it := range s.items {
			if err := g.item(ctx, it, s.last && i == len(s.items)-1, s.recorded); err != nil {
				return err
			}
		}
	}
	return nil
}

// item evaluates one item, and tells if a verdict would be another. An item that the end
// of the context left without an answer is not counted.
func (g *trial) item(ctx context.Context, it config.Item, newest bool, recorded config.Compliance) error {
	v := then{g.view, it.CaptureTime}
	after, annotation, err := decide(g.Rule, g.Compiled, it, v)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if it.ResourceKey != g.key {
		g.key, g.before, g.after = it.ResourceKey, "", ""
		g.done.Resources++
	}
	g.done.Items++
	if err != nil {
		if g.done.Failed++; g.done.Failed == 1 {
			g.done.Failure = it.ResourceKey.String() + ": " + err.Error()
		}
		return nil
	}
	before := g.after // with no other rule: its verdict on the item before
	switch {
	case g.there != nil && newest && !it.Status.Gone():
		before = recorded
	case g.there != nil && g.there.Evaluator != nil:
		if before, _, err = decide(g.there.Rule, g.there.Compiled, it, v); err != nil {
			before = ""
		}
	case g.there != nil: // a function: its verdict then is not known
		before = after
	}
	before, after = spoken(before), spoken(after)
	told := g.there != nil && before == g.before && after == g.after
	g.before, g.after = before, after
	if newest && (g.there == nil || before != after) && after != "" {
		g.done.Turned[after]++
	}
	if told || before == after {
		return nil
	}
	g.done.Flips++
	return g.tell(Flip{it.ResourceKey, it.CaptureTime, before, after, config.Annotation(annotation), newest && g.there != nil})
}

// spoken is a verdict, of which NOT_APPLICABLE is none.
func spoken(c config.Compliance) config.Compliance {
	if c == config.NotApplicable {
		return ""
	}
	return c
}

// decide evaluates an item as an evaluation of the rule would.
func decide(r config.Rule, c Compiled, it config.Item, v view.View) (config.Compliance, string, error) {
	if !judged(r, it) || it.Status.Gone() || !r.Covers(it, c.Types) {
		return config.NotApplicable, "", nil
	}
	return c.Evaluator.Evaluate(it, v)
}

// then is a view at another time.
type then struct {
	view.View
	at time.Time
}

// Now is that time.
func (t then) Now() time.Time { return t.at }
