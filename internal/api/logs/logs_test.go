package logs_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	api "plumb/internal/api/logs"
	"plumb/internal/awsclient"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/wire"
)

type object = map[string]any

// server is CloudWatch Logs on a listener, and a client that signs.
type server struct {
	*testing.T
	client *awsclient.Client
	now    time.Time
}

func suite(t *testing.T, f func(s *server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := &server{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		log := slog.New(slog.DiscardHandler)
		store := logs.New(log, d, func() time.Time { return s.now })
		web := httptest.NewServer(wire.New(log, wire.Options{Services: []*model.Registry{api.New(store, nil, wire.NewTokens([]byte("0123456789abcdef0123456789abcdef")))}}))
		t.Cleanup(web.Close)
		s.client = awsclient.New(awsclient.Options{Endpoint: web.URL, Credentials: keys})
		f(s)
	})
}

func keys(context.Context) (awsclient.Keys, error) {
	return awsclient.Keys{ID: "123456789012", Secret: "secret"}, nil
}

// call runs an operation that succeeds.
func (s *server) call(operation string, in object) object {
	s.Helper()
	out, err := s.client.Call(s.Context(), "logs", operation, in)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *server) fails(code, operation string, in object) {
	s.Helper()
	_, err := s.client.Call(s.Context(), "logs", operation, in)
	var e *awsclient.Error
	if !errors.As(err, &e) || e.Code != code {
		s.Errorf("%s: %v, want %s", operation, err, code)
	}
}

func list(out object, name string) []any {
	l, _ := out[name].([]any)
	return l
}

func TestGroupsAndStreamsAreMadeListedAndDeleted(t *testing.T) {
	suite(t, func(s *server) {
		s.call("CreateLogGroup", object{"logGroupName": "/a/one"})
		s.fails("ResourceAlreadyExistsException", "CreateLogGroup", object{"logGroupName": "/a/one"})
		s.call("CreateLogGroup", object{"logGroupName": "/b"})
		s.call("PutRetentionPolicy", object{"logGroupName": "/a/one", "retentionInDays": int64(7)})
		groups := list(s.call("DescribeLogGroups", object{"logGroupNamePrefix": "/a"}), "logGroups")
		if len(groups) != 1 || groups[0].(object)["retentionInDays"] != int64(7) {
			s.Errorf("groups: %v", groups)
		}
		s.call("DeleteRetentionPolicy", object{"logGroupName": "/a/one"})
		s.call("CreateLogStream", object{"logGroupName": "/a/one", "logStreamName": "s"})
		s.fails("ResourceNotFoundException", "CreateLogStream", object{"logGroupName": "/c", "logStreamName": "s"})
		if streams := list(s.call("DescribeLogStreams", object{"logGroupName": "/a/one"}), "logStreams"); len(streams) != 1 {
			s.Errorf("streams: %v", streams)
		}
		s.call("DeleteLogStream", object{"logGroupName": "/a/one", "logStreamName": "s"})
		s.call("DeleteLogGroup", object{"logGroupName": "/a/one"})
		s.fails("ResourceNotFoundException", "DescribeLogStreams", object{"logGroupName": "/a/one"})
	})
}

func TestEventsThatWerePutAreReadAndFiltered(t *testing.T) {
	suite(t, func(s *server) {
		group := object{"logGroupName": "g"}
		s.call("CreateLogGroup", group)
		s.call("CreateLogStream", object{"logGroupName": "g", "logStreamName": "s"})
		at := s.now.UnixMilli()
		s.call("PutLogEvents", object{"logGroupName": "g", "logStreamName": "s", "logEvents": []any{
			object{"timestamp": at, "message": "one ERROR"}, object{"timestamp": at + 1, "message": "two"},
		}})
		read := s.call("GetLogEvents", object{"logGroupName": "g", "logStreamName": "s", "startFromHead": true})
		if events := list(read, "events"); len(events) != 2 || events[0].(object)["message"] != "one ERROR" {
			s.Errorf("events: %v", events)
		}
		again := s.call("GetLogEvents", object{"logGroupName": "g", "logStreamName": "s", "nextToken": read["nextForwardToken"]})
		if len(list(again, "events")) != 0 || again["nextForwardToken"] != read["nextForwardToken"] {
			s.Errorf("after the end: %v", again)
		}
		found := s.call("FilterLogEvents", object{"logGroupName": "g", "filterPattern": "ERROR"})
		if events := list(found, "events"); len(events) != 1 || events[0].(object)["logStreamName"] != "s" {
			s.Errorf("filtered: %v", events)
		}
		s.fails("ResourceNotFoundException", "FilterLogEvents", object{"logGroupName": "absent"})
	})
}

func TestGroupsHaveTagsByNameAndByARN(t *testing.T) {
	suite(t, func(s *server) {
		s.call("CreateLogGroup", object{"logGroupName": "g"})
		const arn = "arn:aws:logs:us-east-1:123456789012:log-group:g"
		s.call("TagLogGroup", object{"logGroupName": "g", "tags": object{"a": "1", "b": "2"}})
		s.call("TagResource", object{"resourceArn": arn, "tags": object{"c": "3"}})
		s.call("UntagLogGroup", object{"logGroupName": "g", "tags": []any{"a"}})
		s.call("UntagResource", object{"resourceArn": arn, "tagKeys": []any{"b"}})
		for operation, in := range map[string]object{"ListTagsLogGroup": {"logGroupName": "g"}, "ListTagsForResource": {"resourceArn": arn}} {
			if tags, _ := s.call(operation, in)["tags"].(object); len(tags) != 1 || tags["c"] != "3" {
				s.Errorf("%s: %v", operation, tags)
			}
		}
	})
}
