package deployment

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// A memberJob brings an organization's rule or pack in an account to what it should
// be.
type memberJob struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
}

// Kind names the job.
func (memberJob) Kind() string { return "deployment_member" }

// noRecorder is the code of an account without a recorder.
const noRecorder = "NoAvailableConfigurationRecorderException"

// putMember puts what was prepared into an account, and notes it in m unless that
// takes place later. An error that AWS names has written nothing.
type putMember func(ctx context.Context, tx *db.Tx, m *config.OrganizationMember) error

func (d *Deployment) prepareMember(ctx context.Context, j job.Job[memberJob]) (job.Commit, error) {
	var o config.OrganizationDeployment
	var wanted bool
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		if o, err = store.OrganizationDeploymentByARN(ctx, tx, j.Args.ARN); err == nil {
			wanted, err = d.wanted(ctx, tx, o, j.Args.Account)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var put putMember
	var refused error
	if wanted {
		prepare := d.memberRule
		if o.Kind == config.DeployedPack {
			prepare = d.memberPack
		}
		if put, refused = prepare(ctx, o.ARN, j.Args.Account); !named(refused) {
			return nil, refused
		}
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if err := lockCarried(ctx, tx, o); err != nil {
			return err
		}
		now, err := store.OrganizationDeploymentByARN(ctx, tx, o.ARN)
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
		if now.Generation != o.Generation || still != wanted {
			return d.jobs.Insert(ctx, tx, j.Args, job.Options{}) // what was prepared is not what is wanted
		}
		if wanted {
			return d.carry(ctx, tx, now, j.Args.Account, put, refused)
		}
		return d.drop(ctx, tx, now, j.Args.Account)
	}, nil
}

// lockCarried has those who note what became of a rule or pack in members wait for
// each other, so that the last of them finds that it is.
func lockCarried(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	return tx.Lock(ctx, "members of "+o.ARN)
}

// named reports whether an error is none, or one that AWS names.
func named(err error) bool {
	var e *model.Error
	return err == nil || errors.As(err, &e)
}

// carry puts the rule or pack into an account and notes what became of it.
func (d *Deployment) carry(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string, put putMember, refused error) error {
	m, err := store.OrganizationMember(ctx, tx, o, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is not asked for any more
	}
	if err != nil || m.Progress == config.OrganizationSuccessful {
		return err
	}
	m.Updated, m.Code, m.Message, m.Progress = d.now(), "", "", config.OrganizationInProgress
	if refused == nil {
		refused = hasRecorder(ctx, tx, config.Place{Account: account, Region: o.Region})
	}
	if refused == nil {
		refused = put(ctx, tx, &m)
	}
	if !named(refused) || model.IsCode(refused, "ResourceInUseException") { // the one before it is going: the job is tried again
		return refused
	}
	if e := new(model.Error); errors.As(refused, &e) {
		m.Code, m.Message, m.Progress = e.Code, e.Message, config.OrganizationFailed
	}
	if m.Code == noRecorder && d.now().Sub(m.Since) < retryFor {
		m.Progress = config.OrganizationInProgress
		if err := d.jobs.Insert(ctx, tx, memberJob{o.ARN, account}, job.Options{At: d.now().Add(retryEvery)}); err != nil {
			return err
		}
	}
	return store.PutOrganizationMember(ctx, tx, o, m)
}

func hasRecorder(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return configapi.NoAvailableConfigurationRecorderException("The account has no configuration recorder in the region.")
	}
	return err
}

// drop deletes the rule or pack of an account. Of a pack that is not gone yet,
// PackEnded tells.
func (d *Deployment) drop(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) (err error) {
	p, gone := config.Place{Account: account, Region: o.Region}, true
	if o.Kind == config.DeployedPack {
		gone, err = d.removePack(ctx, tx, o, p)
	} else {
		err = d.removeRule(ctx, tx, o, p)
	}
	if err != nil || !gone {
		return err
	}
	return d.forget(ctx, tx, o, account)
}

// forget notes that an account does not have the rule or pack any more.
func (d *Deployment) forget(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) error {
	if err := store.DeleteOrganizationMember(ctx, tx, o, account); err != nil {
		return err
	}
	return d.finish(ctx, tx, o)
}
