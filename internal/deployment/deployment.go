// Package deployment has every member of an organization carry the organization's
// rules: in the region in which the rule was put, unless the member is excluded,
// and as long as it is a member.
//
// One job brings one rule of one account to what it should be, whatever the reason:
// the rule was put, changed or deleted, the account joined or left, it has got a
// recorder. So it may run at any time and any number of times. Members' rules are
// made and deleted by the verbs of package rule, as a service's own: the member
// can neither change nor delete them.
//
// It keeps, through store, what became of each rule in each account. It knows
// nothing of packs.
package deployment

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/configapi"
	"plumb/internal/organization"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// Principal owns the members' rules.
const Principal = organization.Deploying

const (
	maxRules   = 150
	memberPage = 200
	retryEvery = 15 * time.Minute
	retryFor   = 7 * time.Hour // for a member without a recorder
)

// Deployment deploys.
type Deployment struct {
	log   *slog.Logger
	db    *db.DB
	jobs  *job.Queue
	orgs  *organization.Organizations
	rules *rule.Engine
	now   func() time.Time
}

// New registers the jobs.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, orgs *organization.Organizations, rules *rule.Engine, now func() time.Time) *Deployment {
	p := &Deployment{log, d, jobs, orgs, rules, now}
	job.HandleTx(jobs, p.spread, job.Policy{})
	job.HandlePrepared(jobs, p.prepareMember, job.Policy{})
	return p
}

// Administered returns the organization for which an account may put rules: the
// management account, or one that administers the service.
func Administered(ctx context.Context, tx *db.Tx, account string) (organization.Organization, error) {
	o, err := organization.Of(ctx, tx, account)
	if errors.Is(err, organization.ErrNone) {
		return o, configapi.OrganizationAccessDeniedException("This action can only be made by accounts in an AWS Organization.")
	}
	if err != nil || o.Management == account {
		return o, err
	}
	delegated, err := organization.Administers(ctx, tx, o, account, Principal)
	if err == nil && !delegated {
		err = configapi.OrganizationAccessDeniedException("This action can only be performed if you are a registered delegated administrator for AWS Config with permissions to call ListDelegatedAdministrators API.")
	}
	return o, err
}

// Named returns an organization rule of a place, or
// NoSuchOrganizationConfigRuleException.
func Named(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationRule, error) {
	o, err := store.OrganizationRule(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		err = configapi.NoSuchOrganizationConfigRuleException("The organization config rule '%s' provided in the request is invalid. Please check the organization config rule name.", name)
	}
	return o, err
}

// A Definition is an organization rule as somebody wants it.
type Definition struct {
	config.OrganizationRule
	Tags map[string]string // of a new one
}

// Check checks what the rule means, outside of the transaction that puts it: with
// the errors of PutConfigRule, in the account that puts it.
func (d *Deployment) Check(ctx context.Context, r config.OrganizationRule) error {
	r.ARN = "/" + r.Name
	_, err := d.rules.Prepare(ctx, rule.Definition{Rule: serviceOwned(r.For(r.Account))})
	return err
}

func serviceOwned(r config.Rule) config.Rule {
	r.CreatedBy = Principal
	return r
}

// Put keeps an organization rule that was checked and has it deployed.
func (d *Deployment) Put(ctx context.Context, tx *db.Tx, def Definition) (config.OrganizationRule, error) {
	r := def.OrganizationRule
	if err := lock(ctx, tx, r.Place); err != nil {
		return r, err
	}
	o, err := d.mayPut(ctx, tx, r.Account)
	if err != nil {
		return r, err
	}
	if err := lockMembers(ctx, tx, o); err != nil {
		return r, err
	}
	before, err := store.OrganizationRule(ctx, tx, r.Place, r.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		r.Operation = config.OrganizationCreate
		err = name(ctx, tx, &r, def.Tags)
	case err == nil && before.Operation == config.OrganizationDelete:
		err = configapi.ResourceInUseException("The organization config rule %s is being deleted. Please retry after some time.", r.Name)
	case err == nil:
		r.Operation, r.ARN, r.Generation = config.OrganizationUpdate, before.ARN, before.Generation
	}
	if err != nil {
		return r, err
	}
	r.Generation++
	r.Spreading, r.Updated = true, d.now()
	if err := store.PutOrganizationRule(ctx, tx, r); err != nil {
		return r, err
	}
	if o.Management == r.Account { // the call enables the service, as in AWS
		if err := d.orgs.EnableService(ctx, tx, o, Principal); err != nil {
			return r, err
		}
	}
	return r, d.jobs.Insert(ctx, tx, spreadJob{ARN: r.ARN, Generation: r.Generation}, job.Options{})
}

func lock(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "organization rules of "+p.String())
}

// lockMembers has an account that joins and a rule that is put wait for each other,
// so that one of them finds the other.
func lockMembers(ctx context.Context, tx *db.Tx, o organization.Organization) error {
	return tx.Lock(ctx, "members with rules of "+o.ID)
}

func (d *Deployment) mayPut(ctx context.Context, tx *db.Tx, account string) (organization.Organization, error) {
	o, err := Administered(ctx, tx, account)
	if err == nil && o.Features != organization.AllFeatures {
		err = configapi.OrganizationAllFeaturesNotEnabledException("The organization does not have all features enabled.")
	}
	return o, err
}

// name gives a new organization rule its identity and its tags.
func name(ctx context.Context, tx *db.Tx, r *config.OrganizationRule, tags map[string]string) error {
	all, err := store.OrganizationRules(ctx, tx, r.Place, "", maxRules)
	if err != nil {
		return err
	}
	if len(all) == maxRules {
		return configapi.MaxNumberOfOrganizationConfigRulesExceededException("The organization has %d organization config rules, which is the limit.", maxRules)
	}
	r.ARN = arn.New("config", r.Region, r.Account, "organization-config-rule/"+r.Name+"-"+strings.ToLower(rand.Text())[:8]).String()
	return store.PutTags(ctx, tx, r.Place, r.ARN, tags)
}

// Delete has an organization rule vanish from all members, and then itself.
func (d *Deployment) Delete(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if _, err := Administered(ctx, tx, p.Account); err != nil {
		return err
	}
	r, err := Named(ctx, tx, p, name)
	if err != nil {
		return err
	}
	progress, err := store.MemberProgresses(ctx, tx, r)
	if err != nil {
		return err
	}
	busy := r.Spreading || slices.ContainsFunc(progress, func(m store.MemberProgress) bool {
		return m.Progress == config.OrganizationInProgress && m.Code == "" // who waits for a recorder does not keep it
	})
	if busy || r.Operation == config.OrganizationDelete {
		return configapi.ResourceInUseException("The organization config rule %s is being created, updated or deleted. Please retry after some time.", name)
	}
	return d.vanish(ctx, tx, r)
}

func (d *Deployment) vanish(ctx context.Context, tx *db.Tx, r config.OrganizationRule) error {
	r.Operation, r.Spreading, r.Updated = config.OrganizationDelete, true, d.now()
	r.Generation++
	if err := store.PutOrganizationRule(ctx, tx, r); err != nil {
		return err
	}
	return d.jobs.Insert(ctx, tx, spreadJob{ARN: r.ARN, Generation: r.Generation}, job.Options{})
}
