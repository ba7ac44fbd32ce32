package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// A Definition is a pack as somebody wants it, by its name. CreatedBy is the
// service that puts it; a user puts packs without.
type Definition struct {
	config.ConformancePack
	Source Source
	Tags   map[string]string // of a new pack
}

// Put keeps a pack, new or in place of the former one, and has it deployed. It
// returns the pack's ARN. Errors that the definition is to blame for are those of
// PutConformancePack.
func (p *Packs) Put(ctx context.Context, d Definition) (arn string, err error) {
	text, err := p.Check(ctx, d)
	if err != nil {
		return "", err
	}
	err = p.DB.Write(ctx, func(tx *db.Tx) error {
		arn, err = p.Deploy(ctx, tx, d, text)
		return err
	})
	return arn, err
}

// Check returns the text of a pack's template once it has read it and found
// nothing wrong, outside of the transaction that deploys it.
func (p *Packs) Check(ctx context.Context, d Definition) (text string, err error) {
	if err := checkParameters(d.Parameters); err != nil {
		return "", err
	}
	if text, err = p.read(ctx, d); err != nil {
		return "", err
	}
	// The pack has no id yet: the names of stacks differ, and nothing else.
	if _, err := Read([]byte(text), Given{d.Place, d.Parameters, "awsconfigconforms-" + d.Name, ""}); err != nil {
		return "", invalid(err)
	}
	return text, nil
}

// Deploy is Put of a pack with the text of its template, which was checked.
func (p *Packs) Deploy(ctx context.Context, tx *db.Tx, d Definition, text string) (arn string, err error) {
	if err := store.LockConformancePacks(ctx, tx, d.Place); err != nil {
		return "", err
	}
	if err := p.identify(ctx, tx, &d); err != nil {
		return "", err
	}
	s := config.PackStatus{State: config.PackCreating, Requested: p.Now()}
	if err := store.PutConformancePack(ctx, tx, d.ConformancePack, text, s); err != nil {
		return "", err
	}
	return d.ARN, p.Jobs.Insert(ctx, tx, deploy{request{d.ID, db.Micros(s.Requested)}}, job.Options{})
}

func checkParameters(given []config.PackParameter) error {
	seen := map[string]bool{}
	for _, v := range given {
		if seen[v.Name] {
			return configapi.InvalidParameterValueException("The parameter %s is given more than once in ConformancePackInputParameters.", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

// identify gives a pack the identity of the one that is there under its name, or a
// new one with its tags.
func (p *Packs) identify(ctx context.Context, tx *db.Tx, d *Definition) error {
	present, err := store.ConformancePack(ctx, tx, d.Place, d.Name)
	switch {
	case err == nil && present.Outside(): // what is put here takes its place
		err = store.DeleteConformancePack(ctx, tx, present.ID)
	case err == nil:
		d.ID, d.ARN, d.StackARN = present.ID, present.ARN, present.StackARN
		return changeable(present, d.CreatedBy)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, err := store.CountConformancePacks(ctx, tx, d.Place)
	if err != nil {
		return err
	}
	if n >= p.MaxPacks {
		return configapi.MaxNumberOfConformancePacksExceededException(
			"Failed to put conformance pack '%s' because the account already contains %d conformance packs. "+
				"Delete conformance packs that are not used before you add new ones.", d.Name, n)
	}
	d.ID = "conformance-pack-" + strings.ToLower(rand.Text())[:9]
	d.ARN = arn.New("config", d.Region, d.Account, "conformance-pack/"+d.Name+"/"+d.ID).String()
	d.StackARN = arn.New("cloudformation", d.Region, d.Account, "stack/"+stackName(d.ConformancePack)+"/"+newUUID()).String()
	return store.PutTags(ctx, tx, d.Place, d.ARN, d.Tags)
}

// changeable returns an error for a pack that is being made or deleted, or that
// another service or a user put, or that was read elsewhere.
func changeable(p store.PackWithStatus, by string) error {
	switch {
	case p.Outside():
		return model.AccessDeniedException("The conformance pack %s was put elsewhere. You do not have permissions to take action on it here.", p.Name)
	case p.CreatedBy != by:
		return model.AccessDeniedException("An AWS service owns the conformance pack %s. You do not have permissions to take action on it.", p.Name)
	case p.Status.State.InProgress():
		return configapi.ResourceInUseException("The conformance pack %s is in the state %s. Please retry after some time", p.Name, p.Status.State)
	default:
		return nil
	}
}

// stackName returns the name of the stack that AWS would deploy a pack with.
func stackName(p config.ConformancePack) string { return "awsconfigconforms-" + p.Name + "-" + p.ID }

func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
