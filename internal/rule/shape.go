package rule

import (
	"plumb/internal/config"
	"plumb/internal/model/configapi"
)

// CheckShape refuses members that only AWS Config itself fills in. What a
// definition means is checked by Prepare.
func CheckShape(in *configapi.ConfigRule) error {
	refuse := configapi.InvalidParameterValueException
	switch {
	case in.ConfigRuleState != "" && in.ConfigRuleState != configapi.ConfigRuleStateActive:
		return refuse("The ConfigRuleState %s is invalid.  Only the following values are permitted: ACTIVE", in.ConfigRuleState)
	case in.CreatedBy != nil:
		return refuse("AWS Config populates the CreatedBy field for ServiceLinkedConfigRule. Try again without populating the CreatedBy field")
	case in.RuleEvaluationVisibility != "":
		return refuse("AWS Config populates the RuleEvaluationVisibility field for ServiceLinkedConfigRule. Try again without populating the RuleEvaluationVisibility field")
	}
	return nil
}

// FromShape returns a rule as it was put, with the identity that the shape has.
func FromShape(p config.Place, in *configapi.ConfigRule) config.Rule {
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

// text returns what a pointer points to, or nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
