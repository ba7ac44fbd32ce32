package s3

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/model"
)

func policies() []route {
	return []route{
		{"GetBucketPolicy", "GET", inBucket, "policy", "", (*call).getPolicy},
		{"PutBucketPolicy", "PUT", inBucket, "policy", "", (*call).putPolicy},
		{"DeleteBucketPolicy", "DELETE", inBucket, "policy", "", (*call).deletePolicy},
		{"GetBucketPolicyStatus", "GET", inBucket, "policyStatus", "", (*call).policyStatus},
	}
}

// maxPolicy is S3's limit of a policy's size.
const maxPolicy = 20 << 10

func (c *call) policy() (string, error) {
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindPolicy, "")
	if err == nil && !ok {
		err = notFound("NoSuchBucketPolicy", "The bucket policy does not exist").With("BucketName", c.name)
	}
	return body, err
}

func (c *call) getPolicy() error {
	body, err := c.policy()
	if err != nil {
		return err
	}
	return c.raw(http.StatusOK, "application/json", []byte(body))
}

// putPolicy keeps a policy. Plumb does not evaluate it: it checks its form and
// whether it makes the bucket public, because rules ask for that.
func (c *call) putPolicy() error {
	data, err := c.read()
	if err != nil {
		return err
	}
	doc, err := parsePolicy(c.name, data)
	if err != nil {
		return err
	}
	if block, err := c.blocked("BlockPublicPolicy"); err != nil {
		return err
	} else if block && doc.public() {
		return fault(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy on resource: \""+
			c.bucket.ARN()+"\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
	}
	conf := bucket.Configuration{Body: string(data)}
	if err := c.store.PutConfiguration(c.ctx, c.bucket, bucket.KindPolicy, conf); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func (c *call) deletePolicy() error {
	if err := c.store.DeleteConfiguration(c.ctx, c.bucket, bucket.KindPolicy, ""); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

type policyStatus struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus"`
	IsPublic bool
}

func (c *call) policyStatus() error {
	body, err := c.policy()
	if err != nil {
		return err
	}
	doc, err := parsePolicy(c.name, []byte(body))
	if err != nil {
		return err
	}
	return c.document(policyStatus{IsPublic: doc.public()})
}

// A policyDocument is what of a policy says whether it is public.
type policyDocument struct {
	Version   string
	Statement oneOrMore[statement]
}

type statement struct {
	Effect      string
	Principal   json.RawMessage
	Action      json.RawMessage
	NotAction   json.RawMessage
	Resource    oneOrMore[string]
	NotResource oneOrMore[string]
	Condition   map[string]map[string]oneOrMore[any]
}

// oneOrMore reads a JSON value that may stand alone or in a list.
type oneOrMore[T any] []T

// UnmarshalJSON reads either form.
func (l *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "[") {
		return json.Unmarshal(b, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = oneOrMore[T]{one}
	return nil
}

func parsePolicy(name string, data []byte) (policyDocument, error) {
	var doc policyDocument
	if len(data) > maxPolicy {
		return doc, malformedPolicy("Normalized policy document exceeds the maximum allowed size of 20480 bytes.")
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return doc, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if len(doc.Statement) == 0 {
		return doc, malformedPolicy("Missing required field Statement")
	}
	for _, s := range doc.Statement {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return doc, malformedPolicy("Invalid effect: " + s.Effect)
		case len(s.Principal) == 0 && !strings.Contains(string(data), "NotPrincipal"):
			return doc, malformedPolicy("Missing required field Principal")
		case len(s.Action) == 0 && len(s.NotAction) == 0:
			return doc, malformedPolicy("Missing required field Action")
		case len(s.Resource) == 0 && len(s.NotResource) == 0:
			return doc, malformedPolicy("Missing required field Resource")
		}
		for _, r := range s.Resource {
			_, path, ok := strings.Cut(r, ":s3:::")
			if bucketName, _, _ := strings.Cut(path, "/"); !ok || (bucketName != name && !strings.ContainsAny(bucketName, "*?$")) {
				return doc, malformedPolicy("Policy has invalid resource")
			}
		}
	}
	return doc, nil
}

func malformedPolicy(text string) *model.Error {
	return fault(http.StatusBadRequest, "MalformedPolicy", text)
}

// public reports whether a statement lets everybody in. As S3 sees it, a
// condition on who or where the caller is makes it not public, if its values
// are fixed.
func (d policyDocument) public() bool {
	for _, s := range d.Statement {
		if s.Effect == "Allow" && s.everybody() && !s.narrowed() {
			return true
		}
	}
	return false
}

func (s statement) everybody() bool {
	var one string
	if json.Unmarshal(s.Principal, &one) == nil {
		return one == "*"
	}
	var by map[string]oneOrMore[string]
	if json.Unmarshal(s.Principal, &by) != nil {
		return false
	}
	for _, p := range by["AWS"] {
		if p == "*" {
			return true
		}
	}
	return false
}

// narrowing are the condition keys that S3 counts, in lower case.
var narrowing = []string{
	"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
	"aws:userid", "aws:username", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:principalservicename",
	"s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:vpcsourceip",
}

func (s statement) narrowed() bool {
	for operator, keys := range s.Condition {
		if strings.Contains(operator, "Not") || strings.HasSuffix(operator, "IfExists") {
			continue
		}
		for key, values := range keys {
			if oneOf(strings.ToLower(key), narrowing...) && fixed(values) {
				return true
			}
		}
	}
	return false
}

func fixed(values []any) bool {
	for _, v := range values {
		s, ok := v.(string)
		if ok && (s == "*" || s == "0.0.0.0/0" || s == "::/0") {
			return false
		}
	}
	return len(values) > 0
}
