package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// selected returns the rows of all pages of an advanced query.
func (a account) selected(expression string, limit int32) (rows []string) {
	a.t.Helper()
	pages := configservice.NewSelectResourceConfigPaginator(a.aws, &configservice.SelectResourceConfigInput{Expression: &expression, Limit: limit})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		rows = append(rows, page.Results...)
	}
	return rows
}

func TestResourcesAreSelected(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		out, err := a.aws.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: new("SELECT *")})
		a.must(err) // also where nothing was ever recorded
		a.equal(len(out.Results), 0)
		a.equal(len(out.QueryInfo.SelectFields), 10)
		a.running()
		for i := range 30 {
			a.push(fmt.Sprintf("car-%02d", i), fmt.Sprintf(`{"doors": %d, "color": "red", "wheels": [{"size": 16}, {"size": %d}]}`, i%5, 17+i%2))
		}
		out, err = a.aws.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{
			Expression: new("select resourceId, configuration.doors where resourceType = '" + custom + "' and configuration.wheels.size = 18"),
		})
		a.must(err)
		a.equal(len(out.Results), 15)
		a.equal(out.Results[0], `{"configuration":{"doors":1.0},"resourceId":"car-01"}`)
		a.equal(*out.QueryInfo.SelectFields[1].Name, "configuration.doors")
		out, err = a.aws.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: new("SELECT resourceId WHERE resourceType = '" + custom + "'")})
		a.must(err)
		a.equal(len(out.Results), 25)
		for _, limit := range []int32{1, 7, 100} {
			rows := a.selected("SELECT resourceId WHERE resourceType = '"+custom+"' ORDER BY configuration.doors DESC, resourceId", limit)
			a.equal(len(rows), 30)
			a.equal(rows[0]+rows[29], `{"resourceId":"car-04"}{"resourceId":"car-25"}`)
		}
		a.equal(a.selected("SELECT configuration.doors, COUNT(*) WHERE resourceType = '"+custom+"' GROUP BY configuration.doors", 2)[4], `{"COUNT(*)":6,"configuration":{"doors":4.0}}`)
		a.equal(a.selected("SELECT COUNT(*) WHERE resourceType = 'AWS::S3::Bucket' AND resourceName = 'deliveries'", 0), `[{"COUNT(*)":1}]`)
		_, err = a.aws.DeleteResourceConfig(ctx, &configservice.DeleteResourceConfigInput{ResourceType: new(custom), ResourceId: new("car-00")})
		a.must(err)
		a.equal(a.selected("SELECT COUNT(*) WHERE resourceType LIKE 'Acme::%'", 0), `[{"COUNT(*)":29}]`)
	})
}

func TestEveryMemberOfAnItemIsSelected(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		_, err := a.aws.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
			ResourceType: new(custom), SchemaVersionId: new("00000001"), ResourceId: new("x"), ResourceName: new("name"),
			Configuration: new(`{"a": null, "b": "<&>", "c": []}`), Tags: map[string]string{"env": "prod", "b": "=c"},
		})
		a.must(err)
		rows := a.selected("SELECT *, tags, configuration, relationships, supplementaryConfiguration, configurationItemStatus WHERE tags.tag = 'env=prod' AND tags.key = 'b'", 0)
		a.equal(len(rows), 1)
		var row map[string]any
		a.must(json.Unmarshal([]byte(rows[0]), &row))
		a.equal(row["accountId"], p.Account())
		a.equal(row["resourceName"], "name")
		a.equal(row["tags"], "[map[key:b tag:b==c value:=c] map[key:env tag:env=prod value:prod]]")
		a.equal(row["configuration"].(map[string]any)["b"], "<&>")
		a.equal(row["configurationItemStatus"], "ResourceDiscovered")
	})
}

func TestAccountsAndRegionsSelectTheirOwn(t *testing.T) {
	p := apptest.Start(t)
	for _, place := range []*apptest.Plumb{p, p.As("210987654321", p.Region()), p.As(p.Account(), "us-east-1")} {
		a := open(t, place)
		a.recorder()
		_, err := a.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("b-" + a.Account() + a.Region())})
		if a.Region() == "us-east-1" {
			a.must(err)
		}
	}
	a := open(t, p.As("999999999999", "eu-west-1"))
	a.equal(len(a.selected("SELECT resourceId", 0)), 0)
	a.equal(a.selected("SELECT COUNT(*) WHERE accountId = '123456789012'", 0), `[{"COUNT(*)":0}]`)
}

func TestWrongQueriesAreRefusedWithTheirPlace(t *testing.T) {
	p := apptest.Start(t)
	a := open(t, p)
	for expression, want := range map[string]string{
		"SELECT":                              "syntax error at line 1, column 7",
		"SELECT * FROM x":                     "syntax error at line 1, column 10: FROM is not supported",
		"SELECT resourceId\nWHERE foo = 'x'":  "syntax error at line 2, column 7: there is no property foo",
		"SELECT resourceId; DROP TABLE x":     "column 18",
		"SELECT COUNT(*), resourceId":         "must be in GROUP BY",
		"SELECT arn WHERE arn LIKE '%x'":      "% may only end",
		"SELECT arn WHERE arn = 'x' HAVING 1": "HAVING is not supported",
	} {
		_, err := a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: &expression})
		a.refused(err, "InvalidExpressionException", want)
	}
	_, err := a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: new("SELECT " + strings.Repeat("a", 4090))})
	a.refused(err, "ValidationException", "4096")
	_, err = a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: new("SELECT *"), Limit: 101})
	a.refused(err, "InvalidLimitException", "100")
}

func TestTokensOfSelectionsAreBound(t *testing.T) {
	p := apptest.Start(t)
	a := open(t, p)
	a.running()
	a.push("a", `{}`)
	a.push("b", `{}`)
	const expression = "SELECT resourceId WHERE resourceType = '" + custom + "'"
	page, err := a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: new(expression), Limit: 1})
	a.must(err)
	for name, try := range map[string]struct {
		of         account
		expression string
		token      string
	}{
		"another expression": {a, expression + " ORDER BY resourceId", *page.NextToken},
		"another account":    {open(t, p.As("210987654321", p.Region())), expression, *page.NextToken},
		"another region":     {open(t, p.As(p.Account(), "ap-south-1")), expression, *page.NextToken},
		"garbage":            {a, expression, "garbage"},
		"changed":            {a, expression, *page.NextToken + "A"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := try.of.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: &try.expression, NextToken: &try.token})
			account{try.of.Plumb, t, try.of.aws}.refused(err, "InvalidNextTokenException", "invalid")
		})
	}
	next, err := a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: new(expression), NextToken: page.NextToken})
	a.must(err)
	a.equal(fmt.Sprint(next.Results, next.NextToken == nil), `[{"resourceId":"b"}] true`)
}

func TestExtendedQueriesAreASetting(t *testing.T) {
	const expression = "SELECT resourceId AS id AS OF '2026-01-01'"
	for setting, refused := range map[string]bool{"aws": true, "extended": false} {
		a := open(t, apptest.Start(t, func(s *settings.Settings) { s.Queries = setting }))
		_, err := a.aws.SelectResourceConfig(t.Context(), &configservice.SelectResourceConfigInput{Expression: new(expression)})
		if refused {
			a.refused(err, "InvalidExpressionException", "AS is not supported")
		} else {
			a.must(err)
		}
	}
}
