package audit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

var place = config.Place{Account: "123456789012", Region: "eu-west-1"}

// A world is a log on a store, with a clock and a bucket.
type world struct {
	t     *testing.T
	db    *db.DB
	clock *clock.Clock
	jobs  *job.Queue
	log   *audit.Log
	files map[string]string
	away  error
}

func run(t *testing.T, level string, suite func(w *world)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, db: d, clock: &clock.Clock{}, files: map[string]string{}}
		w.clock.Freeze(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
		var err error
		if w.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), w.clock, "test"); err != nil {
			t.Fatal(err)
		}
		w.log = audit.New(slog.New(slog.DiscardHandler), audit.Options{
			DB: d, Jobs: w.jobs, Now: w.clock.Now, Level: level, Keep: 30 * 24 * time.Hour, Put: w.put,
		})
		if err := w.jobs.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.jobs.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		suite(w)
	})
}

func (w *world) put(_ context.Context, key string, body io.ReadSeeker, _ int64) error {
	if w.away != nil {
		return w.away
	}
	z, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(z)
	w.files[key] = string(text)
	return err
}

func (w *world) add(name string, change ...func(*audit.Event)) {
	w.t.Helper()
	e := audit.Event{
		Place: place, Who: audit.WhoOf(caller.Caller{Account: place.Account, PrincipalARN: "arn:aws:iam::123456789012:user/team/alice", UserID: "AIDA", AccessKeyID: "AKIA1"}),
		SourceIP: "192.0.2.1", Service: "sqs", Operation: "CreateQueue", RequestID: "request-" + name, Resources: []string{"arn:aws:sqs:eu-west-1:123456789012:" + name, name},
		Sent: json.RawMessage(`{"queueName":"` + name + `"}`),
	}
	for _, f := range change {
		f(&e)
	}
	w.log.Add(e)
	w.clock.Advance(time.Second)
}

func (w *world) find(q audit.Query) (names []string) {
	w.t.Helper()
	if err := w.log.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		all, err := audit.Find(w.t.Context(), tx, q)
		for _, e := range all {
			names = append(names, strings.TrimPrefix(e.RequestID, "request-"))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

func TestCallsAreFoundByEachOfTheirSides(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		begun := w.clock.Now()
		w.add("a")
		w.add("b", func(e *audit.Event) { e.Code, e.Message = "QueueAlreadyExists", "it is there" })
		w.add("c", func(e *audit.Event) {
			e.Who = audit.WhoOf(caller.Caller{PrincipalARN: "arn:aws:iam::123456789012:root", AccessKeyID: "AKIA2"})
			e.Operation = "DeleteQueue"
		})
		w.add("d", func(e *audit.Event) {
			e.Place.Account = "222222222222"
			e.Resources = []string{"ü\x00'", strings.Repeat("x", 1024)}
		})
		for name, c := range map[string]struct {
			q    audit.Query
			want string
		}{
			"all, the newest first":  {audit.Query{}, "d c b a"},
			"the oldest first":       {audit.Query{Oldest: true}, "a b c d"},
			"account":                {audit.Query{Account: place.Account}, "c b a"},
			"user by name":           {audit.Query{User: "alice"}, "d b a"},
			"user by ARN":            {audit.Query{User: "arn:aws:iam::123456789012:root"}, "c"},
			"user by key":            {audit.Query{User: "AKIA2"}, "c"},
			"operation":              {audit.Query{Operation: "DeleteQueue"}, "c"},
			"operation of a service": {audit.Query{Operation: "sqs:CreateQueue"}, "d b a"},
			"of another service":     {audit.Query{Operation: "sns:CreateQueue"}, ""},
			"resource by name":       {audit.Query{Resources: []string{"b"}}, "b"},
			"resource by ARN":        {audit.Query{Resources: []string{"arn:aws:sqs:eu-west-1:123456789012:a"}}, "a"},
			"resource with any name": {audit.Query{Resources: []string{"ü�'"}}, "d"},
			"failed":                 {audit.Query{Failed: true}, "b"},
			"since":                  {audit.Query{Since: begun.Add(2 * time.Second)}, "d c"},
			"until":                  {audit.Query{Until: begun.Add(2 * time.Second)}, "b a"},
			"limit":                  {audit.Query{Limit: 2}, "d c"},
			"an injected query":      {audit.Query{User: "' OR '1'='1", Account: "\x00"}, ""},
		} {
			if got := strings.Join(w.find(c.q), " "); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
		var pages []string
		for after := (audit.Cursor{}); ; {
			var page []audit.Event
			err := w.db.Read(t.Context(), func(tx *db.Tx) (err error) {
				page, err = audit.Find(t.Context(), tx, audit.Query{Limit: 1, After: after})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			pages, after = append(pages, page[0].RequestID), audit.Cursor{At: page[0].At, ID: page[0].ID}
		}
		if len(pages) != 4 {
			t.Errorf("pages: %v", pages)
		}
	})
}

func TestWhatChangedAResourceIsTheCallsThatNamedItAndWereDone(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		begun := w.clock.Now()
		w.add("q")
		w.add("q", func(e *audit.Event) { e.Code = "AccessDenied" })
		w.add("q", func(e *audit.Event) { e.Service = "sns" })
		w.add("q", func(e *audit.Event) { e.Place.Account = "222222222222" })
		w.find(audit.Query{})
		key := config.ResourceKey{Place: place, Type: "AWS::SQS::Queue", ID: "https://sqs/q"}
		var all []audit.Event
		err := w.db.Read(t.Context(), func(tx *db.Tx) (err error) {
			all, err = audit.Changed(t.Context(), tx, key, []string{"q"}, begun, w.clock.Now(), 10)
			return err
		})
		if err != nil || len(all) != 1 || all[0].At != begun || all[0].Who.UserName != "alice" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestFilesHaveCloudTrailsForm(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		w.add("a")
		w.add("b", func(e *audit.Event) {
			e.Who = audit.WhoOf(caller.Caller{
				Account: place.Account, PrincipalARN: "arn:aws:sts::123456789012:assumed-role/admin/session", UserID: "AROA:session", AccessKeyID: "ASIA",
				Session: &caller.Session{SourceIdentity: "alice", Issued: time.Date(2026, 3, 10, 11, 0, 0, 0, time.UTC)},
			})
			e.Code, e.Message, e.Place.Region = "AccessDenied", "no", "eu-north-1"
		})
		w.add("nobody knows whose", func(e *audit.Event) { e.Place.Account = "" })
		w.find(audit.Query{})
		w.clock.Advance(5 * time.Minute)
		w.away = errors.New("no such bucket")
		w.log.Add(audit.Event{Place: place, Service: "sqs", Operation: "Late"})
		w.find(audit.Query{})
		w.away = nil
		drain(w)
		if len(w.files) < 2 {
			t.Fatalf("files: %v", w.files)
		}
		records := map[string]map[string]any{}
		for key, text := range w.files {
			var file struct{ Records []map[string]any }
			if err := json.Unmarshal([]byte(text), &file); err != nil {
				t.Fatal(err)
			}
			for _, r := range file.Records {
				region := r["awsRegion"].(string)
				if !strings.HasPrefix(key, "AWSLogs/123456789012/CloudTrail/"+region+"/2026/03/10/123456789012_CloudTrail_"+region+"_20260310T12") || !strings.HasSuffix(key, ".json.gz") {
					t.Errorf("a record of %s is in %s", region, key)
				}
				if id, ok := r["requestID"].(string); ok {
					if records[id] != nil {
						t.Errorf("%s is there twice", id)
					}
					records[id] = r
					delete(r, "eventID")
				}
			}
		}
		want := map[string]string{
			"request-a": `{"awsRegion":"eu-west-1","eventCategory":"Management","eventName":"CreateQueue","eventSource":"sqs.amazonaws.com","eventTime":"2026-03-10T12:00:00Z",
				"eventType":"AwsApiCall","eventVersion":"1.11","managementEvent":true,"readOnly":false,"recipientAccountId":"123456789012","requestID":"request-a",
				"requestParameters":{"queueName":"a"},"resources":[{"ARN":"arn:aws:sqs:eu-west-1:123456789012:a","accountId":"123456789012"}],"responseElements":null,
				"sourceIPAddress":"192.0.2.1","userIdentity":{"accessKeyId":"AKIA1","accountId":"123456789012","arn":"arn:aws:iam::123456789012:user/team/alice",
				"principalId":"AIDA","type":"IAMUser","userName":"alice"}}`,
			"request-b": `{"awsRegion":"eu-north-1","errorCode":"AccessDenied","errorMessage":"no","eventCategory":"Management","eventName":"CreateQueue",
				"eventSource":"sqs.amazonaws.com","eventTime":"2026-03-10T12:00:01Z","eventType":"AwsApiCall","eventVersion":"1.11","managementEvent":true,"readOnly":false,
				"recipientAccountId":"123456789012","requestID":"request-b","requestParameters":{"queueName":"b"},
				"resources":[{"ARN":"arn:aws:sqs:eu-west-1:123456789012:b","accountId":"123456789012"}],"responseElements":null,"sourceIPAddress":"192.0.2.1",
				"userIdentity":{"accessKeyId":"ASIA","accountId":"123456789012","arn":"arn:aws:sts::123456789012:assumed-role/admin/session","principalId":"AROA:session",
				"sessionContext":{"attributes":{"creationDate":"2026-03-10T11:00:00Z","mfaAuthenticated":"false"},"sessionIssuer":{"accountId":"123456789012",
				"arn":"arn:aws:iam::123456789012:role/admin","principalId":"AROA","type":"Role","userName":"admin"},"sourceIdentity":"alice"},"type":"AssumedRole"}}`,
		}
		if len(records) != len(want) {
			t.Errorf("records: %v", records)
		}
		for id, text := range want {
			var b bytes.Buffer
			if err := json.Compact(&b, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(records[id]); string(got) != b.String() {
				t.Errorf("%s\n%s\nwant\n%s", id, got, b.String())
			}
		}
		n := len(w.files)
		w.clock.Advance(time.Hour)
		drain(w)
		if len(w.files) != n {
			t.Error("what was delivered is delivered again")
		}
	})
}

func drain(w *world) {
	w.t.Helper()
	if err := w.jobs.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestOldCallsGoStepByStep(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		for i := range 5 {
			w.add(fmt.Sprint(i))
		}
		w.find(audit.Query{})
		w.clock.Advance(30 * 24 * time.Hour)
		w.add("new")
		sweep := func() (more bool) {
			err := w.db.Write(t.Context(), func(tx *db.Tx) (err error) {
				more, err = w.log.Sweep(t.Context(), tx, 3)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return more
		}
		if !sweep() || sweep() {
			t.Error("five calls do not go in two steps of three")
		}
		if got := w.find(audit.Query{}); len(got) != 1 || got[0] != "new" {
			t.Errorf("left: %v", got)
		}
		if got := w.find(audit.Query{Resources: []string{"0", "1", "2", "3", "4"}}); got != nil {
			t.Errorf("found: %v", got)
		}
	})
}

func TestStrangersCannotFillTheLog(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		for i := range 5000 {
			w.log.Add(audit.Event{Who: audit.Unknown("AKIA"), Code: "AccessDenied", RequestID: fmt.Sprint(i)})
		}
		w.add("known")
		if n := len(w.find(audit.Query{Limit: 10000})); n < 200 || n > 400 {
			t.Errorf("%d calls are kept", n)
		}
		if got := w.find(audit.Query{User: "alice"}); len(got) != 1 {
			t.Error("the call of somebody known is not kept")
		}
	})
}

func TestOfCallsThoseAreKeptThatTheLevelSays(t *testing.T) {
	for _, c := range []struct {
		service, operation, code string
		levels                   string
	}{
		{"sqs", "CreateQueue", "", "management all"}, {"sqs", "CreateQueue", "QueueAlreadyExists", "management all"}, {"sqs", "ListQueues", "", ""},
		{"sqs", "ListQueues", "AccessDenied", "management all"}, {"sqs", "SendMessage", "", "all"}, {"sqs", "ReceiveMessage", "", ""},
		{"s3", "PutObject", "", "all"}, {"s3", "PutBucketPolicy", "", "management all"}, {"s3", "GetObject", "NoSuchKey", ""},
		{"s3", "GetObject", "AccessDenied", "management all"}, {"config", "PutEvaluations", "", "all"}, {"config", "PutConfigRule", "", "management all"},
		{"lambda", "Invoke", "", "all"}, {"sts", "AssumeRole", "", "management all"}, {"sts", "GetSessionToken", "", "management all"},
		{"sts", "GetCallerIdentity", "", ""}, {"iam", "GetUser", "", ""}, {"ec2", "DescribeInstances", "", ""}, {"ec2", "RunInstances", "", "management all"},
		{"other", "GET /x", "", ""}, {"other", "PUT /x", "", "management all"}, {"other", "", "MissingAuthenticationToken", "management all"},
		{"x", "Getaway", "", "management all"},
	} {
		for _, level := range []string{audit.Off, audit.Management, audit.All} {
			run := audit.Options{Level: level}
			if got, want := audit.KeepsAt(run, c.service, c.operation, c.code), strings.Contains(c.levels, level); got != want {
				t.Errorf("%s:%s (%s) at level %s: %v", c.service, c.operation, c.code, level, got)
			}
		}
	}
}
