package config

import (
	"time"
	"unicode/utf8"
)

// Compliance is the verdict of a rule on a resource.
type Compliance string

// The four verdicts. InsufficientData is what a rule has before it reported
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

// A Batch is what one rule says. Of several evaluations of one resource the last
// one counts.
type Batch struct {
	Rule        Rule
	Evaluations []Evaluation
	Invoked     time.Time // ConfigRuleInvokedTime
	// Captured is the capture time of the item that the rule was told of, if it
	// was of one. Clients cut fractions of seconds, so an evaluation of that
	// second is taken as one of that moment: of two functions that look at two
	// versions of a resource, the one that ends later need not have the newer.
	Captured time.Time
	// Terse leaves a verdict alone that says the same already, and does not keep
	// that a rule was never applicable. It is for rules that are evaluated again
	// with every item: writing all they say costs four times as much.
	Terse bool
}

// Annotation cuts a text to what an annotation may hold.
func Annotation(s string) string {
	if utf8.RuneCountInString(s) <= MaxAnnotation {
		return s
	}
	r := []rune(s)
	return string(r[:MaxAnnotation-3]) + "..."
}
