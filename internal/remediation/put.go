package remediation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/automation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

const (
	assumeRole    = "AutomationAssumeRole"
	maxParameters = 25
)

// Put keeps a configuration, new or in place of the rule's former one. by is the
// service that puts it, empty for a user. A refusal is a reason why this one is
// not kept; other errors are those of PutRemediationConfigurations.
func (m *Remediation) Put(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, by string) (refusal string, err error) {
	if err := checkDefinition(c); err != nil {
		return "", err
	}
	if err := store.LockRemediation(ctx, tx, c.Place, c.Rule); err != nil {
		return "", err
	}
	if refusal, err = m.refusal(ctx, tx, c, by); refusal != "" || err != nil {
		return refusal, err
	}
	before, err := store.Remediation(ctx, tx, c.Place, c.Rule)
	switch {
	case err == nil:
		c.ARN = before.ARN
	case errors.Is(err, store.ErrNotFound):
		c.ARN = arn.New("config", c.Region, c.Account, "remediation-configuration/"+c.Rule+"/"+newID()).String()
	default:
		return "", err
	}
	c.CreatedBy = by
	if err := store.PutRemediation(ctx, tx, c); err != nil {
		return "", err
	}
	if !c.IsAutomatic() {
		return "", nil
	}
	return "", m.Jobs.Insert(ctx, tx, scan{Of: ruleOf(c.Place, c.Rule)}, job.Options{})
}

// checkDefinition checks what the configuration says by itself.
func checkDefinition(c config.RemediationConfiguration) error {
	refuse := configapi.InvalidParameterValueException
	if len(c.Parameters) > maxParameters {
		return refuse("The configuration of the rule %s has %d parameters. The limit is %d.", c.Rule, len(c.Parameters), maxParameters)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		if p := c.Parameters[name]; p.ResourceID == (p.Values != nil) {
			return refuse("There were invalid RemediationParameterValues for configurations for AWS Config Rules [%s]: "+
				"the parameter %s must have either a ResourceValue or a StaticValue.", c.Rule, name)
		}
	}
	if !c.IsAutomatic() {
		return nil
	}
	if _, ok := c.Parameters[assumeRole]; !ok {
		return refuse("The remediation configuration of the rule %s is automatic and needs the parameter %s.", c.Rule, assumeRole)
	}
	return nil
}

// refusal returns why a configuration is not kept.
func (m *Remediation) refusal(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, by string) (string, error) {
	r, err := store.Rule(ctx, tx, c.Place, c.Rule)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Sprintf("The ConfigRule '%s' does not exist.", c.Rule), nil
	}
	if err != nil {
		return "", err
	}
	switch {
	case r.State == config.RuleDeleting:
		return fmt.Sprintf("The ConfigRule '%s' is being deleted.", c.Rule), nil
	case r.ServiceLinked() && r.CreatedBy != by, !r.ServiceLinked() && by != "":
		return fmt.Sprintf("The ConfigRule '%s' is service-linked, and its remediation cannot be changed.", c.Rule), nil
	}
	if m.Elsewhere(c.Place) {
		return "", nil // whether the document is there is seen when it is started
	}
	stored, err := m.Automation.Document(ctx, tx, c.Place, c.Document, c.Version)
	if errors.Is(err, automation.ErrNotFound) {
		return fmt.Sprintf("The SSM document %s with the version '%s' does not exist, or is not one that runs here.", c.Document, c.Version), nil
	}
	if err != nil {
		return "", err
	}
	d, err := automation.Parse(stored.Content)
	if err != nil {
		return fmt.Sprintf("The SSM document %s is not an Automation document: %s", c.Document, err), nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		if _, ok := d.Parameters[name]; !ok {
			return fmt.Sprintf("The SSM document %s has no parameter %s.", c.Document, name), nil
		}
	}
	return "", nil
}

// Delete forgets a rule's configuration. With a resource type it is that for resources
// of this type, or for all.
func (m *Remediation) Delete(ctx context.Context, tx *db.Tx, p config.Place, rule, resourceType, by string) error {
	if err := store.LockRemediation(ctx, tx, p, rule); err != nil {
		return err
	}
	c, err := Named(ctx, tx, p, rule)
	if err != nil {
		return err
	}
	if resourceType != "" && c.ResourceType != "" && c.ResourceType != resourceType {
		return configapi.NoSuchRemediationConfigurationException("The rule '%s' has no remediation configuration for the resource type %s.", rule, resourceType)
	}
	if c.CreatedBy != by {
		return configapi.InsufficientPermissionsException("The remediation configuration of the rule %s is service-linked and cannot be deleted.", rule)
	}
	n, err := store.CountRemediations(ctx, tx, p, rule)
	if err != nil {
		return err
	}
	if n.InProgress > 0 {
		return configapi.RemediationInProgressException("%d remediations of the rule %s are in progress. Please retry after they have ended.", n.InProgress, rule)
	}
	return store.DeleteRemediation(ctx, tx, p, rule)
}

// Named returns the configuration of a rule or
// NoSuchRemediationConfigurationException.
func Named(ctx context.Context, tx *db.Tx, p config.Place, rule string) (config.RemediationConfiguration, error) {
	c, err := store.Remediation(ctx, tx, p, rule)
	if errors.Is(err, store.ErrNotFound) {
		return c, configapi.NoSuchRemediationConfigurationException("The rule '%s' has no remediation configuration.", rule)
	}
	return c, err
}
