package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Change is an item of any resource, without its body.
type Change struct {
	config.VersionKey
	Name     string
	Status   config.ItemStatus
	Previous int64 // the item before it; 0 if it is the first

	resource int64
}

// At is when the item was captured.
func (c Change) At() time.Time { return captured(c.StateID) }

// A ChangePosition is where a page of changes ends.
type ChangePosition struct{ StateID, Resource int64 }

// A ChangeQuery selects items of all places that were captured from From to To, the
// newest first, before a position. Keep says which of them are wanted; at most Look are
// looked at.
type ChangeQuery struct {
	From, To    time.Time
	Before      ChangePosition
	Keep        func(Change) bool
	Limit, Look int
}

// Changes are what a query found.
type Changes struct {
	Found    []Change
	Last     ChangePosition // that was looked at
	More     bool           // there may be more before it
	Unlisted bool           // months were left out whose items cannot be listed by time yet
}

// ListChanges returns the changes of all resources.
func ListChanges(ctx context.Context, tx *db.Tx, q ChangeQuery) (out Changes, err error) {
	all, err := months(ctx, tx)
	if err != nil {
		return out, err
	}
	from, to := firstState(q.From), q.To.UnixMilli()
	last := q.Before
	if last == (ChangePosition{}) {
		last = ChangePosition{to, maxStateID}
	}
	all = monthsUntil(monthsSince(all, from), min(to, last.StateID), len(all))
	looked := 0
	for i := len(all) - 1; i >= 0 && !out.More; i-- {
		indexed, err := monthIndexed(ctx, tx, all[i].month)
		if err != nil {
			return out, err
		}
		if !indexed {
			out.Unlisted = true
			continue
		}
		for {
			some, err := changesOfMonth(ctx, tx, all[i].month, from, last, min(changesAtOnce, q.Look-looked))
			if err != nil {
				return out, fmt.Errorf("list changes: %w", err)
			}
			for _, c := range some {
				last = ChangePosition{c.StateID, c.resource}
				looked++
				if q.Keep == nil || q.Keep(c) {
					if out.Found = append(out.Found, c); len(out.Found) == q.Limit {
						break
					}
				}
			}
			if out.More = looked >= q.Look || len(out.Found) >= q.Limit; out.More || len(some) < changesAtOnce {
				break
			}
		}
	}
	out.Last = last
	return out, nil
}

// changesAtOnce is how many changes one statement reads.
const changesAtOnce = 500

func changesOfMonth(ctx context.Context, tx *db.Tx, m month, from int64, before ChangePosition, limit int) (out []Change, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var c Change
		var status int64
		err := scan(&c.StateID, &c.resource, &c.Previous, &status, &c.Account, &c.Region, &c.Type, &c.ID, &c.Name)
		c.Status = statusOf(status)
		out = append(out, c)
		return err
	}, `SELECT i.state_id, i.resource, i.previous, i.status, p.account, p.region, t.name, r.external_id, r.name
		FROM (SELECT state_id, resource, previous, status FROM `+m.table()+` WHERE NOT reference AND (state_id, resource) < (?, ?) AND state_id >= ?
			ORDER BY state_id DESC, resource DESC LIMIT ?) AS i
		JOIN resource r ON r.id = i.resource JOIN place p ON p.id = r.place JOIN resource_type t ON t.id = r.type
		ORDER BY i.state_id DESC, i.resource DESC`, before.StateID, before.Resource, from, limit)
	return out, err
}

// NewestChange returns the state id of the newest item of all; 0 if there is none.
func NewestChange(ctx context.Context, tx *db.Tx) (stateID int64, err error) {
	all, err := months(ctx, tx)
	for i := len(all) - 1; i >= 0 && err == nil && stateID == 0; i-- {
		err = tx.QueryRow(ctx, `SELECT coalesce(max(state_id), 0) FROM `+all[i].table()+` WHERE NOT reference`).Scan(&stateID)
	}
	if err != nil {
		return 0, fmt.Errorf("read the newest change: %w", err)
	}
	return stateID, nil
}
