package outside

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
)

// namesIn returns what a request calls the resource that it is about; none if it is
// about no single one.
func namesIn(q *routed) []string {
	switch q.service {
	case "iam":
		return identitiesIn(q)
	case "apigateway":
		return apisIn(q.r.URL.Path)
	case "events":
		return eventsIn(q)
	case "scheduler":
		return schedulesIn(q)
	case "organizations":
		if q.readsOrganization() {
			return []string{"of the account"}
		}
		return nil
	}
	if q.service == "cognito-identity" && !strings.Contains(q.operation, "IdentityPool") {
		return nil // what needs no signature gets none of the target's credentials
	}
	var names []string
	for _, key := range nameKeys[q.service] {
		if v := q.parameter(key); v != "" {
			names = append(names, v)
		}
	}
	if q.service == "sqs" && queuePath.MatchString(q.r.URL.Path) {
		names = append(names, q.r.URL.Path) // an old client's, which leaves the parameter out
	}
	if q.service == "cloudfront" && !q.creates() {
		names = append(names, distributionIn(q))
	}
	if q.service == "lambda" {
		if m := functionPath.FindStringSubmatch(q.r.URL.EscapedPath()); m != nil {
			if name, err := url.PathUnescape(m[1]); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

var distributionPath = regexp.MustCompile(`^/2020-05-31/distribution/([^/]+)`)

// distributionIn returns the id of the distribution that a request is about; empty if it
// is about all of them, or makes one.
func distributionIn(q *routed) string {
	if m := distributionPath.FindStringSubmatch(q.r.URL.Path); m != nil {
		return m[1]
	}
	resource := q.r.URL.Query().Get("Resource")
	return resource[strings.LastIndexByte(resource, '/')+1:]
}

// nameKeys are the parameters that name a service's resources, as they stand in the
// query, the form, or the JSON of requests.
var nameKeys = map[string][]string{
	"cloudformation":   {"StackName", "ChangeSetName"},
	"cognito-identity": {"IdentityPoolId"},
	"codecommit":       {"repositoryName"},
	"ssm":              {"Name"},
	"sns":              {"TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn", "Name"},
	"sqs":              {"QueueUrl", "QueueName", "SourceArn"},
	"lambda":           {"FunctionName"},
	"firehose":         {"DeliveryStreamName"},
	"logs":             {"logGroupName", "logGroupIdentifier", "resourceArn"},
}

// identityKeys are the parameters that name identities, with their kinds.
var identityKeys = []struct{ key, kind string }{
	{"RoleName", "role"}, {"UserName", "user"}, {"GroupName", "group"}, {"InstanceProfileName", "instance-profile"},
}

// identitiesIn returns what a request to IAM calls the identities and policies that
// it is about, with their kinds: role/app. AWS's own policies are nobody's.
func identitiesIn(q *routed) []string {
	var names []string
	for _, k := range identityKeys {
		if v := q.parameter(k.key); v != "" {
			names = append(names, k.kind+"/"+v)
		}
	}
	for _, key := range []string{"PolicyArn", "PolicySourceArn"} {
		a, err := arn.Parse(q.parameter(key))
		if kind, path, ok := strings.Cut(a.Resource, "/"); err == nil && ok && a.Account != "aws" {
			names = append(names, kind+"/"+path[strings.LastIndexByte(path, '/')+1:])
		}
	}
	return names
}

// ofAWS reports whether a request lists AWS's own policies: they would be there
// twice.
func (q *routed) ofAWS() bool {
	return q.operation == "ListPolicies" && q.parameter("Scope") != "Local"
}

// apiPath is the API in a path of API Gateway's, or in an ARN that is a part of it.
var apiPath = regexp.MustCompile(`/(?:apis|restapis)/([0-9A-Za-z]+)`)

func apisIn(path string) []string {
	if m := apiPath.FindStringSubmatch(path); m != nil {
		return m[1:]
	}
	return nil
}

// functionPath is the function in a path of Lambda's API.
var functionPath = regexp.MustCompile(`^/\d{4}-\d\d-\d\d/(?:functions|tags|policy)/([^/?]+)`)

// parameter returns a parameter of a request, wherever its protocol has it.
func (q *routed) parameter(key string) string {
	if v := q.r.URL.Query().Get(key); v != "" {
		return v
	}
	if isForm(q.r) {
		form, _ := url.ParseQuery(string(q.body)) // what does not parse is not there
		return form.Get(key)
	}
	var members map[string]json.RawMessage
	var text string
	if json.Unmarshal(q.body, &members) == nil && json.Unmarshal(members[key], &text) == nil {
		return text
	}
	return strings.Trim(string(members[key]), `"`) // a number
}

// setParameter changes a parameter where the request has it; an empty value takes it
// away.
func (q *routed) setParameter(key, value string) {
	query := q.r.URL.Query()
	switch {
	case query.Has(key):
		set(query, key, value)
		q.r = q.r.Clone(q.r.Context())
		q.r.URL.RawQuery = query.Encode()
	case isForm(q.r):
		form, _ := url.ParseQuery(string(q.body))
		set(form, key, value)
		q.body = []byte(form.Encode())
	default:
		var members map[string]json.RawMessage
		if json.Unmarshal(q.body, &members) != nil {
			return
		}
		delete(members, key)
		if value != "" {
			members[key], _ = json.Marshal(value) // text always can
		}
		q.body, _ = json.Marshal(members)
	}
}

func set(values url.Values, key, value string) {
	if value == "" {
		values.Del(key)
		return
	}
	values.Set(key, value)
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// topicARN returns the ARN of a topic, which may be named by it, by a subscription's,
// or, where it is made, by its name alone.
func topicARN(p config.Place, name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return arn.New("sns", p.Region, p.Account, name).String()
	}
	parts := strings.SplitN(name, ":", 7) // the seventh is of a subscription
	return strings.Join(parts[:min(len(parts), 6)], ":")
}

// queueName returns the name in a queue's URL or ARN.
func queueName(name string) string {
	return name[strings.LastIndexAny(name, "/:")+1:]
}

var queuePath = regexp.MustCompile(`/(\d{12})/[^/]+$`)

// queuePlace returns whose a queue is by its URL.
func queuePlace(p config.Place, name string) config.Place {
	if m := queuePath.FindStringSubmatch(name); m != nil {
		p.Account = m[1]
	}
	return p
}

// groupName returns the name in the ARN of a log group.
func groupName(name string) string {
	if a, err := arn.Parse(name); err == nil {
		name = strings.TrimPrefix(a.Resource, "log-group:")
		name, _, _ = strings.Cut(name, ":") // log-stream:..., or *
	}
	return name
}
