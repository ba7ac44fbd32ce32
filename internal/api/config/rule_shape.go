package config

import (
	"fmt"

	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
)

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
		LastSuccessfulInvocationTime: model.Moment(st.LastSuccessfulInvocation), LastFailedInvocationTime: model.Moment(st.LastFailedInvocation),
		LastSuccessfulEvaluationTime: model.Moment(st.LastSuccessfulEvaluation), LastFailedEvaluationTime: model.Moment(st.LastFailedEvaluation),
		FirstActivatedTime: model.Moment(st.FirstActivated), LastDeactivatedTime: model.Moment(st.LastDeactivated),
		LastErrorCode: optional(st.LastErrorCode), LastErrorMessage: optional(st.LastErrorMessage),
	}
}

// withFailures adds to the message of a rule's last error on how many resources
// its function failed, and one of them.
func withFailures(message string, failed int, one config.ResourceKey) string {
	switch {
	case failed == 0 || message == "":
		return message
	case failed == 1:
		return fmt.Sprintf("%s (1 resource has no verdict for this: %s %s)", message, one.Type, one.ID)
	}
	return fmt.Sprintf("%s (%d resources have no verdict for this, among them %s %s)", message, failed, one.Type, one.ID)
}
