package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
)

// addressed puts a resource whose configuration has an address.
func addressed(t testing.TB, p *apptest.Plumb, id, address string) {
	t.Helper()
	must[*configservice.PutResourceConfigOutput](t)(p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: &id, SchemaVersionId: aws.String("00000001"),
		Configuration: aws.String(fmt.Sprintf(`{"net": [{"address": %q}]}`, address)),
	}))
	p.Drain(t)
	p.Clock().Advance(time.Minute)
}

func TestInventoryFindsWhoEverHeldAValueSinceWhenAndUntilWhen(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		record(t, p)
		addressed(t, p, "had-it", "10.0.0.7/32")
		within := p.Clock().Now().Add(-time.Second).Format(time.RFC3339)
		addressed(t, p, "had-it", "10.0.0.8/32")
		addressed(t, p, "never-had-it", "10.0.0.70")
		addressed(t, p, "has-it", "10.0.0.7")
		addressed(t, p, "has-it", "10.0.0.7/24") // holds it still: no row of its own
		b := newBrowser(t, p)
		s := b.page("inventory?value=10.0.0.7")
		s.has(t, ">had-it</a>", ">has-it</a>", "<td>still</td>", "configuration.net.0.address", "Found 2 times", `name="value" value="10.0.0.7"`)
		s.lacks(t, "never-had-it", "Look further back")
		if n := strings.Count(s.Text, "<tr data-row"); n != 2 || strings.Index(s.Text, ">has-it</a>") > strings.Index(s.Text, ">had-it</a>") {
			t.Errorf("%d rows, or not the newest first", n)
		}
		if n := strings.Count(s.Text, "<td>still</td>"); n != 1 {
			t.Errorf("%d hold it still", n)
		}
		past := b.page("inventory?value=10.0.0.7&at=" + url.QueryEscape(within))
		past.has(t, ">had-it</a>", "<td>still</td>", `name="at"`)
		past.lacks(t, ">has-it</a>")
		b.page("inventory?value=10.0.0.7&is=type:AWS::EC2::Instance").has(t, "No revision that was looked at began to hold it")
		b.page("inventory?value=10.0.0").has(t, "No revision that was looked at began to hold it")
	}, withConsole)
}

func TestSearchForAValueSaysAtLeastAndGoesOnByALink(t *testing.T) {
	p := apptest.Start(t, withConsole)
	record(t, p)
	for i := range 43 {
		bucket(t, p, fmt.Sprintf("bucket-%d", i), "", map[string]string{"team": "ever-held"})
	}
	p.Drain(t)
	b := newBrowser(t, p)
	s := b.page("inventory?value=ever-held")
	s.has(t, "Found at least 40 times", ">Look further back</a>")
	s = b.page(between(t, s.Text, `<tr class="more"><td colspan="20"><a href="`, `"`))
	s.has(t, "Found 3 times", "oldest revision that is kept")
	if s := b.get("inventory?value=x&after=x"); s.Status != 400 {
		t.Errorf("an odd page: %d", s.Status)
	}
	if s := b.get("inventory?value=" + strings.Repeat("x", 1001)); s.Status != 400 {
		t.Errorf("a long value: %d", s.Status)
	}
}

func TestSearchForAValueEndsAfterSomeRevisionsThoughNothingIsFound(t *testing.T) {
	p := apptest.Start(t, withConsole)
	record(t, p)
	addressed(t, p, "old", "10.0.0.7")
	for i := range 1010 {
		must[*configservice.PutResourceConfigOutput](t)(p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
			ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: aws.String("busy"), SchemaVersionId: aws.String("00000001"),
			Configuration: aws.String(fmt.Sprintf(`{"n": "n-%d"}`, i)),
		}))
	}
	p.Drain(t)
	b := newBrowser(t, p)
	began := time.Now()
	s := b.page("inventory?value=10.0.0.7")
	t.Log("a page that looks at 1000 revisions took", time.Since(began))
	s.has(t, "Found at least 0 times. Looked back until", "No revision that was looked at")
	s = b.page(strings.ReplaceAll(between(t, s.Text, `Looked back until `, `">Look further back`), "&amp;", "&")[len("2026-01-01 00:00:00. <a href=\""):])
	s.has(t, ">old</a>", "<td>still</td>", "Found 1 time ")
}
