package config

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type resourceEvaluations struct{ Options }

func (e resourceEvaluations) register(s *configapi.Service) {
	s.StartResourceEvaluation(e.StartResourceEvaluation)
	s.GetResourceEvaluationSummary(e.GetResourceEvaluationSummary)
	s.ListResourceEvaluations(e.ListResourceEvaluations)
}

// StartResourceEvaluation has the proactive rules evaluate a resource that is not
// there yet, given by its properties.
func (e resourceEvaluations) StartResourceEvaluation(
	ctx context.Context, in *configapi.StartResourceEvaluationInput,
) (*configapi.StartResourceEvaluationOutput, error) {
	if in.EvaluationMode != configapi.EvaluationModeProactive {
		return nil, configapi.InvalidParameterValueException("The EvaluationMode %s is not valid. The only valid value is PROACTIVE.", in.EvaluationMode)
	}
	d := in.ResourceDetails
	r := config.ResourceEvaluation{
		ResourceKey:   config.ResourceKey{Place: caller.Place(ctx), Type: *d.ResourceType, ID: *d.ResourceId},
		Configuration: *d.ResourceConfiguration, Schema: string(d.ResourceConfigurationSchemaType), Token: text(in.ClientToken),
	}
	if in.EvaluationTimeout != nil {
		r.Timeout = int(*in.EvaluationTimeout)
	}
	if in.EvaluationContext != nil {
		r.Context = text(in.EvaluationContext.EvaluationContextIdentifier)
	}
	var id string
	err := e.DB.Write(ctx, func(tx *db.Tx) (err error) {
		id, err = e.Rules.StartEvaluation(ctx, tx, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start the evaluation of %s: %w", r.ResourceKey, err)
	}
	return &configapi.StartResourceEvaluationOutput{ResourceEvaluationId: &id}, nil
}

// evaluationOf returns an evaluation of the place, or store.ErrNotFound.
func evaluationOf(ctx context.Context, tx *db.Tx, id string) (config.ResourceEvaluation, error) {
	ev, err := store.Evaluation(ctx, tx, id)
	if err == nil && ev.Place != caller.Place(ctx) {
		return ev, store.ErrNotFound
	}
	return ev, err
}

// GetResourceEvaluationSummary returns how an evaluation goes. It has a compliance
// once it ended.
func (e resourceEvaluations) GetResourceEvaluationSummary(
	ctx context.Context, in *configapi.GetResourceEvaluationSummaryInput,
) (*configapi.GetResourceEvaluationSummaryOutput, error) {
	var ev config.ResourceEvaluation
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		ev, err = evaluationOf(ctx, tx, *in.ResourceEvaluationId)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, configapi.ResourceNotFoundException("There is no resource evaluation with the id %s.", *in.ResourceEvaluationId)
	}
	if err != nil {
		return nil, fmt.Errorf("get the evaluation %s: %w", *in.ResourceEvaluationId, err)
	}
	out := &configapi.GetResourceEvaluationSummaryOutput{
		ResourceEvaluationId: &ev.EvaluationID, EvaluationMode: configapi.EvaluationModeProactive, EvaluationStartTimestamp: &ev.Started,
		EvaluationStatus: &configapi.EvaluationStatus{Status: configapi.ResourceEvaluationStatus(ev.Status), FailureReason: optional(ev.Reason)},
		Compliance:       configapi.ComplianceType(ev.Compliance),
		ResourceDetails: &configapi.ResourceDetails{
			ResourceId: &ev.ID, ResourceType: &ev.Type, ResourceConfiguration: &ev.Configuration,
			ResourceConfigurationSchemaType: configapi.ResourceConfigurationSchemaType(ev.Schema),
		},
	}
	if ev.Context != "" {
		out.EvaluationContext = &configapi.EvaluationContext{EvaluationContextIdentifier: &ev.Context}
	}
	return out, nil
}

// ListResourceEvaluations lists the evaluations of the last day, the newest first.
func (e resourceEvaluations) ListResourceEvaluations(
	ctx context.Context, in *configapi.ListResourceEvaluationsInput,
) (*configapi.ListResourceEvaluationsOutput, error) {
	q, mode, err := evaluationFilters(in.Filters)
	if err != nil {
		return nil, err
	}
	p, n := caller.Place(ctx), limit(in.Limit, 10)
	filters := []string{p.String(), mode, q.Context, q.From.String(), q.To.String()}
	position, ok := e.Tokens.Decode("ListResourceEvaluations", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	fmt.Sscanf(position, "%d/%d", &q.Before.Started, &q.Before.ID)
	q.Limit = n + 1
	out := &configapi.ListResourceEvaluationsOutput{ResourceEvaluations: []configapi.ResourceEvaluation{}}
	if mode == config.ModeDetective {
		return out, nil // none is
	}
	var found []store.ListedEvaluation
	err = e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Evaluations(ctx, tx, p, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list evaluations: %w", err)
	}
	if len(found) > n {
		found = found[:n]
		last := found[n-1].Position
		out.NextToken = new(e.Tokens.Encode("ListResourceEvaluations", fmt.Sprintf("%d/%d", last.Started, last.ID), filters...))
	}
	for _, ev := range found {
		out.ResourceEvaluations = append(out.ResourceEvaluations, configapi.ResourceEvaluation{
			ResourceEvaluationId: &ev.EvaluationID, EvaluationMode: configapi.EvaluationModeProactive, EvaluationStartTimestamp: &ev.Started,
		})
	}
	return out, nil
}

func evaluationFilters(in *configapi.ResourceEvaluationFilters) (q store.EvaluationPage, mode string, err error) {
	if in == nil {
		return q, "", nil
	}
	q.Context = text(in.EvaluationContextIdentifier)
	if w := in.TimeWindow; w != nil {
		q.From, q.To = instant(w.StartTime), instant(w.EndTime)
		if !q.From.IsZero() && !q.To.IsZero() && !q.To.After(q.From) {
			return q, "", configapi.InvalidTimeRangeException("The end time of the TimeWindow is not after its start time.")
		}
		if !q.To.IsZero() && q.To.Nanosecond() == 0 {
			q.To = q.To.Add(time.Second - time.Microsecond) // clients cut fractions
		}
	}
	return q, string(in.EvaluationMode), nil
}

// instant returns what a pointer points to, or the zero time.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// proactiveDetails returns what each rule says in an evaluation.
func (c compliances) proactiveDetails(
	ctx context.Context, in *configapi.GetComplianceDetailsByResourceInput, wanted []config.Compliance,
) (*configapi.GetComplianceDetailsByResourceOutput, error) {
	id := *in.ResourceEvaluationId
	filters := []string{caller.Place(ctx).String(), id, fmt.Sprint(wanted)}
	after, ok := c.Tokens.Decode("GetComplianceDetailsByResource", text(in.NextToken), filters...)
	if !ok {
		return nil, configapi.InvalidParameterValueException("The nextToken provided is invalid")
	}
	if len(wanted) == 0 {
		wanted = []config.Compliance{config.Compliant, config.NonCompliant}
	}
	var ev config.ResourceEvaluation
	var verdicts []config.ProactiveVerdict
	err := c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if ev, err = evaluationOf(ctx, tx, id); err != nil {
			return err
		}
		verdicts, err = store.ProactiveVerdicts(ctx, tx, id, store.VerdictPage{Compliance: wanted, AfterRule: after, Limit: detailPage + 1})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, configapi.InvalidParameterValueException("There is no resource evaluation with the ResourceEvaluationId %s.", id)
	}
	if err != nil {
		return nil, fmt.Errorf("get details of the evaluation %s: %w", id, err)
	}
	out := &configapi.GetComplianceDetailsByResourceOutput{EvaluationResults: []configapi.EvaluationResult{}}
	if len(verdicts) > detailPage {
		verdicts = verdicts[:detailPage]
		out.NextToken = new(c.Tokens.Encode("GetComplianceDetailsByResource", verdicts[detailPage-1].Rule, filters...))
	}
	for _, v := range verdicts {
		out.EvaluationResults = append(out.EvaluationResults, configapi.EvaluationResult{
			EvaluationResultIdentifier: &configapi.EvaluationResultIdentifier{
				EvaluationResultQualifier: &configapi.EvaluationResultQualifier{
					ConfigRuleName: &v.Rule, ResourceType: &ev.Type, ResourceId: &ev.ID, EvaluationMode: configapi.EvaluationModeProactive,
				},
				OrderingTimestamp: &v.Ordering, ResourceEvaluationId: &id,
			},
			ComplianceType: configapi.ComplianceType(v.Compliance), Annotation: optional(v.Annotation),
			ResultRecordedTime: &v.Recorded, ConfigRuleInvokedTime: model.Moment(v.Invoked),
		})
	}
	return out, nil
}
