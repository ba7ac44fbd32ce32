package trail

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/audit"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

const folder = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/30/"

// A target answers for S3 and SQS.
type target struct {
	files    map[string]string // bodies, or codes of errors, by their names' ends
	messages []string
	deleted  int
	regions  map[string]string // in which each file was asked for
	located  int
}

func (w *target) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := w.answer(r)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (w *target) answer(r *http.Request) (status int, body string) {
	q, name := r.URL.Query(), r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage"):
		var all []string
		for i, key := range w.messages {
			all = append(all, fmt.Sprintf(`{"ReceiptHandle":"%d","Body":%q}`, i, fmt.Sprintf(`{"s3Bucket":"b","s3ObjectKey":[%q]}`, folder+key)))
		}
		w.messages = nil
		return 200, `{"Messages":[` + strings.Join(all, ",") + `]}`
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteMessage"):
		w.deleted++
		return 200, `{}`
	case q.Has("location"):
		w.located++
		return 200, `<LocationConstraint>eu-west-1</LocationConstraint>`
	case q.Get("delimiter") != "":
		return 200, `<ListBucketResult><CommonPrefixes><Prefix>AWSLogs/123456789012/CloudTrail/us-east-1/</Prefix></CommonPrefixes></ListBucketResult>`
	case q.Has("list-type"):
		var all string
		for _, key := range []string{"a.json.gz", "b.json.gz", "c.json.gz"} {
			all += "<Contents><Key>" + folder + key + "</Key></Contents>"
		}
		return 200, `<ListBucketResult>` + all + `</ListBucketResult>`
	case strings.HasPrefix(w.files[name], "{"):
		w.regions[name] = strings.Split(r.Header.Get("Authorization")+"///", "/")[2]
		return 200, w.files[name]
	default:
		return 403, `<Error><Code>` + w.files[name] + `</Code></Error>`
	}
}

type world struct {
	*Trail
	*target
	t     *testing.T
	taken []string
}

func run(t *testing.T, story func(w *world)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, target: &target{regions: map[string]string{}, files: map[string]string{
			"a.json.gz": "Odd", "b.json.gz": "AccessDenied",
			"c.json.gz": `{"Records":[{"eventTime":"2026-11-30T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"CreateBucket","awsRegion":"us-east-1",
				"eventID":"e-1","recipientAccountId":"123456789012"}]}`,
		}}}
		w.Trail = &Trail{slog.New(slog.DiscardHandler), Options{
			DB: d, Now: func() time.Time { return time.Date(2026, 11, 30, 12, 1, 0, 0, time.UTC) },
			Client: func(_ context.Context, p config.Place) (*awsclient.Client, error) {
				return awsclient.New(awsclient.Options{
					Region: p.Region, Endpoint: "http://target.test", Transport: w.target, Attempts: 1,
					Credentials: awsclient.Static("AKIDEXAMPLE", "secret", ""),
				}), nil
			},
			Take: func(_ context.Context, _ *db.Tx, records []audit.Event) error {
				for _, e := range records {
					w.taken = append(w.taken, e.ID)
				}
				return nil
			},
		}}
		story(w)
	})
}

func (w *world) read(address string, do func(context.Context, Source, *awsclient.Client) error) error {
	return w.readAs(w.t.Context(), Source{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Address: address}, do)
}

func TestAFileThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	run(t, func(w *world) {
		for range 2 {
			err := w.read("s3://b", w.readBucket)
			if err == nil || !strings.Contains(err.Error(), "a.json.gz") || strings.Contains(err.Error(), "b.json.gz") || !slices.Equal(w.taken, []string{"e-1"}) {
				t.Fatalf("took %q: %v", w.taken, err)
			}
		}
		w.files["a.json.gz"], w.files["b.json.gz"] = w.files["c.json.gz"], w.files["c.json.gz"]
		if err := w.read("s3://b", w.readBucket); err != nil || len(w.taken) != 2 { // b was left out for good
			t.Errorf("took %q: %v", w.taken, err)
		}
	})
}

func TestAMessageThatCannotBeTakenHoldsUpNoOther(t *testing.T) {
	run(t, func(w *world) {
		w.messages = []string{"a.json.gz", "b.json.gz", "c.json.gz"}
		err := w.read("http://target.test/123456789012/q", w.readQueue)
		if err == nil || !strings.Contains(err.Error(), "a.json.gz") || !slices.Equal(w.taken, []string{"e-1"}) || w.deleted != 2 {
			t.Errorf("took %q, deleted %d messages: %v", w.taken, w.deleted, err)
		}
		if w.regions["c.json.gz"] != "eu-west-1" || w.located != 1 {
			t.Errorf("files were read in %q, %d questions where the bucket is", w.regions, w.located)
		}
	})
}
