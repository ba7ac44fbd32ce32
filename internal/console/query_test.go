package console_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
)

func TestQueryAnswersWithRowsThatLeadToTheirResources(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	b := newBrowser(t, p)
	ask := func(sql string) string { return "query?sql=" + url.QueryEscape(sql) }
	s := b.page(ask("SELECT resourceId, resourceType, accountId, awsRegion, supplementaryConfiguration.BucketVersioningConfiguration.status WHERE resourceType = 'AWS::S3::Bucket' AND resourceId = 'reports'"))
	s.has(t, `type=AWS%3A%3AS3%3A%3ABucket">reports</a>`, "Suspended", "1 row")
	then := p.Clock().Now().Add(-30 * time.Second).Format(time.RFC3339)
	b.page(ask("SELECT resourceId, supplementaryConfiguration.BucketVersioningConfiguration.status WHERE resourceId = 'reports'")+"&at="+url.QueryEscape(then)).has(t, ">Enabled</td>")
	b.page(ask("SELECT resourceType, COUNT(*) GROUP BY resourceType")+"&format=csv").has(t, "AWS::S3::Bucket,2\n")
	b.page(ask("SELECT bucket.resourceId AS b, configuration.complianceType JOIN bucket ON relationships WHERE resourceType = 'AWS::Config::ResourceCompliance'")+"&format=csv").
		has(t, "reports,NON_COMPLIANT\n")
	s = b.page(ask("SELECT WHERE"))
	s.has(t, `role="alert"`)
	if s := b.get(ask("SELECT *") + "&after=x"); s.Status != http.StatusBadRequest {
		t.Errorf("a page that none ends at: %d", s.Status)
	}
}

func TestPackShowsItsRulesByAccountAndWhatNobodyEvaluates(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	must[*configservice.PutConformancePackOutput](t)(p.Config().PutConformancePack(t.Context(), &configservice.PutConformancePackInput{
		ConformancePackName: aws.String("basics"), TemplateBody: aws.String(`
Resources:
  Versioned:
    Type: AWS::Config::ConfigRule
    Properties: {ConfigRuleName: packed-versioned, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED}}
`)}))
	p.Drain(t)
	b := newBrowser(t, p)
	b.page("packs").has(t, ">basics</a>", `class="bad"`)
	s := b.page("pack?name=basics")
	s.has(t, "packed-versioned", "non-compliant", "CREATE_COMPLETE", p.Account()+" "+p.Region())
	b.page("wrong?by=pack").has(t, ">basics</a>")
	if s := b.get("pack?name=none"); s.Status != http.StatusNotFound {
		t.Errorf("no pack: %d", s.Status)
	}
}

func TestOperationsTellReadingsDeliveriesJobsAndSettings(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		b.page("operations").has(t, "history files", "config-"+p.Account(), "no topic", "Jobs", "console", "function environments", "AWS::S3::Bucket")
	}, withConsole)
	p := apptest.Start(t, serverMode)
	b := newBrowser(t, p)
	b.login("AKIAONE", "one-secret", "")
	b.page("operations").lacks(t, "access-keys", "two-secret", "function environments")
}
