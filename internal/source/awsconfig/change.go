package awsconfig

import (
	"time"

	"plumb/internal/config"
)

// A changed is a verdict that changed, as jobs carry it.
type changed struct {
	RuleARN string  `json:"ruleArn"`
	RuleID  string  `json:"ruleId"`
	Old     *judged `json:"old,omitempty"`
	New     judged  `json:"new"`
}

type judged struct {
	Rule       string            `json:"rule"`
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Compliance config.Compliance `json:"compliance"`
	Annotation string            `json:"annotation,omitempty"`
	Ordering   time.Time         `json:"ordering"`
	Invoked    time.Time         `json:"invoked"`
	Recorded   time.Time         `json:"recorded"`
}

func storeChange(c config.VerdictChange) changed {
	s := changed{RuleARN: c.RuleARN, RuleID: c.RuleID, New: storeVerdict(c.New)}
	if c.Old != nil {
		s.Old = new(storeVerdict(*c.Old))
	}
	return s
}

func (s changed) change() config.VerdictChange {
	c := config.VerdictChange{RuleARN: s.RuleARN, RuleID: s.RuleID, New: s.New.verdict()}
	if s.Old != nil {
		c.Old = new(s.Old.verdict())
	}
	return c
}

func storeVerdict(v config.Verdict) judged {
	return judged{v.Rule, v.ResourceType, v.ResourceID, v.Compliance, v.Annotation, v.Ordering, v.Invoked, v.Recorded}
}

func (s judged) verdict() config.Verdict {
	return config.Verdict{
		Rule: s.Rule, Invoked: s.Invoked, Recorded: s.Recorded,
		Evaluation: config.Evaluation{ResourceType: s.Type, ResourceID: s.ID, Compliance: s.Compliance, Annotation: s.Annotation, Ordering: s.Ordering},
	}
}
