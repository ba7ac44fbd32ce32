package rule

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// evaluate has a rule evaluate what is recorded, a page of resources a job. Like
// all jobs of a rule it names it by its id and ends when it is gone.
type evaluate struct {
	RuleID  string `json:"ruleId"`
	Account string `json:"account,omitempty"`
	Type    string `json:"type,omitempty"` // the last resource that was evaluated
	ID      string `json:"id,omitempty"`
}

// Kind names the job.
func (evaluate) Kind() string { return "rule.evaluate" }

// Owner is the rule's account.
func (j evaluate) Owner() string { return j.Account }

// maxPage is how many resources an evaluation from scratch looks at in one job.
const maxPage = 200

// A page is a part of an evaluation from scratch: what was read, and what came of
// it.
type page struct {
	rule  config.Rule
	role  string // the recorder's
	first bool
	after config.ResourceKey
	keys  []config.ResourceKey
	items []config.Item
	more  bool // there is another page

	noEvaluator error
	results     []result     // of an in-process rule
	scheduled   []Invocation // the one of a periodic function
	invocations []Invocation // of a function with items
	asked       []config.ResourceKey
	lasting     bool               // a verdict on an item stands although a newer one came
	account     config.ResourceKey // the account, when a verdict on it stands without an item
}

// prepareEvaluate reads a page and has the rule evaluate it.
func (e *Engine) prepareEvaluate(ctx context.Context, j job.Job[evaluate]) (job.Commit, error) {
	g := &page{first: j.Args.Type == ""}
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if g.rule, err = liveRule(ctx, tx, j.Args.RuleID); err != nil {
			return err
		}
		g.role, err = role(ctx, tx, g.rule.Place)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	g.after = config.ResourceKey{Place: g.rule.Place, Type: j.Args.Type, ID: j.Args.ID}
	if err := e.fill(ctx, g); err != nil {
		return nil, fmt.Errorf("evaluate rule %s: %w", g.rule.Name, err)
	}
	return func(ctx context.Context, tx *db.Tx) error { return e.commitPage(ctx, tx, g) }, nil
}

// liveRule returns a rule that is evaluated, or store.ErrNotFound.
func liveRule(ctx context.Context, tx *db.Tx, id string) (config.Rule, error) {
	r, err := store.RuleByID(ctx, tx, id)
	if err == nil && r.State == config.RuleDeleting {
		return r, store.ErrNotFound
	}
	return r, err
}

// sameRule reports whether a rule was not put again, whatever its state.
func sameRule(a, b config.Rule) bool {
	a.State = b.State
	return reflect.DeepEqual(a, b)
}

// fill reads the page's items and computes what the rule makes of them.
func (e *Engine) fill(ctx context.Context, g *page) error {
	if !g.rule.InMode(config.ModeDetective) {
		return nil
	}
	if g.rule.Source.Owner == config.OwnerLambda {
		return e.fillByFunction(ctx, g)
	}
	c, err := e.Compile(g.rule)
	switch {
	case errors.Is(err, ErrNoEvaluator):
		g.noEvaluator = err
		return nil
	case err != nil:
		g.results = []result{{batch: config.Batch{Rule: g.rule}, failed: err}}
		return nil
	case !c.Initially:
		return nil
	}
	if err := e.readItems(ctx, g, c.Types); err != nil {
		return err
	}
	r := &inProcess{Rule: g.rule, Compiled: c}
	v := e.view(ctx, g.rule.Place)
	res := r.newResult(v.Now())
	for _, it := range g.items {
		r.evaluate(it, v, res)
	}
	g.results, g.lasting = []result{*res}, !c.OnChange
	return nil
}

func (e *Engine) fillByFunction(ctx context.Context, g *page) error {
	if g.first && g.rule.Triggered(config.MessageScheduled) {
		i, err := e.scheduled(ctx, g.rule, g.role)
		if err != nil {
			return err
		}
		g.scheduled = []Invocation{i}
	}
	if !onChange(g.rule) {
		return nil
	}
	if err := e.readItems(ctx, g, nil); err != nil {
		return err
	}
	size := 0
	for n, it := range g.items {
		if !judged(g.rule, it) || !g.rule.Covers(it, nil) {
			continue
		}
		i, ok, err := e.invocation(ctx, g.rule, g.role, &notice{item: it, now: e.Now()}, false)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		g.invocations, g.asked = append(g.invocations, i), append(g.asked, it.ResourceKey)
		if size += len(i.Payload); size > maxPayloads && n < len(g.items)-1 {
			g.cut(it.ResourceKey)
			return nil
		}
	}
	return nil
}

// cut ends the page after a resource.
func (g *page) cut(last config.ResourceKey) {
	for n, k := range g.keys {
		if k == last {
			g.keys, g.more = g.keys[:n+1], true
			return
		}
	}
}

// readItems reads the newest items of the live resources that come next.
func (e *Engine) readItems(ctx context.Context, g *page, types []string) error {
	if scope := scopeTypes(g.rule); len(scope) > 0 {
		types = scope
	}
	return e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if g.keys, err = store.LiveKeys(ctx, tx, g.rule.Place, types, g.after, maxPage); err != nil {
			return err
		}
		g.more = len(g.keys) == maxPage
		if g.items, err = store.DecodedItems(ctx, tx, g.rule.Place, g.keys); err == nil && g.first && slices.Contains(types, config.TypeAccount) {
			g.addAccount(e.Now())
		}
		return err
	})
}

// addAccount has the account itself evaluated, which is there without being
// recorded: what rules on it look at are mostly other resources.
func (g *page) addAccount(now time.Time) {
	if len(g.keys) > 0 && g.keys[0].Type == config.TypeAccount {
		return // it is recorded
	}
	g.account = config.ResourceKey{Place: g.rule.Place, Type: config.TypeAccount, ID: g.rule.Place.Account}
	g.keys = slices.Insert(g.keys, 0, g.account)
	g.items = slices.Insert(g.items, 0, config.Item{ResourceKey: g.account, Status: config.StatusOK, CaptureTime: now})
}

// commitPage writes what came of a page. A rule that was put meanwhile has an
// evaluation of its own under way, so this one ends.
func (e *Engine) commitPage(ctx context.Context, tx *db.Tx, g *page) error {
	now, err := liveRule(ctx, tx, g.rule.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !sameRule(now, g.rule) {
		return nil
	}
	if err != nil {
		return err
	}
	if g.noEvaluator != nil {
		if err := e.noteMissing(ctx, tx, g.rule, g.noEvaluator); err != nil {
			return err
		}
	}
	if err := e.commitResults(ctx, tx, g); err != nil {
		return fmt.Errorf("evaluate rule %s: %w", g.rule.Name, err)
	}
	if g.more {
		last := g.keys[len(g.keys)-1]
		return e.Jobs.Insert(ctx, tx, evaluate{g.rule.ID, g.rule.Account, last.Type, last.ID}, job.Options{})
	}
	if now.State == config.RuleEvaluating {
		return store.SetRuleState(ctx, tx, g.rule, config.RuleActive)
	}
	return nil
}

// commitResults leaves out what does not hold any more: whoever recorded a newer
// item has had it evaluated.
func (e *Engine) commitResults(ctx context.Context, tx *db.Tx, g *page) error {
	if err := store.HoldRules(ctx, tx, g.rule.Place); err != nil {
		return err
	}
	if err := store.Hold(ctx, tx, g.rule.Place, g.keys); err != nil {
		return err
	}
	holds, err := g.stillHolds(ctx, tx)
	if err != nil {
		return err
	}
	for i := range g.results {
		b := &g.results[i].batch
		kept := make([]config.Evaluation, 0, len(b.Evaluations))
		for _, v := range b.Evaluations {
			if holds(config.ResourceKey{Place: g.rule.Place, Type: v.ResourceType, ID: v.ResourceID}) {
				kept = append(kept, v)
			}
		}
		b.Evaluations = kept
	}
	if len(g.results) > 0 {
		if err := e.settle(ctx, tx, g.rule.Place, g.results); err != nil {
			return err
		}
	}
	invocations := g.scheduled
	for n, i := range g.invocations {
		if holds(g.asked[n]) {
			invocations = append(invocations, i)
		}
	}
	return e.invoke(ctx, tx, invocations)
}

// stillHolds returns which resources are as they were read. A rule that is not
// evaluated by each item takes an item that was the newest a moment ago.
func (g *page) stillHolds(ctx context.Context, tx *db.Tx) (func(config.ResourceKey) bool, error) {
	heads, err := store.Heads(ctx, tx, g.rule.Place, g.keys)
	if err != nil {
		return nil, err
	}
	read := make(map[config.ResourceKey]int64, len(g.items))
	for _, it := range g.items {
		read[it.ResourceKey] = it.StateID
	}
	return func(k config.ResourceKey) bool {
		h, ok := heads[k]
		return k == g.account || ok && (h.StateID == read[k] || g.lasting && !h.Status.Gone())
	}, nil
}

// noteMissing says in a rule's status why it gives no verdict.
func (e *Engine) noteMissing(ctx context.Context, tx *db.Tx, r config.Rule, reason error) error {
	now := e.Now()
	return store.UpdateRuleStatus(ctx, tx, r.ID, func(st *config.RuleStatus) {
		st.LastFailedEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "NoEvaluator", reason.Error()
	})
}
