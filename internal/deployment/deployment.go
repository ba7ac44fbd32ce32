// Package deployment has every member of an organization carry the organization's
// rules and conformance packs: in the region in which they were put, unless the
// member is excluded, and as long as it is a member.
//
// One job brings one rule or pack in one account to what it should be, whatever the
// reason: it was put, changed or deleted, the account joined or left, it has got a
// recorder. So it may run at any time and any number of times. What members have is
// made and deleted by the verbs of packages rule and conformance, as a service's
// own: the member can neither change nor delete it.
//
// A rule is there when the job ends. A pack is deployed by package conformance,
// after the job; its end is told by the event PackEnded.
//
// It keeps, through store, what became of each rule and pack in each account.
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
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/organization"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// Principal owns what the members have.
const Principal = organization.Deploying

const (
	memberPage   = 200
	maxDelegates = 150
	retryEvery   = 15 * time.Minute
	retryFor     = 7 * time.Hour // for a member without a recorder
)

// Deployment deploys.
type Deployment struct {
	log   *slog.Logger
	db    *db.DB
	jobs  *job.Queue
	orgs  *organization.Organizations
	rules *rule.Engine
	packs *conformance.Packs
	most  Max
	now   func() time.Time
}

// Max is how many of each kind an account may have in a region.
type Max map[config.DeploymentKind]int

// New registers the jobs.
func New(
	log *slog.Logger, d *db.DB, jobs *job.Queue, orgs *organization.Organizations, rules *rule.Engine, packs *conformance.Packs,
	most Max, now func() time.Time,
) *Deployment {
	p := &Deployment{log, d, jobs, orgs, rules, packs, most, now}
	job.HandleTx(jobs, p.spread, job.Policy{})
	job.HandlePrepared(jobs, p.prepareMember, job.Policy{})
	return p
}

// A kind is how one kind of deployment is called.
type kind struct {
	noun    string // in errors
	path    string // in ARNs
	tooMany func(format string, args ...any) *model.Error
}

var kinds = map[config.DeploymentKind]kind{
	config.DeployedRule: {"organization config rule", "organization-config-rule", configapi.MaxNumberOfOrganizationConfigRulesExceededException},
	config.DeployedPack: {"organization conformance pack", "organization-conformance-pack", configapi.MaxNumberOfOrganizationConformancePacksExceededException},
}

// Administered returns the organization for which an account may put rules and packs: the
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

// put gives a rule or pack that was checked its identity and its next generation,
// has keep keep it, and has it deployed.
func (d *Deployment) put(ctx context.Context, tx *db.Tx, p *config.OrganizationDeployment, tags map[string]string, keep func() error) error {
	if err := lock(ctx, tx, *p); err != nil {
		return err
	}
	o, err := d.mayPut(ctx, tx, p.Account)
	if err != nil {
		return err
	}
	if err := lockMembers(ctx, tx, o); err != nil {
		return err
	}
	if err := d.identify(ctx, tx, p, tags); err != nil {
		return err
	}
	p.Generation++
	p.Spreading, p.Updated = true, d.now()
	if err := keep(); err != nil {
		return err
	}
	if o.Management == p.Account { // the call enables the service, as in AWS
		if err := d.orgs.EnableService(ctx, tx, o, Principal); err != nil {
			return err
		}
	}
	return d.jobs.Insert(ctx, tx, spreadJob{ARN: p.ARN, Generation: p.Generation}, job.Options{})
}

// lock has those who put or delete one kind of deployment in a place wait for each
// other.
func lock(ctx context.Context, tx *db.Tx, p config.OrganizationDeployment) error {
	return tx.Lock(ctx, "organization "+string(p.Kind)+"s of "+p.Place.String())
}

// lockMembers has an account that joins and a rule or pack that is put wait for
// each other, so that one of them finds the other.
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

// identify gives a rule or pack the identity of the one that is there under its
// name, or a new one with its tags.
func (d *Deployment) identify(ctx context.Context, tx *db.Tx, p *config.OrganizationDeployment, tags map[string]string) error {
	before, err := store.OrganizationDeployment(ctx, tx, p.Place, p.Kind, p.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		p.Operation = config.OrganizationCreate
		return d.name(ctx, tx, p, tags)
	case err == nil && before.Operation == config.OrganizationDelete:
		return configapi.ResourceInUseException("The %s %s is being deleted. Please retry after some time.", kinds[p.Kind].noun, p.Name)
	}
	p.Operation, p.ARN, p.Generation = config.OrganizationUpdate, before.ARN, before.Generation
	return err
}

func (d *Deployment) name(ctx context.Context, tx *db.Tx, p *config.OrganizationDeployment, tags map[string]string) error {
	k := kinds[p.Kind]
	n, err := store.CountOrganizationDeployments(ctx, tx, p.Place, p.Kind)
	if err != nil {
		return err
	}
	if n >= d.most[p.Kind] {
		return k.tooMany("The account has %d %ss in the region, which is the limit.", n, k.noun)
	}
	p.ARN = arn.New("config", p.Region, p.Account, k.path+"/"+p.Name+"-"+strings.ToLower(rand.Text())[:8]).String()
	return store.PutTags(ctx, tx, p.Place, p.ARN, tags)
}

// delete has a rule or pack vanish from all members, and then itself. named reads
// it, or returns why there is none.
func (d *Deployment) delete(ctx context.Context, tx *db.Tx, p config.OrganizationDeployment, named func() (config.OrganizationDeployment, error)) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if _, err := Administered(ctx, tx, p.Account); err != nil {
		return err
	}
	o, err := named()
	if err != nil {
		return err
	}
	progress, err := store.MemberProgresses(ctx, tx, o)
	if err != nil {
		return err
	}
	busy := o.Spreading || slices.ContainsFunc(progress, func(m store.MemberProgress) bool {
		return m.Progress == config.OrganizationInProgress && m.Code == "" // who waits for a recorder does not keep it
	})
	if busy {
		return configapi.ResourceInUseException("The %s %s is being created, updated or deleted. Please retry after some time.", kinds[o.Kind].noun, o.Name)
	}
	return d.vanish(ctx, tx, o)
}

func (d *Deployment) vanish(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	o.Operation, o.Spreading, o.Updated = config.OrganizationDelete, true, d.now()
	o.Generation++
	if err := store.SetOrganizationDeployment(ctx, tx, o); err != nil {
		return err
	}
	return d.jobs.Insert(ctx, tx, spreadJob{ARN: o.ARN, Generation: o.Generation}, job.Options{})
}
