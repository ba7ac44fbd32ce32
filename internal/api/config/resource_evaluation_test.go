package config_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

func inModes(r *types.ConfigRule, modes ...types.EvaluationMode) *types.ConfigRule {
	for _, m := range modes {
		r.EvaluationModes = append(r.EvaluationModes, types.EvaluationModeConfiguration{Mode: m})
	}
	return r
}

func bucketDetails(configuration string) *configservice.StartResourceEvaluationInput {
	return &configservice.StartResourceEvaluationInput{
		EvaluationMode: types.EvaluationModeProactive,
		ResourceDetails: &types.ResourceDetails{
			ResourceId: new("planned"), ResourceType: new("AWS::S3::Bucket"), ResourceConfiguration: &configuration,
			ResourceConfigurationSchemaType: types.ResourceConfigurationSchemaTypeCfnResourceSchema,
		},
	}
}

func (a account) startEvaluation(in *configservice.StartResourceEvaluationInput) string {
	a.t.Helper()
	out, err := a.aws.StartResourceEvaluation(a.t.Context(), in)
	a.must(err)
	return *out.ResourceEvaluationId
}

func (a account) summary(id string) *configservice.GetResourceEvaluationSummaryOutput {
	a.t.Helper()
	out, err := a.aws.GetResourceEvaluationSummary(a.t.Context(), &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &id})
	a.must(err)
	return out
}

func (a account) evaluationDetails(id string) []types.EvaluationResult {
	a.t.Helper()
	out, err := a.aws.GetComplianceDetailsByResource(a.t.Context(), &configservice.GetComplianceDetailsByResourceInput{ResourceEvaluationId: &id})
	a.must(err)
	return out.EvaluationResults
}

// pythonRule makes a function that AWS Config may invoke.
func (a account) pythonRule(name, source string) *types.ConfigRule {
	a.t.Helper()
	lambdatest.NeedBoto3(a.t)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("f.py")
	a.must(err)
	_, err = f.Write([]byte(source))
	a.must(err)
	a.must(w.Close())
	a.must(a.PutFunction(a.t.Context(), name, "f.handler", b.Bytes()))
	return &types.ConfigRule{ConfigRuleName: &name, Source: &types.Source{
		Owner: types.OwnerCustomLambda, SourceIdentifier: new("arn:aws:lambda:us-east-1:123456789012:function:" + name),
		SourceDetails: []types.SourceDetail{{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification}},
	}}
}

const proactiveFunction = `
import json, boto3
def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    assert event["evaluationMode"] == "PROACTIVE", event
    boto3.client("config").put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
        "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
        "ComplianceType": "COMPLIANT" if item["configuration"].get("BucketName", "").startswith("ok") else "NON_COMPLIANT",
        "Annotation": "by name", "OrderingTimestamp": item["configurationItemCaptureTime"]}])
`

func TestProactiveRulesEvaluateWhatIsNotThereYet(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.recorder()
		a.must(a.put(inModes(managed("logging", "S3_BUCKET_LOGGING_ENABLED"), types.EvaluationModeProactive)))
		a.must(a.put(inModes(policy("named", `rule named when resourceType == 'AWS::S3::Bucket' { configuration.BucketName exists }`), types.EvaluationModeDetective, types.EvaluationModeProactive)))
		a.must(a.put(inModes(a.pythonRule("function", proactiveFunction), types.EvaluationModeProactive)))
		a.must(a.put(managed("detective", "S3_BUCKET_VERSIONING_ENABLED")))
		p.Hold()
		id := a.startEvaluation(bucketDetails(`{"BucketName":"ok-1","LoggingConfiguration":{"DestinationBucketName":"logs"}}`))
		a.equal(a.summary(id).EvaluationStatus.Status, types.ResourceEvaluationStatusInProgress)
		a.equal(a.summary(id).Compliance, "")
		a.Drain(t)
		got := a.summary(id)
		a.equal(got.EvaluationStatus.Status, types.ResourceEvaluationStatusSucceeded)
		a.equal(got.Compliance, types.ComplianceTypeCompliant)
		a.equal(*got.ResourceDetails.ResourceId, "planned")
		var names []string
		for _, r := range a.evaluationDetails(id) {
			names = append(names, *r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName)
			a.equal(r.EvaluationResultIdentifier.EvaluationResultQualifier.EvaluationMode, types.EvaluationModeProactive)
			a.equal(*r.EvaluationResultIdentifier.ResourceEvaluationId, id)
		}
		a.equal(names, []string{"function", "logging", "named"})
		id = a.startEvaluation(bucketDetails(`{"BucketName":"bad"}`))
		a.Drain(t)
		a.equal(a.summary(id).Compliance, types.ComplianceTypeNonCompliant)
		details := a.evaluationDetails(id)
		a.equal([]any{details[0].ComplianceType, *details[0].Annotation}, "[NON_COMPLIANT by name]")
		found, err := a.aws.DescribeComplianceByResource(t.Context(), &configservice.DescribeComplianceByResourceInput{})
		a.must(err)
		a.equal(len(found.ComplianceByResources), 0) // nothing that is there was judged
	})
}

func TestProactiveEvaluationThatNoRuleAnswersTimesOut(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.must(a.put(inModes(a.pythonRule("silent", "def handler(event, context): pass"), types.EvaluationModeProactive)))
		in := bucketDetails(`{}`)
		in.EvaluationTimeout = 60
		id := a.startEvaluation(in)
		a.Drain(t)
		a.equal(a.summary(id).EvaluationStatus.Status, types.ResourceEvaluationStatusInProgress)
		p.Restart(t)
		a = open(t, p)
		p.Clock().Advance(61 * time.Second)
		a.Drain(t)
		got := a.summary(id)
		a.equal(got.EvaluationStatus.Status, types.ResourceEvaluationStatusFailed)
		a.equal(*got.EvaluationStatus.FailureReason, "The evaluation timed out after 60 seconds. Rules that did not answer: silent")
		a.equal(got.Compliance, types.ComplianceTypeInsufficientData)
		p.Clock().Advance(24 * time.Hour)
		a.Drain(t)
		_, err := a.aws.GetResourceEvaluationSummary(t.Context(), &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &id})
		a.refused(err, "ResourceNotFoundException", id)
	})
}

func TestProactiveEvaluationSaysWhichRuleGaveNoVerdict(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.recorder()
	a.must(a.put(inModes(managed("eip", "EIP_ATTACHED"), types.EvaluationModeProactive)))
	in := bucketDetails(`{}`)
	in.ResourceDetails.ResourceType = new("AWS::EC2::EIP")
	id := a.startEvaluation(in)
	bucket := a.startEvaluation(bucketDetails(`{}`))
	a.Drain(t)
	got := a.summary(id)
	a.equal([]any{got.EvaluationStatus.Status, got.Compliance}, "[FAILED INSUFFICIENT_DATA]")
	if reason := *got.EvaluationStatus.FailureReason; !strings.Contains(reason, "eip") || !strings.Contains(reason, "no evaluator") {
		t.Fatal(reason)
	}
	got = a.summary(bucket) // no rule applies
	a.equal([]any{got.EvaluationStatus.Status, got.Compliance}, "[SUCCEEDED INSUFFICIENT_DATA]")
	a.must(a.put(inModes(managed("logging", "S3_BUCKET_LOGGING_ENABLED"), types.EvaluationModeProactive)))
	id = a.startEvaluation(bucketDetails(`{"LoggingConfiguration":{"DestinationBucketName":{"Ref":"Logs"}}}`))
	a.Drain(t)
	if reason := *a.summary(id).EvaluationStatus.FailureReason; !strings.Contains(reason, "functions of CloudFormation") {
		t.Fatal(reason)
	}
}

func TestResourceEvaluationsAreIdempotentAndListed(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		token := strings.Repeat("t", 64)
		in := bucketDetails(`{}`)
		in.ClientToken, in.EvaluationContext = &token, &types.EvaluationContext{EvaluationContextIdentifier: new("pipeline")}
		first := a.startEvaluation(in)
		a.equal(a.startEvaluation(in), first)
		in.EvaluationTimeout = 5
		_, err := a.aws.StartResourceEvaluation(t.Context(), in)
		a.refused(err, "IdempotentParameterMismatch", "other parameters")
		var ids []string
		for range 3 {
			p.Clock().Advance(time.Minute)
			ids = append([]string{a.startEvaluation(bucketDetails(`{}`))}, ids...)
		}
		pages := configservice.NewListResourceEvaluationsPaginator(a.aws, &configservice.ListResourceEvaluationsInput{Limit: 2})
		var listed []string
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			for _, e := range page.ResourceEvaluations {
				listed = append(listed, *e.ResourceEvaluationId)
			}
		}
		a.equal(listed, append(ids, first))
		list := func(f types.ResourceEvaluationFilters) (int, error) {
			out, err := a.aws.ListResourceEvaluations(t.Context(), &configservice.ListResourceEvaluationsInput{Filters: &f})
			if err != nil {
				return 0, err
			}
			return len(out.ResourceEvaluations), nil
		}
		for want, f := range map[int]types.ResourceEvaluationFilters{
			1: {EvaluationContextIdentifier: new("pipeline")}, 0: {EvaluationMode: types.EvaluationModeDetective},
			2: {TimeWindow: &types.TimeWindow{StartTime: new(p.Clock().Now().Add(-90 * time.Second))}}, 4: {EvaluationMode: types.EvaluationModeProactive},
		} {
			n, err := list(f)
			a.must(err)
			a.equal(n, want)
		}
		now := p.Clock().Now()
		_, err = list(types.ResourceEvaluationFilters{TimeWindow: &types.TimeWindow{StartTime: &now, EndTime: new(now.Add(-time.Hour))}})
		a.refused(err, "InvalidTimeRangeException", "not after its start")
		other := open(t, p.As("210987654321", "us-east-1"))
		_, err = other.aws.GetResourceEvaluationSummary(t.Context(), &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &first})
		other.refused(err, "ResourceNotFoundException", first)
	})
}

func TestProactiveEvaluationsAreRefusedForBadInput(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.recorder()
	for part, change := range map[string]func(*configservice.StartResourceEvaluationInput){
		"The only valid value is PROACTIVE": func(in *configservice.StartResourceEvaluationInput) {
			in.EvaluationMode = types.EvaluationModeDetective
		},
		"is not a JSON object": func(in *configservice.StartResourceEvaluationInput) {
			in.ResourceDetails.ResourceConfiguration = new("[1]")
		},
		"with the properties of a resource.": func(in *configservice.StartResourceEvaluationInput) { // and not what a decoder says of it
			in.ResourceDetails.ResourceConfiguration = new("not JSON")
		},
		"is not a resource type": func(in *configservice.StartResourceEvaluationInput) { in.ResourceDetails.ResourceType = new("AWS::S3") },
	} {
		in := bucketDetails(`{}`)
		change(in)
		_, err := a.aws.StartResourceEvaluation(t.Context(), in)
		a.refused(err, "InvalidParameterValueException", part)
	}
	in := bucketDetails(`{}`)
	in.EvaluationTimeout = 3601
	_, err := a.aws.StartResourceEvaluation(t.Context(), in)
	a.refused(err, "ValidationException", "evaluationTimeout")
	a.refused(a.put(inModes(managed("r", "S3_BUCKET_VERSIONING_ENABLED"), types.EvaluationModeProactive)), "InvalidParameterValueException", "PROACTIVE is not supported")
	a.refused(a.put(inModes(managed("r", "SNS_ENCRYPTED_KMS"), types.EvaluationModeProactive, types.EvaluationModeProactive)), "InvalidParameterValueException", "given twice")
	_, err = a.aws.GetComplianceDetailsByResource(t.Context(), &configservice.GetComplianceDetailsByResourceInput{ResourceEvaluationId: new("nobody")})
	a.refused(err, "InvalidParameterValueException", "nobody")
	_, err = a.aws.ListResourceEvaluations(t.Context(), &configservice.ListResourceEvaluationsInput{
		Filters: &types.ResourceEvaluationFilters{TimeWindow: &types.TimeWindow{StartTime: new(time.Unix(100, 0)), EndTime: new(time.Unix(100, 0))}}})
	a.refused(err, "InvalidTimeRangeException", "is not after its start time")
}

func TestRuleThatBecomesProactiveOnlyLosesItsResults(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.must(a.put(managed("logging", "S3_BUCKET_LOGGING_ENABLED")))
	a.Drain(t)
	results := func() int {
		out, err := a.aws.GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: new("logging")})
		a.must(err)
		return len(out.EvaluationResults)
	}
	a.equal(results(), 1)
	a.must(a.put(inModes(managed("logging", "S3_BUCKET_LOGGING_ENABLED"), types.EvaluationModeProactive)))
	a.Drain(t)
	a.equal(results(), 0)
}
