package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
)

// queried runs plumb query, and returns what it printed and its errors.
func queried(t *testing.T, p *apptest.Plumb, in string, args ...string) (out, errOut string, status int) {
	t.Helper()
	var text, errText bytes.Buffer
	status = run(t.Context(), append([]string{"query", "--endpoint", p.URL(), "--region", p.Region()}, args...), strings.NewReader(in), &text, &errText)
	return text.String(), errText.String(), status
}

func TestQueryPrintsATable(t *testing.T) {
	p := apptest.Start(t)
	c := p.Config()
	_, err := c.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		Name: new("default"), RoleARN: new("arn:aws:iam::123456789012:role/config")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("deliveries")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutDeliveryChannel(t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{Name: new("default"), S3BucketName: new("deliveries")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.StartConfigurationRecorder(t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")}); err != nil {
		t.Fatal(err)
	}
	for i := range 103 {
		_, err := c.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{ResourceType: new("Acme::Road::Car"), SchemaVersionId: new("1"),
			ResourceId: new(fmt.Sprintf("car-%03d", i)), Configuration: new(fmt.Sprintf(`{"wheels": [{"size": 16}, {"size": %d}], "name": "a\tb", "maker": {"city": "Turin"}}`, i%3))})
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Drain(t)
	const cars = " WHERE resourceType = 'Acme::Road::Car'"
	out, _, status := queried(t, p, "", "SELECT resourceId, configuration.wheels.size, configuration.name, configuration.maker"+cars+" AND resourceId = 'car-001'")
	if want := "resourceId  configuration.wheels.size  configuration.name  configuration.maker\ncar-001     16, 1                      a b                 {\"city\":\"Turin\"}\n"; out != want || status != 0 {
		t.Errorf("status %d\n%s\nwant\n%s", status, out, want)
	}
	out, _, _ = queried(t, p, "SELECT COUNT(*)"+cars, "-", "--json")
	if out != "{\"COUNT(*)\":103}\n" {
		t.Error(out)
	}
	out, errOut, _ := queried(t, p, "", "SELECT resourceId"+cars)
	if n := strings.Count(out, "\n"); n != 104 || errOut != "" {
		t.Errorf("%d lines, %s", n, errOut)
	}
	out, errOut, _ = queried(t, p, "", "SELECT resourceId"+cars, "--rows", "101", "--json")
	if n := strings.Count(out, "\n"); n != 101 || !strings.Contains(errOut, "the first 101 rows") {
		t.Errorf("%d lines, %s", n, errOut)
	}
	if out, _, _ = queried(t, p, "", "SELECT resourceType AS kind, COUNT(*) AS n"+cars+" GROUP BY kind HAVING n > 100"); out != "kind             n\nAcme::Road::Car  103\n" {
		t.Error(out)
	}
	if _, err := c.PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: new("versioned"),
		Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")}}}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	out, _, _ = queried(t, p, "", "SELECT bucket.resourceId, configuration.complianceType AS is JOIN bucket ON relationships WHERE resourceType = 'AWS::Config::ResourceCompliance'")
	if out != "bucket.resourceId  is\ndeliveries         NON_COMPLIANT\n" {
		t.Error(out)
	}
	if _, err := c.PutStoredQuery(t.Context(), &configservice.PutStoredQueryInput{StoredQuery: &types.StoredQuery{
		QueryName: new("cars"), Expression: new("SELECT COUNT(*)" + cars)}}); err != nil {
		t.Fatal(err)
	}
	if out, _, _ = queried(t, p, "", "--stored", "cars"); out != "COUNT(*)\n103\n" {
		t.Error(out)
	}
	if _, err := c.PutConfigurationAggregator(t.Context(), &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: new("all"),
		AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: []string{p.Account()}, AllAwsRegions: true}}}); err != nil {
		t.Fatal(err)
	}
	if out, _, _ = queried(t, p, "", "--aggregator", "all", "SELECT accountId, COUNT(*)"+cars+" GROUP BY accountId"); out != "accountId     COUNT(*)\n123456789012  103\n" {
		t.Error(out)
	}
}

func TestQueryThatIsWrongSaysWhere(t *testing.T) {
	p := apptest.Start(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"SELECT foo"}, "InvalidExpressionException (HTTP 400): syntax error at line 1, column 8: there is no property foo"},
		{[]string{"--aggregator", "none", "SELECT *"}, "NoSuchConfigurationAggregatorException"},
		{[]string{"--stored", "none"}, "none"},
		{nil, "give one of EXPRESSION and --stored"},
		{[]string{"SELECT *", "--stored", "x"}, "give one of EXPRESSION and --stored"},
		{[]string{"SELECT *", "--rows", "-1"}, "no negative --rows"},
	} {
		if _, errOut, status := queried(t, p, "", c.args...); status != 1 || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: status %d, %s", c.args, status, errOut)
		}
	}
}
