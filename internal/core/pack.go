package core

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/remediation"
	"plumb/internal/store"
)

// templateObject reads the template of a conformance pack from a bucket.
func (m *Machine) templateObject(ctx context.Context, p config.Place, name, key string, limit int64) ([]byte, error) {
	body, err := m.object(ctx, p, name, key, "", limit)
	if errors.Is(err, errTooLarge) {
		return nil, conformance.ErrTooLarge
	}
	return body, err
}

// remediatePack makes a list the remediation configurations of a pack's rules.
func (m *Machine) remediatePack(
	ctx context.Context, tx *db.Tx, p config.Place, rules []string, list []configapi.RemediationConfiguration,
) (refused []string, err error) {
	wanted := map[string]bool{}
	for _, shape := range list {
		c, err := remediation.FromShape(p, shape)
		if err != nil {
			return nil, err
		}
		refusal, err := m.Remediation.Put(ctx, tx, c, config.ConformancePackPrincipal)
		if err != nil {
			return nil, err
		}
		if refusal != "" {
			refused = append(refused, refusal)
			continue // the former one, if any, goes
		}
		wanted[c.Rule] = true
	}
	for _, rule := range slices.Compact(slices.Sorted(slices.Values(rules))) {
		if wanted[rule] {
			continue
		}
		if err := m.forgetRemediation(ctx, tx, p, rule); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// forgetRemediation deletes the configuration of a rule, if it has one. One that is
// at work is waited for: the job that asks tries again.
func (m *Machine) forgetRemediation(ctx context.Context, tx *db.Tx, p config.Place, rule string) error {
	_, err := store.Remediation(ctx, tx, p, rule)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	err = m.Remediation.Delete(ctx, tx, p, rule, "", config.ConformancePackPrincipal)
	if model.IsCode(err, "RemediationInProgressException") {
		return fmt.Errorf("wait for a remediation: %v", err)
	}
	return err
}
