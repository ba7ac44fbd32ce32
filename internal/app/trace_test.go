package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
	"plumb/internal/trace/tracetest"
)

// teller is a function that gives its verdict as an SDK would: with the header that
// AWS's SDKs add in functions. In a function called shy it does without, as older ones.
const teller = `import json, os, urllib.request
def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    versioning = item["supplementaryConfiguration"].get("BucketVersioningConfiguration", {}).get("status")
    body = json.dumps({"ResultToken": event["resultToken"], "Evaluations": [{
        "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
        "ComplianceType": "COMPLIANT" if versioning == "Enabled" else "NON_COMPLIANT", "OrderingTimestamp": item["configurationItemCaptureTime"],
    }]})
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "StarlingDoveService.PutEvaluations"}
    if context.function_name != "shy":
        headers["X-Amzn-Trace-Id"] = os.environ["_X_AMZN_TRACE_ID"]
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body.encode(), headers)).read()
`

func putTracedRule(t *testing.T, p *apptest.Plumb, name string) {
	t.Helper()
	ctx := t.Context()
	function := p.MakeFunction(t, name, teller)
	if _, err := p.Lambda().AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &name, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("config.amazonaws.com"),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Config().PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: &name, Scope: &types.Scope{ComplianceResourceTypes: []string{"AWS::S3::Bucket"}},
		Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: &function, SourceDetails: []types.SourceDetail{{
			EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification,
		}}},
	}}); err != nil {
		t.Fatal(err)
	}
}

// way returns the names from a span to the root of its trace, the root first.
func way(all []tracetest.Span, s tracetest.Span) []string {
	names := []string{s.Name}
	for s.Parent != "" {
		i := slices.IndexFunc(all, func(o tracetest.Span) bool { return o.Trace == s.Trace && o.ID == s.Parent })
		if i < 0 {
			return append([]string{"?"}, names...)
		}
		s = all[i]
		names = append([]string{s.Name}, names...)
	}
	return names
}

func TestOneTraceLeadsFromARequestToItsMessages(t *testing.T) {
	c := tracetest.New(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx := t.Context()
		if err := p.Record(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("data")}); err != nil {
			t.Fatal(err)
		}
		putTracedRule(t, p, "teller")
		putTracedRule(t, p, "shy")
		p.Drain(t)
		if _, err := p.S3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: aws.String("data"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
		}); err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		before := len(c.Spans())
		p.Restart(t) // and what is left is sent
		all := c.Spans()
		if len(all) == before {
			t.Error("a stop sends nothing")
		}
		root := slices.IndexFunc(all, func(s tracetest.Span) bool { return s.Name == "s3 PutBucketVersioning" })
		if root < 0 {
			t.Fatalf("no span of the request among %d", len(all))
		}
		all = slices.DeleteFunc(all, func(s tracetest.Span) bool { return s.Trace != all[root].Trace })
		var ways []string
		for _, s := range all {
			ways = append(ways, strings.Join(way(all, s), " > "))
			if s.Error != "" {
				t.Errorf("%s: %s", s.Name, s.Error)
			}
		}
		judged := "s3 PutBucketVersioning > recorder.capture > record > ItemsRecorded > rule.dispatch > lambda.event > Invoke teller > config PutEvaluations > ComplianceChanged"
		for _, want := range []string{
			"s3 PutBucketVersioning > recorder.capture > record > evaluate",
			"s3 PutBucketVersioning > recorder.capture > record > ItemsRecorded > deliver item",
			judged + " > deliver compliance change",
			"s3 PutBucketVersioning > recorder.capture > record > ItemsRecorded > rule.dispatch > lambda.event > Invoke shy",
			"s3 PutBucketVersioning > recorder.capture > record > ItemsRecorded > rule.dispatch > verdicts > ComplianceChanged > deliver compliance change",
		} {
			if !slices.Contains(ways, want) {
				t.Errorf("no way %s; there are\n%s", want, strings.Join(ways, "\n"))
			}
		}
	}, func(s *settings.Settings) { s.Traces = c.URL })
}

func TestACollectorThatIsAwayDisturbsNothing(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.Traces, s.LogLevel = "http://127.0.0.1:1", "error" })
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
}

func TestAnEndpointOfTracesThatIsNoneIsNamed(t *testing.T) {
	s := settings.Default()
	s.Traces = "collector:4318"
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), `traces "collector:4318": want http://HOST:PORT`) {
		t.Errorf("got %v", err)
	}
}
