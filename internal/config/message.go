package config

import (
	"encoding/json"
	"time"
)

// MaxMessage is the largest message that SNS takes, in bytes; a change whose
// notification is larger is announced by the oversized form.
const MaxMessage = 256 * 1024

// ChangeNotification returns the ConfigurationItemChangeNotification of an item:
// the body of the SNS message and of a function's invokingEvent. diff is nil for
// an evaluation that no change caused.
func ChangeNotification(it Item, diff *Diff, created time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Diff    *Diff  `json:"configurationItemDiff"`
		Item    Item   `json:"configurationItem"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{diff, it, FormatTime(created), MessageChange, ItemVersion})
}

// An S3Summary says where the whole notification of an oversized item lies, or
// why it could not be put there.
type S3Summary struct {
	Location     *string `json:"s3BucketLocation"` // bucket/key
	ErrorCode    *string `json:"errorCode"`
	ErrorMessage *string `json:"errorMessage"`
}

type itemSummary struct {
	ChangeType   string     `json:"changeType"`
	Version      string     `json:"configurationItemVersion"`
	CaptureTime  *string    `json:"configurationItemCaptureTime"`
	StateID      int64      `json:"configurationStateId"`
	Account      string     `json:"awsAccountId"`
	Status       ItemStatus `json:"configurationItemStatus"`
	Type         string     `json:"resourceType"`
	ID           string     `json:"resourceId"`
	Name         *string    `json:"resourceName"`
	ARN          *string    `json:"ARN"`
	Region       string     `json:"awsRegion"`
	AZ           *string    `json:"availabilityZone"`
	MD5          string     `json:"configurationStateMd5Hash"`
	CreationTime *string    `json:"resourceCreationTime"`
}

// OversizedNotification returns the OversizedConfigurationItemChangeNotification
// of an item: its identity without its body.
func OversizedNotification(it Item, changeType string, s3 S3Summary, created time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Summary itemSummary `json:"configurationItemSummary"`
		S3      S3Summary   `json:"s3DeliverySummary"`
		Created string      `json:"notificationCreationTime"`
		Type    string      `json:"messageType"`
		Version string      `json:"recordVersion"`
	}{itemSummary{
		changeType, it.ShownVersion(), timeText(&it.CaptureTime), it.ShownStateID(), it.Account, it.Status, it.Type, it.ID,
		textOrNil(it.Name), textOrNil(it.ARN), it.ShownRegion(), textOrNil(it.AZ), it.MD5, timeText(it.CreationTime),
	}, s3, FormatTime(created), MessageOversized, "1.0"})
}

// ScheduledNotification returns the invokingEvent of a periodic rule.
func ScheduledNotification(account string, created time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Account string `json:"awsAccountId"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{account, FormatTime(created), MessageScheduled, "1.0"})
}

// SnapshotCompleted returns the ConfigurationSnapshotDeliveryCompleted message,
// which triggers rules as well.
func SnapshotCompleted(e SnapshotDelivered, created time.Time) ([]byte, error) {
	return json.Marshal(struct {
		ID      string `json:"configSnapshotId"`
		Key     string `json:"s3ObjectKey"`
		Bucket  string `json:"s3Bucket"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{e.SnapshotID, e.Key, e.Bucket, FormatTime(created), MessageSnapshot, "1.1"})
}

// An evaluationResult is a verdict as messages tell it.
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
	Compliance Compliance `json:"complianceType"`
	Recorded   string     `json:"resultRecordedTime"`
	Invoked    string     `json:"configRuleInvokedTime"`
	Annotation *string    `json:"annotation"`
	Token      *string    `json:"resultToken"` // always null in messages
}

func newEvaluationResult(v *Verdict) *evaluationResult {
	if v == nil {
		return nil
	}
	r := &evaluationResult{Compliance: v.Compliance, Recorded: FormatTime(v.Recorded), Invoked: FormatTime(v.Invoked)}
	q := &r.Identifier.Qualifier
	q.Rule, q.Type, q.ID, q.Mode = v.Rule, v.ResourceType, v.ResourceID, ModeDetective
	r.Identifier.Ordering = FormatTime(v.Ordering)
	if v.Annotation != "" {
		r.Annotation = &v.Annotation
	}
	return r
}

// ComplianceNotification returns the ComplianceChangeNotification of one change; the
// first verdict on a resource has no old result.
func ComplianceNotification(p Place, ch VerdictChange, created time.Time) ([]byte, error) {
	v := ch.New
	return json.Marshal(struct {
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
		newEvaluationResult(&v), newEvaluationResult(ch.Old), FormatTime(created), "ComplianceChangeNotification", "1.0",
	})
}

// EvaluationStarted returns the ConfigRulesEvaluationStarted message.
func EvaluationStarted(e RulesEvaluationStarted, created time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Account string   `json:"awsAccountId"`
		Region  string   `json:"awsRegion"`
		Rules   []string `json:"configRuleNames"`
		Created string   `json:"notificationCreationTime"`
		Type    string   `json:"messageType"`
		Version string   `json:"recordVersion"`
	}{e.Place.Account, e.Place.Region, e.Rules, FormatTime(created), "ConfigRulesEvaluationStarted", "1.0"})
}
