package remediation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// PutException keeps a resource that does not comply from being put right by
// itself. A refusal says why it is not kept.
func (m *Remediation) PutException(ctx context.Context, tx *db.Tx, e config.RemediationException) (refusal string, err error) {
	key := config.ResourceKey{Place: e.Place, Type: e.ResourceType, ID: e.ResourceID}
	failing, err := noncompliant(ctx, tx, e.Rule, key)
	if err != nil {
		return "", err
	}
	if !failing {
		return "The resource is not NON_COMPLIANT.", nil
	}
	return "", m.keepException(ctx, tx, e)
}

func (m *Remediation) keepException(ctx context.Context, tx *db.Tx, e config.RemediationException) error {
	if err := store.PutRemediationException(ctx, tx, e); err != nil || e.Expires.IsZero() {
		return err
	}
	return m.Jobs.Insert(ctx, tx, expire{ruleOf(e.Place, e.Rule), resource{e.ResourceType, e.ResourceID}}, job.Options{At: e.Expires})
}

// doExpire deletes an exception that has expired, and has the resource put right
// that it held back.
func (m *Remediation) doExpire(ctx context.Context, tx *db.Tx, j job.Job[expire]) error {
	key := j.Args.Of.key(j.Args.Key)
	_, err := store.RemediationExceptionOf(ctx, tx, j.Args.Of.Rule, key, m.Now())
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err // it was put again, for longer
	}
	if err := store.DeleteRemediationException(ctx, tx, j.Args.Of.Rule, key); err != nil {
		return err
	}
	return m.Jobs.Insert(ctx, tx, enqueue{j.Args.Of, []resource{j.Args.Key}}, job.Options{})
}

// DeleteException forgets an exception; store.ErrNotFound if none holds.
func (m *Remediation) DeleteException(ctx context.Context, tx *db.Tx, rule string, key config.ResourceKey) error {
	if _, err := store.RemediationExceptionOf(ctx, tx, rule, key, m.Now()); err != nil {
		return err
	}
	if err := store.DeleteRemediationException(ctx, tx, rule, key); err != nil {
		return err
	}
	return m.Jobs.Insert(ctx, tx, enqueue{ruleOf(key.Place, rule), []resource{{key.Type, key.ID}}}, job.Options{})
}

// newID returns a random UUID.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
