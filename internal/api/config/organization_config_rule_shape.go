package config

import (
	"plumb/internal/config"
	"plumb/internal/model/configapi"
)

// organizationRuleFromShape returns an organization rule as it was put, with the
// rule that its members get. Exactly one of the three kinds is given.
func organizationRuleFromShape(p config.Place, in *configapi.PutOrganizationConfigRuleInput) (config.OrganizationRule, error) {
	o := config.OrganizationRule{OrganizationDeployment: config.OrganizationDeployment{
		Place: p, Kind: config.DeployedRule, Name: *in.OrganizationConfigRuleName, Excluded: in.ExcludedAccounts}}
	kinds := 0
	if m := in.OrganizationManagedRuleMetadata; m != nil {
		kinds++
		o.Rule = config.Rule{
			Description: text(m.Description), InputParameters: text(m.InputParameters), Frequency: string(m.MaximumExecutionFrequency),
			Source: config.Source{Owner: config.OwnerAWS, Identifier: text(m.RuleIdentifier)},
			Scope:  scopeOf(m.ResourceTypesScope, m.ResourceIdScope, m.TagKeyScope, m.TagValueScope),
		}
	}
	if m := in.OrganizationCustomRuleMetadata; m != nil {
		kinds++
		o.Rule = config.Rule{
			Description: text(m.Description), InputParameters: text(m.InputParameters),
			Source: config.Source{Owner: config.OwnerLambda, Identifier: text(m.LambdaFunctionArn), Details: triggersOf(plain(m.OrganizationConfigRuleTriggerTypes), string(m.MaximumExecutionFrequency))},
			Scope:  scopeOf(m.ResourceTypesScope, m.ResourceIdScope, m.TagKeyScope, m.TagValueScope),
		}
		if len(m.OrganizationConfigRuleTriggerTypes) == 0 {
			return o, configapi.InvalidParameterValueException("The OrganizationConfigRuleTriggerTypes of the OrganizationCustomRuleMetadata must not be empty.")
		}
		if m.MaximumExecutionFrequency != "" && !o.Rule.Triggered(config.MessageScheduled) {
			return o, configapi.InvalidParameterValueException("A maximum execution frequency is not allowed if OrganizationConfigRuleTriggerTypes have no ScheduledNotification.")
		}
	}
	if m := in.OrganizationCustomPolicyRuleMetadata; m != nil {
		kinds++
		o.Rule = config.Rule{
			Description: text(m.Description), InputParameters: text(m.InputParameters), Frequency: string(m.MaximumExecutionFrequency),
			Source: config.Source{Owner: config.OwnerPolicy, Policy: &config.Policy{Runtime: text(m.PolicyRuntime), Text: text(m.PolicyText)}, Details: triggersOf(plain(m.OrganizationConfigRuleTriggerTypes), "")},
			Scope:  scopeOf(m.ResourceTypesScope, m.ResourceIdScope, m.TagKeyScope, m.TagValueScope),
		}
		o.DebugAccounts = m.DebugLogDeliveryAccounts
	}
	if kinds != 1 {
		return o, configapi.InvalidParameterValueException("The request must have exactly one of OrganizationManagedRuleMetadata, OrganizationCustomRuleMetadata and OrganizationCustomPolicyRuleMetadata.")
	}
	o.Rule.State = config.RuleActive
	return o, nil
}

func scopeOf(types []string, id, key, value *string) *config.Scope {
	if types == nil && id == nil && key == nil && value == nil {
		return nil
	}
	return &config.Scope{Types: types, ID: id, TagKey: key, TagValue: value}
}

// triggersOf returns the triggers of a custom rule: changes, if nobody says.
func triggersOf(messageTypes []string, frequency string) (out []config.SourceDetail) {
	if len(messageTypes) == 0 {
		messageTypes = []string{config.MessageChange}
	}
	for _, m := range messageTypes {
		d := config.SourceDetail{EventSource: "aws.config", MessageType: m}
		if m == config.MessageScheduled {
			d.Frequency = frequency
		}
		out = append(out, d)
	}
	return out
}

// organizationRuleShape returns an organization rule as it was put, without the
// text of a policy.
func organizationRuleShape(o config.OrganizationRule) configapi.OrganizationConfigRule {
	out := configapi.OrganizationConfigRule{
		OrganizationConfigRuleName: &o.Name, OrganizationConfigRuleArn: &o.ARN, ExcludedAccounts: o.Excluded, LastUpdateTime: &o.Updated,
	}
	r, s := o.Rule, o.Rule.Scope
	if s == nil {
		s = &config.Scope{}
	}
	var triggers []string
	frequency := r.Frequency
	for _, d := range r.Source.Details {
		triggers = append(triggers, d.MessageType)
		frequency += d.Frequency
	}
	switch r.Source.Owner {
	case config.OwnerAWS:
		out.OrganizationManagedRuleMetadata = &configapi.OrganizationManagedRuleMetadata{
			Description: optional(r.Description), RuleIdentifier: &r.Source.Identifier, InputParameters: optional(r.InputParameters),
			MaximumExecutionFrequency: configapi.MaximumExecutionFrequency(frequency), ResourceTypesScope: s.Types, ResourceIdScope: s.ID,
			TagKeyScope: s.TagKey, TagValueScope: s.TagValue,
		}
	case config.OwnerLambda:
		out.OrganizationCustomRuleMetadata = &configapi.OrganizationCustomRuleMetadata{
			Description: optional(r.Description), LambdaFunctionArn: &r.Source.Identifier, InputParameters: optional(r.InputParameters),
			OrganizationConfigRuleTriggerTypes: typed[configapi.OrganizationConfigRuleTriggerType](triggers),
			MaximumExecutionFrequency:          configapi.MaximumExecutionFrequency(frequency), ResourceTypesScope: s.Types, ResourceIdScope: s.ID,
			TagKeyScope: s.TagKey, TagValueScope: s.TagValue,
		}
	case config.OwnerPolicy:
		out.OrganizationCustomPolicyRuleMetadata = &configapi.OrganizationCustomPolicyRuleMetadataNoPolicy{
			Description: optional(r.Description), InputParameters: optional(r.InputParameters), PolicyRuntime: &r.Source.Policy.Runtime,
			OrganizationConfigRuleTriggerTypes: typed[configapi.OrganizationConfigRuleTriggerTypeNoSN](triggers), DebugLogDeliveryAccounts: o.DebugAccounts,
			MaximumExecutionFrequency: configapi.MaximumExecutionFrequency(frequency), ResourceTypesScope: s.Types, ResourceIdScope: s.ID,
			TagKeyScope: s.TagKey, TagValueScope: s.TagValue,
		}
	}
	return out
}
