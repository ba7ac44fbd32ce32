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

// A spreadJob asks for a rule or pack in a page of accounts: those that are members, and
// those that have it.
type spreadJob struct {
	ARN        string `json:"arn"`
	Generation int64  `json:"generation"`
	After      string `json:"after,omitempty"`
}

// Kind names the job.
func (spreadJob) Kind() string { return "deployment_spread" }

func (d *Deployment) spread(ctx context.Context, tx *db.Tx, j job.Job[spreadJob]) error {
	o, err := store.OrganizationDeploymentByARN(ctx, tx, j.Args.ARN)
	if errors.Is(err, store.ErrNotFound) || err == nil && o.Generation != j.Args.Generation {
		return nil // a later spread goes on
	}
	if err != nil {
		return err
	}
	accounts, more, err := accountsAfter(ctx, tx, o, j.Args.After)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if err := d.ask(ctx, tx, o, account); err != nil {
			return err
		}
	}
	if more {
		next := j.Args
		next.After = accounts[len(accounts)-1]
		return d.jobs.Insert(ctx, tx, next, job.Options{})
	}
	o.Spreading = false
	if err := store.EndSpread(ctx, tx, o); err != nil {
		return err
	}
	return d.finish(ctx, tx, o)
}

// accountsAfter returns a page of the members and of the accounts that have the
// rule or pack.
func accountsAfter(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, after string) (page []string, more bool, err error) {
	having, err := store.OrganizationMembers(ctx, tx, o, after, memberPage)
	if err != nil {
		return nil, false, err
	}
	for _, m := range having {
		page = append(page, m.Account)
	}
	org, err := organization.Of(ctx, tx, o.Account)
	if err == nil {
		var members []organization.Account
		members, err = organization.Accounts(ctx, tx, org, "", after, memberPage)
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

// ask has the rule or pack of an account become what it should be. One that should not
// have it, and does not, is left alone.
func (d *Deployment) ask(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) error {
	m, err := store.OrganizationMember(ctx, tx, o, account)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	wanted, err := d.wanted(ctx, tx, o, account)
	if err != nil || fresh && !wanted {
		return err
	}
	before := m
	m = config.OrganizationMember{Account: account, Operation: o.Operation, Progress: config.OrganizationInProgress, Since: d.now(), Updated: d.now()}
	switch {
	case !wanted:
		m.Operation = config.OrganizationDelete
	case fresh, before.Operation == config.OrganizationCreate && before.Progress != config.OrganizationSuccessful:
		m.Operation = config.OrganizationCreate
	}
	if err := store.PutOrganizationMember(ctx, tx, o, m); err != nil {
		return err
	}
	return d.jobs.Insert(ctx, tx, memberJob{ARN: o.ARN, Account: account}, job.Options{})
}

// wanted reports whether an account should have the rule or pack.
func (d *Deployment) wanted(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) (bool, error) {
	if o.Operation == config.OrganizationDelete || slices.Contains(o.Excluded, account) {
		return false, nil
	}
	mine, err := organization.Of(ctx, tx, o.Account)
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

// finish forgets a rule or pack that is deleted once no account has it any more.
func (d *Deployment) finish(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	if o.Operation != config.OrganizationDelete || o.Spreading {
		return nil
	}
	left, err := store.OrganizationMembers(ctx, tx, o, "", 1)
	if err != nil || len(left) > 0 {
		return err
	}
	if err := store.DeleteTags(ctx, tx, o.Place, o.ARN, nil); err != nil {
		return err
	}
	return store.DeleteOrganizationDeployment(ctx, tx, o)
}

// OnMembershipChanged has a new member get the rules and packs of its organization,
// and one that left lose them, with those that it had put for others.
func (d *Deployment) OnMembershipChanged(ctx context.Context, tx *db.Tx, e config.MembershipChanged) error {
	if e.Left {
		return d.left(ctx, tx, e.Account)
	}
	org, err := organization.Of(ctx, tx, e.Account)
	if err != nil {
		return ignoreNone(err)
	}
	if err := lockMembers(ctx, tx, org); err != nil {
		return err
	}
	admins, err := organization.Delegates(ctx, tx, org, Principal, "", maxDelegates)
	if err != nil {
		return err
	}
	owners := []string{org.Management}
	for _, a := range admins {
		owners = append(owners, a.ID)
	}
	for _, owner := range owners {
		all, err := store.OrganizationDeploymentsOf(ctx, tx, owner)
		if err != nil {
			return err
		}
		for _, o := range all {
			if err := d.ask(ctx, tx, o, e.Account); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Deployment) left(ctx context.Context, tx *db.Tx, account string) error {
	had, err := store.OrganizationDeploymentsOn(ctx, tx, account)
	if err != nil {
		return err
	}
	for _, o := range had {
		if err := d.ask(ctx, tx, o, account); err != nil {
			return err
		}
	}
	own, err := store.OrganizationDeploymentsOf(ctx, tx, account)
	if err != nil {
		return err
	}
	for _, o := range own {
		if o.Operation == config.OrganizationDelete {
			continue
		}
		if err := d.vanish(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}

// OnRecorderChanged has an account that has got a recorder get the rules and packs
// that waited for it.
func (d *Deployment) OnRecorderChanged(ctx context.Context, tx *db.Tx, e config.RecorderChanged) error {
	if e.Deleted {
		return nil
	}
	all, err := store.OrganizationDeploymentsOn(ctx, tx, e.Recorder.Account)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.Region != e.Recorder.Region {
			continue
		}
		if err := d.retry(ctx, tx, o, e.Recorder.Account); err != nil {
			return err
		}
	}
	return nil
}

// retry has an account that waits for a recorder try again. A job that is just
// finding that there is none is waited for: it would not see this one.
func (d *Deployment) retry(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) error {
	if err := lockCarried(ctx, tx, o); err != nil {
		return err
	}
	m, err := store.OrganizationMember(ctx, tx, o, account)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.Code != noRecorder {
		return nil
	}
	if err != nil {
		return err
	}
	return d.jobs.Insert(ctx, tx, memberJob{ARN: o.ARN, Account: account}, job.Options{})
}
