package crashtest

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A check compares what the server has in the end with the ledger.
type check struct {
	*world
	*ledger
	*reader
	t     *testing.T
	items map[version]configItem
	count map[string]int
}

// failf tells of a loss, and not of hundreds.
func (c *check) failf(kind, format string, args ...any) {
	c.t.Helper()
	if c.count["LOST "+kind]++; c.count["LOST "+kind] <= 5 {
		c.t.Errorf(kind+": "+format, args...)
	}
}

func (c *check) all() {
	c.histories()
	c.announcements()
	c.judgementsOfItems()
	c.verdicts()
	c.transitionsOfVerdicts()
	c.asides()
	c.rulesKept()
	c.objectsKept()
	c.lettersKept()
	c.snapshot()
	c.workDone()
}

// history returns the items of a resource, oldest first.
func (c *check) history(resourceType, id string) []configtypes.ConfigurationItem {
	var out []configtypes.ConfigurationItem
	p := configservice.NewGetResourceConfigHistoryPaginator(c.config, &configservice.GetResourceConfigHistoryInput{
		ResourceType: configtypes.ResourceType(resourceType), ResourceId: &id, ChronologicalOrder: configtypes.ChronologicalOrderForward,
		Limit: 100,
	})
	for p.HasMorePages() {
		page, err := p.NextPage(c.t.Context())
		if missing := new(configtypes.ResourceNotDiscoveredException); errors.As(err, &missing) {
			return nil
		}
		if err != nil {
			c.t.Fatal(err)
		}
		out = append(out, page.ConfigurationItems...)
	}
	return out
}

var serialIn = regexp.MustCompile(`"(?i:serial|visibilityTimeout)": ?"?([0-9]+)|"serial=([0-9]+)`)

func isGone(it configtypes.ConfigurationItem) bool {
	return it.ConfigurationItemStatus == configtypes.ConfigurationItemStatusResourceDeleted
}

// serialOf finds the serial number in an item; false if it has none yet.
func serialOf(it configtypes.ConfigurationItem) (int, bool) {
	if isGone(it) {
		return gone, true
	}
	text := aws.ToString(it.Configuration)
	if s, ok := it.Tags["serial"]; ok {
		text = `"serial":"` + s + `"`
	}
	m := serialIn.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1] + m[2])
	return n, err == nil
}

// histories: what was acknowledged is in the history, in its order, and the
// present state of what is embedded here is the newest item's.
func (c *check) histories() {
	for _, s := range c.subjects {
		history := c.history(s.resourceType, s.id)
		var serials []int
		last := ""
		for _, it := range history {
			v := version{s.resourceType, s.id, aws.ToString(it.ConfigurationStateId)}
			c.items[v] = it
			c.count["items"]++
			if last != "" && len(last) == len(v.state) && v.state <= last {
				c.failf("history", "%s %s: version %s follows %s", s.resourceType, s.id, v.state, last)
			}
			last = v.state
			n, ok := serialOf(it)
			if ok && !(n == gone && !s.every) {
				serials = append(serials, n)
			} else if s.every {
				c.failf("history", "%s %s: an item without a serial number: %s", s.resourceType, s.id, aws.ToString(it.Configuration))
			}
		}
		c.explain(s, history, serials)
	}
}

func (c *check) explain(s *subject, history []configtypes.ConfigurationItem, serials []int) {
	if s.every {
		if err := s.explains(serials); err != nil {
			c.failf("history", "%s %s: %v", s.resourceType, s.id, err)
		}
		return
	}
	now := c.present(s)
	if !possible(s.attempts, now) && now != none && now != 30 {
		c.failf("state", "%s %s is at %d, after %v", s.resourceType, s.id, now, tail(s.attempts))
	}
	newest := none
	if len(history) > 0 {
		if n, ok := serialOf(history[len(history)-1]); ok {
			newest = n
		}
	}
	if newest != now && !(newest == none && now == gone) {
		c.failf("newest item", "%s %s is at %d, its newest item at %d", s.resourceType, s.id, now, newest)
	}
	if !slices.IsSortedFunc(serials, func(a, b int) int { return a - b }) {
		c.failf("history", "%s %s went back: %v", s.resourceType, s.id, serials)
	}
}

func tail(a []attempt) []attempt { return a[max(0, len(a)-8):] }

// none is a resource that is there and has no serial number.
const none = -2

// present reads the serial number of a resource where it lives.
func (c *check) present(s *subject) int {
	ctx := c.t.Context()
	switch s.resourceType {
	case typeBucket:
		if _, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.id}); err != nil {
			return gone
		}
		out, err := c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &s.id})
		if err != nil {
			return none
		}
		for _, tag := range out.TagSet {
			if n, err := strconv.Atoi(*tag.Value); err == nil && *tag.Key == "serial" {
				return n
			}
		}
		return none
	case typeQueue:
		out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: &s.id, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameVisibilityTimeout},
		})
		if err != nil {
			c.t.Fatal(err)
		}
		n, _ := strconv.Atoi(out.Attributes["VisibilityTimeout"])
		return n
	default:
		out, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &s.id})
		if err != nil {
			c.t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(out.Description), "serial="))
		if err != nil {
			return none
		}
		return n
	}
}

// announcements: the topic told of every item at least once.
func (c *check) announcements() {
	for v := range c.items {
		c.count["announced"] += c.announced[v]
		if c.announced[v] == 0 {
			c.failf("announcement", "the topic told nothing of %v", v)
		}
	}
}

// judgementsOfItems: the function judged every item in its scope at least once.
func (c *check) judgementsOfItems() {
	for v, it := range c.items {
		c.count["judged"] += c.judgements[v]
		if c.judgements[v] == 0 && it.ConfigurationItemCaptureTime.After(c.ruled) {
			c.failf("evaluation", "the function did not judge %v", v)
		}
	}
}

type configItem = configtypes.ConfigurationItem
