package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"plumb/internal/bucket"
	"plumb/internal/model"
)

// S3's limits.
const (
	maxBucketTags = 50
	maxObjectTags = 10
)

func tags() []route {
	return []route{
		{"GetBucketTagging", "GET", inBucket, "tagging", "", (*call).getBucketTags},
		{"PutBucketTagging", "PUT", inBucket, "tagging", "", (*call).putBucketTags},
		{"DeleteBucketTagging", "DELETE", inBucket, "tagging", "", (*call).deleteBucketTags},
		{"GetObjectTagging", "GET", inObject, "tagging", "", (*call).getObjectTags},
		{"PutObjectTagging", "PUT", inObject, "tagging", "", (*call).putObjectTags},
		{"DeleteObjectTagging", "DELETE", inObject, "tagging", "", (*call).deleteObjectTags},
	}
}

type tag struct {
	Key   string
	Value string
}

type tagging struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	TagSet  tagSet
}

// tagSet is a type of its own so that an empty one is written.
type tagSet struct {
	Tag []tag
}

func tagDocument(m map[string]string) tagging {
	var t tagging
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t.TagSet.Tag = append(t.TagSet.Tag, tag{k, m[k]})
	}
	return t
}

// tagsOf reads the tags that are children of a node.
func tagsOf(set *node, most int) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range set.all("Tag") {
		key, value := t.child("Key").text, t.child("Value").text
		if _, twice := out[key]; twice {
			return nil, invalidTag("Cannot provide multiple Tags with the same key").With("TagKey", key)
		}
		out[key] = value
	}
	return out, checkTags(out, most)
}

func checkTags(m map[string]string, most int) error {
	if len(m) > most {
		text := "Object tags cannot be greater than 10"
		if most == maxBucketTags {
			text = "Bucket tag count cannot be greater than 50"
		}
		return fault(http.StatusBadRequest, "BadRequest", text)
	}
	for k, v := range m {
		switch {
		case k == "" || utf8.RuneCountInString(k) > 128:
			return invalidTag("The TagKey you have provided is invalid").With("TagKey", k)
		case utf8.RuneCountInString(v) > 256:
			return invalidTag("The TagValue you have provided is invalid").With("TagKey", k).With("TagValue", v)
		case strings.HasPrefix(k, "aws:"):
			return invalidTag("System tags cannot be added/updated by requester")
		}
	}
	return nil
}

func invalidTag(text string) *model.Error { return fault(http.StatusBadRequest, "InvalidTag", text) }

// encodeTags is how a bucket's tags are kept, and how x-amz-tagging has them.
func encodeTags(m map[string]string) string {
	v := url.Values{}
	for k, s := range m {
		v.Set(k, s)
	}
	return v.Encode()
}

func decodeTags(s string, most int) (map[string]string, error) {
	v, err := url.ParseQuery(s)
	if err != nil {
		return nil, invalidArgument("x-amz-tagging", s, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	if len(v) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for k, values := range v {
		if len(values) > 1 {
			return nil, invalidArgument("x-amz-tagging", s, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
		}
		out[k] = values[0]
	}
	return out, checkTags(out, most)
}

// readTags reads the Tagging document of a request.
func (c *call) readTags(most int) (map[string]string, error) {
	data, err := c.read()
	if err != nil {
		return nil, err
	}
	doc, err := parse(data, "Tagging")
	if err != nil {
		return nil, err
	}
	return tagsOf(doc.child("TagSet"), most)
}

func (c *call) getBucketTags() error {
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindTagging, "")
	if err != nil {
		return err
	}
	m, err := decodeTags(body, maxBucketTags)
	if err != nil {
		return err
	}
	if !ok || len(m) == 0 {
		return notFound("NoSuchTagSet", "The TagSet does not exist").With("BucketName", c.name)
	}
	return c.document(tagDocument(m))
}

func (c *call) putBucketTags() error {
	m, err := c.readTags(maxBucketTags)
	if err != nil {
		return err
	}
	conf := bucket.Configuration{Body: encodeTags(m)}
	if err := c.store.PutConfiguration(c.ctx, c.bucket, bucket.KindTagging, conf); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func (c *call) deleteBucketTags() error {
	if err := c.store.DeleteConfiguration(c.ctx, c.bucket, bucket.KindTagging, ""); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func (c *call) getObjectTags() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	c.versionHeader(o)
	return c.document(tagDocument(o.Meta.Tags))
}

func (c *call) putObjectTags() error {
	m, err := c.readTags(maxObjectTags)
	if err != nil {
		return err
	}
	return c.setObjectTags(m, http.StatusOK)
}

func (c *call) deleteObjectTags() error { return c.setObjectTags(nil, http.StatusNoContent) }

func (c *call) setObjectTags(m map[string]string, status int) error {
	o, err := c.store.Update(c.ctx, c.bucket, c.key, c.query.Get("versionId"), func(meta *bucket.Meta) { meta.Tags = m })
	if err != nil {
		return err
	}
	c.versionHeader(o)
	return c.empty(status)
}
