package rule

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// found has those rules evaluate again that look through a type: before it was
// read they could not tell.
type found struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Type    string `json:"type"`
}

// Kind names the job.
func (found) Kind() string { return "rule.found" }

// Owner is the place's account.
func (j found) Owner() string { return j.Account }

// OnTypeRead has the rules evaluate that look through the type.
func (e *Engine) OnTypeRead(ctx context.Context, tx *db.Tx, ev config.TypeRead) error {
	return e.Jobs.Insert(ctx, tx, found{ev.Place.Account, ev.Place.Region, ev.Type}, job.Options{})
}

func (e *Engine) prepareFound(ctx context.Context, j job.Job[found]) (job.Commit, error) {
	var rules []config.Rule
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		places := []config.Place{{Account: j.Args.Account, Region: j.Args.Region}}
		if e.Global(j.Args.Type) {
			if places, err = store.PlacesOf(ctx, tx, j.Args.Account); err != nil {
				return err
			}
		}
		for _, p := range places {
			of, err := store.Rules(ctx, tx, p, "", 0)
			if err != nil {
				return err
			}
			rules = append(rules, of...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the rules that look through %s: %w", j.Args.Type, err)
	}
	rules = slices.DeleteFunc(rules, func(r config.Rule) bool {
		if r.Source.Owner != config.OwnerAWS {
			return true
		}
		c, err := e.Compile(r)
		return err != nil || !slices.Contains(c.Finds, j.Args.Type)
	})
	return func(ctx context.Context, tx *db.Tx) error {
		for _, r := range rules {
			if err := e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID, Account: r.Account}, job.Options{}); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
