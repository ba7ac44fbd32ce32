package config

import "time"

// A StoredChange is the form in which job arguments carry a changed verdict. Its names are
// the store's: jobs of an older program are run by a newer one.
type StoredChange struct {
	RuleARN string         `json:"ruleArn"`
	RuleID  string         `json:"ruleId"`
	Old     *storedVerdict `json:"old,omitempty"`
	New     storedVerdict  `json:"new"`
}

type storedVerdict struct {
	Rule       string     `json:"rule"`
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Compliance Compliance `json:"compliance"`
	Annotation string     `json:"annotation,omitempty"`
	Ordering   time.Time  `json:"ordering"`
	Invoked    time.Time  `json:"invoked"`
	Recorded   time.Time  `json:"recorded"`
}

// Stored returns the form in which a job carries the change.
func (c VerdictChange) Stored() StoredChange {
	s := StoredChange{RuleARN: c.RuleARN, RuleID: c.RuleID, New: c.New.stored()}
	if c.Old != nil {
		s.Old = new(c.Old.stored())
	}
	return s
}

// Change returns the change that is stored.
func (s StoredChange) Change() VerdictChange {
	c := VerdictChange{RuleARN: s.RuleARN, RuleID: s.RuleID, New: s.New.verdict()}
	if s.Old != nil {
		c.Old = new(s.Old.verdict())
	}
	return c
}

func (v Verdict) stored() storedVerdict {
	return storedVerdict{v.Rule, v.ResourceType, v.ResourceID, v.Compliance, v.Annotation, v.Ordering, v.Invoked, v.Recorded}
}

func (s storedVerdict) verdict() Verdict {
	return Verdict{
		Rule: s.Rule, Invoked: s.Invoked, Recorded: s.Recorded,
		Evaluation: Evaluation{ResourceType: s.Type, ResourceID: s.ID, Compliance: s.Compliance, Annotation: s.Annotation, Ordering: s.Ordering},
	}
}
