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
	Place   config.Place           `json:"place"`
	Changes []config.VerdictChange `json:"changes"`
	Created time.Time              `json:"created"`
}

// Kind names the job.
func (complianceJob) Kind() string { return "delivery_compliance" }

func (d *Delivery) sendCompliance(ctx context.Context, j job.Job[complianceJob]) error {
	a := j.Args
	c, ok, err := d.channel(ctx, a.Place)
	if err != nil || !ok || c.TopicARN == "" {
		return err
	}
	sent := sendEach(ctx, len(a.Changes), func(i int) error {
		m, err := a.message(a.Changes[i])
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
