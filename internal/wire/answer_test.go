package wire_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/cloudfrontapi"
	"plumb/internal/model/configapi"
	"plumb/internal/model/iotapi"
	"plumb/internal/model/lexv2modelsapi"
	"plumb/internal/model/lexv2runtimeapi"
	"plumb/internal/model/sesapi"
	"plumb/internal/model/ssmapi"
	"plumb/internal/wire"
)

// A request in development mode, spelled by hand.
type request struct {
	method, path, contentType, target, scope, body string
}

func (q request) send(t *testing.T, o wire.Options) *httptest.ResponseRecorder {
	t.Helper()
	if o.Services == nil {
		o.Services = all()
	}
	if o.DefaultAccount == "" {
		o.DefaultAccount, o.DefaultRegion = "123456789012", "us-east-1"
	}
	if q.method == "" {
		q.method = "POST"
	}
	if q.path == "" {
		q.path = "/"
	}
	r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
	for name, value := range map[string]string{"Content-Type": q.contentType, "X-Amz-Target": q.target} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if q.scope != "" {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+q.scope+", SignedHeaders=host, Signature=0")
	}
	w := httptest.NewRecorder()
	wire.New(slog.New(slog.DiscardHandler), o).ServeHTTP(w, r)
	return w
}

func expect(t *testing.T, w *httptest.ResponseRecorder, status int, parts ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	for _, part := range parts {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("body %s\nlacks %s", w.Body, part)
		}
	}
	if raw(w, "x-amzn-RequestId") == "" {
		t.Error("there is no x-amzn-RequestId")
	}
}

// raw is a header in AWS's spelling, which Go's own would not be.
func raw(w *httptest.ResponseRecorder, name string) string {
	return strings.Join(w.Header()[name], ",")
}

const json11 = "application/x-amz-json-1.1"

const formType = "application/x-www-form-urlencoded"

func config(operation, body string) request {
	return request{contentType: json11, target: "StarlingDoveService." + operation, body: body}
}

func TestAnswersWithoutOutputHaveAnEmptyBody(t *testing.T) {
	w := config("PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS"}},"Unknown":{"x":[1]}}`).send(t, wire.Options{})
	expect(t, w, 200)
	if w.Body.Len() != 0 || w.Header().Get("Content-Length") != "0" || w.Header().Get("Content-Type") != json11 {
		t.Errorf("body %q, headers %v", w.Body, w.Header())
	}
}

func TestBadJSONIsASerializationException(t *testing.T) {
	for body, part := range map[string]string{
		`{"ConfigRule":`:                      "not valid JSON",
		`[]`:                                  "START_ARRAY can not be converted to a Structure",
		`{"ConfigRule":{"Source":[]}}`:        "START_ARRAY can not be converted to a Structure at /ConfigRule/Source",
		`{"ConfigRule":{"ConfigRuleName":7}}`: "NUMBER_VALUE can not be converted to a String",
	} {
		w := config("PutConfigRule", body).send(t, wire.Options{})
		expect(t, w, 400, `"__type":"SerializationException"`, part)
	}
}

func TestTextsThatNoDatabaseKeepsAreRefused(t *testing.T) {
	w := config("PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS","SourceIdentifier":"a\u0000b"}}}`).send(t, wire.Options{})
	expect(t, w, 400, `"__type":"ValidationException"`, "The text at /ConfigRule/Source/SourceIdentifier has the character U+0000")
	w = config("PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS"},"Description":"\\u0000 is spelled"}}`).send(t, wire.Options{})
	expect(t, w, 200)
}

func TestMemberNamesAreCaseSensitive(t *testing.T) {
	w := config("PutConfigRule", `{"configRule":{"Source":{"Owner":"AWS"}}}`).send(t, wire.Options{})
	expect(t, w, 400, `"__type":"ValidationException"`,
		"1 validation error detected: Value null at 'configRule' failed to satisfy constraint: Member must not be null")
}

func TestConstraintFailuresAreWordedAsAWSDoes(t *testing.T) {
	w := config("PutConfigRule", `{"ConfigRule":{"ConfigRuleName":" ","Source":{"Owner":"ME"}}}`).send(t, wire.Options{})
	expect(t, w, 400, "2 validation errors detected: Value ' ' at 'configRule.configRuleName' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: .*\\\\S.*; Value 'ME' at 'configRule.source.owner' failed to satisfy "+
		"constraint: Member must satisfy enum value set: [CUSTOM_LAMBDA, AWS, CUSTOM_POLICY]")
}

func TestAPageSizeTooLargeIsAnInvalidLimit(t *testing.T) {
	w := config("GetResourceConfigHistory", `{"resourceType":"AWS::EC2::VPC","resourceId":"i","limit":101}`).send(t, wire.Options{})
	expect(t, w, 400, `"__type":"InvalidLimitException"`,
		`"Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"`)
}

func TestUnknownOperationsSaySo(t *testing.T) {
	w := config("PutEverything", `{}`).send(t, wire.Options{})
	expect(t, w, 400, `"__type":"UnknownOperationException"`, "PutEverything")
	w = request{contentType: "application/json", target: "StarlingDoveService.PutConfigRule", body: "{}"}.send(t, wire.Options{})
	expect(t, w, 404, `"__type":"UnknownOperationException"`)
	w = request{contentType: json11, scope: "123456789012/20260101/eu-west-1/config/aws4_request", body: "{}"}.send(t, wire.Options{})
	expect(t, w, 404, `"__type":"UnknownOperationException"`)
	w = request{path: "/2015-03-31/nothing", scope: "k/20260101/eu-west-1/lambda/aws4_request"}.send(t, wire.Options{})
	expect(t, w, 404, "no operation at POST /2015-03-31/nothing")
	w = request{path: "/?Action=Sing&Version=2010-03-31", scope: "k/20260101/eu-west-1/sns/aws4_request"}.send(t, wire.Options{})
	expect(t, w, 400, "<Code>InvalidAction</Code>")
}

func TestErrorsWithoutANameAreLoggedAndHidden(t *testing.T) {
	s := configapi.NewService()
	s.DescribeConfigRules(func(context.Context, *configapi.DescribeConfigRulesInput) (*configapi.DescribeConfigRulesOutput, error) {
		return nil, errors.New("disk on fire")
	})
	s.DescribeDeliveryChannels(func(
		context.Context, *configapi.DescribeDeliveryChannelsInput,
	) (*configapi.DescribeDeliveryChannelsOutput, error) {
		panic("at the disco")
	})
	var logged strings.Builder
	h := wire.New(slog.New(slog.NewTextHandler(&logged, nil)), wire.Options{Services: []*model.Registry{s.Registry()}})
	for _, op := range []string{"DescribeConfigRules", "DescribeDeliveryChannels"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "StarlingDoveService."+op)
		r.Header.Set("Content-Type", json11)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		expect(t, w, 500, `"__type":"InternalFailure"`)
		if strings.Contains(w.Body.String(), "disk") {
			t.Error("the text of an internal error left the server")
		}
	}
	for _, part := range []string{"disk on fire", "at the disco", "operation=DescribeConfigRules"} {
		if strings.Count(logged.String(), part) != 1 {
			t.Errorf("the log does not say %q once:\n%s", part, logged.String())
		}
	}
}

func TestLambdaErrorsHaveTheirOwnShape(t *testing.T) {
	w := request{method: "GET", path: "/2015-03-31/functions/gone"}.send(t, wire.Options{})
	expect(t, w, 404, `"Message":"Function not found: gone"`, `"Type":"User"`)
	if got := raw(w, "x-amzn-ErrorType"); got != "ResourceNotFoundException" {
		t.Errorf("x-amzn-ErrorType is %q", got)
	}
}

func TestOldSQSClientsSpeakAwsQuery(t *testing.T) {
	form := "Action=SendMessage&Version=2012-11-05&MessageBody=hi&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String" +
		"&MessageAttribute.1.Value.StringValue=x%26y"
	old := request{path: "/123456789012/q", contentType: "application/x-www-form-urlencoded; charset=utf-8", body: form}
	expect(t, old.send(t, wire.Options{}), 200, `<SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`,
		"<SendMessageResult><MessageId>http://example.com/123456789012/q hi x&amp;y</MessageId></SendMessageResult>")
	old.body = "Action=ReceiveMessage&Version=2012-11-05"
	expect(t, old.send(t, wire.Options{}), 400, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>", "<Type>Sender</Type>")
	old.body = "Action=GetQueueAttributes&Version=2012-11-05&AttributeName.1=VisibilityTimeout"
	expect(t, old.send(t, wire.Options{}), 200, "<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute>")
}

func TestOtherServicesGoToTheFallback(t *testing.T) {
	ec2 := request{
		contentType: "application/x-www-form-urlencoded", body: "Action=DescribeVpcs&Version=2016-11-15",
		scope: "210987654321/20260101/eu-west-1/ec2/aws4_request",
	}
	expect(t, ec2.send(t, wire.Options{}), 501, "<Response><Errors><Error><Code>NotImplementedException</Code>", "The service ec2 is not served here.")
	var got string
	w := ec2.send(t, wire.Options{Fallback: func(w http.ResponseWriter, r *http.Request, service string) {
		body, _ := io.ReadAll(r.Body)
		got = service + " " + caller.From(r.Context()).Account + " " + string(body)
	}})
	expect(t, w, 200)
	if want := "ec2 210987654321 " + ec2.body; got != want {
		t.Errorf("the fallback got %q, want %q", got, want)
	}
}

func TestWhatNothingElseClaimsIsS3(t *testing.T) {
	for _, q := range []request{
		{method: "GET", path: "/bucket/2015-03-31"},
		{method: "PUT", path: "/bucket/key", scope: "k/20260101/eu-west-1/s3/aws4_request", body: "x"},
		{method: "GET", path: "/b/k?X-Amz-Credential=k%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"},
	} {
		w := q.send(t, wire.Options{S3: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "S3 of "+caller.From(r.Context()).Account)
		})})
		expect(t, w, 200, "S3 of 123456789012")
	}
}

func TestBodiesOverTheLimitAreRefused(t *testing.T) {
	w := config("PutConfigRule", `{"x":"`+strings.Repeat("x", 100)+`"}`).send(t, wire.Options{MaxBody: 50})
	expect(t, w, 413, "RequestEntityTooLargeException")
}

func TestAnswersAreObservedAndOperationsMayBeRefused(t *testing.T) {
	var seen []string
	o := wire.Options{
		Observe: func(_ context.Context, a wire.Answered) {
			seen = append(seen, a.Service+" "+a.Operation+" "+http.StatusText(a.Status))
		},
		Authorize: func(ctx context.Context, info model.Info, operation string, in any) (context.Context, error) {
			if d, ok := in.(*configapi.DeleteConfigRuleInput); ok && *d.ConfigRuleName == "r" {
				return ctx, model.AccessDeniedException("not %s:%s", info.Signing, operation)
			}
			return ctx, nil
		},
	}
	config("PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS"}}}`).send(t, o)
	w := config("DeleteConfigRule", `{"ConfigRuleName":"r"}`).send(t, o)
	expect(t, w, 400, `"__type":"AccessDeniedException"`, "not config:DeleteConfigRule")
	if got, want := strings.Join(seen, ","), "config PutConfigRule OK,config DeleteConfigRule Bad Request"; got != want {
		t.Errorf("observed %s, want %s", got, want)
	}
}

func TestServicesThatAreSignedForAlikeAreToldApartByTheirRoutes(t *testing.T) {
	const scope = "k/20260101/eu-west-1/lex/aws4_request"
	o := wire.Options{Services: []*model.Registry{lexv2modelsapi.NewService().Registry(), lexv2runtimeapi.NewService().Registry()}}
	expect(t, request{method: "PUT", path: "/bots/", scope: scope}.send(t, o), 501, "CreateBot is not implemented yet")
	expect(t, request{method: "GET", path: "/bots/ABCDEFGHIJ/", scope: scope}.send(t, o), 501, "DescribeBot is not implemented yet")
	session := "/bots/ABCDEFGHIJ/botAliases/TSTALIASID/botLocales/en_US/sessions/s1"
	expect(t, request{method: "GET", path: session, scope: scope}.send(t, o), 501, "GetSession is not implemented yet")
	expect(t, request{path: session + "/text", scope: scope}.send(t, o), 501, "RecognizeText is not implemented yet")
}

func TestWhatAServiceDoesNotKnowIsSentOnWhereThatIsSaid(t *testing.T) {
	var got []string
	o := wire.Options{Services: []*model.Registry{iotapi.NewService().Registry()}, SentOn: []string{"iot"},
		Fallback: func(_ http.ResponseWriter, r *http.Request, service string) {
			got = append(got, service+" "+r.URL.Path)
		}}
	q := request{method: "GET", path: "/policies", scope: "k/20260101/eu-west-1/iot/aws4_request"}
	expect(t, q.send(t, o), 200)
	o.SentOn = nil
	expect(t, q.send(t, o), 404, "AWS IoT has no operation at GET /policies.")
	o.SentOn, q.path = []string{"iot"}, "/rules/r"
	expect(t, q.send(t, o), 501, "GetTopicRule is not implemented yet")
	if want := "iot /policies"; strings.Join(got, ",") != want {
		t.Errorf("sent on were %v, want %s", got, want)
	}
}

// What a caller may do must not depend on which of two names the service reads.
func TestARequestThatNamesTwoOperationsNamesNone(t *testing.T) {
	var got []string
	o := wire.Options{Fallback: func(_ http.ResponseWriter, r *http.Request, _ string) { got = append(got, wire.Unserved(r)) }}
	const scope = "k/20260101/eu-west-1/elsewhere/aws4_request"
	for _, q := range []request{
		{contentType: formType, body: "Action=DeleteStackSet"},
		{contentType: json11, target: "X.DeleteIt"},
		{contentType: formType, body: "Action=DeleteStackSet", target: "X.ListStackSets"},
		{contentType: formType, body: "Action=DeleteStackSet&Action=ListStackSets"},
		{contentType: formType, path: "/?Action=ListStackSets", body: "Action=DeleteStackSet"},
		{contentType: json11, path: "/?Action=List", target: "X.DeleteIt"},
		{method: "DELETE", path: "/domainnames/d?Action=GetDomainNames"},
		{method: "DELETE", path: "/domainnames/d", target: "X.GetDomainNames"},
		{method: "GET", path: "/?Action=List"},
	} {
		q.scope = scope
		expect(t, q.send(t, o), 200)
	}
	if want := []string{"DeleteStackSet", "DeleteIt", "", "", "", "", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnUnknownOperationIsSentOnInEveryProtocol(t *testing.T) {
	var got []string
	o := wire.Options{
		Services: []*model.Registry{ssmapi.NewService().Registry(), sesapi.NewService().Registry(), cloudfrontapi.NewService().Registry()},
		SentOn:   []string{"ssm", "ses", "cloudfront"},
		Fallback: func(_ http.ResponseWriter, r *http.Request, service string) {
			operation := wire.Unserved(r)
			body, _ := io.ReadAll(r.Body)
			got = append(got, service+" "+r.URL.Path+" "+operation+string(body))
		},
	}
	scope := func(service string) string { return "k/20260101/eu-west-1/" + service + "/aws4_request" }
	for _, q := range []request{
		{contentType: json11, target: "AmazonSSM.GetParameter", scope: scope("ssm"), body: `{"Name":"/p"}`},
		{contentType: json11, target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", scope: scope("cloudtrail")},
		{contentType: formType, scope: scope("ses"), body: "Action=GetTemplate&Version=2010-12-01"},
		{method: "GET", path: "/v2/email/identities", scope: scope("ses")},
		{method: "GET", path: "/2020-05-31/origin-access-control", scope: scope("cloudfront")},
	} {
		expect(t, q.send(t, o), 200)
	}
	want := []string{`ssm / GetParameter{"Name":"/p"}`, "cloudtrail / LookupEvents", "ses / GetTemplateAction=GetTemplate&Version=2010-12-01", "ses /v2/email/identities ", "cloudfront /2020-05-31/origin-access-control "}
	if !slices.Equal(got, want) {
		t.Errorf("sent on were %q, want %q", got, want)
	}
	expect(t, request{contentType: json11, target: "AmazonSSM.GetDocument", scope: scope("ssm"), body: `{"Name":"d"}`}.send(t, o), 501, "GetDocument is not implemented yet")
	expect(t, request{path: "/?Version=2010-12-01", scope: scope("ses")}.send(t, o), 400, "MissingAction")
}
