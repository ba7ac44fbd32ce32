package crashtest

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// asides: evaluations from outside are the last acknowledged, or later.
func (c *check) asides() {
	results := c.results(ruleAside)
	for id, attempts := range c.aside {
		c.count["aside"]++
		n, err := strconv.Atoi(aws.ToString(results[[2]string{typeAside, id}].Annotation))
		if err != nil {
			n = gone
		}
		if !possible(attempts, n) {
			c.failf("evaluation", "%s is at %d after %v", id, n, tail(attempts))
		}
	}
}

// rulesKept: rules are there or not as was acknowledged last, none is left half
// deleted or half evaluated, and each has judged what is there.
func (c *check) rulesKept() {
	out, err := c.config.DescribeConfigRules(c.t.Context(), &configservice.DescribeConfigRulesInput{})
	if err != nil {
		c.t.Fatal(err)
	}
	there := map[string]int{}
	for _, r := range out.ConfigRules {
		there[*r.ConfigRuleName] = 1
		if r.ConfigRuleState != configtypes.ConfigRuleStateActive {
			c.failf("rule", "%s is %s", *r.ConfigRuleName, r.ConfigRuleState)
		}
	}
	for name, attempts := range c.rules {
		c.count["rules"]++
		n := cmp.Or(there[name], gone)
		if n == gone && lastAcked(attempts) < 0 {
			continue
		}
		if !possible(attempts, n) {
			c.failf("rule", "%s is at %d after %v", name, n, tail(attempts))
		}
		if n == gone {
			continue
		}
		results := c.results(name)
		for _, s := range c.subjects {
			it, ok := c.newestItem(s)
			if got := string(results[[2]string{s.resourceType, s.id}].ComplianceType); ok && got != expected(ruleTags, it) {
				c.failf("verdict", "%s on %s %s is %q, its newest item says %q", name, s.resourceType, s.id, got, expected(ruleTags, it))
			}
		}
	}
}

// objectsKept: objects are what was acknowledged last, whole.
func (c *check) objectsKept() {
	for key, attempts := range c.objects {
		c.count["objects"]++
		n := gone
		out, err := c.s3.GetObject(c.t.Context(), &s3.GetObjectInput{Bucket: aws.String("objects"), Key: &key})
		if missing := new(s3types.NoSuchKey); err != nil && !errors.As(err, &missing) {
			c.failf("object", "%s: %v", key, err)
			continue
		}
		if err == nil {
			body, err := io.ReadAll(out.Body)
			out.Body.Close()
			fmt.Sscan(string(body), &n)
			if err != nil || string(body) != content(n) {
				c.failf("object", "%s is not whole: %d bytes, %v", key, len(body), err)
			}
		}
		if !possible(attempts, n) {
			c.failf("object", "%s is at %d after %v", key, n, tail(attempts))
		}
	}
}

// lettersKept: a message that was sent is there unless its deletion was asked
// for, and not if that was acknowledged.
func (c *check) lettersKept() {
	got := map[string]bool{}
	c.rest(c.letters, func(body string) { got[body] = true })
	for body, acked := range c.sent {
		deleted, asked := c.deleted[body]
		switch {
		case acked && !asked && !got[body]:
			c.failf("message", "%s was sent and is not there", body)
		case asked && deleted && got[body]:
			c.failf("message", "%s was deleted and is there", body)
		}
	}
	for body := range got {
		if _, known := c.sent[body]; !known {
			c.failf("message", "%s was never sent", body)
		}
	}
	c.count["letters"] = len(got)
}

// snapshot: one can be delivered, and has the newest item of every live
// resource.
func (c *check) snapshot() {
	ctx := c.t.Context()
	out, err := c.config.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")})
	if err != nil {
		c.t.Fatal(err)
	}
	c.settle(c.t)
	list, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("deliveries")})
	if err != nil {
		c.t.Fatal(err)
	}
	i := slices.IndexFunc(list.Contents, func(o s3types.Object) bool { return strings.Contains(*o.Key, *out.ConfigSnapshotId) })
	if i < 0 {
		c.t.Errorf("snapshot %s is not in the bucket", *out.ConfigSnapshotId)
		return
	}
	lying := c.readSnapshot(*list.Contents[i].Key)
	for _, s := range c.subjects {
		it, ok := c.newestItem(s)
		if ok && !isGone(it) && !lying[version{s.resourceType, s.id, aws.ToString(it.ConfigurationStateId)}] {
			c.failf("snapshot", "the newest item of %s %s is not in it", s.resourceType, s.id)
		}
	}
	c.count["snapshot"] = len(lying)
}

func (c *check) readSnapshot(key string) map[version]bool {
	out, err := c.s3.GetObject(c.t.Context(), &s3.GetObjectInput{Bucket: aws.String("deliveries"), Key: &key})
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Body.Close()
	z, err := gzip.NewReader(out.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var file struct {
		Items []struct {
			Type    string          `json:"resourceType"`
			ID      string          `json:"resourceId"`
			StateID json.RawMessage `json:"configurationStateId"`
		} `json:"configurationItems"`
	}
	if err := json.NewDecoder(z).Decode(&file); err != nil {
		c.t.Fatal(err)
	}
	lying := map[version]bool{}
	for _, it := range file.Items {
		lying[version{it.Type, it.ID, strings.Trim(string(it.StateID), `"`)}] = true
	}
	return lying
}
