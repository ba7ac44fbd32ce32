package config

import "time"

// EvaluationStatus is how far a proactive evaluation is.
type EvaluationStatus string

// The statuses of a proactive evaluation. Failed says that a rule gave no verdict.
const (
	EvaluationInProgress EvaluationStatus = "IN_PROGRESS"
	EvaluationSucceeded  EvaluationStatus = "SUCCEEDED"
	EvaluationFailed     EvaluationStatus = "FAILED"
)

// DefaultEvaluationTimeout is how many seconds a proactive evaluation may take
// when nobody says.
const DefaultEvaluationTimeout = 900

// A ResourceEvaluation asks what the proactive rules of a place say of a resource
// that is not there yet.
type ResourceEvaluation struct {
	ResourceKey
	EvaluationID  string
	Configuration string // its properties, a JSON object in CloudFormation's spelling
	Schema        string // CFN_RESOURCE_SCHEMA, or empty as it was asked
	Context       string // of the caller's own choice
	Token         string // the caller's, which makes the request idempotent
	Timeout       int    // seconds, as asked

	Started    time.Time
	Status     EvaluationStatus
	Reason     string // why it failed
	Compliance Compliance
}

// Deadline is when the evaluation ends whoever has not answered.
func (e ResourceEvaluation) Deadline() time.Time {
	seconds := e.Timeout
	if seconds == 0 {
		seconds = DefaultEvaluationTimeout
	}
	return e.Started.Add(time.Duration(seconds) * time.Second)
}

// Same reports whether two requests ask the same.
func (e ResourceEvaluation) Same(o ResourceEvaluation) bool {
	return e.ResourceKey == o.ResourceKey && e.Configuration == o.Configuration && e.Schema == o.Schema &&
		e.Context == o.Context && e.Timeout == o.Timeout
}

// A ProactiveVerdict is what one rule says in a proactive evaluation. While its
// compliance is empty the rule has not answered; Failure says that it cannot.
type ProactiveVerdict struct {
	RuleID     string
	Rule       string // its name
	Compliance Compliance
	Annotation string
	Failure    string
	Ordering   time.Time
	Invoked    time.Time
	Recorded   time.Time
}

// Pending reports whether the rule has not answered.
func (v ProactiveVerdict) Pending() bool { return v.Compliance == "" && v.Failure == "" }
