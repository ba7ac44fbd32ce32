package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

// resource is the address of a resource's page.
func resource(p *apptest.Plumb, kind, id string, more ...string) string {
	q := url.Values{"account": {p.Account()}, "region": {p.Region()}, "type": {kind}, "id": {id}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "resource?" + q.Encode()
}

func TestResourceTellsWhyItIsRedSinceWhenAndWhatChanged(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		s := b.page(resource(p, "AWS::S3::Bucket", "reports"))
		s.has(t,
			"BucketVersioningConfiguration.Status Enabled → Suspended", // the timeline
			"<del>Enabled</del>", "<ins>Suspended</ins>", // the difference
			"Versioning is Suspended", "supplementaryConfiguration.BucketVersioningConfiguration.status = &#34;Suspended&#34;", // why
			"1 non-compliant, 0 compliant", "after the change", "finance", "discovered",
			"get-resource-config-history", "SELECT * WHERE")
		s.lacks(t, "verdict good\"><b", "is stopped")
	}, withConsole)
}

func TestResourceAsOfAMomentIsWhatItWasThen(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	then := p.Clock().Now().Add(-30 * time.Second)
	b := newBrowser(t, p)
	s := b.page(resource(p, "AWS::S3::Bucket", "reports", "at", then.Format(time.RFC3339)))
	s.has(t, "As of "+then.UTC().Format("2006-01-02 15:04:05"), `<span class="value string">Enabled`)
	s.lacks(t, "Enabled → Suspended")
	if s := b.get(resource(p, "AWS::S3::Bucket", "reports", "at", "2020-01-01")); s.Status != http.StatusOK || strings.Contains(s.Text, "discovered</a>") {
		t.Errorf("before its first item: %d", s.Status) // what rules say of it now is still told
	}
}

func TestOnlyAPageOfALongHistoryIsShown(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	for i := range 23 {
		p.Clock().Advance(time.Minute)
		version(t, p, "reports", []string{"Enabled", "Suspended"}[i%2])
		p.Drain(t)
	}
	b := newBrowser(t, p)
	s := b.page(resource(p, "AWS::S3::Bucket", "reports"))
	if n := strings.Count(s.Text, `<li class="configuration`); n != 20 {
		t.Errorf("%d revisions on the first page", n)
	}
	s.has(t, ">older</a>", `rel="prev"`)
	s.lacks(t, "discovered")
	older := between(t, s.Text, `<span class="steps"><a href="`, `"`)
	b.page(older).has(t, "discovered", ">newest</a>")
	prev := between(t, s.Text, `rel="prev" href="`, `"`)
	b.page(prev).has(t, `rel="next"`, "<del>Enabled</del>")
}

// between returns what stands between two texts, as an address.
func between(t testing.TB, page, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, before)
	found, _, more := strings.Cut(rest, after)
	if !ok || !more {
		t.Fatalf("there is no %s: %s", before, text(page))
	}
	return strings.ReplaceAll(found, "&amp;", "&")
}

func TestBlameSaysSinceWhenAPathIsWhatItIs(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	b := newBrowser(t, p)
	path := "supplementaryConfiguration.BucketVersioningConfiguration.status"
	b.page(resource(p, "AWS::S3::Bucket", "reports", "blame", path)).has(t, "It became so with the revision of", "before <code>Enabled</code>")
	b.page(resource(p, "AWS::S3::Bucket", "reports", "blame", "configuration.name")).has(t, "since the oldest revision that is kept")
	b.page(resource(p, "AWS::S3::Bucket", "reports", "blame", "configuration.none")).has(t, "no such path")
}

func TestResourceSaysWhatIsNotKnown(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	must[*configservice.StopConfigurationRecorderOutput](t)(p.Config().StopConfigurationRecorder(t.Context(), &configservice.StopConfigurationRecorderInput{
		ConfigurationRecorderName: aws.String("default")}))
	b := newBrowser(t, p)
	s := b.page(resource(p, "AWS::S3::Bucket", "reports"))
	s.has(t, "The recorder is stopped: changes are not noticed.", "the recorder was stopped: nothing was noticed from here on")
	b.page(resource(p, "AWS::S3::Bucket", "config-"+p.Account())).has(t, "non-compliant")
	if s := b.get(resource(p, "AWS::S3::Bucket", "never")); s.Status != http.StatusNotFound || !strings.Contains(s.Text, "Nothing was recorded of") {
		t.Errorf("%d %s", s.Status, text(s.Text))
	}
	for _, path := range []string{"resource", "resource?type=A", resource(p, "AWS::S3::Bucket", "reports", "rev", "7")} {
		if s := b.get(path); s.Status < 400 || s.Status >= 500 {
			t.Errorf("%s: %d", path, s.Status)
		}
	}
}

func TestResourceIsExported(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	b := newBrowser(t, p)
	s := b.page(resource(p, "AWS::S3::Bucket", "reports", "format", "json"))
	s.has(t, `"configurationItemStatus": "OK"`, `"resourceId": "reports"`)
	if s.Get("Content-Type") != "application/json" {
		t.Error(s.Header)
	}
	s = b.page(resource(p, "AWS::S3::Bucket", "reports", "format", "csv"))
	s.has(t, "at,lane,what,verdict,note\n", "buckets-versioned,NON_COMPLIANT")
}

// hostile is a text that would run in a page that does not escape it.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`

// pushed records a resource whose every text is hostile.
func pushed(t testing.TB, p *apptest.Plumb, id string) {
	t.Helper()
	must[*configservice.PutResourceConfigOutput](t)(p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: &id, ResourceName: aws.String(hostile), SchemaVersionId: aws.String("00000001"),
		Configuration: aws.String(`{"a": "<script>alert(2)</script>", "<b>": {"javascript:alert(3)": "=cmd()"}}`),
		Tags:          map[string]string{"owner": hostile},
	}))
	p.Drain(t)
}

func TestHostileTextsAreShownAndNotRun(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	must[*configservice.PutConfigRuleOutput](t)(p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: aws.String("hostile"), Description: aws.String("<script>alert(4)</script>"),
		Source: &configtypes.Source{Owner: configtypes.OwnerCustomPolicy, CustomPolicyDetails: &configtypes.CustomPolicyDetails{
			PolicyRuntime: aws.String("guard-2.x.x"), PolicyText: aws.String("rule named when resourceType == 'AWS::S3::Bucket' { configuration.a == 'x' << <script>alert(5)</script> >> }"),
		}, SourceDetails: []configtypes.SourceDetail{{EventSource: "aws.config", MessageType: "ConfigurationItemChangeNotification"}}},
	}}))
	pushed(t, p, hostile)
	b := newBrowser(t, p)
	for _, path := range everyPage(p) {
		s := b.page(path)
		for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`, "<b>:"} {
			if strings.Contains(s.Text, bad) {
				t.Errorf("%s has %s", path, bad)
			}
		}
	}
	s := b.page(resource(p, "AWS::S3::Bucket", hostile))
	s.has(t, "&lt;script&gt;alert(1)", "&lt;script&gt;alert(2)", "&lt;script&gt;alert(5)")
	b.page("find?format=csv&q="+url.QueryEscape(hostile)).lacks(t, "\n=")
}

// everyPage are addresses of all views.
func everyPage(p *apptest.Plumb) []string {
	q := url.QueryEscape(hostile)
	return []string{
		"", "find?q=" + q, "components", resource(p, "AWS::S3::Bucket", hostile), resource(p, "AWS::S3::Bucket", hostile, "blame", hostile),
		resource(p, "AWS::S3::Bucket", "reports"), "?is=account:" + q + "&not=type:" + q,
		"wrong", "wrong?by=type", "wrong?by=account", "wrong?by=tag", "wrong?by=pack", "wrong?by=resource", "wrong?rule=hostile", "wrong?rule=" + q,
		"changes", "changes?noise=show&within=24h", "inventory", "inventory?is=type:AWS::S3::Bucket&deleted=show", "inventory?at=-1m&is=type:AWS::S3::Bucket", "inventory?value=" + q, "?at=-1h",
		"packs", "query", "query?sql=" + q, "query?sql=" + url.QueryEscape("SELECT *"), "operations",
		"ticket?rule=hostile", "rules", "rules?words=" + q, "rule?name=hostile",
	}
}
