package s3

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"plumb/internal/bucket"
	"plumb/internal/caller"
)

// A record is one event as a destination gets it.
type record struct {
	Version  string            `json:"eventVersion"`
	Source   string            `json:"eventSource"`
	Region   string            `json:"awsRegion"`
	Time     string            `json:"eventTime"`
	Name     string            `json:"eventName"`
	User     principal         `json:"userIdentity"`
	Request  map[string]string `json:"requestParameters"`
	Response map[string]string `json:"responseElements"`
	S3       entity            `json:"s3"`
}

type principal struct {
	ID string `json:"principalId"`
}

type entity struct {
	Version       string     `json:"s3SchemaVersion"`
	Configuration string     `json:"configurationId"`
	Bucket        bucketInfo `json:"bucket"`
	Object        objectInfo `json:"object"`
}

type bucketInfo struct {
	Name  string    `json:"name"`
	Owner principal `json:"ownerIdentity"`
	ARN   string    `json:"arn"`
}

type objectInfo struct {
	Key       string `json:"key"` // as in a form: a space is +
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	Version   string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}

// milliseconds is how S3 writes a time.
const milliseconds = "2006-01-02T15:04:05.000Z"

// noETag is the ETag of nothing, which a delete marker has.
const noETag = "d41d8cd98f00b204e9800998ecf8427e"

// recordOf is an event in S3's words; the rule that tells it is filled in later.
func recordOf(e bucket.Event, by caller.Caller, now time.Time) record {
	user := by.UserID
	if user == "" {
		user = e.Bucket.Account
	}
	r := record{
		Version: "2.1", Source: "aws:s3", Region: e.Bucket.Region, Time: now.UTC().Format(milliseconds), Name: e.Name,
		User: principal{"AWS:" + user}, Request: map[string]string{"sourceIPAddress": address(by)},
		Response: map[string]string{"x-amz-request-id": by.RequestID, "x-amz-id-2": by.RequestID},
		S3: entity{
			Version: "1.0", Bucket: bucketInfo{e.Bucket.Name, principal{e.Bucket.Account}, arnOf(e.Bucket)},
			Object: objectInfo{Key: formKey(e.Key), Sequencer: sequencer(e.Sequence)},
		},
	}
	o := &r.S3.Object
	if e.Bucket.Versioning != "" {
		o.Version = e.Version
	}
	switch {
	case e.Name == bucket.MarkerCreated:
		o.ETag = noETag
	case strings.HasPrefix(e.Name, "ObjectCreated:"):
		o.Size, o.ETag = &e.Size, e.ETag
	}
	return r
}

func address(by caller.Caller) string {
	host, _, found := strings.Cut(by.RemoteAddr, ":")
	if !found || strings.HasPrefix(by.RemoteAddr, "[") {
		host = strings.Trim(by.RemoteAddr[:max(strings.LastIndex(by.RemoteAddr, ":"), 0)], "[]")
	}
	if host == "" {
		return "127.0.0.1" // the server itself
	}
	return host
}

func arnOf(b bucket.Bucket) string { return "arn:aws:s3:::" + b.Name }

// formKey writes a key as HTML forms do, with its slashes.
func formKey(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// sequencer grows with the changes of a key, compared as text of one length.
func sequencer(n int64) string { return fmt.Sprintf("%018X", n) }

// told is what a destination gets.
func told(r record, rule Rule) ([]byte, error) {
	r.S3.Configuration = rule.ID
	return json.Marshal(map[string]any{"Records": []record{r}})
}

// testEvent is what queues and topics get when a configuration names them.
func testEvent(b bucket.Bucket, by caller.Caller, now time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Service, Event, Time, Bucket, RequestId, HostId string
	}{"Amazon S3", "s3:TestEvent", now.UTC().Format(milliseconds), b.Name, by.RequestID, by.RequestID})
}

// A BusEvent is an event as the event bus gets it.
type BusEvent struct {
	DetailType string
	Bucket     string // ARN
	Detail     []byte
}

// busEvent is an event in the words of the event bus; other is true for one that the
// bus does not get.
func busEvent(e bucket.Event, by caller.Caller) (out BusEvent, err error) {
	object := map[string]any{"key": e.Key, "sequencer": sequencer(e.Sequence)}
	detail := map[string]any{
		"version": "0", "bucket": map[string]string{"name": e.Bucket.Name}, "object": object,
		"request-id": by.RequestID, "requester": requester(e, by), "source-ip-address": address(by),
	}
	if e.Bucket.Versioning != "" {
		object["version-id"] = e.Version
	}
	out.Bucket = arnOf(e.Bucket)
	switch e.Name {
	case bucket.Removed:
		out.DetailType, detail["reason"], detail["deletion-type"] = "Object Deleted", "DeleteObject", "Permanently Deleted"
	case bucket.MarkerCreated:
		out.DetailType, detail["reason"], detail["deletion-type"] = "Object Deleted", "DeleteObject", "Delete Marker Created"
		object["etag"] = noETag
	default:
		out.DetailType, object["size"], object["etag"] = "Object Created", e.Size, e.ETag
		detail["reason"] = map[string]string{
			bucket.CreatedByPut: "PutObject", bucket.CreatedByCopy: "CopyObject", bucket.CreatedByUpload: "CompleteMultipartUpload",
		}[e.Name]
	}
	out.Detail, err = json.Marshal(detail)
	return out, err
}

func requester(e bucket.Event, by caller.Caller) string {
	if by.Account != "" {
		return by.Account
	}
	return e.Bucket.Account
}
