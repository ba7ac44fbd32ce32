package rule

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/configapi"
	"plumb/internal/rule/function"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// The jobs of a proactive evaluation: asking the rules, ending it whoever has not
// answered, and forgetting it.
type (
	proactive        struct{ evaluationArgs }
	proactiveTimeout struct{ evaluationArgs }
	proactiveForget  struct{ evaluationArgs }

	evaluationArgs struct {
		Evaluation string `json:"evaluation"`
		Account    string `json:"account,omitempty"`
	}
)

// Kind names the job.
func (proactive) Kind() string { return "rule.proactive" }

// Kind names the job.
func (proactiveTimeout) Kind() string { return "rule.proactive.timeout" }

// Kind names the job.
func (proactiveForget) Kind() string { return "rule.proactive.forget" }

// Owner is the evaluation's account.
func (j evaluationArgs) Owner() string { return j.Account }

// evaluationKept is how long a proactive evaluation can be read.
const evaluationKept = 24 * time.Hour

// StartEvaluation has the proactive rules of a place evaluate a resource that is
// not there yet, and returns the evaluation's id. The same request with the same
// token is the same evaluation.
func (e *Engine) StartEvaluation(ctx context.Context, tx *db.Tx, r config.ResourceEvaluation) (string, error) {
	if err := checkEvaluation(r); err != nil {
		return "", err
	}
	if r.Token != "" {
		if err := store.LockEvaluation(ctx, tx, r.Place.String()+r.Token); err != nil {
			return "", err
		}
		before, err := store.EvaluationByToken(ctx, tx, r.Place, r.Token)
		if err == nil && !before.Same(r) {
			return "", configapi.IdempotentParameterMismatch("The ClientToken was used with other parameters.")
		}
		if !errors.Is(err, store.ErrNotFound) {
			return before.EvaluationID, err
		}
	}
	r.EvaluationID, r.Started, r.Status, r.Compliance = newEvaluationID(), e.Now(), config.EvaluationInProgress, ""
	if err := store.AddEvaluation(ctx, tx, r); err != nil {
		return "", err
	}
	args := evaluationArgs{r.EvaluationID, r.Account}
	if err := e.Jobs.Insert(ctx, tx, proactive{args}, job.Options{}); err != nil {
		return "", err
	}
	if err := e.Jobs.Insert(ctx, tx, proactiveTimeout{args}, job.Options{At: r.Deadline()}); err != nil {
		return "", err
	}
	return r.EvaluationID, e.Jobs.Insert(ctx, tx, proactiveForget{args}, job.Options{At: r.Started.Add(evaluationKept)})
}

func newEvaluationID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // a random UUID
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func checkEvaluation(r config.ResourceEvaluation) error {
	if parts := strings.Split(r.Type, "::"); len(parts) != 3 || slices.Contains(parts, "") {
		return configapi.InvalidParameterValueException("The ResourceType %s is not a resource type of CloudFormation.", r.Type)
	}
	if _, err := properties(r.Configuration); err != nil {
		return configapi.InvalidParameterValueException("The ResourceConfiguration is not a JSON object with the properties of a resource.")
	}
	return nil
}

func properties(text string) (map[string]any, error) {
	v, err := config.Decode([]byte(text))
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	return m, nil
}

// prepareProactive has the in-process rules evaluate, and builds the events of
// those that are functions.
func (e *Engine) prepareProactive(ctx context.Context, j job.Job[proactive]) (job.Commit, error) {
	var ev config.ResourceEvaluation
	var recorderRole string
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if ev, err = store.Evaluation(ctx, tx, j.Args.Evaluation); err != nil {
			return err
		}
		recorderRole, err = role(ctx, tx, ev.Place)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && ev.Status != config.EvaluationInProgress {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := e.load(ctx, ev.Place)
	if err != nil {
		return nil, err
	}
	it, err := intended(ev, e.Now())
	if err != nil {
		return nil, job.Discard(err)
	}
	var verdicts []config.ProactiveVerdict
	var invocations []Invocation
	for _, r := range s.proactive {
		v, i, applies, err := e.ask(r, ev, it, recorderRole)
		if err != nil {
			return nil, err
		}
		if applies {
			verdicts = append(verdicts, v)
			invocations = append(invocations, i...)
		}
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if err := e.addVerdicts(ctx, tx, ev.EvaluationID, verdicts); err != nil {
			return err
		}
		return e.invoke(ctx, tx, invocations)
	}, nil
}

// intended returns an item as it would be, with the properties as its
// configuration: a rule reads them in CloudFormation's spelling.
func intended(ev config.ResourceEvaluation, now time.Time) (config.Item, error) {
	p, err := properties(ev.Configuration)
	if err != nil {
		return config.Item{}, err
	}
	now = now.Truncate(time.Millisecond)
	return config.Item{
		ResourceKey: ev.ResourceKey, Status: config.StatusDiscovered, CaptureTime: now, StateID: now.UnixMilli(),
		Tags: propertyTags(p["Tags"]), Configuration: p, Supplementary: map[string]any{},
	}, nil
}

// propertyTags reads both ways in which properties say tags.
func propertyTags(v any) map[string]string {
	tags := map[string]string{}
	if m, ok := v.(map[string]any); ok {
		for k, v := range m {
			tags[k] = fmt.Sprint(v)
		}
	}
	list, _ := v.([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		if key, ok := m["Key"].(string); ok {
			value, _ := m["Value"].(string)
			tags[key] = value
		}
	}
	return tags
}

// ask has one rule evaluate. A function is not asked here: the verdict is
// pending, and its invocation is returned.
func (e *Engine) ask(r config.Rule, ev config.ResourceEvaluation, it config.Item, recorderRole string) (
	v config.ProactiveVerdict, i []Invocation, applies bool, err error,
) {
	v = config.ProactiveVerdict{RuleID: r.ID, Rule: r.Name, Ordering: it.CaptureTime, Invoked: e.Now()}
	if r.Source.Owner == config.OwnerLambda {
		if !r.Covers(it, nil) {
			return v, nil, false, nil
		}
		one, err := e.sealProactive(r, ev, it, recorderRole)
		return v, []Invocation{one}, err == nil, err
	}
	c, err := e.Compile(r)
	if err == nil && !r.Covers(it, c.Types) || err != nil && !e.mayCover(r, it) {
		return v, nil, false, nil
	}
	if err == nil && c.Proactive == nil {
		err = fmt.Errorf("%s, proactively: %w", r.Source.Identifier, ErrNoEvaluator)
	}
	if err == nil && r.Source.Owner == config.OwnerAWS && unresolved(it.Configuration) {
		err = errors.New("the properties hold functions of CloudFormation, whose results are not known")
	}
	if err == nil {
		v.Compliance, v.Annotation, err = c.Proactive.Evaluate(it, view.Fixed{At: e.Now()})
		v.Annotation = config.Annotation(v.Annotation)
	}
	if err != nil { // no verdict: an error is not one
		v.Compliance, v.Annotation, v.Failure = "", "", err.Error()
	}
	v.Recorded = e.Now()
	return v, nil, true, nil
}

// mayCover reports whether a rule that cannot be compiled is on resources like
// that one.
func (e *Engine) mayCover(r config.Rule, it config.Item) bool {
	info, _ := e.Managed.Known(r.Source.Identifier)
	return r.Covers(it, info.Types)
}

// unresolved reports whether a function of CloudFormation stands in a value.
func unresolved(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if len(v) == 1 && (k == "Ref" || strings.HasPrefix(k, "Fn::")) || unresolved(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, unresolved)
	}
	return false
}

func (e *Engine) sealProactive(r config.Rule, ev config.ResourceEvaluation, it config.Item, recorderRole string) (Invocation, error) {
	body, err := config.ChangeNotification(it, nil, e.Now())
	if err != nil {
		return Invocation{}, fmt.Errorf("encode %s: %w", it.ResourceKey, err)
	}
	payload, err := e.Sealer.Event(r, function.Trigger{
		InvokingEvent: body, Captured: it.CaptureTime, RoleARN: recorderRole, Now: e.Now(), Evaluation: ev.EvaluationID,
	})
	return Invocation{r.Place, r.Source.Identifier, payload, Origin{RuleID: r.ID, Evaluation: ev.EvaluationID}}, err
}

// addVerdicts keeps what rules say in an evaluation that has not ended, and ends
// it if that was the last of them.
func (e *Engine) addVerdicts(ctx context.Context, tx *db.Tx, id string, verdicts []config.ProactiveVerdict) error {
	ev, open, err := openEvaluation(ctx, tx, id)
	if err != nil || !open {
		return err
	}
	for _, v := range verdicts {
		if err := store.PutProactiveVerdict(ctx, tx, id, v); err != nil {
			return err
		}
	}
	all, err := store.ProactiveVerdicts(ctx, tx, id, store.VerdictPage{})
	if err != nil || slices.ContainsFunc(all, config.ProactiveVerdict.Pending) {
		return err
	}
	ev.Compliance = rollUp(all)
	ev.Status = config.EvaluationSucceeded
	if i := slices.IndexFunc(all, func(v config.ProactiveVerdict) bool { return v.Failure != "" }); i >= 0 {
		ev.Status, ev.Reason = config.EvaluationFailed, fmt.Sprintf("The rule %s gave no verdict: %s", all[i].Rule, all[i].Failure)
	}
	return store.EndEvaluation(ctx, tx, ev)
}

// openEvaluation returns an evaluation, which others leave alone until tx ends,
// and whether it goes on.
func openEvaluation(ctx context.Context, tx *db.Tx, id string) (config.ResourceEvaluation, bool, error) {
	if err := store.LockEvaluation(ctx, tx, id); err != nil {
		return config.ResourceEvaluation{}, false, err
	}
	ev, err := store.Evaluation(ctx, tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return ev, false, nil
	}
	return ev, err == nil && ev.Status == config.EvaluationInProgress, err
}

// rollUp returns the compliance of all rules together. One that gave no verdict
// leaves only NON_COMPLIANT certain.
func rollUp(all []config.ProactiveVerdict) config.Compliance {
	has := func(c config.Compliance) bool {
		return slices.ContainsFunc(all, func(v config.ProactiveVerdict) bool { return v.Compliance == c })
	}
	switch {
	case has(config.NonCompliant):
		return config.NonCompliant
	case has(config.Compliant) && !has(""):
		return config.Compliant
	default:
		return config.InsufficientData
	}
}

// reportProactive takes what a function says of the resource that it was asked
// about; what it says of others is dropped, as nothing is there.
func (e *Engine) reportProactive(ctx context.Context, tx *db.Tx, t function.Token, r config.Rule, reported []config.Evaluation) error {
	ev, open, err := openEvaluation(ctx, tx, t.Evaluation)
	if err != nil || !open {
		return err
	}
	v, err := store.EvaluationVerdict(ctx, tx, t.Evaluation, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	about := slices.DeleteFunc(slices.Clone(reported), func(s config.Evaluation) bool { return s.ResourceType != ev.Type || s.ResourceID != ev.ID })
	if len(about) == 0 {
		if len(reported) > 0 || !v.Pending() {
			return nil // another batch may have it, or had it
		}
		about = []config.Evaluation{{Compliance: config.NotApplicable, Ordering: v.Ordering}}
	}
	last := about[len(about)-1]
	v.Compliance, v.Annotation, v.Ordering, v.Failure, v.Recorded = last.Compliance, last.Annotation, last.Ordering, "", e.Now()
	return e.addVerdicts(ctx, tx, t.Evaluation, []config.ProactiveVerdict{v})
}

// failProactive notes that a rule cannot answer.
func (e *Engine) failProactive(ctx context.Context, tx *db.Tx, o Origin, reason string) error {
	v, err := store.EvaluationVerdict(ctx, tx, o.Evaluation, o.RuleID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !v.Pending() {
		return nil
	}
	if err != nil {
		return err
	}
	v.Failure, v.Recorded = reason, e.Now()
	return e.addVerdicts(ctx, tx, o.Evaluation, []config.ProactiveVerdict{v})
}

func (e *Engine) doProactiveTimeout(ctx context.Context, tx *db.Tx, j job.Job[proactiveTimeout]) error {
	ev, open, err := openEvaluation(ctx, tx, j.Args.Evaluation)
	if err != nil || !open {
		return err
	}
	all, err := store.ProactiveVerdicts(ctx, tx, ev.EvaluationID, store.VerdictPage{})
	if err != nil {
		return err
	}
	var silent []string
	for _, v := range all {
		if v.Pending() {
			silent = append(silent, v.Rule)
		}
	}
	ev.Status, ev.Compliance = config.EvaluationFailed, rollUp(all)
	ev.Reason = fmt.Sprintf("The evaluation timed out after %d seconds.", int(ev.Deadline().Sub(ev.Started).Seconds()))
	if len(silent) > 0 {
		ev.Reason += " Rules that did not answer: " + strings.Join(silent, ", ")
	}
	return store.EndEvaluation(ctx, tx, ev)
}

func (e *Engine) doProactiveForget(ctx context.Context, tx *db.Tx, j job.Job[proactiveForget]) error {
	return store.DeleteEvaluation(ctx, tx, j.Args.Evaluation)
}

// checkModes refuses modes that a rule cannot have.
func (e *Engine) checkModes(r config.Rule) error {
	refuse := configapi.InvalidParameterValueException
	for i, m := range r.Modes {
		if slices.Contains(r.Modes[:i], m) {
			return refuse("The evaluation mode %s is given twice.", m)
		}
	}
	if !slices.Contains(r.Modes, config.ModeProactive) {
		return nil
	}
	info, known := e.Managed.Known(r.Source.Identifier)
	switch {
	case r.Source.Owner == config.OwnerAWS && known && !info.Proactive,
		r.Source.Owner == config.OwnerLambda && !r.Triggered(config.MessageChange):
		return refuse("The evaluation mode PROACTIVE is not supported for this rule.")
	}
	return nil
}
