package deployment

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// A memberJob brings an organization rule in an account to what it should be.
type memberJob struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
}

// Kind names the job.
func (memberJob) Kind() string { return "deployment_member" }

// noRecorder is the code of an account without a recorder.
const noRecorder = "NoAvailableConfigurationRecorderException"

func (d *Deployment) prepareMember(ctx context.Context, j job.Job[memberJob]) (job.Commit, error) {
	var r config.OrganizationRule
	var wanted bool
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		if r, err = store.OrganizationRuleByARN(ctx, tx, j.Args.ARN); err == nil {
			wanted, err = d.wanted(ctx, tx, r, j.Args.Account)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p rule.Prepared
	var refused error
	if wanted {
		if p, refused = d.rules.Prepare(ctx, rule.Definition{Rule: serviceOwned(r.For(j.Args.Account))}); !named(refused) {
			return nil, refused
		}
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Lock(ctx, "members of "+r.ARN); err != nil {
			return err
		}
		now, err := store.OrganizationRuleByARN(ctx, tx, r.ARN)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		still, err := d.wanted(ctx, tx, now, j.Args.Account)
		if err != nil {
			return err
		}
		if now.Generation != r.Generation || still != wanted {
			return d.jobs.Insert(ctx, tx, j.Args, job.Options{}) // what was prepared is not what is wanted
		}
		if wanted {
			return d.put(ctx, tx, now, j.Args.Account, p, refused)
		}
		return d.remove(ctx, tx, now, j.Args.Account)
	}, nil
}

// named reports whether an error is none, or one that AWS names.
func named(err error) bool {
	var e *model.Error
	return err == nil || errors.As(err, &e)
}

// put puts the rule into an account and notes what became of it.
func (d *Deployment) put(ctx context.Context, tx *db.Tx, r config.OrganizationRule, account string, p rule.Prepared, refused error) error {
	m, err := store.MemberRule(ctx, tx, r, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is not asked for any more
	}
	if err != nil || m.Progress == config.OrganizationSuccessful {
		return err
	}
	if refused == nil {
		refused = d.putRule(ctx, tx, p)
	}
	if !named(refused) || model.IsCode(refused, "ResourceInUseException") { // the one before it is going: the job is tried again
		return refused
	}
	m.Updated, m.Code, m.Message, m.Progress = d.now(), "", "", config.OrganizationSuccessful
	if e := new(model.Error); errors.As(refused, &e) {
		m.Code, m.Message, m.Progress = e.Code, e.Message, config.OrganizationFailed
	}
	if m.Code == noRecorder && d.now().Sub(m.Since) < retryFor {
		m.Progress = config.OrganizationInProgress
		if err := d.jobs.Insert(ctx, tx, memberJob{r.ARN, account}, job.Options{At: d.now().Add(retryEvery)}); err != nil {
			return err
		}
	}
	return store.PutMemberRule(ctx, tx, r, m)
}

// putRule is the verb of rules, for an account with a recorder. An error that AWS
// names has written nothing.
func (d *Deployment) putRule(ctx context.Context, tx *db.Tx, p rule.Prepared) error {
	_, _, err := store.Recorder(ctx, tx, p.Place)
	if errors.Is(err, store.ErrNotFound) {
		return configapi.NoAvailableConfigurationRecorderException("The account has no configuration recorder in the region.")
	}
	if err != nil {
		return err
	}
	_, err = d.rules.Put(ctx, tx, p)
	return err
}

// remove deletes the rule in an account; its results go after it.
func (d *Deployment) remove(ctx context.Context, tx *db.Tx, r config.OrganizationRule, account string) error {
	p := config.Place{Account: account, Region: r.Region}
	present, err := store.Rule(ctx, tx, p, r.MemberName())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && present.State != config.RuleDeleting {
		if err := d.rules.Delete(ctx, tx, p, r.MemberName(), Principal); err != nil {
			return err
		}
	}
	if err := store.DeleteMemberRule(ctx, tx, r, account); err != nil {
		return err
	}
	return d.finish(ctx, tx, r)
}
