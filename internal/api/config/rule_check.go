package config

import "plumb/internal/model/configapi"

// checkShape refuses members that only AWS Config itself fills in. What a
// definition means is checked where rules are put.
func checkShape(in *configapi.ConfigRule) error {
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
