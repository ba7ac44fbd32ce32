package config

// The events: what became true in a transaction. Reactions are called in that
// transaction; who reacts to what is one list in app.

// ItemsRecorded says that items were born, all of one place, each of another
// resource. What came before each is in the store.
type ItemsRecorded struct {
	Place Place
	Items []Item
}

// ComplianceChanged says that verdicts of a place changed their compliance.
type ComplianceChanged struct {
	Place   Place
	Changes []VerdictChange
}

// A VerdictChange is a verdict with the one it replaced; Old is nil for the
// first.
type VerdictChange struct {
	RuleARN string   `json:"ruleArn"`
	RuleID  string   `json:"ruleId"`
	Old     *Verdict `json:"old"`
	New     Verdict  `json:"new"`
}

// ComplianceForgotten says that results of a rule on those resources were deleted.
type ComplianceForgotten struct {
	Place     Place
	Rule      Rule
	Resources []ResourceKey
}

// MembershipChanged says that an account joined an organization, or left it.
type MembershipChanged struct {
	Management string // the account that manages it
	Account    string
	Left       bool
}

// RuleChanged says that a rule was put, and that it should be evaluated on what
// is there.
type RuleChanged struct{ Rule Rule }

// RuleDeleted says that a rule and its results are gone. What remembers the rule
// is still there in the transaction.
type RuleDeleted struct{ Rule Rule }

// PackEnded says that the deployment or the deletion of a conformance pack ended,
// well or not.
type PackEnded struct {
	Pack   ConformancePack
	Status PackStatus // of a pack that is gone: what it was last
	Gone   bool
}

// RulesEvaluationStarted says that somebody asked for an evaluation.
type RulesEvaluationStarted struct {
	Place Place
	Rules []string
}

// RecorderChanged says that a recorder was put, started, stopped or deleted.
type RecorderChanged struct {
	Recorder Recorder
	Status   RecorderStatus
	Deleted  bool
}

// TypeRead says that all resources of a type were read for the first time since
// the recorder started: from now on it is known which there are.
type TypeRead struct {
	Place Place
	Type  string
}

// SnapshotDelivered says that a snapshot lies in the channel's bucket.
type SnapshotDelivered struct {
	Place      Place
	SnapshotID string
	Bucket     string
	Key        string
}
