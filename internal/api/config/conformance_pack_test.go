package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	catalogue "plumb/internal/rule/managed"
)

// ruleOf is the resource of a managed rule in a template.
func ruleOf(id, name, identifier string) string {
	return fmt.Sprintf("  %s:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      ConfigRuleName: %s\n"+
		"      Source: {Owner: AWS, SourceIdentifier: %s}\n", id, name, identifier)
}

// guardOf is the resource of a rule on cars that one of their numbers decides.
func guardOf(id, member string, least int) string {
	return fmt.Sprintf(`  %s:
    Type: AWS::Config::ConfigRule
    Controls: ["%s.1"]
    Properties:
      ConfigRuleName: %s
      Source:
        Owner: CUSTOM_POLICY
        SourceDetails: [{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}]
        CustomPolicyDetails:
          PolicyRuntime: guard-2.x.x
          PolicyText: 'rule %s when resourceType == "%s" { configuration.%s >= %d }'
`, id, id, id, id, custom, member, least)
}

func resources(parts ...string) string { return "Resources:\n" + strings.Join(parts, "") }

// unevaluated is a managed rule that nothing evaluates, and that takes no parameters.
func unevaluated(t *testing.T) string {
	t.Helper()
	known, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range known.All() {
		if !r.Evaluated && r.Trigger != catalogue.None && len(r.Parameters) == 0 {
			return r.Identifier
		}
	}
	t.Skip("every managed rule has an evaluator")
	return ""
}

func (a account) putPack(name, body string, change ...func(*configservice.PutConformancePackInput)) error {
	in := &configservice.PutConformancePackInput{ConformancePackName: &name, TemplateBody: &body}
	for _, f := range change {
		f(in)
	}
	_, err := a.aws.PutConformancePack(a.t.Context(), in)
	return err
}

// deployed puts a pack, waits for it and returns its id.
func (a account) deployed(name, body string, change ...func(*configservice.PutConformancePackInput)) string {
	a.t.Helper()
	a.must(a.putPack(name, body, change...))
	a.Drain(a.t)
	s := a.packStatus(name)
	if s.ConformancePackState != types.ConformancePackStateCreateComplete {
		a.t.Fatalf("the pack is %s: %s", s.ConformancePackState, *s.ConformancePackStatusReason)
	}
	return *s.ConformancePackId
}

func (a account) packStatus(name string) types.ConformancePackStatusDetail {
	a.t.Helper()
	out, err := a.aws.DescribeConformancePackStatus(a.t.Context(), &configservice.DescribeConformancePackStatusInput{ConformancePackNames: []string{name}})
	a.must(err)
	if len(out.ConformancePackStatusDetails) != 1 {
		a.t.Fatalf("%d packs are named %s", len(out.ConformancePackStatusDetails), name)
	}
	return out.ConformancePackStatusDetails[0]
}

func (a account) ruleNames() (names []string) {
	a.t.Helper()
	out, err := a.aws.DescribeConfigRules(a.t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	for _, r := range out.ConfigRules {
		names = append(names, *r.ConfigRuleName)
	}
	return names
}

func TestPackIsDeployedChangedAndRemoved(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		missing := unevaluated(t)
		first := ruleOf("A", "versioning", "S3_BUCKET_VERSIONING_ENABLED") + ruleOf("B", "checked", "AWS_CONFIG_PROCESS_CHECK")
		id := a.deployed("base", resources(first, ruleOf("C", "missing", missing)), func(in *configservice.PutConformancePackInput) {
			in.DeliveryS3Bucket, in.DeliveryS3KeyPrefix = new("awsconfigconforms-b"), new("p")
		})
		a.equal(a.ruleNames(), []string{"checked-" + id, "missing-" + id, "versioning-" + id})
		s := a.packStatus("base")
		a.equal(*s.ConformancePackStatusReason, "There is no evaluator for these rules, so they give no verdict: missing-"+id+".")
		if s.LastUpdateCompletedTime == nil || !strings.Contains(*s.StackArn, ":stack/awsconfigconforms-base-"+id+"/") {
			t.Errorf("the status is %+v", s)
		}
		packs, err := a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{})
		a.must(err)
		d := packs.ConformancePackDetails[0]
		a.equal(*d.ConformancePackArn, "arn:aws:config:us-east-1:123456789012:conformance-pack/base/"+id)
		a.equal(*d.DeliveryS3Bucket+*d.DeliveryS3KeyPrefix, "awsconfigconforms-bp")
		rules, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"versioning-" + id}})
		a.must(err)
		a.equal(*rules.ConfigRules[0].CreatedBy, "config-conforms.amazonaws.com")
		if arn := *rules.ConfigRules[0].ConfigRuleArn; !strings.Contains(arn, ":config-rule/aws-service-rule/config-conforms.amazonaws.com/config-rule-") {
			t.Errorf("the rule's ARN is %s", arn)
		}

		a.must(a.putExternal("checked-"+id, types.ComplianceTypeCompliant, time.Now()))
		again := a.deployed("base", resources(first, ruleOf("D", "logging", "S3_BUCKET_LOGGING_ENABLED")))
		a.equal(again, id)
		a.equal(a.ruleNames(), []string{"checked-" + id, "logging-" + id, "versioning-" + id})
		a.equal(a.compliance("checked-"+id), "COMPLIANT") // what did not change keeps its results
		if reason := a.packStatus("base").ConformancePackStatusReason; reason != nil {
			t.Errorf("the reason is %s", *reason)
		}

		_, err = a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("base")})
		a.must(err)
		a.Drain(t)
		a.equal(len(a.ruleNames()), 0)
		packs, err = a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{})
		a.must(err)
		a.equal(len(packs.ConformancePackDetails), 0)
		if other := a.deployed("base", resources(first)); other == id {
			t.Error("a pack that is made again has the former one's id")
		}
	})
}

func TestRulesOfAPackAreChangedByThePackAlone(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	id := a.deployed("base", resources(ruleOf("A", "versioning", "S3_BUCKET_VERSIONING_ENABLED")))
	name := "versioning-" + id
	const denied = "An AWS service owns ServiceLinkedConfigRule. You do not have permissions to take action on this rule."
	a.refused(a.put(managedRule(name)), "AccessDeniedException", denied)
	_, err := a.aws.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: &name})
	a.refused(err, "AccessDeniedException", denied)
	_, err = a.aws.DeleteEvaluationResults(t.Context(), &configservice.DeleteEvaluationResultsInput{ConfigRuleName: &name})
	a.refused(err, "AccessDeniedException", denied)
	_, err = a.aws.StartConfigRulesEvaluation(t.Context(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{name}})
	a.must(err)
}

func managedRule(name string) *types.ConfigRule { return managed(name, "S3_BUCKET_VERSIONING_ENABLED") }

func TestTemplatesThatAreWrongAreRefusedWithTheLine(t *testing.T) {
	a := open(t, apptest.Start(t))
	good := ruleOf("A", "a", "S3_BUCKET_VERSIONING_ENABLED")
	many := resources()
	for n := range 131 {
		many += ruleOf(fmt.Sprintf("R%d", n), fmt.Sprintf("r%d", n), "AWS_CONFIG_PROCESS_CHECK")
	}
	for part, body := range map[string]string{
		"Errors found: [line 2: Resources.A.Type: The resource type AWS::S3::Bucket is not supported in conformance packs":         "Resources:\n  A: {Type: 'AWS::S3::Bucket'}",
		"Errors found: [Number of resources provided in the template exceeds the allowed limit]. Fix your template and try again.": many,
		"line 6: Resources.A.Properties.Foo: Encountered unsupported property Foo]":                                                resources(strings.Replace(good, "      Source", "      Foo: 1\n      Source", 1)),
		"Value null at 'configRule.source' failed to satisfy constraint":                                                           "Resources:\n  A: {Type: 'AWS::Config::ConfigRule', Properties: {}}",
		"Value 'ME' at 'configRule.source.owner' failed to satisfy constraint":                                                     strings.Replace(resources(good), "Owner: AWS", "Owner: ME", 1),
		"Another rule of the template is named a":                                                                                  resources(good, strings.Replace(good, "A:", "B:", 1)),
		"leave room for the suffix of the conformance pack":                                                                        resources(ruleOf("A", strings.Repeat("n", 102), "X")),
		"Resources.A.Controls: The Controls must be a list":                                                                        strings.Replace(resources(good), "    Type", "    Controls: [{a: b}]\n    Type", 1),
		"the parameter p: the elements of a list must be strings":                                                                  strings.Replace(resources(good), "      Source", "      InputParameters: {p: [{a: b}]}\n      Source", 1),
		"Parameters: [P] must have values":                                                                                         "Parameters: {P: {Type: int}}\n" + resources(good),
		"The template has no rule named b]":                                                                                        resources(good, "  R: {Type: 'AWS::Config::RemediationConfiguration', Properties: {ConfigRuleName: b, TargetType: SSM_DOCUMENT, TargetId: D}}"),
		"A whole number is wanted, found \"x\"": resources(good,
			"  R: {Type: 'AWS::Config::RemediationConfiguration', Properties: {ConfigRuleName: a, TargetType: SSM_DOCUMENT, TargetId: D, RetryAttemptSeconds: x}}"),
		"Value null at 'remediationConfigurations.1.member.targetId'": resources(good,
			"  R: {Type: 'AWS::Config::RemediationConfiguration', Properties: {ConfigRuleName: a, TargetType: SSM_DOCUMENT}}"),
		"YAML not well-formed": "Resources: [",
		"NUL":                  strings.Replace(resources(good), "ConfigRuleName: a", `ConfigRuleName: "a\0"`, 1),
	} {
		a.refused(a.putPack("p", body), "ConformancePackTemplateValidationException", part)
	}
	out, err := a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{})
	a.must(err)
	a.equal(len(out.ConformancePackDetails), 0)
}

func TestPutConformancePackChecksWhatItIsGiven(t *testing.T) {
	a := open(t, apptest.Start(t))
	body := resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))
	with := func(change func(*configservice.PutConformancePackInput)) error { return a.putPack("p", body, change) }
	parameters := func(names ...string) func(*configservice.PutConformancePackInput) {
		return func(in *configservice.PutConformancePackInput) {
			for _, n := range names {
				in.ConformancePackInputParameters = append(in.ConformancePackInputParameters, types.ConformancePackInputParameter{ParameterName: &n, ParameterValue: new("1")})
			}
		}
	}
	a.refused(with(func(in *configservice.PutConformancePackInput) { in.TemplateS3Uri = new("s3://b/k") }), "InvalidParameterValueException", "exactly one of the parameters")
	a.refused(with(func(in *configservice.PutConformancePackInput) { in.TemplateBody = nil }), "InvalidParameterValueException", "exactly one of the parameters")
	a.refused(with(parameters("P")), "ConformancePackTemplateValidationException", "Parameters: [P] do not exist in the template")
	a.refused(with(parameters("P", "P")), "InvalidParameterValueException", "The parameter P is given more than once")
	a.refused(with(parameters(strings.Split(strings.Repeat("P,", 61), ",")[:61]...)), "ValidationException", "Member must have length less than or equal to 60")
	a.refused(a.putPack("1p", body), "ValidationException", "conformancePackName")
	a.refused(a.putPack("p", body+strings.Repeat("#", 51200)), "ValidationException", "Member must have length less than or equal to 51200")
	a.refused(with(func(in *configservice.PutConformancePackInput) {
		in.TemplateBody, in.TemplateSSMDocumentDetails = nil, &types.TemplateSSMDocumentDetails{DocumentName: new("my-document")}
	}), "ConformancePackTemplateValidationException", "my-document does not exist")
	_, err := a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("nobody")})
	a.refused(err, "NoSuchConformancePackException", "nobody")
	_, err = a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{ConformancePackNames: []string{"nobody"}})
	a.refused(err, "NoSuchConformancePackException", "nobody")
	out, err := a.aws.DescribeConformancePackStatus(t.Context(), &configservice.DescribeConformancePackStatusInput{ConformancePackNames: []string{"nobody"}})
	a.must(err)
	a.equal(len(out.ConformancePackStatusDetails), 0)
}

func TestTemplateIsReadFromABucket(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		body := resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK")) + "# " + strings.Repeat("x", 60_000)
		upload := func(key, content string) {
			t.Helper()
			_, err := a.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("deliveries"), Key: &key, Body: strings.NewReader(content)})
			a.must(err)
		}
		from := func(uri string) func(*configservice.PutConformancePackInput) {
			return func(in *configservice.PutConformancePackInput) { in.TemplateBody, in.TemplateS3Uri = nil, &uri }
		}
		upload("packs/a.yaml", body)
		upload("large.yaml", body+strings.Repeat("x", 300<<10))
		upload("odd.yaml", "# \xff\n"+body)
		id := a.deployed("p", "", from("s3://deliveries/packs/a.yaml"))
		a.equal(a.ruleNames(), []string{"a-" + id})
		a.refused(a.putPack("q", "", from("s3://deliveries/nothing")), "ConformancePackTemplateValidationException", "s3://deliveries/nothing cannot be read: NoSuchKey")
		a.refused(a.putPack("q", "", from("s3://nowhere/a")), "ConformancePackTemplateValidationException", "NoSuchBucket")
		a.refused(a.putPack("q", "", from("s3://deliveries")), "InvalidParameterValueException", "s3://deliveries is not valid")
		a.refused(a.putPack("q", "", from("https://deliveries/a")), "ValidationException", "templateS3Uri")
		a.refused(a.putPack("q", "", from("s3://deliveries/large.yaml")), "ConformancePackTemplateValidationException", "larger than 307200 bytes")
		a.refused(a.putPack("q", "", from("s3://deliveries/odd.yaml")), "ConformancePackTemplateValidationException", "not text in UTF-8")
		other := open(t, p.As("210987654321", p.Region()))
		other.refused(other.putPack("q", "", from("s3://deliveries/packs/a.yaml")), "InsufficientPermissionsException", "s3://deliveries/packs/a.yaml cannot be read")
	})
}

func TestDeploymentThatFailsSaysWhyAndLeavesWhatWasThere(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		good := ruleOf("A", "good", "S3_BUCKET_VERSIONING_ENABLED")
		a.must(a.putPack("p", resources(good)))
		a.Drain(t)
		s := a.packStatus("p")
		a.equal(s.ConformancePackState, types.ConformancePackStateCreateFailed)
		a.equal(*s.ConformancePackStatusReason, "You must create a configuration recorder before you can create or update a Config rule.")
		a.equal(len(a.ruleNames()), 0)
		a.running()
		id := a.deployed("p", resources(good))
		bad := ruleOf("B", "bad", "NO_SUCH_RULE") + strings.Replace(ruleOf("C", "worse", "S3_BUCKET_LOGGING_ENABLED"), "      Source", "      InputParameters: {x: 1}\n      Source", 1)
		a.must(a.putPack("p", resources(good, bad)))
		a.Drain(t)
		s = a.packStatus("p")
		a.equal(s.ConformancePackState, types.ConformancePackStateCreateFailed)
		a.equal(*s.ConformancePackStatusReason, `bad: The sourceIdentifier NO_SUCH_RULE is invalid.  Please refer to the documentation for a list of valid sourceIdentifiers `+
			`that can be used when AWS is the Owner; worse: Unknown parameters provided in the inputParameters: {"x":"1"}`)
		a.equal(a.ruleNames(), []string{"good-" + id})
		_, err := a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("p")})
		a.must(err)
		a.Drain(t)
		a.equal(len(a.ruleNames()), 0)
	})
}

func TestParametersDecideWhatAPackHas(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	body := `Parameters:
  Days: {Type: String, Default: ''}
  Make: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
Conditions:
  hasDays: !Not [!Equals ['', !Ref Days]]
  make: !Equals [!Ref Make, 'yes']
Resources:
  A:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: days
      InputParameters:
        daysToExpiration: !If [hasDays, !Ref Days, !Ref 'AWS::NoValue']
      Source: {Owner: AWS, SourceIdentifier: ACM_CERTIFICATE_EXPIRATION_CHECK}
  B:
    Type: AWS::Config::ConfigRule
    Condition: make
    Properties:
      Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}
`
	with := func(days, make string) func(*configservice.PutConformancePackInput) {
		return func(in *configservice.PutConformancePackInput) {
			in.ConformancePackInputParameters = []types.ConformancePackInputParameter{
				{ParameterName: new("Days"), ParameterValue: &days}, {ParameterName: new("Make"), ParameterValue: &make}}
		}
	}
	id := a.deployed("p", body)
	a.equal(a.ruleNames(), []string{"days-" + id})
	a.deployed("p", body, with("30", "yes"))
	a.equal(a.ruleNames(), []string{"B-" + id, "days-" + id})
	out, err := a.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"days-" + id}})
	a.must(err)
	a.equal(*out.ConfigRules[0].InputParameters, `{"daysToExpiration":"30"}`)
	packs, err := a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{})
	a.must(err)
	a.equal(*packs.ConformancePackDetails[0].ConformancePackInputParameters[1].ParameterName, "Make")
	a.refused(a.putPack("p", body, with("30", "maybe")), "ConformancePackTemplateValidationException", "line 3: Parameters.Make: Parameter 'Make' must be one of AllowedValues [yes, no]")
}

func TestPacksAreListedInPagesAndBounded(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		body := resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))
		var want []string
		for n := range 50 {
			name := fmt.Sprintf("p%02d", n)
			want = append(want, name)
			a.must(a.putPack(name, body))
		}
		a.refused(a.putPack("more", body), "MaxNumberOfConformancePacksExceededException", "already contains 50 conformance packs")
		a.Drain(t)
		a.must(a.putPack("p00", body))
		a.Drain(t)
		var got []string
		pages := configservice.NewDescribeConformancePacksPaginator(a.aws, &configservice.DescribeConformancePacksInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			if len(page.ConformancePackDetails) > 20 {
				t.Errorf("a page has %d packs", len(page.ConformancePackDetails))
			}
			for _, p := range page.ConformancePackDetails {
				got = append(got, *p.ConformancePackName)
			}
		}
		a.equal(got, want)
		named, err := a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{ConformancePackNames: []string{"p07", "p03", "p07"}, Limit: 1})
		a.must(err)
		a.equal(*named.ConformancePackDetails[0].ConformancePackName, "p03")
		named, err = a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{
			ConformancePackNames: []string{"p07", "p03", "p07"}, Limit: 1, NextToken: named.NextToken})
		a.must(err)
		a.equal(*named.ConformancePackDetails[0].ConformancePackName, "p07")
		if named.NextToken != nil {
			t.Error("there is a token after the last page")
		}
		states, err := a.aws.DescribeConformancePackStatus(t.Context(), &configservice.DescribeConformancePackStatusInput{Limit: 2})
		a.must(err)
		a.equal(len(states.ConformancePackStatusDetails), 2)
		_, err = a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{NextToken: states.NextToken})
		a.refused(err, "InvalidNextTokenException", "")
		_, err = a.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{Limit: 21})
		a.refused(err, "InvalidLimitException", "less than or equal to 20")
	})
}

func TestPacksHaveTags(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	body := resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))
	tagged := func(value string) func(*configservice.PutConformancePackInput) {
		return func(in *configservice.PutConformancePackInput) {
			in.Tags = []types.Tag{{Key: new("team"), Value: &value}}
		}
	}
	a.deployed("p", body, tagged("one"))
	a.deployed("p", body, tagged("two")) // tags are those of the first time
	arn := *a.packStatus("p").ConformancePackArn
	list := func() ([]types.Tag, error) {
		out, err := a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			return nil, err
		}
		return out.Tags, nil
	}
	tags, err := list()
	a.must(err)
	a.equal(*tags[0].Value, "one")
	_, err = a.aws.TagResource(t.Context(), &configservice.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: new("x"), Value: new("y")}}})
	a.must(err)
	_, err = a.aws.UntagResource(t.Context(), &configservice.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"team"}})
	a.must(err)
	tags, err = list()
	a.must(err)
	a.equal(len(tags), 1)
	other := open(t, a.As("210987654321", a.Region()))
	_, err = other.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: &arn})
	a.refused(err, "ResourceNotFoundException", arn)
	_, err = a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("p")})
	a.must(err)
	a.Drain(t)
	_, err = list()
	a.refused(err, "ResourceNotFoundException", arn)
}

func TestDeploymentGoesOnAfterARestart(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		var parts []string
		for n := range 60 {
			parts = append(parts, ruleOf(fmt.Sprintf("R%d", n), fmt.Sprintf("r%02d", n), "S3_BUCKET_VERSIONING_ENABLED"))
		}
		for _, part := range []string{resources(parts...), resources(parts[:30]...)} {
			a.must(a.putPack("p", part))
			p.Restart(t)
			a = open(t, p)
			a.Drain(t)
			a.equal(a.packStatus("p").ConformancePackState, types.ConformancePackStateCreateComplete)
		}
		names := a.ruleNames()
		a.equal(len(names), 25)
		if !slices.IsSorted(names) {
			t.Error(names)
		}
		_, err := a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("p")})
		a.must(err)
		p.Restart(t)
		a = open(t, p)
		a.Drain(t)
		a.equal(len(a.ruleNames()), 0)
	})
}

func TestRemediationsOfAPackPointToItsRules(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		fix := func(id, document string) string {
			return fmt.Sprintf("  %s:\n    Type: AWS::Config::RemediationConfiguration\n    DependsOn: A\n    Properties:\n"+
				"      ConfigRuleName: !Ref A\n      ResourceType: AWS::S3::Bucket\n      TargetType: SSM_DOCUMENT\n      TargetId: %s\n      Automatic: false\n"+
				"      MaximumAutomaticAttempts: '3'\n      Parameters: {BucketName: {ResourceValue: {Value: RESOURCE_ID}}}\n", id, document)
		}
		rule := ruleOf("A", "encrypted", "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED")
		id := a.deployed("p", resources(rule, fix("F", "AWS-EnableS3BucketEncryption")))
		remediations := func() []types.RemediationConfiguration {
			t.Helper()
			out, err := a.aws.DescribeRemediationConfigurations(t.Context(), &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{"encrypted-" + id}})
			a.must(err)
			return out.RemediationConfigurations
		}
		a.equal(*remediations()[0].TargetId, "AWS-EnableS3BucketEncryption")
		a.equal(*remediations()[0].MaximumAutomaticAttempts, 3)
		_, err := a.aws.DeleteRemediationConfiguration(t.Context(), &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: new("encrypted-" + id)})
		a.refused(err, "InsufficientPermissionsException", "service-linked")
		a.deployed("p", resources(rule, fix("F", "No-Such-Document")))
		if reason := *a.packStatus("p").ConformancePackStatusReason; !strings.Contains(reason, "were not created: The SSM document No-Such-Document") {
			t.Errorf("the reason is %s", reason)
		}
		a.equal(len(remediations()), 0)
		a.deployed("p", resources(rule, fix("F", "AWS-EnableS3BucketEncryption")))
		a.equal(len(remediations()), 1)
		_, err = a.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("p")})
		a.must(err)
		a.Drain(t)
		a.equal(len(a.ruleNames()), 0)
	})
}
