package cloudfront_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/lambda/lambdatest"
)

type object = map[string]any

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fixture is an origin on this machine that notes what it is asked.
type fixture struct {
	*testing.T
	*apptest.Plumb
	port    int
	handler http.HandlerFunc

	mu    sync.Mutex
	asked []string // method, path, some headers, body
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{T: t, Plumb: p}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Test")+" "+string(text)))
		f.mu.Unlock()
		if f.handler != nil {
			f.handler(w, r)
			return
		}
		fmt.Fprintf(w, "%s of the origin", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL) // its own
	f.port, _ = strconv.Atoi(u.Port())
	return f
}

func (f *fixture) try(operation string, in object) (object, error) {
	return f.Client().Call(context.Background(), "cloudfront", operation, in)
}

func (f *fixture) call(operation string, in object) object {
	f.Helper()
	out, err := f.try(operation, in)
	if err != nil {
		f.Fatalf("%s: %v", operation, err)
	}
	return out
}

// config is a configuration with the origin of this machine.
func (f *fixture) config(reference string, behavior object) object {
	b := object{"TargetOriginId": "here", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 3600,
		"ForwardedValues": object{"QueryString": true, "Cookies": object{"Forward": "none"}}}
	for k, v := range behavior {
		if v == nil {
			delete(b, k)
			continue
		}
		b[k] = v
	}
	return object{"CallerReference": reference, "Comment": "größer & <so>", "Enabled": true, "DefaultCacheBehavior": b,
		"Origins": object{"Quantity": 1, "Items": []any{object{"Id": "here", "DomainName": "localhost", "OriginPath": "/base",
			"CustomHeaders":      object{"Quantity": 1, "Items": []any{object{"HeaderName": "X-Test", "HeaderValue": "configured"}}},
			"CustomOriginConfig": object{"HTTPPort": f.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}}}}
}

// A distribution is one with its names.
type distribution struct{ id, domain, etag string }

func (f *fixture) distribution(config object) distribution {
	f.Helper()
	out := f.call("CreateDistribution", object{"DistributionConfig": config})
	d := out["Distribution"].(object)
	return distribution{d["Id"].(string), d["DomainName"].(string), out["ETag"].(string)}
}

// get sends a request to a distribution; it returns the answer and its body.
func (f *fixture) get(domain, path string, change ...func(*http.Request)) (*http.Response, string) {
	f.Helper()
	r, err := http.NewRequest(http.MethodGet, f.URL()+path, nil)
	if err != nil {
		f.Fatal(err)
	}
	r.Host = domain
	for _, c := range change {
		c(r)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
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

func (f *fixture) want(res *http.Response, text string, status int, cache, body string) {
	f.Helper()
	if res.StatusCode != status || res.Header.Get("X-Cache") != cache || !strings.Contains(text, body) {
		f.Errorf("got %d, X-Cache %q, %q; want %d, %q, %q", res.StatusCode, res.Header.Get("X-Cache"), text, status, cache, body)
	}
}

func (f *fixture) wantAsked(want ...string) {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.asked, want) {
		f.Errorf("the origin was asked %q, want %q", f.asked, want)
	}
	f.asked = nil
}

// edge makes a version of a function that may be associated, and returns its ARN.
func (f *fixture) edge(name, code string, change ...func(*lambda.CreateFunctionInput)) string {
	f.Helper()
	in := &lambda.CreateFunctionInput{FunctionName: &name, Handler: aws.String("main.handler"), Runtime: lambdatypes.RuntimePython312, Publish: true,
		Role: aws.String("arn:aws:iam::" + f.Account() + ":role/edge"), Timeout: aws.Int32(5), MemorySize: aws.Int32(128),
		Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(f, "main.py", []byte(code))}}
	for _, c := range change {
		c(in)
	}
	out, err := f.Lambda().CreateFunction(f.Context(), in)
	if err != nil {
		f.Fatal(err)
	}
	return "arn:aws:lambda:us-east-1:" + f.Account() + ":function:" + name + ":" + *out.Version
}

func associations(pairs ...string) object {
	var items []any
	for i := 0; i < len(pairs); i += 2 {
		items = append(items, object{"EventType": pairs[i], "LambdaFunctionARN": pairs[i+1]})
	}
	return object{"Quantity": len(items), "Items": items}
}

// printer prints its event, and goes on with what it got.
const printer = `import json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
    cf = event["Records"][0]["cf"]
    return cf.get("response") or cf["request"]
`

func TestFunctionsOfFourEventsSeeARequestAndViewersFunctionsAHit(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.handler = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Origin", "yes")
			io.WriteString(w, "hello")
		}
		function := f.edge("f", printer)
		d := f.distribution(f.config("r", object{"LambdaFunctionAssociations": associations("viewer-request", function, "origin-request", function,
			"origin-response", function, "viewer-response", function)}))
		res, text := f.get(d.domain, "/p%20q?a=1")
		f.want(res, text, 200, "Miss from cloudfront", "hello")
		if res.Header.Get("X-Origin") != "yes" || !strings.Contains(res.Header.Get("Via"), "(CloudFront)") || res.Header.Get("X-Amz-Cf-Id") == "" {
			t.Errorf("the answer has the headers %v", res.Header)
		}
		f.wantAsked("GET /base/p%20q?a=1 configured")
		res, text = f.get(d.domain, "/p%20q?a=1")
		f.want(res, text, 200, "Hit from cloudfront", "hello")
		f.wantAsked()
		printed := p.Printed(t, "f")
		var kinds []string
		for _, e := range printed {
			kinds = append(kinds, member(t, e, "Records", 0, "cf", "config", "eventType"))
		}
		if want := []string{"viewer-request", "origin-request", "origin-response", "viewer-response", "viewer-request", "viewer-response"}; !slices.Equal(kinds, want) {
			t.Fatalf("functions got %v, want %v", kinds, want)
		}
		for i, want := range map[int]string{
			0: `{"clientIp": "127.0.0.1", "method": "GET", "uri": "/p%20q", "querystring": "a=1"}`,
			1: `{"clientIp": "127.0.0.1", "method": "GET", "uri": "/p%20q", "querystring": "a=1", "origin": {"custom": {"customHeaders": {"x-test": [{"key": "X-Test",
				"value": "configured"}]}, "domainName": "localhost", "keepaliveTimeout": 5, "path": "/base", "port": ` + strconv.Itoa(f.port) + `, "protocol": "http",
				"readTimeout": 30, "sslProtocols": ["TLSv1.2"]}}}`,
		} {
			var e struct {
				Records []struct {
					CF struct {
						Config  object
						Request object
					}
				}
			}
			if err := json.Unmarshal([]byte(printed[i]), &e); err != nil {
				t.Fatal(err)
			}
			c := e.Records[0].CF
			if c.Config["distributionDomainName"] != d.domain || c.Config["distributionId"] != d.id || c.Config["requestId"] == "" || len(c.Config) != 4 {
				t.Errorf("config of event %d: %v", i, c.Config)
			}
			delete(c.Request, "headers")
			var w object
			if err := json.Unmarshal([]byte(want), &w); err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(c.Request), fmt.Sprint(w); got != want {
				t.Errorf("request of event %d:\ngot  %s\nwant %s", i, got, want)
			}
		}
		for path, want := range map[string]string{"host": d.domain} {
			if got := member(t, printed[0], "Records", 0, "cf", "request", "headers", path, 0, "value"); got != want {
				t.Errorf("%s of the viewer's request: %s", path, got)
			}
		}
		if got := member(t, printed[1], "Records", 0, "cf", "request", "headers", "user-agent", 0, "value"); got != "Amazon CloudFront" {
			t.Errorf("the origin's request has the user agent %s", got)
		}
		if got := member(t, printed[2], "Records", 0, "cf", "response", "status") + member(t, printed[2], "Records", 0, "cf", "response", "statusDescription"); got != "200OK" {
			t.Errorf("the origin's answer is %s", got)
		}
	})
}

// member returns what stands at a path in JSON, as text.
func member(t *testing.T, text string, path ...any) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	for _, p := range path {
		switch k := p.(type) {
		case string:
			v = v.(object)[k]
		case int:
			v = v.([]any)[k]
		}
	}
	return fmt.Sprint(v)
}

func TestFunctionsChangeRequestsOriginsAndAnswers(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	function := f.edge("f", `def handler(event, context):
    cf = event["Records"][0]["cf"]
    kind, request, response = cf["config"]["eventType"], cf["request"], cf.get("response")
    if kind == "viewer-request":
        request["uri"] = "/rewritten"
        request["querystring"] = "b=2"
    if kind == "origin-request":
        request["origin"]["custom"]["path"] = "/other"
        request["origin"]["custom"]["customHeaders"] = {"x-test": [{"key": "X-Test", "value": "chosen"}]}
    if kind == "origin-response":
        response["status"], response["body"] = "201", "made"
    if kind == "viewer-response":
        response["headers"]["strict-transport-security"] = [{"key": "Strict-Transport-Security", "value": "max-age=1"}]
    return response or request
`)
	d := f.distribution(f.config("r", object{"LambdaFunctionAssociations": associations("viewer-request", function, "origin-request", function,
		"origin-response", function, "viewer-response", function)}))
	res, text := f.get(d.domain, "/")
	f.want(res, text, 201, "Miss from cloudfront", "made")
	if res.Header.Get("Strict-Transport-Security") != "max-age=1" {
		t.Errorf("the answer has the headers %v", res.Header)
	}
	f.wantAsked("GET /other/rewritten?b=2 chosen")
}

func TestFunctionsAnswerThemselves(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	redirect := f.edge("redirect", `def handler(event, context):
    return {"status": "302", "statusDescription": "Found", "headers": {"location": [{"key": "Location", "value": "https://example.com/"}]}}
`)
	never := f.edge("never", `def handler(event, context):
    raise Exception("a viewer's function saw what another one made")
`)
	d := f.distribution(f.config("viewer", object{"LambdaFunctionAssociations": associations("viewer-request", redirect, "viewer-response", never)}))
	res, text := f.get(d.domain, "/")
	f.want(res, text, 302, "LambdaGeneratedResponse from cloudfront", "")
	if res.Header.Get("Location") != "https://example.com/" {
		t.Errorf("redirected to %s", res.Header.Get("Location"))
	}
	made := f.edge("made", `def handler(event, context):
    return {"status": "200", "headers": {"cache-control": [{"value": "max-age=10"}]}, "body": "aGVsbG8=", "bodyEncoding": "base64"}
`)
	d = f.distribution(f.config("origin", object{"LambdaFunctionAssociations": associations("origin-request", made)}))
	res, text = f.get(d.domain, "/")
	f.want(res, text, 200, "LambdaGeneratedResponse from cloudfront", "hello")
	res, text = f.get(d.domain, "/")
	f.want(res, text, 200, "Hit from cloudfront", "hello")
	d = f.distribution(f.config("broken", object{"LambdaFunctionAssociations": associations("viewer-response", never)}))
	res, text = f.get(d.domain, "/")
	f.want(res, text, 502, "LambdaExecutionError from cloudfront", "<H1>502 ERROR</H1>")
	f.handler = func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 404) }
	res, text = f.get(d.domain, "/none") // an error of the origin's is not shown to the function
	f.want(res, text, 404, "Error from cloudfront", "no")
	f.wantAsked("GET /base/ configured", "GET /base/none configured")
}

func TestFunctionsSeeAndReplaceBodies(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	function := f.edge("f", `import base64, json, time
def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    body = request["body"]
    data = base64.b64decode(body["data"])
    print("EVENT %017.6f %s" % (time.time(), json.dumps([len(data), body["inputTruncated"], body["action"], body["encoding"]])))
    if data == b"replace me":
        request["body"] = {"action": "replace", "encoding": "text", "data": "replaced"}
    return request
`)
	with := associations("viewer-request", function)
	with["Items"].([]any)[0].(object)["IncludeBody"] = true
	d := f.distribution(f.config("r", object{"LambdaFunctionAssociations": with, "AllowedMethods": object{"Quantity": 7,
		"Items": []any{"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}, "CachedMethods": object{"Quantity": 2, "Items": []any{"GET", "HEAD"}}}}))
	post := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	f.get(d.domain, "/", post("as it is"))
	f.get(d.domain, "/", post("replace me"))
	large := strings.Repeat("x", 2<<20)
	f.get(d.domain, "/", post(large))
	f.wantAsked("POST /base/ configured as it is", "POST /base/ configured replaced", "POST /base/ configured "+large)
	if got, want := p.Printed(t, "f"), []string{`[8, false, "read-only", "base64"]`, `[10, false, "read-only", "base64"]`, `[40960, true, "read-only", "base64"]`}; !slices.Equal(got, want) {
		t.Errorf("the function saw %v, want %v", got, want)
	}
}

func TestAnswersAreCachedAsBehaviorsSay(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		config := f.config("r", object{"ForwardedValues": object{"QueryString": true, "QueryStringCacheKeys": object{"Quantity": 1, "Items": []any{"page"}},
			"Headers": object{"Quantity": 1, "Items": []any{"X-Kind"}}, "Cookies": object{"Forward": "whitelist", "WhitelistedNames": object{"Quantity": 1, "Items": []any{"user*"}}}}})
		config["CacheBehaviors"] = object{"Quantity": 1, "Items": []any{object{"PathPattern": "api/*", "TargetOriginId": "here", "ViewerProtocolPolicy": "allow-all",
			"CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}}}
		config["DefaultRootObject"] = "index.html"
		d := f.distribution(config)
		cached := func(path, want string, change ...func(*http.Request)) {
			t.Helper()
			res, _ := f.get(d.domain, path, change...)
			if got := res.Header.Get("X-Cache"); got != want+" from cloudfront" {
				t.Errorf("%s: X-Cache is %s, want %s", path, got, want)
			}
		}
		header := func(name, value string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set(name, value) }
		}
		cached("/", "Miss")
		cached("/index.html", "Hit")
		cached("/?page=2", "Miss")
		cached("/?page=2&other=1", "Hit")
		cached("/", "Miss", header("X-Kind", "b"))
		cached("/", "Hit", header("X-Other", "b"))
		cached("/", "Miss", header("Cookie", "user1=a; b=c"))
		cached("/", "Hit", header("Cookie", "b=d; user1=a"))
		cached("/", "Hit", func(r *http.Request) { r.Method = "HEAD" })
		cached("/api/x", "Miss")
		cached("/api/x", "Miss")
		p.Clock().Advance(59 * time.Second)
		cached("/", "Hit")
		p.Clock().Advance(time.Second)
		cached("/", "Miss")
		cached("/images/a.png", "Miss")
		out := f.call("CreateInvalidation", object{"DistributionId": d.id, "InvalidationBatch": object{"CallerReference": "i",
			"Paths": object{"Quantity": 1, "Items": []any{"/images/*"}}}})["Invalidation"].(object)
		cached("/images/a.png", "Miss")
		cached("/", "Hit")
		again := f.call("GetInvalidation", object{"DistributionId": d.id, "Id": out["Id"]})["Invalidation"].(object)
		if fmt.Sprint(again) != fmt.Sprint(out) || out["Status"] != "Completed" {
			t.Errorf("the invalidation is %v, and %v", out, again)
		}
		if list := f.call("ListInvalidations", object{"DistributionId": d.id})["InvalidationList"].(object); fmt.Sprint(list["Quantity"]) != "1" {
			t.Errorf("the invalidations are %v", list)
		}
	})
}

func TestDistributionsAreMadeChangedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		config := f.config("r", nil)
		config["Aliases"] = object{"Quantity": 1, "Items": []any{"www.example.com"}}
		d := f.distribution(config)
		if again := f.distribution(config); again != d {
			t.Errorf("made again: %v, want %v", again, d)
		}
		res, text := f.get("WWW.example.com", "/x")
		f.want(res, text, 200, "Miss from cloudfront", "/base/x of the origin")
		out := f.call("GetDistributionConfig", object{"Id": d.id})
		c := out["DistributionConfig"].(object)
		if c["Comment"] != "größer & <so>" || out["ETag"] != d.etag || fmt.Sprint(c["Aliases"]) != "map[Items:[www.example.com] Quantity:1]" {
			t.Errorf("the configuration is %v", out)
		}
		refused := func(operation string, in object, code string) {
			t.Helper()
			if _, err := f.try(operation, in); awsclient.Code(err) != code {
				t.Errorf("%s: %v, want %s", operation, err, code)
			}
		}
		other := f.config("r", nil)
		refused("CreateDistribution", object{"DistributionConfig": other}, "DistributionAlreadyExists")
		other = f.config("other", nil)
		other["Aliases"] = config["Aliases"]
		refused("CreateDistribution", object{"DistributionConfig": other}, "CNAMEAlreadyExists")
		refused("UpdateDistribution", object{"Id": d.id, "DistributionConfig": config}, "InvalidIfMatchVersion")
		refused("UpdateDistribution", object{"Id": d.id, "DistributionConfig": config, "IfMatch": "E2"}, "PreconditionFailed")
		refused("DeleteDistribution", object{"Id": d.id, "IfMatch": d.etag}, "DistributionNotDisabled")
		refused("GetDistribution", object{"Id": "E000"}, "NoSuchDistribution")
		config["Enabled"] = false
		out = f.call("UpdateDistribution", object{"Id": d.id, "DistributionConfig": config, "IfMatch": d.etag})
		res, text = f.get(d.domain, "/x")
		f.want(res, text, 403, "Error from cloudfront", "Bad request.")
		resource := out["Distribution"].(object)["ARN"]
		f.call("TagResource", object{"Resource": resource, "Tags": object{"Items": []any{object{"Key": "a", "Value": "b"}, object{"Key": "c"}}}})
		f.call("UntagResource", object{"Resource": resource, "TagKeys": object{"Items": []any{"c"}}})
		if got := f.call("ListTagsForResource", object{"Resource": resource})["Tags"]; fmt.Sprint(got) != "map[Items:[map[Key:a Value:b]]]" {
			t.Errorf("the tags are %v", got)
		}
		second := f.call("CreateDistributionWithTags", object{"DistributionConfigWithTags": object{"DistributionConfig": f.config("tagged", nil),
			"Tags": object{"Items": []any{object{"Key": "k", "Value": "v"}}}}})
		list := f.call("ListDistributions", object{"MaxItems": "1"})["DistributionList"].(object)
		if list["IsTruncated"] != true || fmt.Sprint(list["Quantity"]) != "1" || list["NextMarker"] == nil {
			t.Errorf("the first page is %v", list)
		}
		f.call("DeleteDistribution", object{"Id": d.id, "IfMatch": out["ETag"]})
		list = f.call("ListDistributions", nil)["DistributionList"].(object)
		if items := list["Items"].([]any); len(items) != 1 || items[0].(object)["Id"] != second["Distribution"].(object)["Id"] {
			t.Errorf("left are %v", items)
		}
		res, text = f.get(d.domain, "/x")
		f.want(res, text, 403, "Error from cloudfront", "Bad request.")
	})
}

func TestConfigurationsThatCannotBeAreRefused(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	good := f.edge("good", printer)
	unversioned, _, _ := strings.Cut(good, ":function:")
	large := f.edge("large", printer, func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(256) })
	slow := f.edge("slow", printer, func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(6) })
	variables := f.edge("variables", printer, func(in *lambda.CreateFunctionInput) {
		in.Environment = &lambdatypes.Environment{Variables: map[string]string{"AB": "c"}}
	})
	for i, c := range []struct {
		behavior object
		code     string
		text     string
	}{
		{object{"TargetOriginId": "other"}, "NoSuchOrigin", ""},
		{object{"ForwardedValues": nil}, "InvalidArgument", "ForwardedValues is required"},
		{object{"ForwardedValues": nil, "CachePolicyId": "none"}, "NoSuchCachePolicy", ""},
		{object{"LambdaFunctionAssociations": associations("viewer-request", unversioned+":function:good")}, "InvalidLambdaFunctionAssociation", "specific function version"},
		{object{"LambdaFunctionAssociations": associations("viewer-request", unversioned+":function:good:$LATEST")}, "InvalidLambdaFunctionAssociation", "specific function version"},
		{object{"LambdaFunctionAssociations": associations("viewer-request", unversioned+":function:none:1")}, "InvalidLambdaFunctionAssociation", "does not exist"},
		{object{"LambdaFunctionAssociations": associations("viewer-request", strings.Replace(good, "us-east-1", "eu-west-1", 1))}, "InvalidLambdaFunctionAssociation", "us-east-1"},
		{object{"LambdaFunctionAssociations": associations("viewer-request", large)}, "InvalidLambdaFunctionAssociation", "256 Max allowed: 128"},
		{object{"LambdaFunctionAssociations": associations("viewer-response", slow)}, "InvalidLambdaFunctionAssociation", "6 Max allowed: 5"},
		{object{"LambdaFunctionAssociations": associations("origin-request", variables)}, "InvalidLambdaFunctionAssociation", "environment variables"},
		{object{"LambdaFunctionAssociations": associations("viewer-request", good, "viewer-request", good)}, "InvalidLambdaFunctionAssociation", "one function for each event type"},
		{object{"LambdaFunctionAssociations": object{"Quantity": 2}}, "InconsistentQuantities", ""},
	} {
		_, err := f.try("CreateDistribution", object{"DistributionConfig": f.config(strconv.Itoa(i), c.behavior)})
		if awsclient.Code(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("case %d: %v, want %s %s", i, err, c.code, c.text)
		}
	}
	for _, text := range []string{"<DistributionConfig", "", "<a/>", strings.Repeat("<a>", 100_000)} {
		r, _ := http.NewRequest("POST", p.URL()+"/2020-05-31/distribution", strings.NewReader(text))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 400 || !bytes.Contains(body, []byte("<Code>MalformedXML</Code>")) {
			t.Errorf("%.20s: %d %s", text, res.StatusCode, body)
		}
	}
}

func TestABucketIsAnOriginIfItsPolicySaysSo(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	config := f.config("r", nil)
	config["Origins"] = object{"Quantity": 1, "Items": []any{object{"Id": "here", "DomainName": "files.s3.us-east-1.amazonaws.com", "S3OriginConfig": object{"OriginAccessIdentity": ""},
		"OriginAccessControlId": "E1"}}}
	d := f.distribution(config)
	res, text := f.get(d.domain, "/a%20b.txt")
	f.want(res, text, 404, "Error from cloudfront", "<Code>NoSuchBucket</Code>")
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("files")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("files"), Key: aws.String("a b.txt"), Body: strings.NewReader("of the bucket"),
		ContentType: aws.String("text/plain")}); err != nil {
		t.Fatal(err)
	}
	p.Clock().Advance(11 * time.Second) // the error was kept
	res, text = f.get(d.domain, "/a%20b.txt")
	f.want(res, text, 403, "Error from cloudfront", "<Code>AccessDenied</Code>")
	policy := `{"Statement": {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/*",
		"Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::` + p.Account() + `:distribution/` + d.id + `"}}}}`
	if _, err := p.S3().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("files"), Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	p.Clock().Advance(11 * time.Second)
	res, text = f.get(d.domain, "/a%20b.txt")
	f.want(res, text, 200, "Miss from cloudfront", "of the bucket")
	if res.Header.Get("Content-Type") != "text/plain" || res.Header.Get("Etag") == "" {
		t.Errorf("the headers are %v", res.Header)
	}
	res, _ = f.get(d.domain, "/a%20b.txt", func(r *http.Request) { r.Header.Set("If-None-Match", res.Header.Get("Etag")) })
	if res.StatusCode != 304 {
		t.Errorf("asked for what it has: %d", res.StatusCode)
	}
	res, text = f.get(d.domain, "/none")
	f.want(res, text, 403, "Error from cloudfront", "<Code>AccessDenied</Code>")
}

func TestOriginsThatDoNotAnswerAndMethodsThatAreNotAllowedArePages(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	config := f.config("r", nil)
	config["Origins"].(object)["Items"].([]any)[0].(object)["CustomOriginConfig"].(object)["HTTPPort"] = 1
	d := f.distribution(config)
	res, text := f.get(d.domain, "/")
	f.want(res, text, 502, "Error from cloudfront", "CloudFront wasn&#39;t able to connect to the origin.")
	res, text = f.get(d.domain, "/", func(r *http.Request) { r.Method = "DELETE" })
	f.want(res, text, 403, "Error from cloudfront", "not configured to allow the HTTP request method")
	res, text = f.get("dnone.cloudfront.net", "/")
	f.want(res, text, 403, "Error from cloudfront", "Bad request.")
}

func TestARequestThatGoesRoundEnds(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	u, _ := url.Parse(p.URL()) // its own
	f.port, _ = strconv.Atoi(u.Port())
	d := f.distribution(f.config("r", object{"ForwardedValues": nil, "MinTTL": nil, "DefaultTTL": nil, "MaxTTL": nil, "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
		"OriginRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3"}))
	res, text := f.get(d.domain, "/")
	f.want(res, text, 403, "Error from cloudfront", "may go round in a loop")
}
