package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRule keeps a rule under its name, new or in place of the former one, and
// counts the change of the place's rule set.
func PutRule(ctx context.Context, tx *db.Tx, r config.Rule) error {
	def, err := encoded(fromRule(r))
	if err != nil {
		return err
	}
	if err := LockRules(ctx, tx, r.Place); err != nil {
		return err
	}
	if err := forgetOtherOwner(ctx, tx, r); err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO rule (place, name, public_id, definition) VALUES (?, ?, ?, ?)
		ON CONFLICT (place, name) DO UPDATE SET definition = excluded.definition RETURNING id`,
		place, r.Name, r.ID, def).Scan(&id)
	if err != nil {
		return fmt.Errorf("put rule %s: %w", r.Name, err)
	}
	if err := putRuleStatus(ctx, tx, id, r.State); err != nil {
		return fmt.Errorf("put rule %s: %w", r.Name, err)
	}
	// What it failed on may be out of its scope now; the rest is asked about again.
	if _, err := tx.Exec(ctx, `DELETE FROM rule_failure WHERE rule = ?`, id); err != nil {
		return fmt.Errorf("put rule %s: %w", r.Name, err)
	}
	return touchRules(ctx, tx, place)
}

// forgetOtherOwner drops the digests of a place where a rule's owner becomes
// another one: none is kept of what a function says, so those of its rule would
// be wrong should it become an in-process one again.
func forgetOtherOwner(ctx context.Context, tx *db.Tx, r config.Rule) error {
	before, err := Rule(ctx, tx, r.Place, r.Name)
	if errors.Is(err, ErrNotFound) || err == nil && before.Source.Owner == r.Source.Owner {
		return nil
	}
	if err != nil {
		return err
	}
	return deleteDigestsIn(ctx, tx, r.Place)
}

// SetRuleState changes the state of a rule. It leaves the rule set's version
// alone unless the rule stops being evaluated.
func SetRuleState(ctx context.Context, tx *db.Tx, r config.Rule, s config.RuleState) error {
	if s == config.RuleDeleting {
		if err := LockRules(ctx, tx, r.Place); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE rule_status SET state = ? WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, string(s), r.ID)
	if err != nil {
		return fmt.Errorf("set state of rule %s: %w", r.Name, err)
	}
	if s != config.RuleDeleting {
		return nil
	}
	return touchRulesIn(ctx, tx, r.Place)
}

// DeleteRule forgets a rule. Its verdicts and tags are deleted by others.
func DeleteRule(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if err := LockRules(ctx, tx, r.Place); err != nil {
		return err
	}
	for _, table := range []string{"rule_status", "rule_tally", "rule_failure"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, r.ID); err != nil {
			return fmt.Errorf("delete the %s of rule %s: %w", table, r.Name, err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM rule WHERE public_id = ?`, r.ID); err != nil {
		return fmt.Errorf("delete rule %s: %w", r.Name, err)
	}
	return touchRulesIn(ctx, tx, r.Place)
}

// Rule returns a rule by its name, or ErrNotFound.
func Rule(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Rule, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.Rule{}, err
	}
	return oneRule(ctx, tx, `r.place = ? AND r.name = ?`, place, name)
}

// RuleByID returns a rule by its id, or ErrNotFound: a rule that was deleted and
// made again under its name is another one.
func RuleByID(ctx context.Context, tx *db.Tx, id string) (config.Rule, error) {
	return oneRule(ctx, tx, `r.public_id = ?`, id)
}

func oneRule(ctx context.Context, tx *db.Tx, where string, args ...any) (config.Rule, error) {
	rules, err := scanRules(ctx, tx, where, args...)
	if err != nil {
		return config.Rule{}, err
	}
	if len(rules) == 0 {
		return config.Rule{}, ErrNotFound
	}
	return rules[0], nil
}

// Rules returns the rules of a place after a name, in byte order of their names.
// A limit of 0 means all of them.
func Rules(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.Rule, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if limit == 0 {
		limit = 1 << 30
	}
	return scanRules(ctx, tx, `r.place = ? AND r.name > ? ORDER BY r.name LIMIT ?`, place, after, limit)
}

// CountRules returns how many rules a place has.
func CountRules(ctx context.Context, tx *db.Tx, p config.Place) (n int, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM rule WHERE place = ?`, place).Scan(&n)
	return n, err
}

// ruleColumns are what scanRule reads.
const ruleColumns = `p.account, p.region, r.name, r.public_id, r.definition, s.state`

func scanRule(tx *db.Tx, scan func(...any) error, after ...any) (config.Rule, error) {
	var p config.Place
	var name, id, def, state string
	if err := scan(append([]any{&p.Account, &p.Region, &name, &id, &def, &state}, after...)...); err != nil {
		return config.Rule{}, err
	}
	form, err := decoded[storedRule](tx, def)
	if err != nil {
		return config.Rule{}, fmt.Errorf("rule %s: %w", name, err)
	}
	r := form.toRule()
	r.Place, r.Name, r.ID, r.State = p, name, id, config.RuleState(state)
	return r, nil
}

func scanRules(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.Rule, error) {
	var out []config.Rule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		r, err := scanRule(tx, scan)
		out = append(out, r)
		return err
	}, `SELECT `+ruleColumns+`
		FROM rule r JOIN rule_status s ON s.rule = r.id JOIN place p ON p.id = r.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return out, nil
}
