package s3

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/model"
	"plumb/internal/policy"
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
	} else if block && doc.Public() {
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
	return c.document(policyStatus{IsPublic: doc.Public()})
}

func parsePolicy(name string, data []byte) (policy.Document, error) {
	if len(data) > maxPolicy {
		return policy.Document{}, malformedPolicy("Normalized policy document exceeds the maximum allowed size of 20480 bytes.")
	}
	if !json.Valid(data) || !strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
		return policy.Document{}, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	doc, err := policy.Parse(string(data))
	var effect policy.EffectError
	switch {
	case errors.As(err, &effect):
		return doc, malformedPolicy("Invalid effect: " + string(effect))
	case err != nil:
		return doc, malformedPolicy("Policy has invalid syntax: " + err.Error())
	case len(doc.Statements) == 0:
		return doc, malformedPolicy("Missing required field Statement")
	}
	for _, s := range doc.Statements {
		if err := checkStatement(name, s); err != nil {
			return doc, err
		}
	}
	return doc, nil
}

func checkStatement(name string, s policy.Statement) error {
	switch {
	case s.Principals == nil && s.NotPrincipals == nil:
		return malformedPolicy("Missing required field Principal")
	case s.Actions == nil && s.NotActions == nil:
		return malformedPolicy("Missing required field Action")
	case s.Resources == nil && s.NotResources == nil:
		return malformedPolicy("Missing required field Resource")
	}
	for _, r := range s.Resources {
		_, path, ok := strings.Cut(r, ":s3:::")
		if bucketName, _, _ := strings.Cut(path, "/"); !ok || (bucketName != name && !strings.ContainsAny(bucketName, "*?$")) {
			return malformedPolicy("Policy has invalid resource")
		}
	}
	return nil
}

func malformedPolicy(text string) *model.Error {
	return fault(http.StatusBadRequest, "MalformedPolicy", text)
}
