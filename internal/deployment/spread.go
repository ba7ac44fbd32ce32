package deployment

import (
	"context"
	"errors"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/organization"
	"plumb/internal/store"
)

// A spreadJob asks for the rule in a page of accounts: those that are members, and
// those that have it.
type spreadJob struct {
	ARN        string `json:"arn"`
	Generation int64  `json:"generation"`
	After      string `json:"after,omitempty"`
}

// Kind names the job.
func (spreadJob) Kind() string { return "deployment_spread" }

func (d *Deployment) spread(ctx context.Context, tx *db.Tx, j job.Job[spreadJob]) error {
	r, err := store.OrganizationRuleByARN(ctx, tx, j.Args.ARN)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Generation != j.Args.Generation {
		return nil // a later spread goes on
	}
	if err != nil {
		return err
	}
	accounts, more, err := accountsAfter(ctx, tx, r, j.Args.After)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if err := d.ask(ctx, tx, r, account); err != nil {
			return err
		}
	}
	if more {
		next := j.Args
		next.After = accounts[len(accounts)-1]
		return d.jobs.Insert(ctx, tx, next, job.Options{})
	}
	r.Spreading = false
	if err := store.PutOrganizationRule(ctx, tx, r); err != nil {
		return err
	}
	return d.finish(ctx, tx, r)
}

// accountsAfter returns a page of the members and of the accounts that have the
// rule.
func accountsAfter(ctx context.Context, tx *db.Tx, r config.OrganizationRule, after string) (page []string, more bool, err error) {
	having, err := store.MemberRules(ctx, tx, r, after, memberPage)
	if err != nil {
		return nil, false, err
	}
	for _, m := range having {
		page = append(page, m.Account)
	}
	o, err := organization.Of(ctx, tx, r.Account)
	if err == nil {
		var members []organization.Account
		members, err = organization.Accounts(ctx, tx, o, "", after, memberPage)
		for _, m := range members {
			page = append(page, m.ID)
		}
	}
	if err != nil && !errors.Is(err, organization.ErrNone) {
		return nil, false, err
	}
	slices.Sort(page)
	page = slices.Compact(page)
	if len(page) <= memberPage {
		return page, len(page) == memberPage, nil
	}
	return page[:memberPage], true, nil
}

// ask has the rule of an account become what it should be. One that should not
// have it, and does not, is left alone.
func (d *Deployment) ask(ctx context.Context, tx *db.Tx, r config.OrganizationRule, account string) error {
	m, err := store.MemberRule(ctx, tx, r, account)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	wanted, err := d.wanted(ctx, tx, r, account)
	if err != nil || fresh && !wanted {
		return err
	}
	before := m
	m = config.MemberRule{Account: account, Operation: r.Operation, Progress: config.OrganizationInProgress, Since: d.now(), Updated: d.now()}
	switch {
	case !wanted:
		m.Operation = config.OrganizationDelete
	case fresh, before.Operation == config.OrganizationCreate && before.Progress != config.OrganizationSuccessful:
		m.Operation = config.OrganizationCreate
	}
	if err := store.PutMemberRule(ctx, tx, r, m); err != nil {
		return err
	}
	return d.jobs.Insert(ctx, tx, memberJob{ARN: r.ARN, Account: account}, job.Options{})
}

// wanted reports whether an account should have the rule.
func (d *Deployment) wanted(ctx context.Context, tx *db.Tx, r config.OrganizationRule, account string) (bool, error) {
	if r.Operation == config.OrganizationDelete || slices.Contains(r.Excluded, account) {
		return false, nil
	}
	mine, err := organization.Of(ctx, tx, r.Account)
	if err != nil {
		return false, ignoreNone(err)
	}
	its, err := organization.Of(ctx, tx, account)
	if err != nil {
		return false, ignoreNone(err)
	}
	return mine.ID == its.ID, nil
}

func ignoreNone(err error) error {
	if errors.Is(err, organization.ErrNone) {
		return nil
	}
	return err
}

// finish forgets a rule that is deleted once no account has it any more.
func (d *Deployment) finish(ctx context.Context, tx *db.Tx, r config.OrganizationRule) error {
	if r.Operation != config.OrganizationDelete || r.Spreading {
		return nil
	}
	left, err := store.MemberRules(ctx, tx, r, "", 1)
	if err != nil || len(left) > 0 {
		return err
	}
	if err := store.DeleteTags(ctx, tx, r.Place, r.ARN, nil); err != nil {
		return err
	}
	return store.DeleteOrganizationRule(ctx, tx, r)
}

// OnMembershipChanged has a new member get the rules of its organization, and one
// that left lose them, with those that it had put for others.
func (d *Deployment) OnMembershipChanged(ctx context.Context, tx *db.Tx, e config.MembershipChanged) error {
	if e.Left {
		return d.left(ctx, tx, e.Account)
	}
	o, err := organization.Of(ctx, tx, e.Account)
	if err != nil {
		return ignoreNone(err)
	}
	if err := lockMembers(ctx, tx, o); err != nil {
		return err
	}
	admins, err := organization.Delegates(ctx, tx, o, Principal, "", maxRules)
	if err != nil {
		return err
	}
	owners := []string{o.Management}
	for _, a := range admins {
		owners = append(owners, a.ID)
	}
	for _, owner := range owners {
		rules, err := store.OrganizationRulesOf(ctx, tx, owner)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if err := d.ask(ctx, tx, r, e.Account); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Deployment) left(ctx context.Context, tx *db.Tx, account string) error {
	had, err := store.OrganizationRulesOn(ctx, tx, account)
	if err != nil {
		return err
	}
	for _, r := range had {
		if err := d.ask(ctx, tx, r, account); err != nil {
			return err
		}
	}
	own, err := store.OrganizationRulesOf(ctx, tx, account)
	if err != nil {
		return err
	}
	for _, r := range own {
		if r.Operation == config.OrganizationDelete {
			continue
		}
		if err := d.vanish(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// OnRecorderChanged has an account that has got a recorder get the rules that
// waited for it.
func (d *Deployment) OnRecorderChanged(ctx context.Context, tx *db.Tx, e config.RecorderChanged) error {
	if e.Deleted {
		return nil
	}
	rules, err := store.OrganizationRulesOn(ctx, tx, e.Recorder.Account)
	if err != nil {
		return err
	}
	for _, r := range rules {
		m, err := store.MemberRule(ctx, tx, r, e.Recorder.Account)
		if err != nil {
			return err
		}
		if r.Region == e.Recorder.Region && m.Code == noRecorder {
			if err := d.jobs.Insert(ctx, tx, memberJob{ARN: r.ARN, Account: m.Account}, job.Options{}); err != nil {
				return err
			}
		}
	}
	return nil
}
