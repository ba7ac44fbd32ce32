package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/model"
)

// A Configuration is what a bucket tells of its objects.
type Configuration struct {
	Rules []Rule
	Bus   bool // everything goes to the default event bus as well
}

// A Rule has events told to one destination.
type Rule struct {
	ID             string
	Target         string // ARN
	Kind           string // CloudFunction, Queue or Topic: the element that names the target
	Events         []string
	Prefix, Suffix string
}

// A document is a NotificationConfiguration.
type document struct {
	Functions []element `xml:"CloudFunctionConfiguration"`
	Queues    []element `xml:"QueueConfiguration"`
	Topics    []element `xml:"TopicConfiguration"`
	Bus       *struct{} `xml:"EventBridgeConfiguration"`
}

type element struct {
	ID       string   `xml:"Id"`
	Function string   `xml:"CloudFunction"`
	Queue    string   `xml:"Queue"`
	Topic    string   `xml:"Topic"`
	Events   []string `xml:"Event"`
	Filter   []filter `xml:"Filter>S3Key>FilterRule"`
}

type filter struct {
	Name  string
	Value string
}

// maxRules is how many rules a bucket may have.
const maxRules = 100

// Parse reads and checks a configuration. Of destinations only the ARN is checked.
func Parse(text []byte) (Configuration, error) {
	var d document
	if err := xml.Unmarshal(text, &d); err != nil {
		return Configuration{}, malformed()
	}
	if len(d.Functions)+len(d.Queues)+len(d.Topics) > maxRules {
		return Configuration{}, fault(fmt.Sprintf("Cannot have more than %d notification configurations", maxRules))
	}
	c := Configuration{Bus: d.Bus != nil}
	for kind, list := range map[string][]element{"CloudFunction": d.Functions, "Queue": d.Queues, "Topic": d.Topics} {
		for _, e := range list {
			r, err := e.rule(kind)
			if err != nil {
				return Configuration{}, err
			}
			c.Rules = append(c.Rules, r)
		}
	}
	return c, c.check()
}

func (e element) rule(kind string) (Rule, error) {
	r := Rule{ID: e.ID, Kind: kind, Events: e.Events}
	service := ""
	switch kind {
	case "CloudFunction":
		r.Target, service = e.Function, "lambda"
	case "Queue":
		r.Target, service = e.Queue, "sqs"
	case "Topic":
		r.Target, service = e.Topic, "sns"
	}
	if r.Target == "" || len(r.Events) == 0 {
		return r, malformed()
	}
	if a, err := arn.Parse(r.Target); err != nil || a.Service != service {
		return r, argument("The ARN could not be parsed", kind, r.Target)
	}
	for _, name := range r.Events {
		if !slices.Contains(events, name) {
			return r, argument("The event '"+name+"' is not supported for notifications", "Event", name)
		}
	}
	seen := map[string]bool{}
	for _, f := range e.Filter {
		name := strings.ToLower(f.Name)
		switch {
		case name != "prefix" && name != "suffix":
			return r, argument("filter rule name must be either prefix or suffix", "FilterRule.Name", f.Name)
		case seen[name]:
			return r, argument("Cannot specify more than one "+name+" rule in a filter.", "FilterRule.Name", f.Name)
		case len(f.Value) > 1024:
			return r, argument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule.Value", f.Value)
		case name == "prefix":
			r.Prefix = f.Value
		default:
			r.Suffix = f.Value
		}
		seen[name] = true
	}
	return r, nil
}

// events are those that a configuration may name. Of them the embedded buckets have
// those of objects that are created and removed.
var events = []string{
	"s3:ReducedRedundancyLostObject",
	"s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
	"s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
	"s3:ObjectRestore:*", "s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete",
	"s3:Replication:*", "s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked",
	"s3:Replication:OperationMissedThreshold", "s3:Replication:OperationReplicatedAfterThreshold",
	"s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated", "s3:LifecycleTransition",
	"s3:IntelligentTiering", "s3:ObjectAcl:Put", "s3:ObjectTagging:*", "s3:ObjectTagging:Put", "s3:ObjectTagging:Delete",
}

// check compares the rules with each other: no event of an object may be told twice.
func (c Configuration) check() error {
	ids := map[string]bool{}
	for i, r := range c.Rules {
		if r.ID != "" && ids[r.ID] {
			return argument("Same ID used for multiple configurations. IDs must be unique", "Id", r.ID)
		}
		ids[r.ID] = true
		for _, o := range c.Rules[:i] {
			if !shareEvent(r, o) || !overlap(r.Prefix, o.Prefix, strings.HasPrefix) || !overlap(r.Suffix, o.Suffix, strings.HasSuffix) {
				continue
			}
			if r.Prefix+r.Suffix+o.Prefix+o.Suffix == "" {
				return fault("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
			}
			return fault("Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
		}
	}
	return nil
}

func shareEvent(a, b Rule) bool {
	return slices.ContainsFunc(a.Events, func(x string) bool {
		return slices.ContainsFunc(b.Events, func(y string) bool { return covers(x, y) || covers(y, x) })
	})
}

// covers reports whether an event's name means another's.
func covers(name, other string) bool {
	begin, wild := strings.CutSuffix(name, "*")
	return name == other || wild && strings.HasPrefix(other, begin)
}

func overlap(a, b string, has func(s, part string) bool) bool { return has(a, b) || has(b, a) }

// matches reports whether an event of an object is told by the rule.
func (r Rule) matches(event, key string) bool {
	return strings.HasPrefix(key, r.Prefix) && strings.HasSuffix(key, r.Suffix) &&
		slices.ContainsFunc(r.Events, func(name string) bool { return covers(name, event) })
}

func malformed() error {
	return &model.Error{Code: "MalformedXML", Status: http.StatusBadRequest,
		Message: "The XML you provided was not well-formed or did not validate against our published schema"}
}

func fault(message string) *model.Error {
	return &model.Error{Code: "InvalidArgument", Status: http.StatusBadRequest, Message: message}
}

func argument(message, name, value string) error {
	return fault(message).With("ArgumentName", name).With("ArgumentValue", value)
}

// invalidTarget is S3's answer to destinations that cannot be told anything.
func invalidTarget(faults []refusal) error {
	e := fault("Unable to validate the following destination configurations")
	for i, f := range faults {
		e = e.With(fmt.Sprintf("ArgumentName%d", i+1), f.target+", null").With(fmt.Sprintf("ArgumentValue%d", i+1), f.reason)
	}
	return e
}

// A refusal is why a destination cannot be told anything.
type refusal struct{ target, reason string }
