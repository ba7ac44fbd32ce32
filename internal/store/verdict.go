package store

import (
	"context"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
)

// verdictColumns are read by scanVerdict, in its order.
const verdictColumns = `r.name, v.type, v.id, v.compliance, v.annotation, v.ordering, v.invoked, v.recorded`

func scanVerdict(scan func(...any) error, more ...any) (config.Verdict, error) {
	var v config.Verdict
	var ordering, invoked, recorded int64
	dest := append([]any{&v.Rule, &v.ResourceType, &v.ResourceID, &v.Compliance, &v.Annotation, &ordering, &invoked, &recorded}, more...)
	if err := scan(dest...); err != nil {
		return v, err
	}
	v.Ordering, v.Invoked, v.Recorded = db.Time(ordering), db.Time(invoked), db.Time(recorded)
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
		out[config.ResourceKey{Place: r.Place, Type: v.ResourceType, ID: v.ResourceID}] = v
		return nil
	}, with+`SELECT `+verdictColumns+` FROM wanted w CROSS JOIN verdict v JOIN rule r ON r.id = v.rule_id
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

// PutVerdicts keeps verdicts of one rule in place of the former ones. Each is on
// another resource.
func PutVerdicts(ctx context.Context, tx *db.Tx, r config.Rule, verdicts []config.Verdict) error {
	const most = 500
	for len(verdicts) > 0 {
		n := min(len(verdicts), most)
		args := make([]any, 0, 10*n)
		for _, v := range verdicts[:n] {
			args = append(args, r.Account, r.Region, r.ID, v.ResourceType, v.ResourceID, string(v.Compliance), v.Annotation,
				db.Micros(v.Ordering), db.Micros(v.Invoked), db.Micros(v.Recorded))
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

// A Tally counts verdicts: of one rule over resources, or of one resource over
// rules.
type Tally struct {
	Compliant, NonCompliant int64
}

// Compliance is the roll-up of a tally: one that does not comply is enough, and
// nothing said is no compliance either.
func (t Tally) Compliance() config.Compliance {
	switch {
	case t.NonCompliant > 0:
		return config.NonCompliant
	case t.Compliant > 0:
		return config.Compliant
	default:
		return config.InsufficientData
	}
}

func (t *Tally) add(c config.Compliance, n int64) {
	switch c {
	case config.Compliant:
		t.Compliant += n
	case config.NonCompliant:
		t.NonCompliant += n
	}
}

// Count adds one thing whose roll-up is c.
func (t *Tally) Count(c config.Compliance) { t.add(c, 1) }

// TallyRules counts the verdicts of each of those rules, by the rule's id.
func TallyRules(ctx context.Context, tx *db.Tx, ids []string) (map[string]Tally, error) {
	out := map[string]Tally{}
	in, args := db.In(ids)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var c config.Compliance
		var n int64
		if err := scan(&id, &c, &n); err != nil {
			return err
		}
		t := out[id]
		t.add(c, n)
		out[id] = t
		return nil
	}, `SELECT rule_id, compliance, count(*) FROM verdict WHERE rule_id IN `+in+` GROUP BY rule_id, compliance`, args...)
	if err != nil {
		return nil, fmt.Errorf("count verdicts of rules: %w", err)
	}
	return out, nil
}

// A ResourceTally is the tally of one resource.
type ResourceTally struct {
	Type, ID string
	Tally
}

// TallyQuery selects resources with verdicts, after the given type and id. Empty
// members select everything.
type TallyQuery struct {
	Type, ID           string
	Compliance         []config.Compliance
	AfterType, AfterID string
	Limit              int
}

// TallyResources counts the verdicts on each resource that has any which reads
// show, in the order of type and id.
func TallyResources(ctx context.Context, tx *db.Tx, p config.Place, q TallyQuery) ([]ResourceTally, error) {
	query := `SELECT type, id, sum(CASE WHEN compliance = 'COMPLIANT' THEN 1 ELSE 0 END), sum(CASE WHEN compliance = 'NON_COMPLIANT' THEN 1 ELSE 0 END)
		FROM verdict WHERE account = ? AND region = ? AND compliance IN ('COMPLIANT', 'NON_COMPLIANT') AND (type > ? OR (type = ? AND id > ?))`
	args := []any{p.Account, p.Region, q.AfterType, q.AfterType, q.AfterID}
	if q.Type != "" {
		query, args = query+` AND type = ?`, append(args, q.Type)
	}
	if q.ID != "" {
		query, args = query+` AND id = ?`, append(args, q.ID)
	}
	query += ` GROUP BY type, id` + having(q.Compliance) + ` ORDER BY type, id`
	if q.Limit > 0 {
		query, args = query+` LIMIT ?`, append(args, q.Limit)
	}
	var out []ResourceTally
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var t ResourceTally
		if err := scan(&t.Type, &t.ID, &t.Compliant, &t.NonCompliant); err != nil {
			return err
		}
		out = append(out, t)
		return nil
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("count verdicts of resources: %w", err)
	}
	return out, nil
}

// having narrows groups to those whose roll-up is one of the wanted.
func having(want []config.Compliance) string {
	if len(want) == 0 {
		return ""
	}
	const bad = `sum(CASE WHEN compliance = 'NON_COMPLIANT' THEN 1 ELSE 0 END)`
	conds := []string{"1 = 0"}
	for _, c := range want {
		switch c {
		case config.NonCompliant:
			conds = append(conds, bad+" > 0")
		case config.Compliant:
			conds = append(conds, bad+" = 0")
		}
	}
	return " HAVING " + strings.Join(conds, " OR ")
}

// TallyType counts the resources of a type, or of every type, by their roll-up.
func TallyType(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (Tally, error) {
	inner := `SELECT max(CASE WHEN compliance = 'NON_COMPLIANT' THEN 1 ELSE 0 END) AS bad FROM verdict
		WHERE account = ? AND region = ? AND compliance IN ('COMPLIANT', 'NON_COMPLIANT')`
	args := []any{p.Account, p.Region}
	if resourceType != "" {
		inner, args = inner+` AND type = ?`, append(args, resourceType)
	}
	var t Tally
	err := tx.QueryRow(ctx, `SELECT coalesce(sum(1 - bad), 0), coalesce(sum(bad), 0) FROM (`+inner+` GROUP BY type, id) AS resources`, args...).
		Scan(&t.Compliant, &t.NonCompliant)
	if err != nil {
		return t, fmt.Errorf("count resources by compliance: %w", err)
	}
	return t, nil
}
