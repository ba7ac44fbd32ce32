package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// verdictColumns are read by scanVerdict, in its order, from verdict v.
const verdictColumns = `v.compliance, v.annotation, v.ordering, v.invoked, v.recorded`

// scanVerdict reads what is kept of a verdict, without its rule and resource.
func scanVerdict(scan func(...any) error, before ...any) (config.Verdict, error) {
	var v config.Verdict
	var code, ordering, invoked, recorded int64
	var annotation *string
	if err := scan(append(before, &code, &annotation, &ordering, &invoked, &recorded)...); err != nil {
		return v, err
	}
	v.Compliance = complianceOf(code)
	if annotation != nil {
		v.Annotation = *annotation
	}
	// Any time can be an ordering time, also those that Micros takes for "not set".
	v.Ordering, v.Invoked, v.Recorded = time.UnixMicro(ordering).UTC(), db.Time(invoked), db.Time(recorded)
	return v, nil
}

// A RuleKey is a rule's id and a resource, the key of a verdict.
type RuleKey struct {
	RuleID string
	config.ResourceKey
}

// RuleVerdicts returns what is kept of a rule on those resources, whatever the
// compliance.
func RuleVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, keys []config.ResourceKey) (map[config.ResourceKey]config.Verdict, error) {
	out := make(map[config.ResourceKey]config.Verdict, len(keys))
	err := eachVerdict(ctx, tx, r.Place, keys, func(k RuleKey, v config.Verdict) { out[k.ResourceKey] = v }, r.ID)
	if err != nil {
		return nil, fmt.Errorf("read verdicts of rule %s: %w", r.Name, err)
	}
	return out, nil
}

// ResourceVerdicts returns what every rule says of those resources, whatever the
// compliance.
func ResourceVerdicts(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[RuleKey]config.Verdict, error) {
	out := map[RuleKey]config.Verdict{}
	err := eachVerdict(ctx, tx, p, keys, func(k RuleKey, v config.Verdict) { out[k] = v })
	if err != nil {
		return nil, fmt.Errorf("read verdicts: %w", err)
	}
	return out, nil
}

// eachVerdict calls f with the verdicts on those resources, of one rule if its
// public id is given.
func eachVerdict(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, f func(RuleKey, config.Verdict), rule ...string) error {
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return err
	}
	with, args := list{ints("resource", ids)}.with(tx)
	query := with + `SELECT v.resource, u.public_id, u.name, ` + verdictColumns + ` FROM w CROSS JOIN verdict v CROSS JOIN rule u
		WHERE v.resource = w.resource AND u.id = v.rule`
	if len(rule) > 0 {
		query = with + `SELECT v.resource, u.public_id, u.name, ` + verdictColumns + ` FROM rule u CROSS JOIN w CROSS JOIN verdict v
			WHERE u.public_id = ? AND v.resource = w.resource AND v.rule = u.id`
		args = append(args, rule[0])
	}
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		var resource int64
		var k RuleKey
		var name string
		v, err := scanVerdict(scan, &resource, &k.RuleID, &name)
		if err != nil {
			return err
		}
		k.ResourceKey = resources[resource]
		v.Rule, v.ResourceType, v.ResourceID = name, k.Type, k.ID
		f(k, v)
		return nil
	}, query, args...)
}

// rowsOf returns the ids of those resources that have one, and whose they are.
func rowsOf(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[int64]config.ResourceKey, []int64, error) {
	of := make(map[int64]config.ResourceKey, len(keys))
	found := make([]int64, 0, len(keys))
	add := func(id int64, k config.ResourceKey) {
		if _, twice := of[id]; !twice {
			of[id] = k
			found = append(found, id)
		}
	}
	held := heldBy(tx)
	var others []config.ResourceKey
	for _, k := range keys {
		if r := held[k]; r != nil {
			add(r.id, k)
		} else {
			others = append(others, k)
		}
	}
	w, err := wanted(ctx, tx, p, others)
	if err != nil || w.empty() {
		return of, found, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n, id int64
		if err := scan(&n, &id); err != nil {
			return err
		}
		add(id, others[n])
		return nil
	}, with+`SELECT w.n, r.id FROM w CROSS JOIN resource r WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id`, args...)
	return of, found, err
}

// Compliances returns, for each of those resources in their order, what every
// rule says of it, by the rule's id and without the rest of the verdict.
func Compliances(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]map[string]config.Compliance, error) {
	out := make([]map[string]config.Compliance, len(keys))
	byKey := make(map[config.ResourceKey]map[string]config.Compliance, len(keys))
	for i, k := range keys {
		out[i] = map[string]config.Compliance{}
		byKey[k] = out[i]
	}
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	with, args := list{ints("resource", ids)}.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var resource, code int64
		var rule string
		if err := scan(&resource, &rule, &code); err != nil {
			return err
		}
		byKey[resources[resource]][rule] = complianceOf(code)
		return nil
	}, with+`SELECT v.resource, u.public_id, v.compliance FROM w CROSS JOIN verdict v CROSS JOIN rule u
		WHERE v.resource = w.resource AND u.id = v.rule`, args...)
	if err != nil {
		return nil, fmt.Errorf("read compliance of resources: %w", err)
	}
	return out, nil
}

// A NewVerdict is a verdict to keep in place of the former one, whose compliance
// was Old; empty if there was none.
type NewVerdict struct {
	RuleID string
	Old    config.Compliance
	config.Verdict
}

// PutVerdicts keeps verdicts and counts them in the tallies of their rules and
// resources. Each is of another rule or on another resource. The transaction has
// held the resources since it read what was there: see HoldAll.
func PutVerdicts(ctx context.Context, tx *db.Tx, p config.Place, verdicts []NewVerdict) error {
	rules, err := ruleIDs(ctx, tx, collect(verdicts, func(v NewVerdict) string { return v.RuleID }))
	if err != nil {
		return fmt.Errorf("put verdicts: %w", err)
	}
	h, err := holdAll(ctx, tx, p, collect(verdicts, func(v NewVerdict) config.ResourceKey {
		return config.ResourceKey{Place: p, Type: v.ResourceType, ID: v.ResourceID}
	}))
	if err != nil {
		return fmt.Errorf("put verdicts: %w", err)
	}
	t := talliesOf(tx)
	touched := map[*row]bool{}
	var kept []keptVerdict
	for _, v := range verdicts {
		r := h[config.ResourceKey{Place: p, Type: v.ResourceType, ID: v.ResourceID}]
		rule, ok := rules[v.RuleID]
		if !ok {
			continue // the rule is gone
		}
		before, after := complianceCode(v.Old), complianceCode(v.Compliance)
		if before != after {
			t.judged(r, rule, before, after)
			touched[r] = true
		}
		kept = append(kept, keptVerdict{r.id, rule, after, v.Verdict})
	}
	for chunk := range slices.Chunk(kept, maxRows) {
		if err := writeVerdicts(ctx, tx, chunk); err != nil {
			return fmt.Errorf("put verdicts: %w", err)
		}
	}
	return writeTallies(ctx, tx, touched)
}

type keptVerdict struct {
	resource, rule, code int64
	config.Verdict
}

func writeVerdicts(ctx context.Context, tx *db.Tx, kept []keptVerdict) error {
	slices.SortFunc(kept, func(a, b keptVerdict) int {
		return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.rule, b.rule))
	})
	with, args := list{
		ints("resource", collect(kept, func(v keptVerdict) int64 { return v.resource })),
		ints("ordering", collect(kept, func(v keptVerdict) int64 { return v.Ordering.UnixMicro() })),
		ints("invoked", collect(kept, func(v keptVerdict) int64 { return db.Micros(v.Invoked) })),
		ints("recorded", collect(kept, func(v keptVerdict) int64 { return db.Micros(v.Recorded) })), // and turned, unless it is what it was
		ints("rule", collect(kept, func(v keptVerdict) int64 { return v.rule })),
		ints("compliance", collect(kept, func(v keptVerdict) int64 { return v.code })),
		nullable("annotation", collect(kept, func(v keptVerdict) *string {
			if v.Annotation == "" {
				return nil
			}
			return &v.Annotation
		})),
	}.with(tx)
	_, err := tx.Exec(ctx, with+`INSERT INTO verdict (resource, ordering, invoked, recorded, turned, rule, compliance, annotation)
		SELECT resource, ordering, invoked, recorded, recorded, rule, compliance, annotation FROM w WHERE true
		ON CONFLICT (resource, rule) DO UPDATE SET compliance = excluded.compliance, annotation = excluded.annotation,
		ordering = excluded.ordering, invoked = excluded.invoked, recorded = excluded.recorded,
		turned = CASE WHEN verdict.compliance = excluded.compliance THEN verdict.turned ELSE excluded.turned END`, args...)
	return err
}

// writeTallies writes the tallies of resources that changed theirs.
func writeTallies(ctx context.Context, tx *db.Tx, touched map[*row]bool) error {
	all := make([]*row, 0, len(touched))
	for r := range touched {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *row) int { return cmp.Compare(a.id, b.id) })
	for chunk := range slices.Chunk(all, maxRows) {
		with, args := list{
			ints("id", collect(chunk, func(r *row) int64 { return r.id })),
			ints("compliant", collect(chunk, func(r *row) int64 { return r.compliant })),
			ints("bad", collect(chunk, func(r *row) int64 { return r.bad })),
			ints("rollup", collect(chunk, (*row).rollup)),
		}.with(tx)
		if _, err := tx.Exec(ctx, with+`UPDATE resource SET compliant = w.compliant, non_compliant = w.bad, rollup = w.rollup
			FROM w WHERE resource.id = w.id`, args...); err != nil {
			return fmt.Errorf("write the tallies of resources: %w", err)
		}
	}
	return nil
}

// DeleteVerdicts forgets up to limit results of a rule and returns the resources
// that they were on.
func DeleteVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, limit int) ([]config.ResourceKey, error) {
	rules, err := ruleIDs(ctx, tx, []string{r.ID})
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	keys, err := judgedResources(ctx, tx, r, rules[r.ID], limit)
	if err != nil {
		return nil, fmt.Errorf("read verdicts of rule %s: %w", r.Name, err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	h, err := hold(ctx, tx, r.Place, keys)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*row, len(keys))
	for _, k := range keys {
		if r := h[k]; r != nil {
			byID[r.id] = r
		}
	}
	touched := map[*row]bool{}
	var gone []config.ResourceKey
	t := talliesOf(tx)
	with, args := list{ints("id", collect(keys, func(k config.ResourceKey) int64 { return h[k].id }))}.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id, code int64
		if err := scan(&id, &code); err != nil {
			return err
		}
		on := byID[id]
		t.judged(on, rules[r.ID], code, codeNone)
		touched[on] = true
		gone = append(gone, on.key)
		return nil
	}, with+`DELETE FROM verdict WHERE rule = ? AND resource IN (SELECT id FROM w) RETURNING resource, compliance`, append(args, rules[r.ID])...)
	if err != nil {
		return nil, fmt.Errorf("delete verdicts of rule %s: %w", r.Name, err)
	}
	return gone, writeTallies(ctx, tx, touched)
}

// judgedResources returns some resources that a rule has verdicts on.
func judgedResources(ctx context.Context, tx *db.Tx, r config.Rule, rule int64, limit int) ([]config.ResourceKey, error) {
	var out []config.ResourceKey
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: r.Place}
		err := scan(&k.Type, &k.ID)
		out = append(out, k)
		return err
	}, `SELECT t.name, r.external_id FROM (SELECT resource FROM verdict WHERE rule = ? LIMIT ?) AS v
		JOIN resource r ON r.id = v.resource JOIN resource_type t ON t.id = r.type`, rule, limit)
	return out, err
}

// VerdictPage selects verdicts that reads show: those after the resource of
// AfterType and AfterID, or after the rule of that name.
type VerdictPage struct {
	Compliance []config.Compliance // none: COMPLIANT and NON_COMPLIANT
	AfterType  string
	AfterID    string
	AfterRule  string
	Type       string // of resources; empty for all, and only by rule
	Limit      int
	// Hidden has NOT_APPLICABLE too, which AWS Config's reads never show. It is for
	// those who test rules.
	Hidden bool
}

// shown returns the codes that the page has.
func (p VerdictPage) shown() []int64 {
	shown := []int64{codeCompliant, codeNonCompliant}
	if p.Hidden {
		shown = append(shown, codeNotApplicable)
	}
	if len(p.Compliance) == 0 {
		return shown
	}
	return slices.DeleteFunc(shown, func(code int64) bool { return !slices.Contains(p.Compliance, complianceOf(code)) })
}

// VerdictsByRule returns a page of a rule's verdicts, in the order in which their
// resources were first met: a verdict that turns keeps its place in it.
func VerdictsByRule(ctx context.Context, tx *db.Tx, r config.Rule, p VerdictPage) ([]config.Verdict, error) {
	rules, err := ruleIDs(ctx, tx, []string{r.ID})
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	var after int64
	if p.AfterType != "" || p.AfterID != "" {
		if after, err = resourceID(ctx, tx, config.ResourceKey{Place: r.Place, Type: p.AfterType, ID: p.AfterID}); err != nil {
			return nil, err
		}
		if after == 0 {
			return nil, ErrNotFound
		}
	}
	var kind int64
	if p.Type != "" {
		kinds, err := typeIDs(ctx, tx, []string{p.Type})
		if err != nil || len(kinds) == 0 {
			return nil, err
		}
		kind = kinds[p.Type]
	}
	var all []byRule
	for _, code := range p.shown() { // a range of the index each
		some, err := verdictsOfCode(ctx, tx, rules[r.ID], code, after, kind, p.Limit)
		if err != nil {
			return nil, fmt.Errorf("list verdicts of rule %s: %w", r.Name, err)
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b byRule) int { return cmp.Compare(a.resource, b.resource) })
	out := collect(all[:min(len(all), p.Limit)], func(v byRule) config.Verdict { return v.Verdict })
	for i := range out {
		out[i].Rule = r.Name
	}
	return out, nil
}

type byRule struct {
	resource int64
	config.Verdict
}

func verdictsOfCode(ctx context.Context, tx *db.Tx, rule, code, after, kind int64, limit int) ([]byRule, error) {
	from, args := `SELECT resource, rule FROM verdict WHERE rule = ? AND compliance = ? AND resource > ? ORDER BY resource LIMIT ?`,
		[]any{rule, code, after, limit}
	if kind != 0 {
		from = `SELECT v.resource, v.rule FROM verdict v JOIN resource r ON r.id = v.resource
			WHERE v.rule = ? AND v.compliance = ? AND v.resource > ? AND r.type = ? ORDER BY v.resource LIMIT ?`
		args = []any{rule, code, after, kind, limit}
	}
	var out []byRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var b byRule
		var kind, id string
		v, err := scanVerdict(scan, &b.resource, &kind, &id)
		b.Verdict = v
		b.ResourceType, b.ResourceID = kind, id
		out = append(out, b)
		return err
	}, `SELECT i.resource, t.name, r.external_id, `+verdictColumns+`
		FROM (`+from+`) AS i
		JOIN verdict v ON v.resource = i.resource AND v.rule = i.rule
		JOIN resource r ON r.id = i.resource JOIN resource_type t ON t.id = r.type`, args...)
	return out, err
}

// VerdictsByResource returns a page of the verdicts on a resource in the order
// of the rules' names.
func VerdictsByResource(ctx context.Context, tx *db.Tx, key config.ResourceKey, p VerdictPage) ([]config.Verdict, error) {
	id, err := resourceID(ctx, tx, key)
	if err != nil || id == 0 {
		return nil, err
	}
	place, err := placeID(ctx, tx, key.Place)
	if err != nil {
		return nil, err
	}
	in, shown := db.In(p.shown())
	args := append([]any{place, p.AfterRule, id}, shown...)
	var out []config.Verdict
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		v, err := scanVerdict(scan, &name)
		v.Rule, v.ResourceType, v.ResourceID = name, key.Type, key.ID
		out = append(out, v)
		return err
	}, `SELECT u.name, `+verdictColumns+` FROM rule u CROSS JOIN verdict v
		WHERE u.place = ? AND u.name > ? AND v.resource = ? AND v.rule = u.id AND v.compliance IN `+in+`
		ORDER BY u.name LIMIT ?`, append(args, p.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list verdicts on %s: %w", key, err)
	}
	return out, nil
}
