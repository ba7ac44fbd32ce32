package delivery

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
)

// Email returns what e-mail subscriptions of a topic get in place of a message's body, a
// text for people; empty where that is the body itself. page returns where people find a
// resource, or nothing, which leaves AWS's own console.
//
// The guide shows the texts of oversized items. What is read before the records of changed
// items and verdicts was seen in mail of AWS; of other messages nothing is known.
func Email(p config.Place, body string, page func(config.ResourceKey) string) string {
	var m struct {
		Type    string        `json:"messageType"`
		Item    *mailedItem   `json:"configurationItem"`
		Summary *mailedItem   `json:"configurationItemSummary"`
		New     mailedVerdict `json:"newEvaluationResult"`
		mailedItem
	}
	if json.Unmarshal([]byte(body), &m) != nil {
		return ""
	}
	var heading, about string
	it := m.Item
	switch m.Type {
	case config.MessageChange:
		heading = "New State and Change Record:"
	case config.MessageOversized, messageOversizedFailed:
		heading, it = "New State Record Summary:", m.Summary
		about = "The full configuration item change notification for this resource exceeded the maximum size allowed by Amazon Simple Notification " +
			"Service (SNS). A summary of the configuration item is provided here. You can view the complete notification in the specified Amazon S3 " +
			"bucket location.\n\n"
	case messageCompliance:
		heading, it = "New Compliance Change Record:", &mailedItem{m.Kind, m.ID, m.New.Recorded}
	}
	var record bytes.Buffer
	if it == nil || json.Indent(&record, []byte(body), "", "  ") != nil {
		return ""
	}
	key := config.ResourceKey{Place: p, Type: it.Kind, ID: it.ID}
	link := ""
	if page != nil {
		link = page(key)
	}
	if link == "" {
		link = timeline(key, it.Time)
	}
	return "View the Timeline for this Resource in AWS Config Management Console:\n" + link + "\n\n" + about +
		heading + "\n" + strings.Repeat("-", 28) + "\n" + record.String() + "\n"
}

// messageCompliance is the type of messages on changed verdicts.
const messageCompliance = "ComplianceChangeNotification"

// A mailedItem is what is read of an item.
type mailedItem struct {
	Kind string `json:"resourceType"`
	ID   string `json:"resourceId"`
	Time string `json:"configurationItemCaptureTime"`
}

type mailedVerdict struct {
	Recorded string `json:"resultRecordedTime"`
}

// timeline is where AWS's console shows a resource at a time.
func timeline(k config.ResourceKey, at string) string {
	host := map[string]string{"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}[arn.Partition(k.Region)]
	if host == "" {
		host = "console.aws.amazon.com"
	}
	return "https://" + host + "/config/home?region=" + url.QueryEscape(k.Region) + "#/timeline/" + k.Type + "/" + escapedID(k.ID) + "?time=" + at
}

// escapedID keeps an id from ending the link.
func escapedID(id string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "?", "%3F", "#", "%23", "\n", "%0A", "\r", "%0D", "\t", "%09", "<", "%3C", ">", "%3E", `"`, "%22").Replace(id)
}
