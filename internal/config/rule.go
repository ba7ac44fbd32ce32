package config

import (
	"slices"
	"strings"
	"time"
)

// The owners of a rule: who decides the verdict.
const (
	OwnerLambda = "CUSTOM_LAMBDA"
	OwnerAWS    = "AWS"
	OwnerPolicy = "CUSTOM_POLICY"
)

// The message types that a rule can be triggered by.
const (
	MessageChange    = "ConfigurationItemChangeNotification"
	MessageOversized = "OversizedConfigurationItemChangeNotification"
	MessageScheduled = "ScheduledNotification"
	MessageSnapshot  = "ConfigurationSnapshotDeliveryCompleted"
)

// The evaluation modes of a rule: on what is recorded, and on what is not there
// yet.
const (
	ModeDetective = "DETECTIVE"
	ModeProactive = "PROACTIVE"
)

// RuleState is the ConfigRuleState of a rule.
type RuleState string

// The states of a rule. Only Active can be put.
const (
	RuleActive          RuleState = "ACTIVE"
	RuleEvaluating      RuleState = "EVALUATING"
	RuleDeletingResults RuleState = "DELETING_RESULTS"
	RuleDeleting        RuleState = "DELETING"
)

// A Rule is a Config rule as it was put, with the identity that Plumb gave it.
type Rule struct {
	Place
	Name, ARN, ID   string
	Description     string
	Scope           *Scope // as put: echoed exactly, an empty list included
	Source          Source
	InputParameters string // JSON text as put; empty if none
	Frequency       string // MaximumExecutionFrequency at the level of the rule
	State           RuleState
	CreatedBy       string
	Modes           []string // evaluation modes, as put
}

// A Scope narrows what a change triggers the rule on.
type Scope struct {
	Types    []string // nil: absent; empty: put as an empty list, same meaning
	TagKey   *string
	TagValue *string
	ID       *string // ComplianceResourceId, with exactly one type
}

// A Source says who evaluates and when.
type Source struct {
	Owner      string
	Identifier string
	Details    []SourceDetail
	Policy     *Policy
}

// A SourceDetail is one trigger of a custom rule.
type SourceDetail struct {
	EventSource string
	MessageType string
	Frequency   string // only with ScheduledNotification
}

// A Policy is the text of a CUSTOM_POLICY rule.
type Policy struct {
	Runtime string
	Text    string
	Debug   bool
}

// Triggered reports whether the rule asked for a message type.
func (r Rule) Triggered(messageType string) bool {
	for _, d := range r.Source.Details {
		if d.MessageType == messageType {
			return true
		}
	}
	return false
}

// InMode reports whether the rule evaluates in a mode. A rule that was put without
// modes is detective.
func (r Rule) InMode(mode string) bool {
	return slices.Contains(r.Modes, mode) || len(r.Modes) == 0 && mode == ModeDetective
}

// Covers reports whether the item is in the rule's scope. types are those that
// the rule looks at when its scope names none; empty means every type.
func (r Rule) Covers(it Item, types []string) bool {
	s := r.Scope
	if s == nil {
		s = &Scope{}
	}
	if s.TagKey != nil {
		v, ok := it.Tags[*s.TagKey]
		return ok && (s.TagValue == nil || *s.TagValue == v)
	}
	if len(s.Types) > 0 {
		types = s.Types
	}
	if len(types) > 0 && !slices.Contains(types, it.Type) {
		return false
	}
	return s.ID == nil || *s.ID == it.ID
}

// TagScoped reports whether the scope is a tag, so that an item can leave it.
func (r Rule) TagScoped() bool { return r.Scope != nil && r.Scope.TagKey != nil }

// Period returns how often the rule asked to be run on a schedule; 0 if never.
func (r Rule) Period() time.Duration {
	for _, d := range r.Source.Details {
		if d.MessageType != MessageScheduled {
			continue
		}
		if d.Frequency != "" {
			return Frequency(d.Frequency)
		}
		return Frequency(r.Frequency)
	}
	return 0
}

// Frequency returns the length of a MaximumExecutionFrequency. AWS's default is
// 24 hours.
func Frequency(name string) time.Duration {
	switch name {
	case "One_Hour":
		return time.Hour
	case "Three_Hours":
		return 3 * time.Hour
	case "Six_Hours":
		return 6 * time.Hour
	case "Twelve_Hours":
		return 12 * time.Hour
	default:
		return 24 * time.Hour
	}
}

// ServiceLinked reports whether a service made the rule, so that users cannot
// change it.
func (r Rule) ServiceLinked() bool { return strings.HasSuffix(r.CreatedBy, ".amazonaws.com") }

// A RuleStatus is what DescribeConfigRuleEvaluationStatus tells. Zero times are
// times that never came.
type RuleStatus struct {
	LastSuccessfulInvocation time.Time
	LastFailedInvocation     time.Time
	LastSuccessfulEvaluation time.Time
	LastFailedEvaluation     time.Time
	FirstActivated           time.Time
	LastDeactivated          time.Time
	LastErrorCode            string
	LastErrorMessage         string
	FirstEvaluationStarted   bool
}
