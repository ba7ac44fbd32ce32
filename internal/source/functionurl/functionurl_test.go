package functionurl_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

type object = map[string]any

// A fixture is a function "f" with a URL.
type fixture struct {
	*testing.T
	p    *apptest.Plumb
	host string
}

// echo answers the event, or what its body has evaluated.
const echo = `import json
def handler(event, context):
    if event["rawPath"] == "/answer":
        return eval(event["body"])
    return event
`

func setUp(t *testing.T, p *apptest.Plumb, auth types.FunctionUrlAuthType, cors *types.Cors) *fixture {
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f := &fixture{T: t, p: p}
	p.MakeFunction(t, "f", echo)
	out, err := p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: auth, Cors: cors})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(*out.FunctionUrl)
	if err != nil {
		t.Fatal(err)
	}
	f.host = u.Host
	return f
}

// open lets everybody in.
func (f *fixture) open() {
	f.permit("*", "NONE")
}

func (f *fixture) permit(principal string, auth types.FunctionUrlAuthType) {
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("url"), Action: aws.String("lambda:InvokeFunctionUrl"), Principal: &principal, FunctionUrlAuthType: auth,
	})
	if err != nil {
		f.Fatal(err)
	}
}

// request makes a request to this server with the URL's name.
func (f *fixture) request(method, path string, body []byte, header ...string) *http.Request {
	r, err := http.NewRequestWithContext(f.Context(), method, f.p.URL()+path, bytes.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	r.Host = f.host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func (f *fixture) send(r *http.Request) (*http.Response, string) {
	f.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	return res, string(text)
}

func (f *fixture) event(r *http.Request) (event object) {
	f.Helper()
	res, text := f.send(r)
	if err := json.Unmarshal([]byte(text), &event); err != nil || res.StatusCode != http.StatusOK {
		f.Fatalf("%s: %s", res.Status, text)
	}
	return event
}

func TestFunctionGetsARequestInPayloadFormat2(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "NONE", nil)
		f.open()
		got := f.event(f.request("POST", "/a%20b/c?x=1&x=2&y=z", []byte(`{"k": 1}`), "Content-Type", "application/json", "Cookie", "a=1; b=2", "X-Many", "1", "X-Many", "2",
			"User-Agent", "test"))
		id, _, _ := strings.Cut(f.host, ".")
		at := got["requestContext"].(object)
		want := object{
			"version": "2.0", "routeKey": "$default", "rawPath": "/a%20b/c", "rawQueryString": "x=1&x=2&y=z", "cookies": []any{"a=1", "b=2"},
			"headers": object{
				"host": f.host, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "content-type": "application/json", "x-many": "1,2", "user-agent": "test",
				"content-length": "8", "accept-encoding": "gzip",
			},
			"queryStringParameters": object{"x": "1,2", "y": "z"},
			"requestContext": object{
				"accountId": "anonymous", "apiId": id, "domainName": f.host, "domainPrefix": id, "requestId": at["requestId"], "routeKey": "$default", "stage": "$default",
				"http": object{"method": "POST", "path": "/a b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
				"time": "01/Mar/2026:12:00:00 +0000", "timeEpoch": 1772366400000,
			},
			"body": `{"k": 1}`, "isBase64Encoded": false,
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) || at["requestId"] == "" {
			t.Errorf("got  %s\nwant %s", b, a)
		}
		if got = f.event(f.request("PUT", "/", []byte{0xff, 0}, "Content-Type", "image/png")); got["body"] != "/wA=" || got["isBase64Encoded"] != true {
			t.Errorf("a binary body came as %v", got)
		}
	})
}

func TestAnswersBecomeResponses(t *testing.T) {
	f := setUp(t, apptest.Start(t), "NONE", nil)
	f.open()
	for _, c := range []struct {
		answer      string
		status      int
		contentType string
		body        string
	}{
		{`{"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-N": 5}, "cookies": ["a=1", "b=2"], "body": "made"}`, 201, "text/plain", "made"},
		{`{"statusCode": "404"}`, 404, "application/json", ""},
		{`{"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}`, 200, "application/json", "\xff\x00"},
		{`{"a": 1}`, 200, "application/json", `{"a": 1}`},
		{`"plain"`, 200, "application/json", "plain"},
		{`None`, 200, "application/json", "null"},
		{`{"statusCode": "many"}`, 502, "application/json", "Internal Server Error"},
		{`{"statusCode": 99}`, 502, "application/json", "Internal Server Error"},
		{`{"statusCode": 200, "body": 5}`, 502, "application/json", "Internal Server Error"},
		{`{"statusCode": 200, "body": "%", "isBase64Encoded": True}`, 502, "application/json", "Internal Server Error"},
		{`1/0`, 502, "application/json", "Internal Server Error"},
	} {
		res, body := f.send(f.request("POST", "/answer", []byte(c.answer), "Content-Type", "text/plain"))
		if res.StatusCode != c.status || body != c.body || res.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %d %s %q", c.answer, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if c.status == 201 && (len(res.Cookies()) != 2 || res.Header.Get("X-N") != "5") {
			t.Errorf("headers %v", res.Header)
		}
	}
}

func TestStrangersAreNotLetIn(t *testing.T) {
	f := setUp(t, apptest.Start(t), "NONE", nil)
	res, body := f.send(f.request("GET", "/", nil))
	if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "urls-auth.html") || res.Header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
		t.Errorf("without permission: %s %s", res.Status, body)
	}
	f.open()
	if res, body = f.send(f.request("POST", "/", make([]byte, 5<<20))); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too long with its base64: %s %s", res.Status, body)
	}
	f.host = strings.Repeat("a", 32) + f.host[32:]
	if res, body = f.send(f.request("GET", "/healthz", nil)); res.StatusCode != http.StatusForbidden || body != `{"Message":null}` {
		t.Errorf("a host that is not there: %s %s", res.Status, body)
	}
}

func (f *fixture) sign(r *http.Request, body, id, secret, token string) *http.Request {
	sum := sha256.Sum256([]byte(body))
	keys := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}
	if err := v4.NewSigner().SignHTTP(f.Context(), keys, r, hex.EncodeToString(sum[:]), "lambda", "us-east-1", f.p.Clock().Now()); err != nil {
		f.Fatal(err)
	}
	return r
}

func TestIAMWantsASignatureOfTheAccountOrAPermission(t *testing.T) {
	f := setUp(t, apptest.Start(t), "AWS_IAM", nil)
	if res, _ := f.send(f.request("GET", "/", nil)); res.StatusCode != http.StatusForbidden {
		t.Errorf("unsigned: %s", res.Status)
	}
	got := f.event(f.sign(f.request("POST", "/", []byte("x")), "x", f.p.Account(), "any", ""))
	iam := got["requestContext"].(object)["authorizer"].(object)["iam"].(object)
	if iam["accountId"] != f.p.Account() || iam["userArn"] != "arn:aws:iam::"+f.p.Account()+":root" || got["requestContext"].(object)["accountId"] != f.p.Account() {
		t.Errorf("the function got %v", got["requestContext"])
	}
	const other = "999999999999"
	if res, _ := f.send(f.sign(f.request("GET", "/", nil), "", other, "any", "")); res.StatusCode != http.StatusForbidden {
		t.Errorf("another account: %s", res.Status)
	}
	f.permit(other, "AWS_IAM")
	if res, _ := f.send(f.sign(f.request("GET", "/", nil), "", other, "any", "")); res.StatusCode != http.StatusOK {
		t.Errorf("another account with a permission: %s", res.Status)
	}
}

func TestServerModeHoldsSignaturesAgainstTheRequest(t *testing.T) {
	const id, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.AccessKeys = settings.Server, []settings.AccessKey{{ID: id, Secret: settings.Secret(secret), Account: s.Account}}
	}).Signing(id, secret)

	p.MakeFunction(t, "f", echo)
	out, err := p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: "AWS_IAM"})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(*out.FunctionUrl)
	f := &fixture{T: t, p: p, host: u.Host}
	for keys, want := range map[string]int{secret: http.StatusOK, "other": http.StatusForbidden} {
		if res, body := f.send(f.sign(f.request("POST", "/", []byte("x")), "x", id, keys, "")); res.StatusCode != want {
			t.Errorf("secret %s: %s %s", keys, res.Status, body)
		}
	}
	if res, _ := f.send(f.sign(f.request("POST", "/", []byte("changed")), "x", id, secret, "")); res.StatusCode != http.StatusForbidden {
		t.Errorf("another body than was signed: %s", res.Status)
	}
}

// A body that does not come would be waited for if it were read.
func TestTheBodyOfAStrangerIsNotRead(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.AccessKeys = settings.Server, []settings.AccessKey{{ID: "AKIAALICE", Secret: "any", Account: s.Account}}
	}).Signing("AKIAALICE", "any")
	p.MakeFunction(t, "f", echo)
	out, err := p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: "AWS_IAM"})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(*out.FunctionUrl)
	f := &fixture{T: t, p: p, host: u.Host}
	for name, id := range map[string]string{"an unknown key": "AKIASTRANGER", "an old date": "AKIAALICE"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 5000000\r\nX-Amz-Date: 20200101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "+
			"Credential=%s/20200101/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n\r\nx", f.host, id)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}

func TestWebPagesMayCallWhatCORSNames(t *testing.T) {
	f := setUp(t, apptest.Start(t), "NONE", &types.Cors{
		AllowOrigins: []string{"https://app.example"}, AllowMethods: []string{"PUT"}, AllowHeaders: []string{"x-a"}, AllowCredentials: aws.Bool(true), MaxAge: aws.Int32(60),
	})
	f.open()
	res, body := f.send(f.request("OPTIONS", "/", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "PUT"))
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": "x-a",
		"Access-Control-Allow-Credentials": "true", "Access-Control-Max-Age": "60",
	} {
		if res.Header.Get(name) != want || body != "" {
			t.Errorf("%s: %q, body %q", name, res.Header.Get(name), body)
		}
	}
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://other.example": ""} {
		res, _ := f.send(f.request("PUT", "/", nil, "Origin", origin))
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != want || res.StatusCode != http.StatusOK {
			t.Errorf("page of %s: %s, allowed %q", origin, res.Status, got)
		}
	}
}

func TestURLsAreKeptListedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "NONE", nil)
		name := aws.String("f")
		_, err := p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: "NONE"})
		expectError(t, err, "ResourceConflictException", "Failed to create function url config for [functionArn = arn:aws:lambda:us-east-1:"+p.Account()+
			":function:f]. Error message:  FunctionUrlConfig exists for this Lambda function")
		_, err = p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("none"), AuthType: "NONE"})
		expectError(t, err, "ResourceNotFoundException", "Function does not exist")
		if _, err := p.Lambda().PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Lambda().CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
			t.Fatal(err)
		}
		live, err := p.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: name, Qualifier: aws.String("live"), AuthType: "AWS_IAM"})
		if err != nil || !regexp.MustCompile(`^https?://[0-9a-z]{32}\.lambda-url\.us-east-1\.`).MatchString(*live.FunctionUrl) {
			t.Fatalf("made %v, %v", live, err)
		}
		first, err := p.Lambda().ListFunctionUrlConfigs(t.Context(), &lambda.ListFunctionUrlConfigsInput{FunctionName: name, MaxItems: aws.Int32(1)})
		if err != nil || len(first.FunctionUrlConfigs) != 1 || first.NextMarker == nil {
			t.Fatalf("listed %v, %v", first, err)
		}
		second, err := p.Lambda().ListFunctionUrlConfigs(t.Context(), &lambda.ListFunctionUrlConfigsInput{FunctionName: name, MaxItems: aws.Int32(1), Marker: first.NextMarker})
		if err != nil || len(second.FunctionUrlConfigs) != 1 || second.NextMarker != nil || *second.FunctionUrlConfigs[0].FunctionUrl != *live.FunctionUrl {
			t.Fatalf("listed %v, %v", second, err)
		}
		changed, err := p.Lambda().UpdateFunctionUrlConfig(t.Context(), &lambda.UpdateFunctionUrlConfigInput{FunctionName: name, Qualifier: aws.String("live"), AuthType: "NONE"})
		if err != nil || changed.AuthType != "NONE" || changed.InvokeMode != "BUFFERED" {
			t.Errorf("changed %v, %v", changed, err)
		}
		if _, err := p.Lambda().DeleteFunctionUrlConfig(t.Context(), &lambda.DeleteFunctionUrlConfigInput{FunctionName: name}); err != nil {
			t.Error(err)
		}
		_, err = p.Lambda().GetFunctionUrlConfig(t.Context(), &lambda.GetFunctionUrlConfigInput{FunctionName: name})
		expectError(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
		if res, _ := f.send(f.request("GET", "/", nil)); res.StatusCode != http.StatusForbidden {
			t.Errorf("a deleted url answers %s", res.Status)
		}
	})
}

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}
