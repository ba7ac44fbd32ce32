package ses

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
)

// SES's limits of an account in a region.
const (
	maxRuleSets   = 40
	maxRules      = 200 // of a set
	maxActions    = 10  // of a rule
	maxRecipients = 100 // of a rule
	maxFilters    = 100
	maxIdentities = 10_000
)

// A RuleSet is rules in an order. One of a place may be active.
type RuleSet struct {
	config.Place
	Name    string
	Created time.Time
	Active  bool
}

var name = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$`)

// invalid is what SES answers to a value that it cannot take.
func invalid(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "InvalidParameterValue", Status: 400}, format, args...)
}

// checkName checks the name of a rule set, a rule or a filter.
func checkName(what, text string) error {
	if !name.MatchString(text) {
		return invalid("Invalid %s name: %s. It has up to 64 letters, digits, periods, underscores and dashes, and begins and ends with a letter or a digit.", what, text)
	}
	return nil
}

// lock keeps two writers of a place's rules apart.
func lock(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "receipt rules "+p.String())
}

// FindRuleSet returns a rule set, or RuleSetDoesNotExist.
func FindRuleSet(ctx context.Context, tx *db.Tx, p config.Place, name string) (RuleSet, error) {
	s := RuleSet{Place: p, Name: name}
	var created int64
	err := tx.QueryRow(ctx, `SELECT created, active FROM ses_rule_sets WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name).
		Scan(&created, &s.Active)
	if errors.Is(err, db.ErrNoRows) {
		return s, sesapi.RuleSetDoesNotExistException("Rule set does not exist: %s", name)
	}
	s.Created = db.Time(created)
	return s, err
}

// RuleSets lists the rule sets of a place by name, those after the given one.
func RuleSets(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []RuleSet, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		s := RuleSet{Place: p}
		var created int64
		err := scan(&s.Name, &created, &s.Active)
		s.Created = db.Time(created)
		out = append(out, s)
		return err
	}, `SELECT name, created, active FROM ses_rule_sets WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
	return out, err
}

// CreateRuleSet makes an empty rule set.
func (m *Mail) CreateRuleSet(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if err := checkName("rule set", name); err != nil {
		return err
	}
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if _, err := FindRuleSet(ctx, tx, p, name); err == nil {
		return sesapi.AlreadyExistsException("Rule set already exists: %s", name)
	} else if !model.IsCode(err, "RuleSetDoesNotExist") {
		return err
	}
	n, err := count(ctx, tx, `SELECT count(*) FROM ses_rule_sets WHERE account = ? AND region = ?`, p.Account, p.Region)
	if err != nil {
		return err
	}
	if n >= maxRuleSets {
		return sesapi.LimitExceededException("The maximum number of rule sets is %d.", maxRuleSets)
	}
	_, err = tx.Exec(ctx, `INSERT INTO ses_rule_sets (account, region, name, created, active) VALUES (?, ?, ?, ?, FALSE)`, p.Account, p.Region, name, db.Micros(m.now()))
	return err
}

func count(ctx context.Context, tx *db.Tx, query string, args ...any) (n int, err error) {
	err = tx.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// CloneRuleSet makes a rule set with the rules of another one.
func (m *Mail) CloneRuleSet(ctx context.Context, tx *db.Tx, p config.Place, name, original string) error {
	if _, err := FindRuleSet(ctx, tx, p, original); err != nil {
		return err
	}
	if err := m.CreateRuleSet(ctx, tx, p, name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO ses_rules (account, region, rule_set, name, position, definition)
		SELECT account, region, CAST(? AS TEXT), name, position, definition FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ?`,
		name, p.Account, p.Region, original)
	return err
}

// DeleteRuleSet removes a rule set with its rules. One that is not there is deleted.
func (m *Mail) DeleteRuleSet(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	s, err := FindRuleSet(ctx, tx, p, name)
	switch {
	case model.IsCode(err, "RuleSetDoesNotExist"):
		return nil
	case err != nil:
		return err
	case s.Active:
		return sesapi.CannotDeleteException("Cannot delete active rule set: %s", name)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ?`, p.Account, p.Region, name); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM ses_rule_sets WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

// SetActive makes one rule set of a place the active one, or none if name is empty.
func (m *Mail) SetActive(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if name != "" {
		if _, err := FindRuleSet(ctx, tx, p, name); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE ses_rule_sets SET active = (name = ?) WHERE account = ? AND region = ?`, name, p.Account, p.Region)
	return err
}

// Active returns the active rule set of a place; ok is false if there is none.
func Active(ctx context.Context, tx *db.Tx, p config.Place) (s RuleSet, ok bool, err error) {
	s.Place = p
	var created int64
	err = tx.QueryRow(ctx, `SELECT name, created FROM ses_rule_sets WHERE account = ? AND region = ? AND active`, p.Account, p.Region).Scan(&s.Name, &created)
	if errors.Is(err, db.ErrNoRows) {
		return s, false, nil
	}
	s.Created, s.Active = db.Time(created), true
	return s, err == nil, err
}

// Needed reports whether mail is received for anybody.
func Needed(ctx context.Context, tx *db.Tx) (bool, error) {
	n, err := count(ctx, tx, `SELECT count(*) FROM (SELECT 1 FROM ses_rule_sets WHERE active LIMIT 1) found`)
	return n > 0, err
}

// receiving lists the places with an active rule set.
func receiving(ctx context.Context, tx *db.Tx) (out []RuleSet, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		s := RuleSet{Active: true}
		err := scan(&s.Account, &s.Region, &s.Name)
		out = append(out, s)
		return err
	}, `SELECT account, region, name FROM ses_rule_sets WHERE active ORDER BY account, region`)
	return out, err
}

// Reorder gives the rules of a set another order, which names each of them once.
func (m *Mail) Reorder(ctx context.Context, tx *db.Tx, p config.Place, set string, order []string) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if _, err := FindRuleSet(ctx, tx, p, set); err != nil {
		return err
	}
	rules, err := Rules(ctx, tx, p, set)
	if err != nil {
		return err
	}
	byName := map[string]bool{}
	for _, r := range rules {
		byName[r.Name] = true
	}
	for _, n := range order {
		if !byName[n] {
			return sesapi.RuleDoesNotExistException("Rule does not exist: %s", n)
		}
	}
	if len(order) != len(rules) || len(slices.Compact(slices.Sorted(slices.Values(order)))) != len(order) {
		return invalid("The rule names have to be all of the rule set %s, each once.", set)
	}
	return number(ctx, tx, p, set, order)
}

// number writes the order of rules.
func number(ctx context.Context, tx *db.Tx, p config.Place, set string, order []string) error {
	for i, n := range order {
		if _, err := tx.Exec(ctx, `UPDATE ses_rules SET position = ? WHERE account = ? AND region = ? AND rule_set = ? AND name = ?`,
			i, p.Account, p.Region, set, n); err != nil {
			return fmt.Errorf("position of receipt rule %s: %w", n, err)
		}
	}
	return nil
}

// ruleARN is what functions and buckets know a rule by.
func ruleARN(p config.Place, set, rule string) string {
	return arn.New("ses", p.Region, p.Account, "receipt-rule-set/"+set+":receipt-rule/"+rule).String()
}
