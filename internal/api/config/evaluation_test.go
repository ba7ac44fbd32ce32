package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func reported(n int) []types.Evaluation {
	out := make([]types.Evaluation, n)
	for i := range out {
		out[i] = types.Evaluation{
			ComplianceResourceType: new("AWS::::Account"), ComplianceResourceId: new("123456789012"),
			ComplianceType: types.ComplianceTypeCompliant, OrderingTimestamp: new(time.Now()),
		}
	}
	return out
}

func TestPutEvaluationsChecksWhatItIsGiven(t *testing.T) {
	a := open(t, apptest.Start(t))
	put := func(in *configservice.PutEvaluationsInput) error {
		_, err := a.aws.PutEvaluations(t.Context(), in)
		return err
	}
	a.refused(put(&configservice.PutEvaluationsInput{ResultToken: new("x")}), "InvalidParameterValueException",
		"The Evaluations object in your request cannot be null.Add the required parameters and try again.")
	a.refused(put(&configservice.PutEvaluationsInput{ResultToken: new("x"), Evaluations: reported(1)}), "InvalidResultTokenException",
		"The resultToken provided is invalid")
	a.refused(put(&configservice.PutEvaluationsInput{ResultToken: new("x"), Evaluations: reported(101)}), "ValidationException",
		"at 'evaluations' failed to satisfy constraint: Member must have length less than or equal to 100")
	unsure := reported(1)
	unsure[0].ComplianceType = types.ComplianceTypeInsufficientData
	a.refused(put(&configservice.PutEvaluationsInput{ResultToken: new("x"), Evaluations: unsure, TestMode: true}), "InvalidParameterValueException", "INSUFFICIENT_DATA")
	long := reported(1)
	long[0].Annotation = new(strings.Repeat("é", 257))
	a.refused(put(&configservice.PutEvaluationsInput{ResultToken: new("x"), Evaluations: long, TestMode: true}), "ValidationException", "less than or equal to 256")
}

func TestTestModeTakesAnyTokenAndKeepsNothing(t *testing.T) {
	a := open(t, apptest.Start(t))
	out, err := a.aws.PutEvaluations(t.Context(), &configservice.PutEvaluationsInput{ResultToken: new("TESTMODE"), Evaluations: reported(1), TestMode: true})
	a.must(err)
	if out.FailedEvaluations == nil {
		t.Fatal("FailedEvaluations is not there")
	}
	res, err := a.aws.DescribeComplianceByResource(t.Context(), &configservice.DescribeComplianceByResourceInput{})
	a.must(err)
	a.equal(len(res.ComplianceByResources), 0)
}

func TestPutEvaluationsTakesTypesThatAWSKnowsOrThatWereRecorded(t *testing.T) {
	a := open(t, apptest.Start(t))
	put := func(resourceType string) error {
		odd := reported(1)
		odd[0].ComplianceResourceType = &resourceType
		_, err := a.aws.PutEvaluations(t.Context(), &configservice.PutEvaluationsInput{ResultToken: new("TESTMODE"), Evaluations: odd, TestMode: true})
		return err
	}
	a.refused(put("AWS::Backup::BackupPlan_x"), "InvalidParameterValueException",
		"The resource type AWS::Backup::BackupPlan_x is invalid. Only the following values are permitted: [AWS::EC2::CustomerGateway, AWS::EC2::EIP, ")
	a.must(put("AWS::EC2::EIP"))
	a.must(put("AWS::::Account"))
	a.refused(put(custom), "InvalidParameterValueException", custom)
	a.running()
	a.push("bike", `{"wheels":2}`)
	a.must(put(custom))
}

func TestComplianceReadsAgree(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		a.must(a.put(policy("wheels", `rule wheels when resourceType == "`+custom+`" { configuration.wheels == 4 }`)))
		a.must(a.put(policy("doors", `rule doors when resourceType == "`+custom+`" { configuration.doors >= 2 }`)))
		a.push("bike", `{"wheels":2,"doors":0}`)
		a.push("car", `{"wheels":4,"doors":5}`)
		a.push("trike", `{"wheels":3,"doors":2}`)
		a.Drain(t)
		ctx := t.Context()

		byRule, err := a.aws.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{})
		a.must(err)
		a.equal(byRule.ComplianceByConfigRules[1].Compliance.ComplianceContributorCount.CappedCount, 2)
		compliant, err := a.aws.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ComplianceTypes: []types.ComplianceType{types.ComplianceTypeCompliant}})
		a.must(err)
		a.equal(len(compliant.ComplianceByConfigRules), 0)

		bad, err := a.aws.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{
			ResourceType: new(custom), ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}, Limit: 1})
		a.must(err)
		a.equal(*bad.ComplianceByResources[0].ResourceId, "bike")
		a.equal(bad.ComplianceByResources[0].Compliance.ComplianceContributorCount.CappedCount, 2)
		bad, err = a.aws.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{NextToken: bad.NextToken,
			ResourceType: new(custom), ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}, Limit: 1})
		a.must(err)
		a.equal(*bad.ComplianceByResources[0].ResourceId, "trike")

		details, err := a.aws.GetComplianceDetailsByResource(ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: new(custom), ResourceId: new("bike")})
		a.must(err)
		a.equal(len(details.EvaluationResults), 2)
		rules, err := a.aws.GetComplianceSummaryByConfigRule(ctx, &configservice.GetComplianceSummaryByConfigRuleInput{})
		a.must(err)
		a.equal(rules.ComplianceSummary.NonCompliantResourceCount.CappedCount, 2)
		types, err := a.aws.GetComplianceSummaryByResourceType(ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: []string{custom, "AWS::S3::Bucket"}})
		a.must(err)
		a.equal(types.ComplianceSummariesByResourceType[0].ComplianceSummary.CompliantResourceCount.CappedCount, 1)
		a.equal(types.ComplianceSummariesByResourceType[1].ComplianceSummary.CompliantResourceCount.CappedCount, 0)

		_, err = a.aws.DeleteEvaluationResults(ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: new("wheels")})
		a.must(err)
		a.Drain(t)
		byRule, err = a.aws.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"wheels"}})
		a.must(err)
		a.equal(byRule.ComplianceByConfigRules[0].Compliance.ComplianceType, "INSUFFICIENT_DATA")
	})
}

func TestComplianceOfAResourceIsAnItemOfItsOwn(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.must(a.put(policy("wheels", `rule wheels when resourceType == "`+custom+`" { configuration.wheels == 4 }`)))
	a.push("bike", `{"wheels":2}`)
	a.push("bike", `{"wheels":4}`)
	out, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
		ResourceType: types.ResourceTypeResourceCompliance, ResourceId: new(custom + "/bike"),
	})
	a.must(err)
	a.equal(len(out.ConfigurationItems), 2)
}
