package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// HoldRules keeps the rules of a place from being changed or deleted until the
// transaction ends. Transactions that hold the same rules do not wait for each
// other: those are all that record or judge.
func HoldRules(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.LockShared(ctx, "rules of "+p.String())
}

// LockRules is for changes to the rules of a place, and for deletions of what one of them
// found: it waits until nobody holds them. It comes before the transaction holds
// resources, or two of them could wait for each other.
func LockRules(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "rules of "+p.String())
}

func touchRulesIn(ctx context.Context, tx *db.Tx, p config.Place) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	return touchRules(ctx, tx, place)
}

func touchRules(ctx context.Context, tx *db.Tx, place int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO rule_set (place, version) VALUES (?, 1)
		ON CONFLICT (place) DO UPDATE SET version = rule_set.version + 1`, place)
	if err != nil {
		return fmt.Errorf("count the change of rules: %w", err)
	}
	return nil
}

// RuleSetVersion counts the changes of a place's rules.
func RuleSetVersion(ctx context.Context, tx *db.Tx, p config.Place) (int64, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	var v int64
	err = tx.QueryRow(ctx, `SELECT version FROM rule_set WHERE place = ?`, place).Scan(&v)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return v, err
}

// KnownRules returns those of the rules, given by their public ids, that may be
// judged by: they were not deleted and are not being deleted.
func KnownRules(ctx context.Context, tx *db.Tx, ids []string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	with, args := list{texts("public_id", distinct(ids))}.with(tx)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out[id] = true
		return err
	}, with+`SELECT r.public_id FROM w CROSS JOIN rule r CROSS JOIN rule_status s
		WHERE r.public_id = w.public_id AND s.rule = r.id AND s.state <> ?`, append(args, string(config.RuleDeleting))...)
	if err != nil {
		return nil, fmt.Errorf("read which rules there are: %w", err)
	}
	return out, nil
}

// ruleIDs returns the ids of rules by their public ones; those of rules that are
// gone are left out.
func ruleIDs(ctx context.Context, tx *db.Tx, public []string) (map[string]int64, error) {
	out := make(map[string]int64, len(public))
	if len(public) == 0 {
		return out, nil
	}
	with, args := list{texts("public_id", distinct(public))}.with(tx)
	return out, db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		var name string
		err := scan(&id, &name)
		out[name] = id
		return err
	}, with+`SELECT r.id, r.public_id FROM w CROSS JOIN rule r WHERE r.public_id = w.public_id`, args...)
}

// RulePlaces returns the places that have had rules.
func RulePlaces(ctx context.Context, tx *db.Tx) ([]config.Place, error) {
	var out []config.Place
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		err := scan(&p.Account, &p.Region)
		out = append(out, p)
		return err
	}, `SELECT p.account, p.region FROM rule_set s JOIN place p ON p.id = s.place ORDER BY p.account, p.region`)
	if err != nil {
		return nil, fmt.Errorf("list the places of rules: %w", err)
	}
	return out, nil
}
