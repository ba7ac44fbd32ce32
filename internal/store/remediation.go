package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

type storedRemediation struct {
	ARN          string                               `json:"arn"`
	Document     string                               `json:"document"`
	Version      string                               `json:"version,omitempty"`
	Parameters   map[string]storedRemediationArgument `json:"parameters,omitzero"`
	ResourceType string                               `json:"resourceType,omitempty"`
	Automatic    *bool                                `json:"automatic,omitempty"`
	Attempts     *int                                 `json:"attempts,omitempty"`
	Window       *int                                 `json:"window,omitempty"`
	Concurrency  *int                                 `json:"concurrency,omitempty"`
	Errors       *int                                 `json:"errors,omitempty"`
	CreatedBy    string                               `json:"createdBy,omitempty"`
}

type storedRemediationArgument struct {
	ResourceID bool     `json:"resourceId,omitempty"`
	Values     []string `json:"values,omitzero"`
}

func fromRemediation(r config.RemediationConfiguration) storedRemediation {
	s := storedRemediation{
		ARN: r.ARN, Document: r.Document, Version: r.Version, ResourceType: r.ResourceType, Automatic: r.Automatic, Attempts: r.Attempts,
		Window: r.Window, Concurrency: r.Concurrency, Errors: r.Errors, CreatedBy: r.CreatedBy,
	}
	if r.Parameters != nil {
		s.Parameters = map[string]storedRemediationArgument{}
	}
	for name, p := range r.Parameters {
		s.Parameters[name] = storedRemediationArgument(p)
	}
	return s
}

func (s storedRemediation) toRemediation() config.RemediationConfiguration {
	r := config.RemediationConfiguration{
		ARN: s.ARN, Document: s.Document, Version: s.Version, ResourceType: s.ResourceType, Automatic: s.Automatic, Attempts: s.Attempts,
		Window: s.Window, Concurrency: s.Concurrency, Errors: s.Errors, CreatedBy: s.CreatedBy,
	}
	if s.Parameters != nil {
		r.Parameters = map[string]config.RemediationParameter{}
	}
	for name, p := range s.Parameters {
		r.Parameters[name] = config.RemediationParameter(p)
	}
	return r
}

// LockRemediation has others wait that decide about a rule's remediation.
func LockRemediation(ctx context.Context, tx *db.Tx, p config.Place, rule string) error {
	return tx.Lock(ctx, "remediation of "+p.String()+"/"+rule)
}

// PutRemediation keeps what puts right the resources of a rule.
func PutRemediation(ctx context.Context, tx *db.Tx, r config.RemediationConfiguration) error {
	place, err := makePlace(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	def, err := encoded(fromRemediation(r))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO remediation (place, rule, automatic, definition) VALUES (?, ?, ?, ?)
		ON CONFLICT (place, rule) DO UPDATE SET automatic = excluded.automatic, definition = excluded.definition`,
		place, r.Rule, r.IsAutomatic(), def)
	if err != nil {
		return fmt.Errorf("put remediation of %s: %w", r.Rule, err)
	}
	return nil
}

// Remediations returns the configurations of those rules that have one, by name.
func Remediations(ctx context.Context, tx *db.Tx, p config.Place, rules []string) ([]config.RemediationConfiguration, error) {
	in, args := db.In(rules)
	return scanRemediations(ctx, tx, p, `rule IN `+in+` ORDER BY rule`, args...)
}

// AutomaticRemediations returns those of the rules' configurations that act by
// themselves.
func AutomaticRemediations(ctx context.Context, tx *db.Tx, p config.Place, rules []string) ([]config.RemediationConfiguration, error) {
	in, args := db.In(rules)
	return scanRemediations(ctx, tx, p, `rule IN `+in+` AND automatic ORDER BY rule`, args...)
}

// Remediation returns the configuration of a rule, or ErrNotFound.
func Remediation(ctx context.Context, tx *db.Tx, p config.Place, rule string) (config.RemediationConfiguration, error) {
	found, err := Remediations(ctx, tx, p, []string{rule})
	if err != nil {
		return config.RemediationConfiguration{}, err
	}
	if len(found) == 0 {
		return config.RemediationConfiguration{}, ErrNotFound
	}
	return found[0], nil
}

func scanRemediations(ctx context.Context, tx *db.Tx, p config.Place, where string, args ...any) ([]config.RemediationConfiguration, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.RemediationConfiguration
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var rule, def string
		if err := scan(&rule, &def); err != nil {
			return err
		}
		form, err := decoded[storedRemediation](tx, def)
		if err != nil {
			return fmt.Errorf("remediation of %s: %w", rule, err)
		}
		r := form.toRemediation()
		r.Place, r.Rule = p, rule
		out = append(out, r)
		return nil
	}, `SELECT rule, definition FROM remediation WHERE place = ? AND `+where, append([]any{place}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read remediations of %s: %w", p, err)
	}
	return out, nil
}

// DeleteRemediation forgets a rule's configuration, with what came of it. Its
// exceptions stay.
func DeleteRemediation(ctx context.Context, tx *db.Tx, p config.Place, rule string) error {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, table := range []string{"remediation", "remediation_execution"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE place = ? AND rule = ?`, place, rule); err != nil {
			return fmt.Errorf("delete the %s of %s: %w", table, rule, err)
		}
	}
	return nil
}
