package remediation

import (
	"plumb/internal/config"
	"plumb/internal/model/configapi"
)

// FromShape returns a configuration as it was put.
func FromShape(p config.Place, in configapi.RemediationConfiguration) (config.RemediationConfiguration, error) {
	c := config.RemediationConfiguration{
		Place: p, Rule: *in.ConfigRuleName, Document: *in.TargetId, Version: text(in.TargetVersion), ResourceType: text(in.ResourceType),
		Automatic: in.Automatic, Attempts: number(in.MaximumAutomaticAttempts), Window: number(in.RetryAttemptSeconds),
	}
	if in.CreatedByService != nil {
		return c, configapi.InvalidParameterValueException("AWS Config populates the CreatedByService field. Try again without populating it.")
	}
	if in.ExecutionControls != nil && in.ExecutionControls.SsmControls != nil {
		c.Concurrency = number(in.ExecutionControls.SsmControls.ConcurrentExecutionRatePercentage)
		c.Errors = number(in.ExecutionControls.SsmControls.ErrorPercentage)
	}
	if in.Parameters != nil {
		c.Parameters = map[string]config.RemediationParameter{}
	}
	for name, v := range in.Parameters {
		parameter := config.RemediationParameter{ResourceID: v.ResourceValue != nil}
		if v.StaticValue != nil {
			parameter.Values = append([]string{}, v.StaticValue.Values...)
		}
		c.Parameters[name] = parameter
	}
	return c, nil
}

// number returns a pointer to the same number.
func number[N int32 | int64](n *N) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// text returns what a pointer points to, or nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
