package delivery

import (
	"encoding/json"
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

// An evaluationResult is a verdict as the messages tell it.
type evaluationResult struct {
	Identifier struct {
		Qualifier struct {
			Rule string `json:"configRuleName"`
			Type string `json:"resourceType"`
			ID   string `json:"resourceId"`
			Mode string `json:"evaluationMode"`
		} `json:"evaluationResultQualifier"`
		Ordering string `json:"orderingTimestamp"`
	} `json:"evaluationResultIdentifier"`
	Compliance config.Compliance `json:"complianceType"`
	Recorded   string            `json:"resultRecordedTime"`
	Invoked    string            `json:"configRuleInvokedTime"`
	Annotation *string           `json:"annotation"`
	Token      *string           `json:"resultToken"` // always null in messages
}

func newEvaluationResult(v *config.Verdict) *evaluationResult {
	if v == nil {
		return nil
	}
	r := &evaluationResult{
		Compliance: v.Compliance, Recorded: config.FormatTime(v.Recorded), Invoked: config.FormatTime(v.Invoked),
	}
	q := &r.Identifier.Qualifier
	q.Rule, q.Type, q.ID, q.Mode = v.Rule, v.ResourceType, v.ResourceID, config.ModeDetective
	r.Identifier.Ordering = config.FormatTime(v.Ordering)
	if v.Annotation != "" {
		r.Annotation = &v.Annotation
	}
	return r
}

// complianceMessage returns the ComplianceChangeNotification of one change; the first
// verdict on a resource has no old result.
func complianceMessage(p config.Place, ch config.VerdictChange, created time.Time) (message, error) {
	v := ch.New
	body, err := json.Marshal(struct {
		Account string            `json:"awsAccountId"`
		Rule    string            `json:"configRuleName"`
		ARN     string            `json:"configRuleARN"`
		Type    string            `json:"resourceType"`
		ID      string            `json:"resourceId"`
		Region  string            `json:"awsRegion"`
		New     *evaluationResult `json:"newEvaluationResult"`
		Old     *evaluationResult `json:"oldEvaluationResult"`
		Created string            `json:"notificationCreationTime"`
		Message string            `json:"messageType"`
		Version string            `json:"recordVersion"`
	}{
		p.Account, v.Rule, ch.RuleARN, v.ResourceType, v.ResourceID, p.Region,
		newEvaluationResult(&v), newEvaluationResult(ch.Old),
		config.FormatTime(created), messageCompliance, "1.0",
	})
	text := fmt.Sprintf("%s %s is %s with %s in Account %s", v.ResourceType, v.ResourceID, v.Compliance, v.Rule, p.Account)
	return newMessage(subject(p, text), body, err)
}
