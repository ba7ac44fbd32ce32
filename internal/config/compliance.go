package config

import "time"

// Compliance is the verdict of a rule on a resource.
type Compliance string

// The four verdicts. InsufficientData is what a rule has before it said
// anything; a rule cannot say it in PutEvaluations.
const (
	Compliant        Compliance = "COMPLIANT"
	NonCompliant     Compliance = "NON_COMPLIANT"
	NotApplicable    Compliance = "NOT_APPLICABLE"
	InsufficientData Compliance = "INSUFFICIENT_DATA"
)

// MaxAnnotation is the longest annotation of an evaluation, in characters.
const MaxAnnotation = 256

// An Evaluation is what a rule says of one resource. The resource need not have
// been recorded: rules name ids, ARNs and accounts of their own choice.
type Evaluation struct {
	ResourceType string
	ResourceID   string
	Compliance   Compliance
	Annotation   string
	Ordering     time.Time // OrderingTimestamp: an older one never replaces a newer verdict
}

// A Verdict is the kept result of a rule on a resource.
type Verdict struct {
	Rule string // the rule's name
	Evaluation
	Invoked  time.Time // ConfigRuleInvokedTime
	Recorded time.Time // ResultRecordedTime
}
