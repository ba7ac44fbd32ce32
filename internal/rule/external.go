package rule

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/rule/managed"
	"plumb/internal/store"
)

// ReportExternal accepts the verdict of a process check on the account. Rules of
// other kinds, and rules that are being deleted, take none. Its errors are those
// of PutExternalEvaluation.
func (e *Engine) ReportExternal(ctx context.Context, p config.Place, name string, v config.Evaluation) error {
	if err := checkExternal(p, v); err != nil {
		return err
	}
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		r, err := Named(ctx, tx, p, name)
		if err != nil {
			return err
		}
		if !e.external(r) || r.State == config.RuleDeleting {
			return configapi.NoSuchConfigRuleException("The ConfigRule '%s' provided in the request is not a process check rule.", name)
		}
		now := e.Now()
		if err := e.Accept(ctx, tx, p, config.Batch{Rule: r, Evaluations: []config.Evaluation{v}, Invoked: now}); err != nil {
			return err
		}
		return store.UpdateRuleStatus(ctx, tx, r.ID, func(st *config.RuleStatus) {
			st.FirstEvaluationStarted, st.LastSuccessfulEvaluation = true, now
		})
	})
}

// external reports whether verdicts of a rule are put from outside.
func (e *Engine) external(r config.Rule) bool {
	info, known := e.Managed.Known(r.Source.Identifier)
	return r.Source.Owner == config.OwnerAWS && known && info.Trigger == managed.None
}

func checkExternal(p config.Place, v config.Evaluation) error {
	refuse := configapi.InvalidParameterValueException
	switch {
	case v.ResourceType != config.TypeAccount:
		return refuse("The ComplianceResourceType %s is invalid. Only the following values are permitted: [%s]", v.ResourceType, config.TypeAccount)
	case v.ResourceID != p.Account:
		return refuse("The ComplianceResourceId %s is invalid. It must be the id of the account.", v.ResourceID)
	case v.Compliance == config.InsufficientData:
		return refuse("The ComplianceType %s is not allowed in PutExternalEvaluation. Use COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE.", v.Compliance)
	default:
		return nil
	}
}
