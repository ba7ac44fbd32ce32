package config

import (
	"context"
	"errors"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/deployment"
	"plumb/internal/store"
)

// A deploymentList is how one kind of what organizations deploy is listed. What
// another account of the organization put is not in it.
type deploymentList[T any] struct {
	Options
	one  func(ctx context.Context, tx *db.Tx, p config.Place, name string) (T, error)
	some func(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]T, error)
	of   func(T) config.OrganizationDeployment
}

// named returns one, for an account that may ask.
func (l deploymentList[T]) named(ctx context.Context, tx *db.Tx, name string) (found T, err error) {
	p := caller.Place(ctx)
	if _, err := deployment.Administered(ctx, tx, p.Account); err != nil {
		return found, err
	}
	return l.one(ctx, tx, p, name)
}

// page returns those with the names, each of which must exist, or a page of all of
// them with one more than n if there are more.
func (l deploymentList[T]) page(ctx context.Context, tx *db.Tx, names []string, after string, n int) (found []T, err error) {
	p := caller.Place(ctx)
	if _, err := deployment.Administered(ctx, tx, p.Account); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return l.some(ctx, tx, p, after, n+1)
	}
	for _, name := range names {
		r, err := l.one(ctx, tx, p, name)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// each calls f with those that are named or those of a page, and returns the token
// of the next one. Names switch paging off.
func (l deploymentList[T]) each(
	ctx context.Context, operation string, names []string, max *int32, token *string, f func(*db.Tx, T) error,
) (next *string, err error) {
	n := limit(max, 100)
	pages, after := pager{l.Tokens, operation, []string{caller.Place(ctx).String()}}, []string{""}
	if len(names) == 0 {
		if after, err = pages.after(token, 1); err != nil {
			return nil, err
		}
	}
	err = l.DB.Read(ctx, func(tx *db.Tx) error {
		found, err := l.page(ctx, tx, names, after[0], n)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			found, next = cut(pages, found, n, func(r T) []string { return []string{l.of(r).Name} })
		}
		for _, r := range found {
			if err := f(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return next, err
}

// A memberQuery asks what became of something in accounts.
type memberQuery struct {
	operation string
	name      string
	account   string // empty for all
	status    string // empty for all
	limit     *int32
	token     *string
}

// members calls f with what became of something in each account, and with its
// status. A page may be short of what the filters leave out.
func (l deploymentList[T]) members(
	ctx context.Context, q memberQuery, f func(o config.OrganizationDeployment, m config.OrganizationMember, status string),
) (next *string, err error) {
	n := limit(q.limit, 100)
	pages := pager{l.Tokens, q.operation, []string{caller.Place(ctx).String(), q.name, q.account, q.status}}
	after, err := pages.after(q.token, 1)
	if err != nil {
		return nil, err
	}
	err = l.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := l.named(ctx, tx, q.name)
		if err != nil {
			return err
		}
		found, err := membersAfter(ctx, tx, l.of(r), q.account, after[0], n+1)
		if err != nil {
			return err
		}
		found, next = cut(pages, found, n, func(m config.OrganizationMember) []string { return []string{m.Account} })
		for _, m := range found {
			if status := m.Operation + "_" + m.Progress; q.status == "" || q.status == status {
				f(l.of(r), m, status)
			}
		}
		return nil
	})
	return next, err
}

// membersAfter returns what became of something in the accounts after one, or in
// one account.
func membersAfter(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account, after string, n int) ([]config.OrganizationMember, error) {
	if account == "" {
		return store.OrganizationMembers(ctx, tx, o, after, n)
	}
	m, err := store.OrganizationMember(ctx, tx, o, account)
	if errors.Is(err, store.ErrNotFound) || err == nil && account <= after {
		return nil, nil
	}
	return []config.OrganizationMember{m}, err
}
