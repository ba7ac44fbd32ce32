package config

import (
	"maps"
	"slices"
	"time"
)

// A RemediationConfiguration says what puts right the resources that do not comply
// with a rule.
type RemediationConfiguration struct {
	Place
	Rule         string // its name
	ARN          string
	Document     string // TargetId
	Version      string // TargetVersion
	Parameters   map[string]RemediationParameter
	ResourceType string
	Automatic    *bool // as put
	Attempts     *int  // MaximumAutomaticAttempts, as put
	Window       *int  // RetryAttemptSeconds, as put
	Concurrency  *int  // percentage of the resources that do not comply, as put
	Errors       *int  // percentage of them that may fail, as put
	CreatedBy    string
}

// A RemediationParameter is the resource's id, or fixed values.
type RemediationParameter struct {
	ResourceID bool
	Values     []string
}

// The values of what is not put.
const (
	DefaultAttempts    = 5
	DefaultWindow      = 60 // seconds
	DefaultConcurrency = 10 // percent
	DefaultErrors      = 50 // percent
)

// IsAutomatic reports whether resources are put right without anybody asking.
func (r RemediationConfiguration) IsAutomatic() bool { return r.Automatic != nil && *r.Automatic }

// MaxAttempts returns how often it is tried by itself within RetryWindow.
func (r RemediationConfiguration) MaxAttempts() int { return orDefault(r.Attempts, DefaultAttempts) }

// RetryWindow returns the time in which failed attempts are counted.
func (r RemediationConfiguration) RetryWindow() time.Duration {
	return time.Duration(orDefault(r.Window, DefaultWindow)) * time.Second
}

// AtOnce returns how many of some resources are put right at a time.
func (r RemediationConfiguration) AtOnce(resources int) int {
	return max(1, resources*orDefault(r.Concurrency, DefaultConcurrency)/100)
}

// TooManyFailed reports whether more of some resources failed than may.
func (r RemediationConfiguration) TooManyFailed(failed, resources int) bool {
	return failed*100 > resources*orDefault(r.Errors, DefaultErrors)
}

func orDefault(n *int, byDefault int) int {
	if n == nil {
		return byDefault
	}
	return *n
}

// For returns the document's parameters for a resource.
func (r RemediationConfiguration) For(resourceID string) map[string][]string {
	out := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		p := r.Parameters[name]
		if p.ResourceID {
			out[name] = []string{resourceID}
			continue
		}
		out[name] = append([]string{}, p.Values...)
	}
	return out
}

// A RemediationException keeps a resource from being put right by itself.
type RemediationException struct {
	Place
	Rule         string
	ResourceType string
	ResourceID   string
	Message      string
	Expires      time.Time // zero: never
}

// RemediationState is how far the putting right of a resource is.
type RemediationState string

// The states.
const (
	RemediationQueued     RemediationState = "QUEUED"
	RemediationInProgress RemediationState = "IN_PROGRESS"
	RemediationSucceeded  RemediationState = "SUCCEEDED"
	RemediationFailed     RemediationState = "FAILED"
)

// Open reports whether more is to come.
func (s RemediationState) Open() bool { return s == RemediationQueued || s == RemediationInProgress }

// A RemediationExecution is the last time that a resource was to be put right.
type RemediationExecution struct {
	ResourceKey
	Rule      string
	State     RemediationState
	Execution string // of the document; empty while it is queued
	Automatic bool
	Attempts  int       // automatic ones, since First
	First     time.Time // when the first of them was
	Wave      time.Time // since when there was something queued without a pause
	Invoked   time.Time
	Updated   time.Time
	Steps     []RemediationStep // once it ended
}

// A RemediationStep is a step of a document.
type RemediationStep struct {
	Name    string
	State   string
	Error   string
	Started time.Time
	Stopped time.Time
}
