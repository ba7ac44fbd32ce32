package delivery

import (
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
)

// The message types that only delivery writes.
const (
	messageHistory         = "ConfigurationHistoryDeliveryCompleted"
	messageOversizedFailed = "OversizedConfigurationItemChangeDeliveryFailed"
	messageSnapshotStarted = "ConfigurationSnapshotDeliveryStarted"
	messageSnapshotFailed  = "ConfigurationSnapshotDeliveryFailed"
)

// A message is what a topic is given.
type message struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// newMessage joins a subject and a body that was just encoded.
func newMessage(subject string, body []byte, err error) (message, error) {
	if err != nil {
		return message{}, fmt.Errorf("encode message: %w", err)
	}
	return message{subject, string(body)}, nil
}

// maxSubject is the longest subject that SNS takes. AWS Config cuts longer ones
// and shows it by three dots.
const maxSubject = 100

// subject returns a subject line that begins as all of AWS Config's do. SNS takes
// printable ASCII only, so anything else in a resource's id becomes a "?".
func subject(p config.Place, text string) string {
	s := []rune("[AWS Config:" + p.Region + "] " + text)
	for i, c := range s {
		if c < ' ' || c > '~' {
			s[i] = '?'
		}
	}
	if len(s) > maxSubject {
		return string(s[:maxSubject-3]) + "..."
	}
	return string(s)
}

func itemSubject(it config.Item, changeType string) string {
	done := map[string]string{config.ChangeCreate: "Discovered", config.ChangeUpdate: "Updated", config.ChangeDelete: "Deleted"}[changeType]
	return subject(it.Place, fmt.Sprintf("%s %s %s in Account %s", it.Type, it.ID, done, it.Account))
}

// exportSubject is the subject of a message on a snapshot or a history file.
func exportSubject(p config.Place, what string) string {
	return subject(p, fmt.Sprintf("Configuration %s for Account %s", what, p.Account))
}

// snapshotStarted returns the message that opens the delivery of a snapshot.
func snapshotStarted(p config.Place, id string, created time.Time) (message, error) {
	body, err := json.Marshal(struct {
		ID      string `json:"configSnapshotId"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{id, config.FormatTime(created), messageSnapshotStarted, "1.1"})
	return newMessage(exportSubject(p, "Snapshot Delivery Started"), body, err)
}

// snapshotCompleted returns the message that a snapshot lies in the bucket.
func snapshotCompleted(e config.SnapshotDelivered, created time.Time) (message, error) {
	body, err := config.SnapshotCompleted(e, created)
	return newMessage(exportSubject(e.Place, "Snapshot Delivery Completed"), body, err)
}

// snapshotFailed returns the message that a snapshot could not be written. AWS
// has not published its body; this one says what a reader needs.
func snapshotFailed(c config.DeliveryChannel, id, code, text string, created time.Time) (message, error) {
	body, err := json.Marshal(struct {
		ID      string `json:"configSnapshotId"`
		Bucket  string `json:"s3Bucket"`
		Code    string `json:"errorCode"`
		Message string `json:"errorMessage"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{id, c.Bucket, code, text, config.FormatTime(created), messageSnapshotFailed, "1.1"})
	return newMessage(exportSubject(c.Place, "Snapshot Delivery Failed"), body, err)
}

// historyCompleted returns the message that a history file lies in the bucket.
func historyCompleted(c config.DeliveryChannel, key string, created time.Time) (message, error) {
	body, err := json.Marshal(struct {
		Key     string `json:"s3ObjectKey"`
		Bucket  string `json:"s3Bucket"`
		Created string `json:"notificationCreationTime"`
		Type    string `json:"messageType"`
		Version string `json:"recordVersion"`
	}{key, c.Bucket, config.FormatTime(created), messageHistory, "1.1"})
	return newMessage(exportSubject(c.Place, "History Delivery Completed"), body, err)
}

// evaluationStarted returns the message that somebody asked for an evaluation.
func evaluationStarted(e config.RulesEvaluationStarted, created time.Time) (message, error) {
	body, err := config.EvaluationStarted(e, created)
	return newMessage(subject(e.Place, "Config Rules Evaluation Started for Account "+e.Place.Account), body, err)
}
