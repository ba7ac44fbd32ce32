// Package conformance is the verb of conformance packs: rules that a template
// makes, changes and deletes together.
//
// A pack is put in one transaction and deployed by a job. The job reads the
// template, checks and compiles its rules, and makes all of them in one
// transaction, so a pack has the rules of its template or, if one of them is
// refused, those that it had before. Rules that leave are deleted as all rules
// are, with their results; the pack is in progress until the last of them is
// gone. That is learned from the event RuleDeleted, so nothing waits.
//
// The rules belong to the pack: their names carry its id, AWS Config's service
// for packs made them, and package rule refuses everybody else. What the rules
// say is in the tallies of store; the package counts nothing.
//
// It keeps packs and which rules are theirs through store, and jobs.
package conformance

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// Options are what Packs are made of. All but Document, Remediate and Publish are
// required.
type Options struct {
	DB       *db.DB
	Jobs     *job.Queue
	Rules    *rule.Engine
	MaxPacks int // that a place may have
	// Object returns an object of a bucket, or a *model.Error of S3, or
	// ErrTooLarge.
	Object func(ctx context.Context, p config.Place, bucket, key string, limit int64) ([]byte, error)
	// Document returns the text of a document of Systems Manager, or a *model.Error
	// of SSM; nil where there are no documents.
	Document func(ctx context.Context, p config.Place, d config.PackDocument) (string, error)
	// Remediate makes a list the remediation configurations of these rules, all that
	// are in it and no others; nil where there are no remediations. It returns why
	// some were not made. A *model.Error makes the deployment fail.
	Remediate func(ctx context.Context, tx *db.Tx, p config.Place, rules []string, list []configapi.RemediationConfiguration) (refused []string, err error)
	// Publish tells others that a deployment or a deletion ended; nil where nobody
	// is to know.
	Publish func(ctx context.Context, tx *db.Tx, event any) error
	Now     func() time.Time
}

// ErrTooLarge says that an object is larger than it may be.
var ErrTooLarge = errors.New("the object is too large")

// Packs deploys conformance packs. It is safe for concurrent use.
type Packs struct {
	log *slog.Logger
	Options
}

// New returns the packs and registers their jobs.
func New(log *slog.Logger, o Options) *Packs {
	p := &Packs{log, o}
	// The jobs end by a look at the pack: what was done is not done again.
	job.Handle(p.Jobs, p.doDeploy, job.Policy{})
	job.Handle(p.Jobs, p.doRemove, job.Policy{})
	return p
}

// Named returns a pack or NoSuchConformancePackException.
func Named(ctx context.Context, tx *db.Tx, p config.Place, name string) (store.PackWithStatus, error) {
	pack, err := store.ConformancePack(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		return pack, configapi.NoSuchConformancePackException("Conformance pack '%s' does not exist. Check the name and try again.", name)
	}
	return pack, err
}

// settle notes how a deployment or a deletion ended.
func (p *Packs) settle(ctx context.Context, tx *db.Tx, pack config.ConformancePack, s config.PackStatus) error {
	if err := store.SetConformancePackStatus(ctx, tx, pack.ID, s); err != nil {
		return err
	}
	return p.publish(ctx, tx, config.PackEnded{Pack: pack, Status: s})
}

func (p *Packs) publish(ctx context.Context, tx *db.Tx, e config.PackEnded) error {
	if p.Publish == nil {
		return nil
	}
	return p.Publish(ctx, tx, e)
}
