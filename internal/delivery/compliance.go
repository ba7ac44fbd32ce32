package delivery

import (
	"fmt"
	"time"

	"plumb/internal/config"
)

// A storedChange is a changed verdict on its way out.
type storedChange struct {
	RuleARN string         `json:"ruleArn"`
	RuleID  string         `json:"ruleId"`
	Old     *storedVerdict `json:"old,omitempty"`
	New     storedVerdict  `json:"new"`
}

type storedVerdict struct {
	Rule       string            `json:"rule"`
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Compliance config.Compliance `json:"compliance"`
	Annotation string            `json:"annotation,omitempty"`
	Ordering   time.Time         `json:"ordering"`
	Invoked    time.Time         `json:"invoked"`
	Recorded   time.Time         `json:"recorded"`
}

func storeChange(c config.VerdictChange) storedChange {
	s := storedChange{RuleARN: c.RuleARN, RuleID: c.RuleID, New: storeVerdict(c.New)}
	if c.Old != nil {
		s.Old = new(storeVerdict(*c.Old))
	}
	return s
}

func (s storedChange) change() config.VerdictChange {
	c := config.VerdictChange{RuleARN: s.RuleARN, RuleID: s.RuleID, New: s.New.verdict()}
	if s.Old != nil {
		c.Old = new(s.Old.verdict())
	}
	return c
}

func storeVerdict(v config.Verdict) storedVerdict {
	return storedVerdict{v.Rule, v.ResourceType, v.ResourceID, v.Compliance, v.Annotation, v.Ordering, v.Invoked, v.Recorded}
}

func (s storedVerdict) verdict() config.Verdict {
	return config.Verdict{
		Rule: s.Rule, Invoked: s.Invoked, Recorded: s.Recorded,
		Evaluation: config.Evaluation{
			ResourceType: s.Type, ResourceID: s.ID, Compliance: s.Compliance, Annotation: s.Annotation, Ordering: s.Ordering,
		},
	}
}

// complianceMessage returns the ComplianceChangeNotification of one change.
func complianceMessage(p config.Place, ch config.VerdictChange, created time.Time) (message, error) {
	v := ch.New
	body, err := config.ComplianceNotification(p, ch, created)
	text := fmt.Sprintf("%s %s is %s with %s in Account %s", v.ResourceType, v.ResourceID, v.Compliance, v.Rule, p.Account)
	return newMessage(subject(p, text), body, err)
}
