package config

import (
	"plumb/internal/config"
	"plumb/internal/model/configapi"
)

// ruleFromShape returns a rule as it was put, without the identity that it may
// have.
func ruleFromShape(p config.Place, in *configapi.ConfigRule) config.Rule {
	r := config.Rule{
		Place: p, Name: text(in.ConfigRuleName), ARN: text(in.ConfigRuleArn), ID: text(in.ConfigRuleId), Description: text(in.Description),
		InputParameters: text(in.InputParameters), Frequency: string(in.MaximumExecutionFrequency), State: config.RuleActive,
		Source: config.Source{Owner: string(in.Source.Owner), Identifier: text(in.Source.SourceIdentifier)},
	}
	if s := in.Scope; s != nil {
		r.Scope = &config.Scope{Types: s.ComplianceResourceTypes, TagKey: s.TagKey, TagValue: s.TagValue, ID: s.ComplianceResourceId}
	}
	for _, d := range in.Source.SourceDetails {
		r.Source.Details = append(r.Source.Details, config.SourceDetail{
			EventSource: string(d.EventSource), MessageType: string(d.MessageType), Frequency: string(d.MaximumExecutionFrequency),
		})
	}
	if d := in.Source.CustomPolicyDetails; d != nil {
		r.Source.Policy = &config.Policy{Runtime: text(d.PolicyRuntime), Text: text(d.PolicyText), Debug: d.EnableDebugLogDelivery != nil && *d.EnableDebugLogDelivery}
	}
	for _, m := range in.EvaluationModes {
		r.Modes = append(r.Modes, string(m.Mode))
	}
	return r
}

// ruleShape returns a rule as DescribeConfigRules does: as it was put, with its
// identity, and without the text of a policy. Parameters that were not put are not
// there either, not even as {}: Terraform would want to take that away again.
func ruleShape(r config.Rule) configapi.ConfigRule {
	out := configapi.ConfigRule{
		ConfigRuleName: &r.Name, ConfigRuleArn: &r.ARN, ConfigRuleId: &r.ID, Description: optional(r.Description),
		InputParameters: optional(r.InputParameters), MaximumExecutionFrequency: configapi.MaximumExecutionFrequency(r.Frequency),
		ConfigRuleState: configapi.ConfigRuleState(r.State), CreatedBy: optional(r.CreatedBy),
		Source: &configapi.Source{Owner: configapi.Owner(r.Source.Owner), SourceIdentifier: optional(r.Source.Identifier)},
	}
	if s := r.Scope; s != nil {
		out.Scope = &configapi.Scope{ComplianceResourceTypes: s.Types, TagKey: s.TagKey, TagValue: s.TagValue, ComplianceResourceId: s.ID}
	}
	for _, d := range r.Source.Details {
		out.Source.SourceDetails = append(out.Source.SourceDetails, configapi.SourceDetail{
			EventSource: configapi.EventSource(d.EventSource), MessageType: configapi.MessageType(d.MessageType),
			MaximumExecutionFrequency: configapi.MaximumExecutionFrequency(d.Frequency),
		})
	}
	if d := r.Source.Policy; d != nil {
		out.Source.CustomPolicyDetails = &configapi.CustomPolicyDetails{PolicyRuntime: &d.Runtime, EnableDebugLogDelivery: &d.Debug}
	}
	for _, m := range modes(r) {
		out.EvaluationModes = append(out.EvaluationModes, configapi.EvaluationModeConfiguration{Mode: configapi.EvaluationMode(m)})
	}
	return out
}

// modes returns the evaluation modes of a rule, which default to detective.
func modes(r config.Rule) []string {
	if len(r.Modes) == 0 {
		return []string{config.ModeDetective}
	}
	return r.Modes
}

// statusShape returns how a rule fares. Times that never came are left out.
func statusShape(r config.Rule, st config.RuleStatus) configapi.ConfigRuleEvaluationStatus {
	return configapi.ConfigRuleEvaluationStatus{
		ConfigRuleName: &r.Name, ConfigRuleArn: &r.ARN, ConfigRuleId: &r.ID, FirstEvaluationStarted: &st.FirstEvaluationStarted,
		LastSuccessfulInvocationTime: moment(st.LastSuccessfulInvocation), LastFailedInvocationTime: moment(st.LastFailedInvocation),
		LastSuccessfulEvaluationTime: moment(st.LastSuccessfulEvaluation), LastFailedEvaluationTime: moment(st.LastFailedEvaluation),
		FirstActivatedTime: moment(st.FirstActivated), LastDeactivatedTime: moment(st.LastDeactivated),
		LastErrorCode: optional(st.LastErrorCode), LastErrorMessage: optional(st.LastErrorMessage),
	}
}
