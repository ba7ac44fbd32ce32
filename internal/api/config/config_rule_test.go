package config_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func managed(name, identifier string) *types.ConfigRule {
	return &types.ConfigRule{ConfigRuleName: &name, Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: &identifier}}
}

func policy(name, text string) *types.ConfigRule {
	return &types.ConfigRule{ConfigRuleName: &name, Source: &types.Source{
		Owner:               types.OwnerCustomPolicy,
		SourceDetails:       []types.SourceDetail{{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification}},
		CustomPolicyDetails: &types.CustomPolicyDetails{PolicyRuntime: new("guard-2.x.x"), PolicyText: &text},
	}}
}

func (a account) put(r *types.ConfigRule) error {
	_, err := a.aws.PutConfigRule(a.t.Context(), &configservice.PutConfigRuleInput{ConfigRule: r})
	return err
}

func TestRuleDefinitionsAreRefusedWithTheTextsOfAWS(t *testing.T) {
	a := open(t, apptest.Start(t))
	err := a.put(managed("r", "S3_BUCKET_VERSIONING_ENABLED"))
	a.refused(err, "NoAvailableConfigurationRecorderException", "You must create a configuration recorder before you can create or update a Config rule.")
	a.recorder()
	with := func(change func(*types.ConfigRule)) *types.ConfigRule {
		r := managed("r", "S3_BUCKET_VERSIONING_ENABLED")
		change(r)
		return r
	}
	for part, r := range map[string]*types.ConfigRule{
		"Provide Name or Id or Arn":                             with(func(r *types.ConfigRule) { r.ConfigRuleName = nil }),
		"The sourceIdentifier NO_SUCH_RULE is invalid.  Please": managed("r", "NO_SUCH_RULE"),
		"SourceDetails should be null/empty if the owner is AWS": with(func(r *types.ConfigRule) {
			r.Source.SourceDetails = []types.SourceDetail{{MessageType: types.MessageTypeScheduledNotification}}
		}),
		"Only the following values are permitted: ACTIVE": with(func(r *types.ConfigRule) { r.ConfigRuleState = types.ConfigRuleStateDeleting }),
		"without populating the CreatedBy field":          with(func(r *types.ConfigRule) { r.CreatedBy = new("me") }),
		"Invalid json {, passed":                          with(func(r *types.ConfigRule) { r.InputParameters = new("{,") }),
		"Unknown parameters provided":                     with(func(r *types.ConfigRule) { r.InputParameters = new(`{"x":"y"}`) }),
		"Scope cannot be applied to both resource and tag": with(func(r *types.ConfigRule) {
			r.Scope = &types.Scope{TagKey: new("k"), ComplianceResourceTypes: []string{"AWS::S3::Bucket"}}
		}),
		"A single resourceType should be provided": with(func(r *types.ConfigRule) { r.Scope = &types.Scope{ComplianceResourceId: new("b")} }),
		"Tag key should not be empty":              with(func(r *types.ConfigRule) { r.Scope = &types.Scope{TagValue: new("v")} }),
		"ConfigRule Arn and Id can not be specified when creating": with(func(r *types.ConfigRule) {
			r.ConfigRuleArn = new("arn:aws:config:us-east-1:123456789012:config-rule/config-rule-aaaaaa")
		}),
		"only a change in resources triggers this managed rule": with(func(r *types.ConfigRule) {
			r.MaximumExecutionFrequency = types.MaximumExecutionFrequencyOneHour
		}),
		"The PolicyText is not valid": policy("r", "rule { broken"),
	} {
		a.refused(a.put(r), "InvalidParameterValueException", part)
	}
	a.must(a.put(managed("r", "S3_BUCKET_VERSIONING_ENABLED")))
	a.refused(a.put(with(func(r *types.ConfigRule) { r.ConfigRuleId = new("config-rule-aaaaaa") })), "InvalidParameterValueException", "The ConfigRule r has another Arn or Id")
	err = a.put(&types.ConfigRule{ConfigRuleName: new("r"), Source: &types.Source{
		Owner: types.OwnerCustomLambda, SourceIdentifier: new("arn:aws:lambda:us-east-1:123456789012:function:nobody"),
		SourceDetails: []types.SourceDetail{{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification}},
	}})
	a.refused(err, "InsufficientPermissionsException", "cannot be invoked. Check the specified function ARN, and check the function's permissions")
}

func TestRulesAreListedInPagesOf25InByteOrder(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.recorder()
	for n := range 27 {
		a.must(a.put(managed(fmt.Sprintf("rule-%02d", n), "S3_BUCKET_VERSIONING_ENABLED")))
	}
	a.must(a.put(managed("Upper", "S3_BUCKET_VERSIONING_ENABLED")))
	first, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{NextToken: new("")})
	a.must(err)
	a.equal(len(first.ConfigRules), 25)
	a.equal(*first.ConfigRules[0].ConfigRuleName, "Upper")
	rest, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{NextToken: first.NextToken})
	a.must(err)
	a.equal(len(rest.ConfigRules), 3)
	if rest.NextToken != nil {
		t.Fatal("there is a token after the last page")
	}
	_, err = a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{NextToken: new("garbage")})
	a.refused(err, "InvalidNextTokenException", "The nextToken provided is invalid")
	_, err = a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"rule-01", "nobody"}})
	a.refused(err, "NoSuchConfigRuleException", "The ConfigRule 'nobody' provided in the request is invalid. Please check the configRule name.")
}

func TestRuleIsReturnedAsItWasPut(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.recorder()
	r := managed("r", "S3_BUCKET_VERSIONING_ENABLED")
	r.Scope, r.Description = &types.Scope{ComplianceResourceTypes: []string{}}, new("d")
	a.must(a.put(r))
	out, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"r"}})
	a.must(err)
	got := out.ConfigRules[0]
	if got.Scope == nil || got.Scope.ComplianceResourceTypes == nil || got.InputParameters != nil || *got.Description != "d" ||
		got.EvaluationModes[0].Mode != types.EvaluationModeDetective {
		t.Fatalf("got %+v", got)
	}
	before := *got.ConfigRuleArn
	again := managed("r", "S3_BUCKET_LOGGING_ENABLED")
	a.must(a.put(again))
	out, err = a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	got = out.ConfigRules[0]
	a.equal(*got.ConfigRuleArn, before)
	if got.Scope != nil || got.Description != nil {
		t.Fatalf("what was left out is still there: %+v", got)
	}
}

func TestParametersComeBackAsTheyWerePut(t *testing.T) {
	a := open(t, apptest.Start(t))
	r := policy("r", `rule r { configuration.wheels == 4 }`)
	r.InputParameters = new(" {\"tag1Key\": \"A\"}\n")
	a.must(a.put(r))
	out, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	a.equal(*out.ConfigRules[0].InputParameters, *r.InputParameters)
	r.InputParameters = new(" \n")
	a.refused(a.put(r), "InvalidParameterValueException", "Invalid json  \n passed in the InputParameters field")
}

func TestPolicyRuleJudgesWhatIsPushed(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		a.must(a.put(policy("wheels", `rule wheels when resourceType == "`+custom+`" { configuration.wheels == 4 }`)))
		a.push("bike", `{"wheels":2}`)
		a.push("car", `{"wheels":4}`)
		a.Drain(t)
		out, err := a.aws.GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: new("wheels")})
		a.must(err)
		a.equal(len(out.EvaluationResults), 2)
		a.equal(out.EvaluationResults[0].ComplianceType, types.ComplianceTypeNonCompliant)
		a.equal(out.EvaluationResults[1].ComplianceType, types.ComplianceTypeCompliant)
		text, err := a.aws.GetCustomRulePolicy(t.Context(), &configservice.GetCustomRulePolicyInput{ConfigRuleName: new("wheels")})
		a.must(err)
		if text.PolicyText == nil {
			t.Fatal("no policy text")
		}
	})
}

func TestManagedRuleWithoutEvaluatorReportsThatAndGivesNoVerdict(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.must(a.put(managed("r", unevaluated(t))))
	a.Drain(t)
	status, err := a.aws.DescribeConfigRuleEvaluationStatus(t.Context(), &configservice.DescribeConfigRuleEvaluationStatusInput{})
	a.must(err)
	a.equal(*status.ConfigRulesEvaluationStatus[0].LastErrorCode, "NoEvaluator")
	out, err := a.aws.DescribeComplianceByConfigRule(t.Context(), &configservice.DescribeComplianceByConfigRuleInput{})
	a.must(err)
	a.equal(out.ComplianceByConfigRules[0].Compliance.ComplianceType, types.ComplianceTypeInsufficientData)
}

func TestEvaluationCanBeAskedForAtAnyTimeInDevelopment(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.must(a.put(managed("r", "S3_BUCKET_VERSIONING_ENABLED")))
	a.Drain(t)
	start := func() error {
		_, err := a.aws.StartConfigRulesEvaluation(t.Context(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"r"}})
		return err
	}
	a.must(start())
	a.must(start())
	a.Drain(t)
	a.must(start())
	a.Drain(t)
	out, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	a.equal(out.ConfigRules[0].ConfigRuleState, types.ConfigRuleStateActive)
}

func TestDeletedRuleIsGoneWithItsResultsAndTags(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	_, err := a.aws.PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{
		ConfigRule: policy("wheels", `rule wheels { configuration.wheels == 4 }`), Tags: []types.Tag{{Key: new("team"), Value: new("x")}},
	})
	a.must(err)
	a.push("bike", `{"wheels":2}`)
	a.Drain(t)
	rules, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	arn := rules.ConfigRules[0].ConfigRuleArn
	tags, err := a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: arn})
	a.must(err)
	a.equal(len(tags.Tags), 1)
	_, err = a.aws.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: new("wheels")})
	a.must(err)
	a.Drain(t)
	out, err := a.aws.DescribeComplianceByResource(t.Context(), &configservice.DescribeComplianceByResourceInput{})
	a.must(err)
	a.equal(len(out.ComplianceByResources), 0)
	_, err = a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: arn})
	a.refused(err, "ResourceNotFoundException", "does not exist")
	_, err = a.aws.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: new("wheels")})
	a.refused(err, "NoSuchConfigRuleException", "wheels")
}
