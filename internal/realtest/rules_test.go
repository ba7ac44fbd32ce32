package realtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// TestPublicRulesRunUnchanged runs each rule in an account of its own. Those that
// need the cloud share the one account that has a target.
func TestPublicRulesRunUnchanged(t *testing.T) {
	needCheckout(t, rulesVariable)
	moto := startMoto(t)
	names := boto3(t, "cloud.py", moto)
	p := apptest.Start(t, apptest.Target(moto), func(s *settings.Settings) { s.NodePath = os.Getenv("PLUMB_NODE_PATH") })
	record(t, p)
	p.Drain(t)
	accounts := 0
	for _, family := range []string{"python", "rdk", "rdklib", "node"} {
		t.Run(family, func(t *testing.T) {
			for _, c := range readCases(t, family, names) {
				t.Run(c.name(), func(t *testing.T) {
					own := p
					if !c.Cloud {
						accounts++
						own = p.As(fmt.Sprintf("1%011d", accounts), p.Region())
						record(t, own)
					}
					runCase(t, own, c.in(own))
				})
			}
		})
	}
}

// runCase puts the rule after half of what it is to judge, and before the rest: a
// rule is evaluated when it is put, and on each change. One that is triggered by
// time finds all there.
func runCase(t *testing.T, p *apptest.Plumb, c ruleCase) {
	function := putFunction(t, p, c)
	half := len(c.Items) / 2
	if c.Every != "" {
		half = len(c.Items)
	}
	push(t, p, c.Items[:half])
	embed(t, p, c.Embedded)
	p.Drain(t)
	began := time.Now()
	putRule(t, p, c, function)
	p.Drain(t)
	push(t, p, c.Items[half:])
	p.Drain(t)
	got, failure := verdicts(t, p, c.name()), lastError(t, p, c.name())
	t.Logf("%d verdicts in %s", len(got), time.Since(began).Round(time.Millisecond))
	if c.Fails != "" {
		if len(got) > 0 || !regexp.MustCompile(c.Fails).MatchString(failure) {
			t.Errorf("verdicts %v and error %q, want none and %q", got, failure, c.Fails)
		}
		return
	}
	if c.Cloud { // it judges more there than the case says
		maps.DeleteFunc(got, func(resource, _ string) bool { _, ok := c.Verdicts[resource]; return !ok })
	}
	if !maps.Equal(got, c.Verdicts) || failure != "" {
		t.Errorf("verdicts\n %v\nwant\n %v\nerror %q", got, c.Verdicts, failure)
	}
}

func putRule(t *testing.T, p *apptest.Plumb, c ruleCase, function string) {
	t.Helper()
	parameters, err := json.Marshal(c.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	r := &types.ConfigRule{
		ConfigRuleName: aws.String(c.name()),
		Source:         &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: &function},
	}
	if c.Parameters != nil {
		r.InputParameters = aws.String(string(parameters))
	}
	if c.Types != nil {
		r.Scope = &types.Scope{ComplianceResourceTypes: c.Types}
		for _, m := range []types.MessageType{
			types.MessageTypeConfigurationItemChangeNotification, types.MessageTypeOversizedConfigurationItemChangeNotification,
		} {
			r.Source.SourceDetails = append(r.Source.SourceDetails, types.SourceDetail{EventSource: types.EventSourceAwsConfig, MessageType: m})
		}
	}
	if c.Every != "" {
		r.Source.SourceDetails = append(r.Source.SourceDetails, types.SourceDetail{
			EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeScheduledNotification,
			MaximumExecutionFrequency: types.MaximumExecutionFrequency(c.Every),
		})
	}
	if _, err := p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: r}); err != nil {
		t.Fatal(err)
	}
}

func push(t *testing.T, p *apptest.Plumb, items []fixture) {
	t.Helper()
	for _, f := range items {
		in := &configservice.PutResourceConfigInput{
			ResourceType: &f.Type, ResourceId: &f.ID, SchemaVersionId: aws.String("1"), Configuration: aws.String(f.body(t)), Tags: f.Tags,
		}
		if f.Name != "" {
			in.ResourceName = &f.Name
		}
		if _, err := p.Config().PutResourceConfig(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
}

// verdicts returns what a rule says now, by "TYPE ID".
func verdicts(t *testing.T, p *apptest.Plumb, rule string) map[string]string {
	t.Helper()
	out := map[string]string{}
	pages := configservice.NewGetComplianceDetailsByConfigRulePaginator(p.Config(),
		&configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &rule})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.EvaluationResults {
			q := r.EvaluationResultIdentifier.EvaluationResultQualifier
			out[*q.ResourceType+" "+*q.ResourceId] = string(r.ComplianceType)
		}
	}
	return out
}

// lastError is what the rule's status says went wrong in its last invocation.
func lastError(t *testing.T, p *apptest.Plumb, rule string) string {
	t.Helper()
	out, err := p.Config().DescribeConfigRuleEvaluationStatus(t.Context(),
		&configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{rule}})
	if err != nil || len(out.ConfigRulesEvaluationStatus) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	s := out.ConfigRulesEvaluationStatus[0]
	if s.LastErrorCode == nil {
		return ""
	}
	return *s.LastErrorCode + ": " + aws.ToString(s.LastErrorMessage)
}
