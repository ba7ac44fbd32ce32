package config

import (
	"slices"
	"time"
)

// The recording strategies.
const (
	RecordAll       = "ALL_SUPPORTED_RESOURCE_TYPES"
	RecordInclusion = "INCLUSION_BY_RESOURCE_TYPES"
	RecordExclusion = "EXCLUSION_BY_RESOURCE_TYPES"
)

// The recording frequencies.
const (
	Continuous = "CONTINUOUS"
	Daily      = "DAILY"
)

// The item types that Config records about itself.
const (
	TypeRecorder           = "AWS::Config::ConfigurationRecorder"
	TypeResourceCompliance = "AWS::Config::ResourceCompliance"
	TypePackCompliance     = "AWS::Config::ConformancePackCompliance"
	TypeAccount            = "AWS::::Account"
)

// globalTypes are the four IAM types that a recorder of all types leaves out
// unless it asks for global ones.
var globalTypes = []string{"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}

// IsGlobalType reports whether a type is one of the four global IAM types.
func IsGlobalType(t string) bool { return slices.Contains(globalTypes, t) }

// A Recorder is a configuration recorder.
type Recorder struct {
	Place
	Name, ARN string
	RoleARN   string
	Group     RecordingGroup
	Mode      RecordingMode
	Principal string // servicePrincipal of a service-linked recorder

	Connector  string           // ARN of what a third-party recorder goes through; empty for others
	ThirdParty *ThirdPartyScope // of such a recorder
}

// A RecordingGroup says which types are recorded. It is kept in the normal form
// that DescribeConfigurationRecorders returns.
type RecordingGroup struct {
	AllSupported  bool
	IncludeGlobal bool
	Types         []string
	Excluded      []string
	Strategy      string
}

// A RecordingMode says how often.
type RecordingMode struct {
	Put         bool // whether the caller gave one; else it is not returned
	Frequency   string
	Overrides   []string // types of the one override
	Override    string   // its frequency
	Description string
}

// Records reports whether the recorder's group covers a type.
func (r Recorder) Records(t string) bool {
	if t == TypeRecorder {
		return true
	}
	switch r.Group.Strategy {
	case RecordInclusion:
		return slices.Contains(r.Group.Types, t)
	case RecordExclusion:
		return !slices.Contains(r.Group.Excluded, t)
	default:
		return r.Group.IncludeGlobal || !IsGlobalType(t)
	}
}

// RecordsDaily reports whether a type gets at most one item in 24 hours.
func (r Recorder) RecordsDaily(t string) bool {
	if slices.Contains(r.Mode.Overrides, t) {
		return r.Mode.Override == Daily
	}
	return r.Mode.Frequency == Daily
}

// The values of lastStatus on the wire, for recorders and for deliveries. They
// are upper case, unlike the API model's enums.
const (
	StatusPending       = "PENDING"
	StatusSuccess       = "SUCCESS"
	StatusFailure       = "FAILURE"
	StatusNotApplicable = "NOT_APPLICABLE"
)

// A RecorderStatus is what DescribeConfigurationRecorderStatus returns, and the
// generation: which start of the recorder is the present one.
type RecorderStatus struct {
	Recording    bool
	LastStatus   string
	ErrorCode    string
	ErrorMessage string
	Start        time.Time
	Stop         time.Time
	Changed      time.Time
	Generation   int64 // of the present start: jobs of an earlier one end themselves
}
