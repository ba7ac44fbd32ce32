package console_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/ruletest"
	"plumb/internal/settings"
)

// A draft is a rule on the bench, as its form has it.
func draft(name, text, item string, more ...string) url.Values {
	form := url.Values{"draft": {name}, "text": {text}, "item": {item}, "types": {"AWS::S3::Bucket"}, "do": {"save"}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// begin begins a rule and returns its page.
func (b *browser) begin(name, language string) shown {
	b.t.Helper()
	return b.form("bench", "bench/begin", url.Values{"name": {name}, "language": {language}, "type": {"AWS::S3::Bucket"}})
}

// form posts a form with the token of a page.
func (b *browser) form(page, to string, form url.Values) shown {
	b.t.Helper()
	form.Set("csrf", b.page(page).token(b.t))
	return b.post(to, form)
}

func (b *browser) save(form url.Values) shown {
	b.t.Helper()
	return b.form("bench?draft="+form.Get("draft"), "bench/draft", form)
}

const untagged = `{resourceId: plain, tags: {}}`

func TestBenchAsksARuleOfEachLanguageAboutAnItem(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		b := newBrowser(t, p)
		languages := []string{"cel", "guard", "python"}
		if os.Getenv("PLUMB_NODE_PATH") != "" {
			languages = append(languages, "node") // its rule needs the SDK
		}
		for _, language := range languages {
			name := "owners-" + language
			s := b.begin(name, language)
			s.has(t, "tags", "Save and evaluate")
			text := textOf(t, s)
			s = b.save(draft(name, text, untagged))
			s.has(t, "non-compliant", "Keep as a test")
			b.save(draft(name, text, `{resourceId: mine, tags: {owner: finance}}`)).has(t, `<span class="verdict good">compliant</span>`)
		}
	}, withConsole, func(s *settings.Settings) { s.NodePath = os.Getenv("PLUMB_NODE_PATH") })
}

func TestBenchShowsTheStackTraceAndWhatAFunctionPrinted(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	b.begin("broken", "python")
	b.save(draft("broken", "def handler(event, context):\n    print('it begins')\n    return {}['owner']\n", untagged)).
		has(t, "failed", "KeyError", "line 3", "it begins")
	b.save(draft("broken", "def handler(event, context):\n    pass\n", untagged)).has(t, "it reported nothing")
	b.save(draft("broken", "def other():\n    pass\n", untagged)).has(t, "rule.py has no handler")
	b.save(draft("broken", "def handler(:\n", untagged)).has(t, "failed", "SyntaxError")
	b.save(draft("broken", "x = 1", "{")).has(t, "failed", "The item cannot be read")
}

func TestBenchKeepsWhatARuleSaidAsATest(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	text := textOf(t, b.begin("owners", "guard"))
	s := b.save(draft("owners", text, untagged, "do", "keep", "test", "no owner"))
	s.has(t, "no owner", ">passes<", "compliance: NON_COMPLIANT", "types: [AWS::S3::Bucket]")
	if got := testsOf(t, "owners.guard", text, s); len(got) != 1 || got[0].Item.ID != "plain" || got[0].Item.Type != "AWS::S3::Bucket" {
		t.Errorf("plumb rule test reads the tests as %+v", got)
	}
	b.save(draft("owners", "# a comment\n"+text, untagged)).has(t, ">passes<")
	b.save(draft("owners", strings.ReplaceAll(text, "tags.owner exists", "tags.owner !exists"), untagged)).has(t, ">fails<", "it says COMPLIANT, and must say NON_COMPLIANT")
	b.save(draft("owners", "rule x {", untagged)).has(t, "failed", ">fails<")
	b.save(draft("owners", text, untagged)).has(t, ">passes<")
	b.form("bench?draft=owners", "bench/drop-test", url.Values{"draft": {"owners"}, "test": {"no owner"}}).lacks(t, ">passes<")
	b.save(draft("owners", "rule x {", untagged, "do", "keep")).has(t, "there is nothing to keep as a test")
	b.page("bench?draft=owners").has(t, "rule x {") // what was typed is not lost
	for range 2 {
		s = b.save(draft("owners", text, untagged, "do", "keep", "test", "twice"))
	}
	s.has(t, "all tests pass: 2", ">twice (2)<")
	b.form("bench?draft=owners", "bench/drop-test", url.Values{"draft": {"owners"}, "test": {"twice"}}).has(t, "all tests pass: 1", "twice (2)")
	if s := b.save(draft("owners", text, untagged, "do", "delete")); strings.Contains(s.Text, "draft=owners") {
		t.Error("the draft is still there")
	}
}

func TestBenchTriesARuleOnRecordedItemsAndWritesNothing(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		b := newBrowser(t, p)
		story(t, p) // the bucket reports, whose versioning was suspended
		const policy = `rule versioned { supplementaryConfiguration.BucketVersioningConfiguration.status == "Enabled" }`
		const function = `import json, boto3
def handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    on = item['supplementaryConfiguration']['BucketVersioningConfiguration']
    on = json.loads(on) if isinstance(on, str) else on
    boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'], 'ComplianceResourceId': item['resourceId'],
        'ComplianceType': 'COMPLIANT' if on['status'] == 'Enabled' else 'NON_COMPLIANT', 'OrderingTimestamp': item['configurationItemCaptureTime']}])
`
		for name, text := range map[string]string{"guard": policy, "python": function} {
			b.begin("try-"+name, name)
			b.save(draft("try-"+name, text, "", "pick", "AWS::S3::Bucket/reports")).has(t, "reports", "non-compliant", "Suspended")
			b.page("bench?draft=try-"+name+"&since=now").has(t, "Tried on 2 items of 2 resources", "would be NON_COMPLIANT now")
			b.page("bench?draft=try-"+name+"&since=24h").has(t, "no rule has its name", ">reports</a>", "verdict good", "verdict bad")
		}
		b.page("rules").lacks(t, "try-guard", "try-python")
	}, withConsole)
}

func TestRulesThatAreThereAreEditedAtTheBench(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	story(t, p)
	one := url.Values{"rule": {"buckets-versioned"}, "account": {p.Account()}, "region": {p.Region()}}
	text := textOf(t, b.form("rule?name=buckets-versioned", "bench/copy", one))
	if !strings.Contains(text, "identifier: S3_BUCKET_VERSIONING_ENABLED") {
		t.Error(text)
	}
	b.page("bench?draft=buckets-versioned&since=now").has(t, "it would decide otherwise on 0")
	turned := strings.ReplaceAll(text, `"Enabled"`, `"Suspended"`)
	b.save(draft("buckets-versioned", turned, "", "pick", "AWS::S3::Bucket/reports", "types", "")).has(t, `<span class="verdict good">compliant</span>`)
	b.page("bench?draft=buckets-versioned&since=now").has(t, "1 resource would turn COMPLIANT now")
	b.form("rule?name=buckets-versioned", "bench/copy", one).has(t, "Suspended") // the draft, not a new copy

	elsewhere := p.As(p.Account(), "eu-west-1")
	if err := elsewhere.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	versioningRule(t, elsewhere, "buckets-versioned")
	one.Set("region", "eu-west-1")
	b.form("bench", "bench/copy", one).has(t, "A rule called buckets-versioned is on the bench already, of "+p.Account()+"/us-east-1. Delete that draft first.")
	there := b.page("bench?draft=buckets-versioned&account=" + p.Account() + "&region=eu-west-1")
	there.has(t, `<option value="AWS::S3::Bucket/`+apptest.DeliveryBucket+`">`)
	there.lacks(t, `<option value="AWS::S3::Bucket/reports">`)
}

func TestBenchTakesABoundedNumberOfRules(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	record(t, p)
	versioningRule(t, p, "buckets-versioned")
	form := url.Values{"csrf": {b.page("bench").token(t)}, "language": {"guard"}}
	for i := range 200 {
		form.Set("name", fmt.Sprintf("r-%d", i))
		if s := b.post("bench/begin", form); s.Status != http.StatusOK {
			t.Fatalf("rule %d: %d", i, s.Status)
		}
	}
	form.Set("name", "one-more")
	b.post("bench/begin", form).has(t, "The bench has 200 rules, and takes no more. Delete a draft first.")
	b.form("bench", "bench/copy", url.Values{"rule": {"buckets-versioned"}, "account": {p.Account()}, "region": {p.Region()}}).has(t, "takes no more")
}

func TestBenchRefusesInWords(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	for _, form := range []url.Values{
		{"name": {"../x"}, "language": {"python"}}, {"name": {"x"}, "language": {"cobol"}}, {"name": {"x"}, "language": {"python"}, "type": {"bucket"}},
	} {
		if s := b.form("bench", "bench/begin", form); s.Status != http.StatusBadRequest {
			t.Errorf("%v: %d", form, s.Status)
		}
	}
	b.begin("x", "guard")
	if s := b.begin("x", "guard"); s.Status != http.StatusBadRequest {
		t.Errorf("a second one of the name: %d", s.Status)
	}
	for _, text := range []string{"a\x00b", "a\xff"} {
		if s := b.save(draft("x", text, "")); s.Status != http.StatusBadRequest {
			t.Errorf("%q: %d", text, s.Status)
		}
	}
	if s := b.save(draft("x", "", "", "pick", "AWS::S3::Bucket/none")); s.Status != http.StatusNotFound {
		t.Errorf("what is not recorded: %d", s.Status)
	}
	if s := b.get("bench?draft=none"); s.Status != http.StatusNotFound {
		t.Errorf("no draft: %d", s.Status)
	}
	if s := b.post("bench/draft", draft("x", "", "")); s.Status != http.StatusForbidden {
		t.Errorf("without a token: %d", s.Status)
	}
	server := newBrowser(t, apptest.Start(t, serverMode))
	server.login("AKIAONE", "one-secret", "")
	for _, path := range []string{"bench", "requests"} {
		if s := server.get(path); s.Status != http.StatusNotFound {
			t.Errorf("%s in server mode: %d", path, s.Status)
		}
	}
}

func TestSavingAFunctionShowsItsVerdictWithinHalfASecond(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	text := textOf(t, b.begin("quick", "python"))
	b.save(draft("quick", text, untagged)) // which starts the throw-away server
	best := time.Hour
	for i := range 5 {
		begun := time.Now()
		b.save(draft("quick", text+strings.Repeat("#", i)+"\n", untagged)).has(t, "non-compliant")
		best = min(best, time.Since(begun))
	}
	if t.Logf("the best of five took %s", best); best > 500*time.Millisecond {
		t.Errorf("the best of five took %s", best)
	}
}

func TestLiveRequestsShowWhatClientsAskedAndWhatNobodyServes(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	story(t, p)
	unserved(t, p)
	// It fails, which does not matter here: it is a call with a secret.
	_, err := p.Client().Call(t.Context(), "sns", "ConfirmSubscription", map[string]any{"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Token": "hidden-value"})
	if err == nil {
		t.Error("there is a topic of that name")
	}
	s := b.page("requests")
	s.has(t, "ConfirmSubscription", ":none", "token")
	s.lacks(t, "hidden-value")
	b.page("requests").has(t, "PutConfigRule", "S3_BUCKET_VERSIONING_ENABLED", "GetTables", "nobody serves this")
	b.page("requests?show=unserved").has(t, "GetTables")
	b.page("requests?show=unserved").lacks(t, "PutConfigRule")
	b.page("bench").has(t, "Live requests", "PutConfigRule", "All of them", `data-live-page="/_plumb/ui/requests?on=bench"`)
	b.page("requests?on=bench").has(t, "All of them")
	b.page("requests").lacks(t, "All of them")
}

// testsOf are the tests of a page, as plumb rule test reads them beside the rule.
func testsOf(t *testing.T, file, rule string, s shown) []ruletest.Test {
	t.Helper()
	_, rest, _ := strings.Cut(s.Text, `<textarea id="yaml" readonly rows="10" spellcheck="false">`)
	tests, _, ok := strings.Cut(rest, "</textarea>")
	if !ok {
		t.Fatal("the page has no tests")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{file: rule, ruletest.FileName: html.UnescapeString(tests)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := ruletest.ReadFile(filepath.Join(dir, ruletest.FileName), "")
	if err != nil {
		t.Fatal(err)
	}
	return f.Tests
}

// textOf is what the bench has of a rule.
func textOf(t *testing.T, s shown) string {
	t.Helper()
	_, rest, ok := strings.Cut(s.Text, `wrap="off">`)
	text, _, closed := strings.Cut(rest, "</textarea>")
	if !ok || !closed {
		t.Fatalf("%s has no rule: %s", s.URL, text)
	}
	return html.UnescapeString(text)
}

// unserved asks for a service that is not served here.
func unserved(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.URL(), strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "Glue.GetTables")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=x")
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answered.Body.Close()
}
