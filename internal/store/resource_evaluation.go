package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

type storedEvaluation struct {
	Type          string `json:"type"`
	ID            string `json:"id"`
	Configuration string `json:"configuration"`
	Schema        string `json:"schema,omitempty"`
	Timeout       int    `json:"timeout,omitempty"`
}

func fromEvaluation(e config.ResourceEvaluation) storedEvaluation {
	return storedEvaluation{e.Type, e.ID, e.Configuration, e.Schema, e.Timeout}
}

func (s storedEvaluation) toEvaluation() config.ResourceEvaluation {
	return config.ResourceEvaluation{
		ResourceKey: config.ResourceKey{Type: s.Type, ID: s.ID}, Configuration: s.Configuration, Schema: s.Schema, Timeout: s.Timeout,
	}
}

// AddEvaluation keeps a proactive evaluation that was asked for.
func AddEvaluation(ctx context.Context, tx *db.Tx, e config.ResourceEvaluation) error {
	place, err := makePlace(ctx, tx, e.Place)
	if err != nil {
		return err
	}
	request, err := encoded(fromEvaluation(e))
	if err != nil {
		return err
	}
	var token *string
	if e.Token != "" {
		token = &e.Token
	}
	_, err = tx.Exec(ctx, `INSERT INTO resource_evaluation (place, public_id, token, context, started, status, reason, compliance, request)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		place, e.EvaluationID, token, e.Context, db.Micros(e.Started), string(e.Status), e.Reason, string(e.Compliance), request)
	if err != nil {
		return fmt.Errorf("keep the evaluation %s: %w", e.EvaluationID, err)
	}
	return nil
}

// LockEvaluation has others wait that decide about an evaluation, or about a
// token of the caller's.
func LockEvaluation(ctx context.Context, tx *db.Tx, id string) error {
	return tx.Lock(ctx, "resource evaluation "+id)
}

// Evaluation returns a proactive evaluation by its id, or ErrNotFound.
func Evaluation(ctx context.Context, tx *db.Tx, id string) (config.ResourceEvaluation, error) {
	return oneEvaluation(ctx, tx, `e.public_id = ?`, id)
}

// EvaluationByToken returns the evaluation of a place that was asked for with the
// caller's token, or ErrNotFound.
func EvaluationByToken(ctx context.Context, tx *db.Tx, p config.Place, token string) (config.ResourceEvaluation, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.ResourceEvaluation{}, err
	}
	return oneEvaluation(ctx, tx, `e.place = ? AND e.token = ?`, place, token)
}

func oneEvaluation(ctx context.Context, tx *db.Tx, where string, args ...any) (config.ResourceEvaluation, error) {
	found, err := scanEvaluations(ctx, tx, where, args...)
	if err != nil {
		return config.ResourceEvaluation{}, err
	}
	if len(found) == 0 {
		return config.ResourceEvaluation{}, ErrNotFound
	}
	return found[0].ResourceEvaluation, nil
}

// An EvaluationPage selects proactive evaluations, the newest first. The zero
// times stand for no bound; Before is the position of the last one that was
// returned.
type EvaluationPage struct {
	Context  string // empty: any
	From, To time.Time
	Before   EvaluationPosition
	Limit    int
}

// An EvaluationPosition is where an evaluation stands in the list.
type EvaluationPosition struct{ Started, ID int64 }

// A ListedEvaluation is an evaluation with its position.
type ListedEvaluation struct {
	config.ResourceEvaluation
	Position EvaluationPosition
}

// Evaluations lists the proactive evaluations of a place.
func Evaluations(ctx context.Context, tx *db.Tx, p config.Place, q EvaluationPage) ([]ListedEvaluation, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	where, args := `e.place = ?`, []any{place}
	if q.Context != "" {
		where, args = where+` AND e.context = ?`, append(args, q.Context)
	}
	if !q.From.IsZero() {
		where, args = where+` AND e.started >= ?`, append(args, db.Micros(q.From))
	}
	if !q.To.IsZero() {
		where, args = where+` AND e.started <= ?`, append(args, db.Micros(q.To))
	}
	if q.Before.ID != 0 {
		where, args = where+` AND (e.started, e.id) < (?, ?)`, append(args, q.Before.Started, q.Before.ID)
	}
	return scanEvaluations(ctx, tx, where+` ORDER BY e.started DESC, e.id DESC LIMIT ?`, append(args, q.Limit)...)
}

func scanEvaluations(ctx context.Context, tx *db.Tx, where string, args ...any) ([]ListedEvaluation, error) {
	var out []ListedEvaluation
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var e ListedEvaluation
		var status, compliance, request string
		var token *string
		err := scan(&e.Position.ID, &e.Account, &e.Region, &e.EvaluationID, &token, &e.Context, &e.Position.Started, &status, &e.Reason, &compliance, &request)
		if err != nil {
			return err
		}
		form, err := decoded[storedEvaluation](tx, request)
		if err != nil {
			return fmt.Errorf("evaluation %s: %w", e.EvaluationID, err)
		}
		if token != nil {
			e.Token = *token
		}
		asked := form.toEvaluation()
		e.Type, e.ID, e.Configuration, e.Schema, e.Timeout = asked.Type, asked.ID, asked.Configuration, asked.Schema, asked.Timeout
		e.Started, e.Status, e.Compliance = db.Time(e.Position.Started), config.EvaluationStatus(status), config.Compliance(compliance)
		out = append(out, e)
		return nil
	}, `SELECT e.id, p.account, p.region, e.public_id, e.token, e.context, e.started, e.status, e.reason, e.compliance, e.request
		FROM resource_evaluation e JOIN place p ON p.id = e.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read evaluations: %w", err)
	}
	return out, nil
}

// EndEvaluation notes how a proactive evaluation ended.
func EndEvaluation(ctx context.Context, tx *db.Tx, e config.ResourceEvaluation) error {
	_, err := tx.Exec(ctx, `UPDATE resource_evaluation SET status = ?, reason = ?, compliance = ? WHERE public_id = ?`,
		string(e.Status), e.Reason, string(e.Compliance), e.EvaluationID)
	if err != nil {
		return fmt.Errorf("end the evaluation %s: %w", e.EvaluationID, err)
	}
	return nil
}

// DeleteEvaluation forgets a proactive evaluation.
func DeleteEvaluation(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `DELETE FROM resource_evaluation_rule WHERE evaluation = (SELECT id FROM resource_evaluation WHERE public_id = ?)`, id)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM resource_evaluation WHERE public_id = ?`, id)
	}
	if err != nil {
		return fmt.Errorf("delete the evaluation %s: %w", id, err)
	}
	return nil
}

// PutProactiveVerdict keeps what a rule says in an evaluation, or that it is
// asked.
func PutProactiveVerdict(ctx context.Context, tx *db.Tx, evaluationID string, v config.ProactiveVerdict) error {
	_, err := tx.Exec(ctx, `INSERT INTO resource_evaluation_rule (evaluation, name, rule, compliance, annotation, failure, ordering, invoked, recorded)
		SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM resource_evaluation WHERE public_id = ?
		ON CONFLICT (evaluation, name) DO UPDATE SET compliance = excluded.compliance, annotation = excluded.annotation,
		failure = excluded.failure, ordering = excluded.ordering, recorded = excluded.recorded`,
		v.Rule, v.RuleID, string(v.Compliance), v.Annotation, v.Failure, db.Micros(v.Ordering), db.Micros(v.Invoked), db.Micros(v.Recorded), evaluationID)
	if err != nil {
		return fmt.Errorf("keep the verdict of %s: %w", v.Rule, err)
	}
	return nil
}

// ProactiveVerdicts returns what the rules say in an evaluation, in the order of
// their names. A limit of 0 means all of them.
func ProactiveVerdicts(ctx context.Context, tx *db.Tx, evaluationID string, page VerdictPage) ([]config.ProactiveVerdict, error) {
	where, args := `r.evaluation = (SELECT id FROM resource_evaluation WHERE public_id = ?) AND r.name > ?`, []any{evaluationID, page.AfterRule}
	if len(page.Compliance) > 0 {
		in, values := db.In(collect(page.Compliance, func(c config.Compliance) string { return string(c) }))
		where, args = where+` AND r.compliance IN `+in, append(args, values...)
	}
	where += ` ORDER BY r.name`
	if page.Limit > 0 {
		where, args = where+` LIMIT ?`, append(args, page.Limit)
	}
	var out []config.ProactiveVerdict
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var v config.ProactiveVerdict
		var compliance string
		var at [3]int64
		err := scan(&v.Rule, &v.RuleID, &compliance, &v.Annotation, &v.Failure, &at[0], &at[1], &at[2])
		v.Compliance = config.Compliance(compliance)
		v.Ordering, v.Invoked, v.Recorded = db.Time(at[0]), db.Time(at[1]), db.Time(at[2])
		out = append(out, v)
		return err
	}, `SELECT r.name, r.rule, r.compliance, r.annotation, r.failure, r.ordering, r.invoked, r.recorded
		FROM resource_evaluation_rule r WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the verdicts of the evaluation %s: %w", evaluationID, err)
	}
	return out, nil
}

// EvaluationVerdict returns what one rule says in an evaluation, or ErrNotFound.
func EvaluationVerdict(ctx context.Context, tx *db.Tx, evaluationID, ruleID string) (config.ProactiveVerdict, error) {
	all, err := ProactiveVerdicts(ctx, tx, evaluationID, VerdictPage{})
	if err != nil {
		return config.ProactiveVerdict{}, err
	}
	for _, v := range all {
		if v.RuleID == ruleID {
			return v, nil
		}
	}
	return config.ProactiveVerdict{}, ErrNotFound
}
