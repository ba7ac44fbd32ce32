package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// verdictColumns are read by scanVerdict, in its order.
const (
	verdictColumns = `r.name, ` + verdictRow
	verdictRow     = `v.type, v.id, v.compliance, v.annotation, v.ordering, v.invoked, v.recorded`
)

func scanVerdict(scan func(...any) error, more ...any) (config.Verdict, error) {
	var v config.Verdict
	var ordering, invoked, recorded int64
	dest := append([]any{&v.Rule, &v.ResourceType, &v.ResourceID, &v.Compliance, &v.Annotation, &ordering, &invoked, &recorded}, more...)
	if err := scan(dest...); err != nil {
		return v, err
	}
	// Any time can be an ordering time, also those that Micros takes for "not set".
	v.Ordering, v.Invoked, v.Recorded = time.UnixMicro(ordering).UTC(), db.Time(invoked), db.Time(recorded)
	return v, nil
}

// RuleVerdicts returns what is kept of a rule on those resources, whatever the
// compliance, keyed by type and id.
func RuleVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, keys []config.ResourceKey) (map[config.ResourceKey]config.Verdict, error) {
	out := make(map[config.ResourceKey]config.Verdict, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	with, args := wanted(keys)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		v, err := scanVerdict(scan)
		if err != nil {
			return err
		}
		v.Rule = r.Name
		out[config.ResourceKey{Place: r.Place, Type: v.ResourceType, ID: v.ResourceID}] = v
		return nil
	}, with+`SELECT '', `+verdictRow+` FROM wanted w CROSS JOIN verdict v
		WHERE v.rule_id = ? AND v.type = w.type AND v.id = w.id`, append(args, r.ID)...)
	if err != nil {
		return nil, fmt.Errorf("read verdicts of rule %s: %w", r.Name, err)
	}
	return out, nil
}

// A RuleKey is a rule's id and a resource, the key of a verdict.
type RuleKey struct {
	RuleID string
	config.ResourceKey
}

// ResourceVerdicts returns what every rule says of those resources, whatever the
// compliance.
func ResourceVerdicts(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[RuleKey]config.Verdict, error) {
	out := map[RuleKey]config.Verdict{}
	if len(keys) == 0 {
		return out, nil
	}
	with, args := wanted(keys)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		v, err := scanVerdict(scan, &id)
		if err != nil {
			return err
		}
		out[RuleKey{id, config.ResourceKey{Place: p, Type: v.ResourceType, ID: v.ResourceID}}] = v
		return nil
	}, with+`SELECT `+verdictColumns+`, v.rule_id FROM wanted w CROSS JOIN verdict v JOIN rule r ON r.id = v.rule_id
		WHERE v.account = ? AND v.region = ? AND v.type = w.type AND v.id = w.id`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read verdicts: %w", err)
	}
	return out, nil
}

// Compliances returns, for each of those resources in their order, what every
// rule says of it, by the rule's id and without the rest of the verdict.
func Compliances(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]map[string]config.Compliance, error) {
	out := make([]map[string]config.Compliance, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	args := make([]any, 0, 3*len(keys)+2)
	for i, k := range keys {
		out[i] = map[string]config.Compliance{}
		args = append(args, strconv.Itoa(i), k.Type, k.ID)
	}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var i, rule string
		var c config.Compliance
		if err := scan(&i, &rule, &c); err != nil {
			return err
		}
		n, err := strconv.Atoi(i)
		if err == nil {
			out[n][rule] = c
		}
		return err
	}, `WITH wanted (n, type, id) AS (VALUES `+rows(len(keys), "(?, ?, ?)")+`) SELECT w.n, v.rule_id, v.compliance FROM wanted w CROSS JOIN verdict v
		WHERE v.account = ? AND v.region = ? AND v.type = w.type AND v.id = w.id`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read compliance of resources: %w", err)
	}
	return out, nil
}

// PutVerdicts keeps verdicts of one rule in place of the former ones. Each is on
// another resource.
func PutVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, verdicts []config.Verdict) error {
	const most = 500
	for len(verdicts) > 0 {
		n := min(len(verdicts), most)
		args := make([]any, 0, 10*n)
		for _, v := range verdicts[:n] {
			args = append(args, r.Account, r.Region, r.ID, v.ResourceType, v.ResourceID, string(v.Compliance), v.Annotation,
				v.Ordering.UnixMicro(), db.Micros(v.Invoked), db.Micros(v.Recorded))
		}
		_, err := tx.Exec(ctx, `INSERT INTO verdict (account, region, rule_id, type, id, compliance, annotation, ordering, invoked, recorded) VALUES `+
			rows(n, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")+`
			ON CONFLICT (rule_id, type, id) DO UPDATE SET compliance = excluded.compliance, annotation = excluded.annotation,
			ordering = excluded.ordering, invoked = excluded.invoked, recorded = excluded.recorded`, args...)
		if err != nil {
			return fmt.Errorf("put verdicts of rule %s: %w", r.Name, err)
		}
		verdicts = verdicts[n:]
	}
	return nil
}

// DeleteVerdicts forgets up to limit results of a rule and returns the resources
// that they were on.
func DeleteVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, limit int) ([]config.ResourceKey, error) {
	var out []config.ResourceKey
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: r.Place}
		if err := scan(&k.Type, &k.ID); err != nil {
			return err
		}
		out = append(out, k)
		return nil
	}, `DELETE FROM verdict WHERE rule_id = ? AND (type, id) IN (SELECT type, id FROM verdict WHERE rule_id = ? LIMIT ?) RETURNING type, id`,
		r.ID, r.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("delete verdicts of rule %s: %w", r.Name, err)
	}
	return out, nil
}

// VerdictPage selects verdicts that reads show, by type and id after the given
// ones.
type VerdictPage struct {
	Compliance []config.Compliance // none: COMPLIANT and NON_COMPLIANT
	AfterType  string
	AfterID    string
	AfterRule  string
	Limit      int
}

func (p VerdictPage) shown() (string, []any) {
	if len(p.Compliance) == 0 {
		return db.In([]string{string(config.Compliant), string(config.NonCompliant)})
	}
	var s []string
	for _, c := range p.Compliance {
		if c != config.NotApplicable {
			s = append(s, string(c))
		}
	}
	return db.In(s)
}

// VerdictsByRule returns a page of a rule's verdicts in the order of type and id.
func VerdictsByRule(ctx context.Context, tx *db.Tx, r config.Rule, p VerdictPage) ([]config.Verdict, error) {
	in, shown := p.shown()
	args := append([]any{r.ID}, shown...)
	return listVerdicts(ctx, tx, `v.rule_id = ? AND v.compliance IN `+in+` AND (v.type > ? OR (v.type = ? AND v.id > ?))
		ORDER BY v.type, v.id LIMIT ?`, append(args, p.AfterType, p.AfterType, p.AfterID, p.Limit)...)
}

// VerdictsByResource returns a page of the verdicts on a resource in the order
// of the rules' names.
func VerdictsByResource(ctx context.Context, tx *db.Tx, key config.ResourceKey, p VerdictPage) ([]config.Verdict, error) {
	in, shown := p.shown()
	args := append([]any{key.Account, key.Region, key.Type, key.ID}, shown...)
	return listVerdicts(ctx, tx, `v.account = ? AND v.region = ? AND v.type = ? AND v.id = ? AND v.compliance IN `+in+`
		AND r.name > ? ORDER BY r.name LIMIT ?`, append(args, p.AfterRule, p.Limit)...)
}

func listVerdicts(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.Verdict, error) {
	var out []config.Verdict
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		v, err := scanVerdict(scan)
		out = append(out, v)
		return err
	}, `SELECT `+verdictColumns+` FROM verdict v JOIN rule r ON r.id = v.rule_id WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list verdicts: %w", err)
	}
	return out, nil
}
