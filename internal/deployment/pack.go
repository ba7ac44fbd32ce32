package deployment

import (
	"context"
	"errors"
	"strings"

	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// Pack returns an organization's conformance pack of a place, or
// NoSuchOrganizationConformancePackException.
func Pack(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationPack, error) {
	o, err := store.OrganizationPack(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		err = configapi.NoSuchOrganizationConformancePackException(
			"One or more organization conformance packs with specified names are not present: '%s'. Ensure your names are correct and try your request again later.", name)
	}
	return o, err
}

// deliveryPrefix is what the names of delivery buckets of organization packs begin
// with.
const deliveryPrefix = "awsconfigconforms"

// CheckPack returns the text of a pack's template once it has read it and found
// nothing wrong, in the account that puts it. The errors are those of
// PutOrganizationConformancePack.
func (d *Deployment) CheckPack(ctx context.Context, o config.OrganizationPack, from conformance.Source) (string, error) {
	if b := o.DeliveryBucket; b != "" && !strings.HasPrefix(b, deliveryPrefix) {
		return "", model.ValidationException("The DeliveryS3Bucket '%s' must begin with %s.", b, deliveryPrefix)
	}
	if from.Body == nil && from.S3URI == nil {
		return "", model.ValidationException("You must specify one of the parameters TemplateS3Uri and TemplateBody.")
	}
	if from.S3URI != nil { // AWS prefers it
		from.Body = nil
	}
	o.ARN = "/" + o.Name
	text, err := d.packs.Check(ctx, conformance.Definition{ConformancePack: o.For(o.Account), Source: from})
	if e, ok := errors.AsType[*model.Error](err); ok {
		switch e.Code {
		case "ConformancePackTemplateValidationException":
			err = configapi.OrganizationConformancePackTemplateValidationException("%s", e.Message)
		case "InvalidParameterValueException": // which the operation does not have
			err = model.ValidationException("%s", e.Message)
		}
	}
	return text, err
}

// PutPack keeps an organization's conformance pack whose template was checked and
// has it deployed. Tags are those of a new one.
func (d *Deployment) PutPack(
	ctx context.Context, tx *db.Tx, o config.OrganizationPack, template string, tags map[string]string,
) (config.OrganizationPack, error) {
	o.Kind = config.DeployedPack
	err := d.put(ctx, tx, &o.OrganizationDeployment, tags, func() error { return store.PutOrganizationPack(ctx, tx, o, template) })
	return o, err
}

// DeletePack has an organization's conformance pack vanish from all members, and
// then itself.
func (d *Deployment) DeletePack(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	return d.delete(ctx, tx, config.OrganizationDeployment{Place: p, Kind: config.DeployedPack}, func() (config.OrganizationDeployment, error) {
		o, err := store.OrganizationPack(ctx, tx, p, name)
		if errors.Is(err, store.ErrNotFound) {
			err = configapi.NoSuchOrganizationConformancePackException("Could not find an OrganizationConformancePack for given request with resourceName %s", name)
		}
		return o.OrganizationDeployment, err
	})
}

// memberPack puts the pack of a member. That it is deployed is told later, by
// PackEnded.
func (d *Deployment) memberPack(ctx context.Context, arn, account string) (putMember, error) {
	var o config.OrganizationPack
	var template string
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		if o, err = store.OrganizationPackByARN(ctx, tx, arn); err == nil {
			template, err = store.OrganizationPackTemplate(ctx, tx, arn)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	its := o.For(account)
	its.CreatedBy = Principal
	return func(ctx context.Context, tx *db.Tx, m *config.OrganizationMember) error {
		if m.Handed == o.Generation {
			return nil
		}
		present, err := store.ConformancePack(ctx, tx, its.Place, its.Name)
		if err == nil && present.Status.State.InProgress() {
			return nil // when that ends, the pack is put again
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		m.Handed = o.Generation
		_, err = d.packs.Deploy(ctx, tx, conformance.Definition{ConformancePack: its}, template)
		return err
	}, nil
}

// removePack has the pack of a member vanish, and reports whether it has.
func (d *Deployment) removePack(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, p config.Place) (gone bool, err error) {
	present, err := store.ConformancePack(ctx, tx, p, o.MemberName())
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil || present.Status.State.InProgress() { // when that ends, it is asked for again
		return false, err
	}
	return false, d.packs.Remove(ctx, tx, p, o.MemberName(), Principal)
}

// OnPackEnded notes what became of an organization's pack in a member.
func (d *Deployment) OnPackEnded(ctx context.Context, tx *db.Tx, e config.PackEnded) error {
	if e.Pack.CreatedBy != Principal {
		return nil
	}
	all, err := store.OrganizationDeploymentsOn(ctx, tx, e.Pack.Account)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.Kind != config.DeployedPack || o.Region != e.Pack.Region || o.MemberName() != e.Pack.Name {
			continue
		}
		if err := lockCarried(ctx, tx, o); err != nil {
			return err
		}
		if o, err = store.OrganizationDeploymentByARN(ctx, tx, o.ARN); err != nil {
			return err
		}
		return d.packEnded(ctx, tx, o, e)
	}
	return nil
}

func (d *Deployment) packEnded(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, e config.PackEnded) error {
	m, err := store.OrganizationMember(ctx, tx, o, e.Pack.Account)
	if err != nil {
		return err
	}
	wanted, err := d.wanted(ctx, tx, o, m.Account)
	if err != nil {
		return err
	}
	switch {
	case !wanted && e.Gone:
		return d.forget(ctx, tx, o, m.Account)
	case !wanted && e.Status.State == config.PackDeleteFailed, wanted && !e.Gone && m.Handed == o.Generation:
		m.Updated, m.Code, m.Message, m.Progress = d.now(), "", "", config.OrganizationSuccessful
		if e.Status.State != config.PackCreated {
			m.Progress, m.Code, m.Message = config.OrganizationFailed, string(e.Status.State), e.Status.Reason
		}
		return store.PutOrganizationMember(ctx, tx, o, m)
	default: // what ended is not what is wanted
		return d.jobs.Insert(ctx, tx, memberJob{o.ARN, m.Account}, job.Options{})
	}
}
