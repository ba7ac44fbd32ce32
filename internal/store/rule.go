package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRule keeps a rule under its name, new or in place of the former one, and
// counts the change of the place's rule set.
func PutRule(ctx context.Context, tx *db.Tx, r config.Rule) error {
	def, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode rule: %w", err)
	}
	if err := forgetOtherOwner(ctx, tx, r); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO rule (account, region, name, id, state, definition, status, started, next_run)
		VALUES (?, ?, ?, ?, ?, ?, '{}', 0, 0)
		ON CONFLICT (account, region, name) DO UPDATE SET state = excluded.state, definition = excluded.definition`,
		r.Account, r.Region, r.Name, r.ID, string(r.State), string(def))
	if err != nil {
		return fmt.Errorf("put rule %s: %w", r.Name, err)
	}
	return touchRules(ctx, tx, r.Place)
}

// forgetOtherOwner drops the notes of a place where a rule's owner becomes another
// one: what a function says is not noted, so the notes on its rule would be wrong
// should it become an in-process one again.
func forgetOtherOwner(ctx context.Context, tx *db.Tx, r config.Rule) error {
	before, err := Rule(ctx, tx, r.Place, r.Name)
	if errors.Is(err, ErrNotFound) || err == nil && before.Source.Owner == r.Source.Owner {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM said WHERE account = ? AND region = ?`, r.Account, r.Region); err != nil {
		return fmt.Errorf("forget what rules said: %w", err)
	}
	return nil
}

// SetRuleState changes the state of a rule. It leaves the rule set's version
// alone unless the rule stops being evaluated.
func SetRuleState(ctx context.Context, tx *db.Tx, r config.Rule, s config.RuleState) error {
	if _, err := tx.Exec(ctx, `UPDATE rule SET state = ? WHERE id = ?`, string(s), r.ID); err != nil {
		return fmt.Errorf("set state of rule %s: %w", r.Name, err)
	}
	if s != config.RuleDeleting {
		return nil
	}
	return touchRules(ctx, tx, r.Place)
}

// DeleteRule forgets a rule. Its verdicts and tags are deleted by others.
func DeleteRule(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rule WHERE id = ?`, r.ID); err != nil {
		return fmt.Errorf("delete rule %s: %w", r.Name, err)
	}
	return touchRules(ctx, tx, r.Place)
}

func touchRules(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, err := tx.Exec(ctx, `INSERT INTO rule_set (account, region, version) VALUES (?, ?, 1)
		ON CONFLICT (account, region) DO UPDATE SET version = rule_set.version + 1`, p.Account, p.Region)
	if err != nil {
		return fmt.Errorf("count the change of rules: %w", err)
	}
	return nil
}

// RuleSetVersion counts the changes of a place's rules.
func RuleSetVersion(ctx context.Context, tx *db.Tx, p config.Place) (int64, error) {
	var v int64
	err := tx.QueryRow(ctx, `SELECT version FROM rule_set WHERE account = ? AND region = ?`, p.Account, p.Region).Scan(&v)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return v, err
}

// Rule returns a rule by its name, or ErrNotFound.
func Rule(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Rule, error) {
	return oneRule(ctx, tx, `WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
}

// RuleByID returns a rule by its id, or ErrNotFound: a rule that was deleted and
// made again under its name is another one.
func RuleByID(ctx context.Context, tx *db.Tx, id string) (config.Rule, error) {
	return oneRule(ctx, tx, `WHERE id = ?`, id)
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
	if limit == 0 {
		limit = 1 << 30
	}
	return scanRules(ctx, tx, `WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
}

// CountRules returns how many rules a place has.
func CountRules(ctx context.Context, tx *db.Tx, p config.Place) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM rule WHERE account = ? AND region = ?`, p.Account, p.Region).Scan(&n)
	return n, err
}

func scanRules(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.Rule, error) {
	var out []config.Rule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var def, state string
		if err := scan(&def, &state); err != nil {
			return err
		}
		r, err := db.Decoded(tx, def, func(text []byte, r *config.Rule) error { return json.Unmarshal(text, r) })
		if err != nil {
			return fmt.Errorf("decode rule: %w", err)
		}
		r.State = config.RuleState(state)
		out = append(out, r)
		return nil
	}, `SELECT definition, state FROM rule `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return out, nil
}

// RuleStatus returns how a rule fares.
func RuleStatus(ctx context.Context, tx *db.Tx, id string) (config.RuleStatus, error) {
	var text string
	var s config.RuleStatus
	err := tx.QueryRow(ctx, `SELECT status FROM rule WHERE id = ?`, id).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	if err != nil {
		return s, fmt.Errorf("read rule status: %w", err)
	}
	err = json.Unmarshal([]byte(text), &s)
	return s, err
}

// UpdateRuleStatus changes how a rule fares. A rule that is gone is left alone.
func UpdateRuleStatus(ctx context.Context, tx *db.Tx, id string, change func(*config.RuleStatus)) error {
	if err := tx.Lock(ctx, "rule status "+id); err != nil {
		return err
	}
	s, err := RuleStatus(ctx, tx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	before := s
	change(&s)
	if s == before {
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE rule SET status = ? WHERE id = ?`, string(text), id)
	return err
}

// RuleStarted returns when an evaluation of a rule was last asked for.
func RuleStarted(ctx context.Context, tx *db.Tx, id string) (time.Time, error) {
	var us int64
	err := tx.QueryRow(ctx, `SELECT started FROM rule WHERE id = ?`, id).Scan(&us)
	return db.Time(us), err
}

// SetRuleStarted notes when an evaluation of a rule was asked for.
func SetRuleStarted(ctx context.Context, tx *db.Tx, id string, t time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE rule SET started = ? WHERE id = ?`, db.Micros(t), id)
	return err
}

// RuleNextRun returns when a periodic rule runs next; zero if it is not periodic
// or gone.
func RuleNextRun(ctx context.Context, tx *db.Tx, id string) (time.Time, error) {
	var us int64
	err := tx.QueryRow(ctx, `SELECT next_run FROM rule WHERE id = ?`, id).Scan(&us)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, nil
	}
	return db.Time(us), err
}

// SetRuleNextRun notes when a periodic rule runs next.
func SetRuleNextRun(ctx context.Context, tx *db.Tx, id string, t time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE rule SET next_run = ? WHERE id = ?`, db.Micros(t), id)
	return err
}
