package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func (a account) putExternal(rule string, compliance types.ComplianceType, at time.Time, change ...func(*types.ExternalEvaluation)) error {
	e := &types.ExternalEvaluation{
		ComplianceResourceType: new("AWS::::Account"), ComplianceResourceId: new(a.Account()),
		ComplianceType: compliance, OrderingTimestamp: &at, Annotation: new("seen by the auditor"),
	}
	for _, f := range change {
		f(e)
	}
	_, err := a.aws.PutExternalEvaluation(a.t.Context(), &configservice.PutExternalEvaluationInput{ConfigRuleName: &rule, ExternalEvaluation: e})
	return err
}

func (a account) compliance(rule string) string {
	a.t.Helper()
	out, err := a.aws.DescribeComplianceByConfigRule(a.t.Context(), &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{rule}})
	a.must(err)
	return string(out.ComplianceByConfigRules[0].Compliance.ComplianceType)
}

func TestProcessCheckHasTheVerdictThatWasPut(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		name := strings.Repeat("n", 128)
		a.must(a.put(managed(name, "AWS_CONFIG_PROCESS_CHECK")))
		a.Drain(t)
		a.equal(a.compliance(name), "INSUFFICIENT_DATA")
		status, err := a.aws.DescribeConfigRuleEvaluationStatus(t.Context(), &configservice.DescribeConfigRuleEvaluationStatusInput{})
		a.must(err)
		if code := status.ConfigRulesEvaluationStatus[0].LastErrorCode; code != nil {
			t.Errorf("a process check has the error %s", *code)
		}
		now := time.Now()
		a.must(a.putExternal(name, types.ComplianceTypeNonCompliant, now))
		a.must(a.putExternal(name, types.ComplianceTypeNonCompliant, now))
		a.must(a.putExternal(name, types.ComplianceTypeCompliant, now.Add(-time.Hour))) // older: it changes nothing
		a.equal(a.compliance(name), "NON_COMPLIANT")
		details, err := a.aws.GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &name})
		a.must(err)
		a.equal(len(details.EvaluationResults), 1)
		a.equal(*details.EvaluationResults[0].Annotation, "seen by the auditor")

		_, err = a.aws.StartConfigRulesEvaluation(t.Context(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{name}})
		a.must(err)
		a.Drain(t)
		a.equal(a.compliance(name), "NON_COMPLIANT")
		a.must(a.putExternal(name, types.ComplianceTypeNotApplicable, now.Add(time.Second)))
		a.equal(a.compliance(name), "INSUFFICIENT_DATA")

		a.must(a.putExternal(name, types.ComplianceTypeCompliant, now.Add(2*time.Second)))
		_, err = a.aws.DeleteEvaluationResults(t.Context(), &configservice.DeleteEvaluationResultsInput{ConfigRuleName: &name})
		a.must(err)
		a.Drain(t)
		a.equal(a.compliance(name), "INSUFFICIENT_DATA")
	})
}

func TestExternalEvaluationsAreForProcessChecksOnTheAccount(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.must(a.put(managed("check", "AWS_CONFIG_PROCESS_CHECK")))
	a.must(a.put(managed("other", "S3_BUCKET_VERSIONING_ENABLED")))
	now := time.Now()
	a.refused(a.putExternal("nobody", types.ComplianceTypeCompliant, now), "NoSuchConfigRuleException", "The ConfigRule 'nobody' provided in the request is invalid.")
	a.refused(a.putExternal("other", types.ComplianceTypeCompliant, now), "NoSuchConfigRuleException", "is not a process check rule")
	a.refused(a.putExternal("check", types.ComplianceTypeInsufficientData, now), "InvalidParameterValueException", "INSUFFICIENT_DATA")
	a.refused(a.putExternal("check", types.ComplianceTypeCompliant, now, func(e *types.ExternalEvaluation) { e.ComplianceResourceId = new("999999999999") }),
		"InvalidParameterValueException", "The ComplianceResourceId 999999999999 is invalid")
	a.refused(a.putExternal("check", types.ComplianceTypeCompliant, now, func(e *types.ExternalEvaluation) { e.ComplianceResourceType = new("AWS::S3::Bucket") }),
		"InvalidParameterValueException", "The ComplianceResourceType AWS::S3::Bucket is invalid")
	a.refused(a.putExternal("check", types.ComplianceTypeCompliant, now, func(e *types.ExternalEvaluation) { e.Annotation = new(strings.Repeat("a", 257)) }),
		"ValidationException", "at 'externalEvaluation.annotation' failed to satisfy constraint: Member must have length less than or equal to 256")
	r := managed("check", "AWS_CONFIG_PROCESS_CHECK")
	r.InputParameters = new(`{"a":"b"}`)
	a.refused(a.put(r), "InvalidParameterValueException", "Unknown parameters provided")
	_, err := a.aws.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: new("check")})
	a.must(err)
	a.refused(a.putExternal("check", types.ComplianceTypeCompliant, now), "NoSuchConfigRuleException", "")
	a.Drain(t)
	a.refused(a.putExternal("check", types.ComplianceTypeCompliant, now), "NoSuchConfigRuleException", "")
}
