package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A ListedRule is a rule without its definition, with how it fares.
type ListedRule struct {
	config.Place
	Name, ID      string
	State         config.RuleState
	ErrorCode     string
	ErrorMessage  string
	LastEvaluated time.Time
	LastInvoked   time.Time
	Tally

	position RulePosition
}

// Position is where a page ends with the rule.
func (r ListedRule) Position() RulePosition { return r.position }

// A RulePosition is where a page of rules ends.
type RulePosition struct {
	Name  string `json:"n"`
	Place int64  `json:"p"`
}

// ListRules returns rules of an account, or of all if it is empty, in the order of their
// names, after a position.
func ListRules(ctx context.Context, tx *db.Tx, account string, after RulePosition, limit int) ([]ListedRule, error) {
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	var out []ListedRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var r ListedRule
		var evaluated, invoked int64
		err := scan(&r.Name, &r.position.Place, &r.Account, &r.Region, &r.ID, &r.State, &r.ErrorCode, &r.ErrorMessage, &evaluated, &invoked, &r.Compliant, &r.NonCompliant)
		r.LastEvaluated, r.LastInvoked, r.position.Name = db.Time(evaluated), db.Time(invoked), r.Name
		out = append(out, r)
		return err
	}, `SELECT u.name, u.place, p.account, p.region, u.public_id, s.state, s.error_code, s.error_message, s.last_successful_evaluation,
			s.last_successful_invocation,
			(SELECT CAST(coalesce(sum(y.compliant), 0) AS BIGINT) FROM rule_tally y WHERE y.rule = u.id),
			(SELECT CAST(coalesce(sum(y.non_compliant), 0) AS BIGINT) FROM rule_tally y WHERE y.rule = u.id)
		FROM rule u CROSS JOIN place p CROSS JOIN rule_status s
		WHERE (u.name, u.place) > (?, ?) AND p.id = u.place AND s.rule = u.id AND (? = '' OR p.account = ?)
		ORDER BY u.name, u.place LIMIT ?`, after.Name, after.Place, account, account, limit)
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	return out, nil
}

// A FailingRule is a rule that resources do not comply with.
type FailingRule struct {
	config.Place
	Name, ID string
	Tally
}

// FailingRules returns all rules of an account, or of all if it is empty, that anything
// fails, from what is kept by rule, in the order of their names and places.
func FailingRules(ctx context.Context, tx *db.Tx, account string) ([]FailingRule, error) {
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	var out []FailingRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var r FailingRule
		err := scan(&r.Name, &r.Account, &r.Region, &r.ID, &r.Compliant, &r.NonCompliant)
		out = append(out, r)
		return err
	}, `SELECT u.name, p.account, p.region, u.public_id, n.good, n.bad FROM (SELECT rule, CAST(sum(compliant) AS BIGINT) AS good,
			CAST(sum(non_compliant) AS BIGINT) AS bad FROM rule_tally GROUP BY rule) AS n
		JOIN rule u ON u.id = n.rule JOIN place p ON p.id = u.place
		WHERE n.bad > 0 AND (? = '' OR p.account = ?) ORDER BY u.name, p.account, p.region`, account, account)
	if err != nil {
		return nil, fmt.Errorf("list rules that fail: %w", err)
	}
	return out, nil
}

// UnjudgedBy returns ids of live resources of a type that a rule says nothing of, not even
// that it does not apply, and the last one that was looked at; empty when there are no more.
func UnjudgedBy(ctx context.Context, tx *db.Tx, r config.Rule, resourceType, after string, limit, look int) (ids []string, last string, err error) {
	rules, err := ruleIDs(ctx, tx, []string{r.ID})
	if err != nil || len(rules) == 0 {
		return nil, "", err
	}
	place, kind, err := placeAndType(ctx, tx, r.Place, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return nil, "", err
	}
	looked := 0
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var judged bool
		if err := scan(&id, &judged); err != nil {
			return err
		}
		looked, last = looked+1, id
		if !judged && len(ids) < limit {
			ids = append(ids, id)
		}
		return nil
	}, `SELECT r.external_id, EXISTS (SELECT 1 FROM verdict v WHERE v.resource = r.id AND v.rule = ?)
		FROM resource r WHERE r.type = ? AND r.place = ? AND `+isLive+` AND r.external_id > ? ORDER BY r.external_id LIMIT ?`,
		rules[r.ID], kind, place, after, look)
	if err != nil {
		return nil, "", fmt.Errorf("list what %s never judged: %w", r.Name, err)
	}
	if looked < look {
		last = ""
	}
	return ids, last, nil
}

// TallyTypesOf counts the resources of an account, or of all if it is empty, by type and
// place, from what is kept.
func TallyTypesOf(ctx context.Context, tx *db.Tx, account string) (map[TypeAt]PlaceTally, error) {
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	out := map[TypeAt]PlaceTally{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var k TypeAt
		var t PlaceTally
		err := scan(&k.Type, &k.Account, &k.Region, &t.Live, &t.Compliant, &t.NonCompliant)
		out[k] = t
		return err
	}, `SELECT t.name, p.account, p.region, n.live, n.good, n.bad FROM (SELECT place, type, CAST(sum(live) AS BIGINT) AS live,
			CAST(sum(compliant) AS BIGINT) AS good, CAST(sum(non_compliant) AS BIGINT) AS bad FROM type_tally GROUP BY place, type) AS n
		JOIN place p ON p.id = n.place JOIN resource_type t ON t.id = n.type WHERE (? = '' OR p.account = ?)`, account, account)
	if err != nil {
		return nil, fmt.Errorf("count resources by type: %w", err)
	}
	return out, nil
}

// A TypeAt is a type of resources in a place.
type TypeAt struct {
	config.Place
	Type string
}

// FailingByTag counts the failing resources of some places by the value that a tag has,
// the empty one for those without the tag. It looks at up to limit resources of each type
// of a place, and says whether there are more.
func FailingByTag(ctx context.Context, tx *db.Tx, places []config.Place, tagKey string, limit int) (counts map[string]int64, more bool, err error) {
	counts = map[string]int64{}
	for _, p := range places {
		place, err := placeID(ctx, tx, p)
		if err != nil {
			return nil, false, err
		}
		kinds, err := typesIn(ctx, tx, p)
		if err != nil {
			return nil, false, err
		}
		for _, k := range kinds {
			n := 0
			err := db.Each(ctx, tx, func(scan func(...any) error) error {
				var value *string
				if err := scan(&value); err != nil {
					return err
				}
				n++
				if value == nil {
					value = new(string)
				}
				counts[*value]++
				return nil
			}, `SELECT g.value FROM (SELECT id FROM resource r WHERE r.type = ? AND r.place = ? AND r.rollup = 2 AND r.rollup > 0 LIMIT ?) AS r
				LEFT JOIN resource_tag g ON g.resource = r.id AND g.key = ?`, k.id, place, limit, tagKey)
			if err != nil {
				return nil, false, fmt.Errorf("count what fails by tag: %w", err)
			}
			more = more || n == limit
		}
	}
	return counts, more, nil
}
