package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/job"
)

// complianceJob announces changed verdicts of one place.
type complianceJob struct {
	Place   config.Place   `json:"place"`
	Changes []storedChange `json:"changes"`
	Created time.Time      `json:"created"`
}

// A storedChange is a changed verdict in a job.
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

func newComplianceJob(p config.Place, changes []config.VerdictChange, created time.Time) complianceJob {
	a := complianceJob{Place: p, Created: created}
	for _, c := range changes {
		s := storedChange{RuleARN: c.RuleARN, RuleID: c.RuleID, New: storeVerdict(c.New)}
		if c.Old != nil {
			s.Old = new(storeVerdict(*c.Old))
		}
		a.Changes = append(a.Changes, s)
	}
	return a
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

// Kind names the job.
func (complianceJob) Kind() string { return "delivery.compliance" }

// Owner is the place's account.
func (j complianceJob) Owner() string { return j.Place.Account }

func (d *Delivery) sendCompliance(ctx context.Context, j job.Job[complianceJob]) (job.Commit, error) {
	a := j.Args
	c, ok, err := d.channel(ctx, a.Place)
	if err != nil || !ok || c.TopicARN == "" {
		return nil, err
	}
	sent := sendEach(ctx, len(a.Changes), func(i int) error {
		m, err := a.message(a.Changes[i].change())
		if err != nil {
			return err
		}
		return d.send(ctx, c, m)
	})
	rest := a
	rest.Changes = pick(a.Changes, sent.left)
	return d.settle(ctx, c, sent, j.Last(), rest)
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

// message returns the ComplianceChangeNotification of one change; the first
// verdict on a resource has no old result.
func (a complianceJob) message(ch config.VerdictChange) (message, error) {
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
		a.Place.Account, v.Rule, ch.RuleARN, v.ResourceType, v.ResourceID, a.Place.Region,
		newEvaluationResult(&v), newEvaluationResult(ch.Old),
		config.FormatTime(a.Created), messageCompliance, "1.0",
	})
	text := fmt.Sprintf("%s %s is %s with %s in Account %s", v.ResourceType, v.ResourceID, v.Compliance, v.Rule, a.Place.Account)
	return newMessage(subject(a.Place, text), body, err)
}
