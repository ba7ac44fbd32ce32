package channel

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"plumb/internal/config"
	"plumb/internal/settings"
)

// A Line is one thing that people are told. It is also what a webhook gets of it.
type Line struct {
	ID           string    `json:"id"`    // the same each time it is sent
	Event        string    `json:"event"` // compliance, items, deliveries
	Text         string    `json:"text"`  // all of it, for a person
	Account      string    `json:"account"`
	Region       string    `json:"region"`
	ResourceType string    `json:"resourceType,omitempty"`
	ResourceID   string    `json:"resourceId,omitempty"`
	Rule         string    `json:"rule,omitempty"`
	Compliance   string    `json:"compliance,omitempty"`
	Before       string    `json:"complianceBefore,omitempty"`
	Annotation   string    `json:"annotation,omitempty"`
	ChangeType   string    `json:"changeType,omitempty"`
	Changed      []string  `json:"changedProperties,omitempty"`
	Time         time.Time `json:"time"`
	Link         string    `json:"link,omitempty"`
}

// maxText is how many characters of a line are told: an annotation has 256 at most.
const maxText = 600

// Verdict is the line of a changed verdict.
func (all *Channels) Verdict(p config.Place, ch config.VerdictChange, created time.Time) Line {
	v := ch.New
	l := Line{
		Event: settings.EventsCompliance, ResourceType: v.ResourceType, ResourceID: v.ResourceID, Rule: v.Rule,
		Compliance: string(v.Compliance), Annotation: v.Annotation,
	}
	text := fmt.Sprintf("%s %s is %s with %s", v.ResourceType, v.ResourceID, v.Compliance, v.Rule)
	if ch.Old != nil {
		l.Before = string(ch.Old.Compliance)
		text += ", was " + l.Before
	}
	if v.Annotation != "" {
		text += ": " + v.Annotation
	}
	return all.finish(l, p, text, created)
}

// changeWords are how people say what became of a resource.
var changeWords = map[string]string{config.ChangeCreate: "was discovered", config.ChangeUpdate: "was changed", config.ChangeDelete: "was deleted"}

// maxNamed is how many changed properties a line names.
const maxNamed = 3

// Item is the line of a resource that changed.
func (all *Channels) Item(it config.Item, diff config.Diff, created time.Time) Line {
	l := Line{Event: settings.EventsItems, ResourceType: it.Type, ResourceID: it.ID, ChangeType: diff.ChangeType}
	text := fmt.Sprintf("%s %s %s", it.Type, it.ID, changeWords[diff.ChangeType])
	if diff.ChangeType == config.ChangeUpdate {
		for name := range diff.Changed {
			l.Changed = append(l.Changed, name)
		}
		slices.Sort(l.Changed)
		if named := l.Changed[:min(len(l.Changed), maxNamed)]; len(named) > 0 {
			text += ": " + strings.Join(named, ", ")
		}
		if more := len(l.Changed) - maxNamed; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	return all.finish(l, it.Place, text, created)
}

// Delivery is the line of a message on a snapshot or a history file; ok is false for
// those that people need not know.
func (all *Channels) Delivery(p config.Place, body []byte, created time.Time) (l Line, ok bool) {
	var m struct {
		Type    string `json:"messageType"`
		Bucket  string `json:"s3Bucket"`
		Key     string `json:"s3ObjectKey"`
		Code    string `json:"errorCode"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(body, &m) != nil {
		return l, false
	}
	l = Line{Event: settings.EventsDeliveries}
	switch m.Type {
	case "ConfigurationSnapshotDeliveryCompleted":
		return all.finish(l, p, "Snapshot was delivered: s3://"+m.Bucket+"/"+m.Key, created), true
	case "ConfigurationHistoryDeliveryCompleted":
		return all.finish(l, p, "History file was delivered: s3://"+m.Bucket+"/"+m.Key, created), true
	case "ConfigurationSnapshotDeliveryFailed":
		return all.finish(l, p, "Snapshot was not delivered, "+m.Code+": "+m.Message, created), true
	}
	return l, false
}

// Example is what plumb channels test sends.
func (all *Channels) Example(p config.Place, created time.Time) Line {
	key := config.ResourceKey{Place: p, Type: "AWS::S3::Bucket", ID: "example-bucket"}
	l := Line{Event: settings.EventsCompliance, ResourceType: key.Type, ResourceID: key.ID, Rule: "example-rule", Compliance: string(config.NonCompliant)}
	return all.finish(l, p, "This is a test of plumb channels test: AWS::S3::Bucket example-bucket is NON_COMPLIANT with example-rule", created)
}

func (all *Channels) finish(l Line, p config.Place, text string, created time.Time) Line {
	l.Account, l.Region, l.Time = p.Account, p.Region, created.UTC()
	place := fmt.Sprintf(" (account %s, %s)", p.Account, p.Region)
	l.Text = short(flat(text), maxText-len(place)) + place
	if all.link != nil && l.ResourceID != "" {
		l.Link = all.link(config.ResourceKey{Place: p, Type: l.ResourceType, ID: l.ResourceID})
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{l.Event, l.Text, l.Rule, l.Time.Format(time.RFC3339Nano)}, "\x00")))
	l.ID = hex.EncodeToString(sum[:16])
	return l
}

// flat makes one printable line of a text.
func flat(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-3]) + "..."
	}
	return s
}

// counted are what a headline counts, in its order.
var counted = []struct{ key, one, many string }{
	{settings.EventsCompliance + "NON_COMPLIANT", "verdict NON_COMPLIANT", "verdicts NON_COMPLIANT"},
	{settings.EventsCompliance + "COMPLIANT", "verdict COMPLIANT", "verdicts COMPLIANT"},
	{settings.EventsCompliance + "NOT_APPLICABLE", "verdict NOT_APPLICABLE", "verdicts NOT_APPLICABLE"},
	{settings.EventsCompliance + "INSUFFICIENT_DATA", "verdict INSUFFICIENT_DATA", "verdicts INSUFFICIENT_DATA"},
	{settings.EventsItems, "resource changed", "resources changed"},
	{settings.EventsDeliveries, "delivery of a file", "deliveries of files"},
}

// headline tells in a line what a post has. Of a single line it is that line.
func headline(p config.Place, lines []Line) string {
	if len(lines) == 1 {
		return lines[0].Text
	}
	counts := map[string]int{}
	for _, l := range lines {
		counts[l.Event+l.Compliance]++
	}
	var parts []string
	for _, c := range counted {
		switch n := counts[c.key]; {
		case n == 1:
			parts = append(parts, "1 "+c.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, c.many))
		}
	}
	return fmt.Sprintf("%s (account %s, %s)", strings.Join(parts, ", "), p.Account, p.Region)
}
