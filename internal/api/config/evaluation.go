package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/rule/function"
)

type evaluations struct{ Options }

func (e evaluations) register(s *configapi.Service) {
	s.PutEvaluations(e.PutEvaluations)
	s.PutExternalEvaluation(e.PutExternalEvaluation)
	s.DeleteEvaluationResults(e.DeleteEvaluationResults)
}

// PutEvaluations takes what a function says with the token that it was invoked
// with: up to 100 evaluations a call, in as many calls as it likes. In test mode
// they are checked and not kept, and any token will do.
func (e evaluations) PutEvaluations(ctx context.Context, in *configapi.PutEvaluationsInput) (*configapi.PutEvaluationsOutput, error) {
	if in.Evaluations == nil {
		return nil, configapi.InvalidParameterValueException("The Evaluations object in your request cannot be null.Add the required parameters and try again.")
	}
	reported := make([]config.Evaluation, 0, len(in.Evaluations))
	for _, s := range in.Evaluations {
		if s.ComplianceType == configapi.ComplianceTypeInsufficientData {
			return nil, configapi.InvalidParameterValueException("The ComplianceType INSUFFICIENT_DATA is not allowed in PutEvaluations. Use COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE.")
		}
		reported = append(reported, config.Evaluation{
			ResourceType: *s.ComplianceResourceType, ResourceID: *s.ComplianceResourceId,
			Compliance: config.Compliance(s.ComplianceType), Annotation: text(s.Annotation), Ordering: *s.OrderingTimestamp,
		})
	}
	out := &configapi.PutEvaluationsOutput{FailedEvaluations: []configapi.Evaluation{}}
	var err error
	if in.TestMode != nil && *in.TestMode {
		err = e.Rules.CheckTypes(ctx, caller.Place(ctx), reported)
	} else {
		err = e.Rules.Report(ctx, caller.Place(ctx), *in.ResultToken, reported)
	}
	if t, ok := errors.AsType[rule.UnknownType](err); ok {
		return nil, configapi.InvalidParameterValueException("The resource type %s is invalid. Only the following values are permitted: [%s]",
			string(t), strings.Join(e.KnownTypes, ", "))
	}
	switch {
	case errors.Is(err, function.ErrToken):
		return nil, configapi.InvalidResultTokenException("The resultToken provided is invalid")
	case errors.Is(err, rule.ErrGone):
		return nil, configapi.NoSuchConfigRuleException("The ConfigRule of the resultToken provided in the request does not exist any more.")
	case err != nil:
		return nil, fmt.Errorf("put evaluations: %w", err)
	}
	return out, nil
}

// PutExternalEvaluation keeps the verdict of a process check, which somebody
// outside of AWS Config comes to.
func (e evaluations) PutExternalEvaluation(
	ctx context.Context, in *configapi.PutExternalEvaluationInput,
) (*configapi.PutExternalEvaluationOutput, error) {
	s := in.ExternalEvaluation
	err := e.Rules.ReportExternal(ctx, caller.Place(ctx), *in.ConfigRuleName, config.Evaluation{
		ResourceType: *s.ComplianceResourceType, ResourceID: *s.ComplianceResourceId,
		Compliance: config.Compliance(s.ComplianceType), Annotation: text(s.Annotation), Ordering: *s.OrderingTimestamp,
	})
	if err != nil {
		return nil, fmt.Errorf("put external evaluation for rule %s: %w", *in.ConfigRuleName, err)
	}
	return &configapi.PutExternalEvaluationOutput{}, nil
}

// DeleteEvaluationResults has the results of a rule vanish. The rule is not
// evaluated again by that.
func (e evaluations) DeleteEvaluationResults(
	ctx context.Context, in *configapi.DeleteEvaluationResultsInput,
) (*configapi.DeleteEvaluationResultsOutput, error) {
	err := e.DB.Write(ctx, func(tx *db.Tx) error {
		return e.Rules.DeleteResults(ctx, tx, caller.Place(ctx), *in.ConfigRuleName, "")
	})
	if err != nil {
		return nil, fmt.Errorf("delete results of rule %s: %w", *in.ConfigRuleName, err)
	}
	return &configapi.DeleteEvaluationResultsOutput{}, nil
}
