package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"plumb/internal/awsclient"
)

// A wire answers requests with a function and keeps what was sent.
type wire struct {
	answer func(n int, r *http.Request, body string) (int, string)
	sent   []*http.Request
	bodies []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.sent, w.bodies = append(w.sent, r), append(w.bodies, string(b))
	status, body := w.answer(len(w.sent), r, string(b))
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// always answers every request alike.
func always(status int, body string) *wire {
	return &wire{answer: func(int, *http.Request, string) (int, string) { return status, body }}
}

func (w *wire) client(change func(*awsclient.Options)) *awsclient.Client {
	o := awsclient.Options{
		Region: "eu-west-1", Transport: w, Attempts: 1, Credentials: awsclient.Static("AKIDEXAMPLE", "secret", "token"),
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
	if change != nil {
		change(&o)
	}
	return awsclient.New(o)
}

func TestRequestsAreWrittenInTheirProtocol(t *testing.T) {
	for _, c := range []struct {
		name, service, operation string
		in                       map[string]any
		answer, url, body        string
	}{
		{
			"ec2 numbers lists and capitalises names", "ec2", "DescribeVpcs",
			map[string]any{
				"VpcIds": []string{"vpc-1", "vpc-2"}, "MaxResults": 5,
				"Filters": []any{map[string]any{"Name": "tag:a b", "Values": []any{"x"}}},
			},
			`<DescribeVpcsResponse/>`, "https://ec2.eu-west-1.amazonaws.com/",
			"Action=DescribeVpcs&Filter.1.Name=tag%3Aa%20b&Filter.1.Value.1=x&MaxResults=5&Version=2016-11-15&VpcId.1=vpc-1&VpcId.2=vpc-2",
		},
		{
			"query has members", "iam", "GetAccountAuthorizationDetails", map[string]any{"Filter": []string{"User", "Role"}},
			`<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult/></GetAccountAuthorizationDetailsResponse>`,
			"https://iam.amazonaws.com/",
			"Action=GetAccountAuthorizationDetails&Filter.member.1=User&Filter.member.2=Role&Version=2010-05-08",
		},
		{
			"json names the operation in a header", "dynamodb", "ListTables", map[string]any{"Limit": 7},
			`{}`, "https://dynamodb.eu-west-1.amazonaws.com/", `{"Limit":7}`,
		},
		{
			"json keeps the model's names though the query protocol has others", "sqs", "GetQueueAttributes",
			map[string]any{"QueueUrl": "q", "AttributeNames": []string{"All"}},
			`{}`, "https://sqs.eu-west-1.amazonaws.com/", `{"AttributeNames":["All"],"QueueUrl":"q"}`,
		},
		{
			"rest-json escapes the path", "lambda", "GetPolicy", map[string]any{"FunctionName": "a/b c", "Qualifier": "$LATEST"},
			`{}`, "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/a%2Fb%20c/policy?Qualifier=%24LATEST", "",
		},
		{
			"s3 puts the bucket into the host name", "s3", "GetBucketAcl", map[string]any{"Bucket": "logs"},
			`<AccessControlPolicy/>`, "https://logs.s3.eu-west-1.amazonaws.com/?acl=", "",
		},
		{
			"and into the path where it does not fit a host name", "s3", "PutObject",
			map[string]any{"Bucket": "a.b", "Key": "x y/z", "Body": []byte("hello"), "Metadata": map[string]any{"k": "v"}},
			``, "https://s3.eu-west-1.amazonaws.com/a.b/x%20y/z", "hello",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := always(200, c.answer)
			if _, err := w.client(nil).Call(t.Context(), c.service, c.operation, c.in); err != nil {
				t.Fatal(err)
			}
			if got := w.sent[0].URL.String(); got != c.url {
				t.Errorf("URL %s, want %s", got, c.url)
			}
			if w.bodies[0] != c.body {
				t.Errorf("body %s, want %s", w.bodies[0], c.body)
			}
		})
	}
}

func TestGlobalServicesAreSignedForTheirRegion(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":     "https://iam.amazonaws.com/ us-east-1",
		"cn-north-1":    "https://iam.cn-north-1.amazonaws.com.cn/ cn-north-1",
		"us-gov-east-1": "https://iam.us-gov.amazonaws.com/ us-gov-west-1",
	} {
		w := always(200, `<ListUsersResponse><ListUsersResult/></ListUsersResponse>`)
		c := w.client(func(o *awsclient.Options) { o.Region = region })
		if _, err := c.Call(t.Context(), "iam", "ListUsers", nil); err != nil {
			t.Fatal(err)
		}
		scope := strings.Split(w.sent[0].Header.Get("Authorization"), "/")
		if got := w.sent[0].URL.String() + " " + scope[2]; got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

func TestAGivenEndpointTakesEveryServiceWithBucketsInThePath(t *testing.T) {
	w := always(200, `<AccessControlPolicy/>`)
	c := w.client(func(o *awsclient.Options) { o.Endpoint = "http://127.0.0.1:5000/base/" })
	if _, err := c.Call(t.Context(), "s3", "GetBucketAcl", map[string]any{"Bucket": "logs"}); err != nil {
		t.Fatal(err)
	}
	if got := w.sent[0].URL.String(); got != "http://127.0.0.1:5000/base/logs?acl=" {
		t.Error(got)
	}
	if got := w.sent[0].Header.Get("Accept-Encoding"); got != "identity" {
		t.Errorf("objects would be unpacked: %q", got)
	}
	if w.sent[0].Header.Get("X-Amz-Content-Sha256") == "" || w.sent[0].Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("headers of the signature: %v", w.sent[0].Header)
	}
}

func TestInputThatTheModelDoesNotKnowIsNotSent(t *testing.T) {
	for _, c := range []struct {
		service, operation string
		in                 map[string]any
		says               string
	}{
		{"ec2", "DescribeVpcs", map[string]any{"VpcId": "x"}, "no such input"},
		{"ec2", "DescribeVpcs", map[string]any{"VpcIds": "x"}, "no list"},
		{"ec2", "DescribeVpcs", map[string]any{"MaxResults": "many"}, "string is no integer"},
		{"dynamodb", "DescribeTable", nil, "TableName is missing"},
		{"dynamodb", "DescribeTable", map[string]any{"TableName": 5}, "int is no string"},
		{"s3", "GetBucketAcl", map[string]any{"Bucket": ""}, "must not be empty"},
		{"ec2", "AcceptAddressTransfer", nil, "strip ec2 again"},
		{"toaster", "Toast", nil, `service "toaster" cannot be called`},
	} {
		w := always(200, "")
		_, err := w.client(nil).Call(t.Context(), c.service, c.operation, c.in)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v, want %q", c.service, c.operation, err, c.says)
		}
		if len(w.sent) > 0 {
			t.Errorf("%s %s was sent", c.service, c.operation)
		}
	}
}

func TestErrorsOfEveryProtocolHaveTheirCode(t *testing.T) {
	for _, c := range []struct{ service, operation, body, want string }{
		{"ec2", "DescribeVpcs", `<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>`, "InvalidVpcID.NotFound (HTTP 400): m"},
		{"iam", "ListUsers", `<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>`, "AccessDenied (HTTP 400): m"},
		{"s3", "ListBuckets", `<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>`, "NoSuchBucket (HTTP 400): m"},
		{"dynamodb", "ListTables", `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"m"}`, "ResourceNotFoundException (HTTP 400): m"},
		{"lambda", "ListFunctions", `{"Type":"User","Message":"m"}`, "400 (HTTP 400): m"},
		{"ec2", "DescribeVpcs", `<html>proxy`, "400 (HTTP 400): Bad Request"},
		{"dynamodb", "ListTables", ``, "400 (HTTP 400): Bad Request"},
	} {
		_, err := always(400, c.body).client(nil).Call(t.Context(), c.service, c.operation, nil)
		var e *awsclient.Error
		if !errors.As(err, &e) || e.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.service, err, c.want)
		}
	}
}

func TestAThrottledRequestIsTriedAgain(t *testing.T) {
	w := &wire{answer: func(n int, _ *http.Request, _ string) (int, string) {
		if n == 1 {
			return 400, `{"__type":"ThrottlingException"}`
		}
		return 200, `{"TableNames":["a"]}`
	}}
	c := w.client(func(o *awsclient.Options) {
		o.Attempts = 3
		o.Wait = func(context.Context, time.Duration) error { return nil }
	})
	out, err := c.Call(t.Context(), "dynamodb", "ListTables", nil)
	if err != nil || len(w.sent) != 2 {
		t.Fatalf("%v after %d requests", err, len(w.sent))
	}
	if names := out["TableNames"].([]any); names[0] != "a" {
		t.Error(out)
	}
}

func TestAnErrorOfTheCallerIsNotTriedAgain(t *testing.T) {
	w := always(403, `{"__type":"AccessDeniedException"}`)
	c := w.client(func(o *awsclient.Options) { o.Attempts = 3 })
	if _, err := c.Call(t.Context(), "dynamodb", "ListTables", nil); awsclient.Code(err) != "AccessDeniedException" {
		t.Error(err)
	}
	if len(w.sent) != 1 {
		t.Errorf("%d requests", len(w.sent))
	}
}

func TestACancelledCallDoesNotWaitForItsTurn(t *testing.T) {
	w := always(500, "")
	c := w.client(func(o *awsclient.Options) { o.Attempts = 100 })
	ctx, cancel := context.WithCancel(t.Context())
	w.answer = func(int, *http.Request, string) (int, string) { cancel(); return 500, "" }
	if _, err := c.Call(ctx, "dynamodb", "ListTables", nil); err == nil {
		t.Error("no error")
	}
}

func TestSignReplacesTheSignatureOfAForwardedRequest(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://ec2.eu-west-1.amazonaws.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "theirs")
	req.Header.Set("X-Amz-Security-Token", "theirs")
	creds := awsclient.Static("AKID", "secret", "")
	if err := awsclient.Sign(t.Context(), req, nil, creds, "ec2", "eu-west-1", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Authorization"); !strings.Contains(got, "AKID/19700101/eu-west-1/ec2/aws4_request") {
		t.Error(got)
	}
	if got := req.Header.Get("X-Amz-Security-Token"); got != "" {
		t.Errorf("token %s", got)
	}
}
