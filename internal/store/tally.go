package store

import (
	"context"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
)

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

// mostTallied is where TallyRules stops counting: clients are told a hundred and
// that there are more.
const mostTallied = 101

// TallyRules counts the verdicts of each of those rules, by the rule's id, of
// each compliance up to mostTallied: a rule may have millions.
func TallyRules(ctx context.Context, tx *db.Tx, ids []string) (map[string]Tally, error) {
	out := make(map[string]Tally, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	count := func(c config.Compliance) string {
		return fmt.Sprintf(`(SELECT count(*) FROM (SELECT 1 FROM verdict v WHERE v.rule_id = w.id AND v.compliance = '%s' LIMIT %d) AS first)`, c, mostTallied)
	}
	_, args := db.In(ids)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var t Tally
		err := scan(&id, &t.Compliant, &t.NonCompliant)
		if t != (Tally{}) {
			out[id] = t
		}
		return err
	}, `WITH wanted (id) AS (VALUES `+rows(len(ids), "(?)")+`) SELECT w.id, `+count(config.Compliant)+`, `+count(config.NonCompliant)+` FROM wanted w`, args...)
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
