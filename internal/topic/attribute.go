package topic

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"plumb/internal/db"
)

// checkTopicAttribute checks a name and a value that a client sets.
func checkTopicAttribute(t Topic, name, value string, create bool) error {
	ok := true
	switch name {
	case "DisplayName":
		ok = len(value) <= 100
	case "DeliveryPolicy":
		if value != "" {
			return checkTopicPolicy(value)
		}
	case "Policy", "ArchivePolicy", "DataProtectionPolicy":
		ok = value == "" || (strings.HasPrefix(strings.TrimSpace(value), "{") && json.Valid([]byte(value)))
	case "KmsMasterKeyId":
	case "SignatureVersion":
		ok = value == "1" || value == "2"
	case "TracingConfig":
		ok = value == "PassThrough" || value == "Active"
	case "FifoTopic":
		ok = create && (value == "true" || value == "false")
	case "ContentBasedDeduplication":
		ok = t.FIFO() && (value == "true" || value == "false")
	case "FifoThroughputScope":
		ok = t.FIFO() && (value == "Topic" || value == "MessageGroup")
	default:
		if !feedback(name) {
			return invalid("AttributeName")
		}
	}
	if !ok {
		return invalid("Attributes Reason: %s", name)
	}
	return nil
}

// feedback reports whether an attribute asks for a log of deliveries, which is
// kept and not acted on.
func feedback(name string) bool {
	for _, p := range []string{"HTTP", "Lambda", "SQS", "Firehose", "Application"} {
		rest, ok := strings.CutPrefix(name, p)
		if ok && (rest == "SuccessFeedbackRoleArn" || rest == "FailureFeedbackRoleArn" || rest == "SuccessFeedbackSampleRate") {
			return true
		}
	}
	return false
}

// Described returns all attributes of a topic, the computed ones among them.
func Described(ctx context.Context, tx *db.Tx, t Topic) (map[string]string, error) {
	out := map[string]string{
		"TopicArn": t.ARN(), "Owner": t.Account, "DisplayName": "", "Policy": defaultPolicy(t),
		"EffectiveDeliveryPolicy": effectiveTopicPolicy(t.Attributes["DeliveryPolicy"]), "SubscriptionsDeleted": "0",
	}
	var confirmed, pending int
	err := tx.QueryRow(ctx, `SELECT count(CASE WHEN confirmed > 0 THEN 1 END), count(CASE WHEN confirmed = 0 THEN 1 END)
		FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ?`, t.Account, t.Region, t.Name).Scan(&confirmed, &pending)
	if err != nil {
		return nil, fmt.Errorf("count subscriptions of %s: %w", t.Name, err)
	}
	out["SubscriptionsConfirmed"], out["SubscriptionsPending"] = strconv.Itoa(confirmed), strconv.Itoa(pending)
	if t.FIFO() {
		out["ContentBasedDeduplication"] = "false"
	}
	maps.Copy(out, t.Attributes)
	return out, nil
}

// defaultPolicy is what SNS gives a topic that was given none: everything to its
// owner.
func defaultPolicy(t Topic) string {
	actions := []string{
		"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
		"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
	}
	b, _ := json.Marshal(map[string]any{ // of text only
		"Version": "2008-10-17", "Id": "__default_policy_ID",
		"Statement": []any{map[string]any{
			"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": map[string]string{"AWS": "*"}, "Action": actions,
			"Resource": t.ARN(), "Condition": map[string]any{"StringEquals": map[string]string{"AWS:SourceOwner": t.Account}},
		}},
	})
	return string(b)
}

// PolicyOf returns a topic's policy, the default one where none was set.
func PolicyOf(t Topic) string {
	if p := t.Attributes["Policy"]; p != "" {
		return p
	}
	return defaultPolicy(t)
}
