package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/remediation"
	"plumb/internal/store"
)

type remediations struct{ Options }

func (r remediations) register(s *configapi.Service) {
	s.PutRemediationConfigurations(r.PutRemediationConfigurations)
	s.DescribeRemediationConfigurations(r.DescribeRemediationConfigurations)
	s.DeleteRemediationConfiguration(r.DeleteRemediationConfiguration)

	s.PutRemediationExceptions(r.PutRemediationExceptions)
	s.DescribeRemediationExceptions(r.DescribeRemediationExceptions)
	s.DeleteRemediationExceptions(r.DeleteRemediationExceptions)

	s.StartRemediationExecution(r.StartRemediationExecution)
	s.DescribeRemediationExecutionStatus(r.DescribeRemediationExecutionStatus)
}

// PutRemediationConfigurations keeps what puts right the resources of rules. Those
// that cannot be kept come back with the reason, and the others are kept.
func (r remediations) PutRemediationConfigurations(
	ctx context.Context, in *configapi.PutRemediationConfigurationsInput,
) (*configapi.PutRemediationConfigurationsOutput, error) {
	out := &configapi.PutRemediationConfigurationsOutput{FailedBatches: []configapi.FailedRemediationBatch{}}
	seen := map[string]bool{}
	list := make([]config.RemediationConfiguration, len(in.RemediationConfigurations))
	for i, s := range in.RemediationConfigurations {
		var err error
		if list[i], err = remediation.FromShape(caller.Place(ctx), s); err != nil {
			return nil, err
		}
		if seen[list[i].Rule] {
			return nil, configapi.InvalidParameterValueException("The rule %s is named by more than one of the RemediationConfigurations.", list[i].Rule)
		}
		seen[list[i].Rule] = true
	}
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		out.FailedBatches = out.FailedBatches[:0]
		for i, c := range list {
			refusal, err := r.Remediation.Put(ctx, tx, c, "")
			if err != nil {
				return err
			}
			if refusal != "" {
				out.FailedBatches = append(out.FailedBatches, configapi.FailedRemediationBatch{
					FailureMessage: &refusal, FailedItems: []configapi.RemediationConfiguration{in.RemediationConfigurations[i]},
				})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("put remediation configurations: %w", err)
	}
	return out, nil
}

func remediationShape(c config.RemediationConfiguration) configapi.RemediationConfiguration {
	out := configapi.RemediationConfiguration{
		ConfigRuleName: &c.Rule, TargetType: configapi.RemediationTargetTypeSsmDocument, TargetId: &c.Document, TargetVersion: optional(c.Version),
		ResourceType: optional(c.ResourceType), Automatic: new(c.IsAutomatic()), Arn: &c.ARN, CreatedByService: optional(c.CreatedBy),
	}
	if c.Attempts != nil {
		out.MaximumAutomaticAttempts = new(int32(*c.Attempts))
	}
	if c.Window != nil {
		out.RetryAttemptSeconds = new(int64(*c.Window))
	}
	if c.IsAutomatic() {
		out.MaximumAutomaticAttempts = new(int32(c.MaxAttempts()))
		out.RetryAttemptSeconds = new(int64(c.RetryWindow().Seconds()))
	}
	if c.Concurrency != nil || c.Errors != nil {
		controls := &configapi.SsmControls{}
		if c.Concurrency != nil {
			controls.ConcurrentExecutionRatePercentage = new(int32(*c.Concurrency))
		}
		if c.Errors != nil {
			controls.ErrorPercentage = new(int32(*c.Errors))
		}
		out.ExecutionControls = &configapi.ExecutionControls{SsmControls: controls}
	}
	if c.Parameters != nil {
		out.Parameters = map[string]configapi.RemediationParameterValue{}
	}
	for name, p := range c.Parameters {
		if p.ResourceID {
			out.Parameters[name] = configapi.RemediationParameterValue{ResourceValue: &configapi.ResourceValue{Value: configapi.ResourceValueTypeResourceId}}
			continue
		}
		out.Parameters[name] = configapi.RemediationParameterValue{StaticValue: &configapi.StaticValue{Values: p.Values}}
	}
	return out
}

// DescribeRemediationConfigurations returns the configurations of those rules that
// have one.
func (r remediations) DescribeRemediationConfigurations(
	ctx context.Context, in *configapi.DescribeRemediationConfigurationsInput,
) (*configapi.DescribeRemediationConfigurationsOutput, error) {
	out := &configapi.DescribeRemediationConfigurationsOutput{RemediationConfigurations: []configapi.RemediationConfiguration{}}
	var found []config.RemediationConfiguration
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Remediations(ctx, tx, caller.Place(ctx), in.ConfigRuleNames)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe remediation configurations: %w", err)
	}
	for _, c := range found {
		out.RemediationConfigurations = append(out.RemediationConfigurations, remediationShape(c))
	}
	return out, nil
}

// DeleteRemediationConfiguration forgets the configuration of a rule.
func (r remediations) DeleteRemediationConfiguration(
	ctx context.Context, in *configapi.DeleteRemediationConfigurationInput,
) (*configapi.DeleteRemediationConfigurationOutput, error) {
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		return r.Remediation.Delete(ctx, tx, caller.Place(ctx), *in.ConfigRuleName, text(in.ResourceType), "")
	})
	if err != nil {
		return nil, fmt.Errorf("delete the remediation configuration of %s: %w", *in.ConfigRuleName, err)
	}
	return &configapi.DeleteRemediationConfigurationOutput{}, nil
}
