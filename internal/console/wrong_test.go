package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"plumb/internal/apptest"
)

func TestWhatIsWrongIsGroupedAndCountedByRule(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		bucket(t, p, "logs", "", map[string]string{"owner": "ops"})
		p.Drain(t)
		b := newBrowser(t, p)
		s := b.page("wrong")
		s.has(t, ">buckets-versioned</a>") // the bucket of files fails too
		b.page("wrong?format=csv").has(t, "buckets-versioned,3,3,", ",0 %,1\n")
		b.page("wrong?rule=buckets-versioned").has(t, ">reports</a>", ">logs</a>", "Versioning is Suspended")
	}, withConsole)
}

func TestGroupsOfWhatIsWrong(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	other := p.As("222222222222", p.Region())
	bucket(t, other, "theirs", "", nil)
	record(t, other)
	versioningRule(t, other, "buckets-versioned")
	b := newBrowser(t, p)
	for by, want := range map[string]string{
		"rule": "buckets-versioned,4,4,", "type": "AWS::S3::Bucket,4,4,", "account": "222222222222,2,2,", "tag": "finance,1\n", "resource": "reports,AWS::S3::Bucket,123456789012,us-east-1,1,1\n",
	} {
		s := b.page("wrong?format=csv&by=" + by)
		if !strings.Contains(s.Text, want) {
			t.Errorf("by %s: %s", by, s.Text)
		}
	}
	b.page("wrong?format=csv&is=account:222222222222").has(t, "buckets-versioned,2,2,")
	b.page("wrong?format=csv&not=account:222222222222").has(t, "buckets-versioned,2,2,")
	b.page("wrong?is=account:222222222222").has(t, `aria-label="Remove the filter account 222222222222"`)
	b.page("wrong?rule=buckets-versioned&format=csv&is=type:AWS::EC2::VPC").lacks(t, "reports")
	if s := b.get("wrong?by=magic"); s.Status != http.StatusBadRequest {
		t.Errorf("an unknown grouping: %d", s.Status)
	}
}

func TestFailuresOfARuleInAllAccountsBecomeATicket(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	b := newBrowser(t, p)
	s := b.page("ticket?rule=buckets-versioned")
	s.has(t, "### buckets-versioned:", "| reports | AWS::S3::Bucket | 123456789012 | us-east-1 |")
	list := b.page("wrong?rule=buckets-versioned")
	pick := between(t, list.Text, `name="pick" value="`, `"`)
	s = b.page("ticket?rule=buckets-versioned&pick=" + url.QueryEscape(strings.ReplaceAll(pick, "&#34;", `"`)))
	if n := strings.Count(s.Text, "| AWS::S3::Bucket |"); n != 1 {
		t.Errorf("%d lines of one pick", n)
	}
}

func TestRuleIsAskedToEvaluateAgain(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	b := newBrowser(t, p)
	s := b.page("rule?name=buckets-versioned")
	s.has(t, "Judged 2 of 2 AWS::S3::Bucket: 2 non-compliant, 0 compliant.", "managed, S3_BUCKET_VERSIONING_ENABLED", "BucketVersioningConfiguration.status")
	form := url.Values{"csrf": {s.token(t)}, "rule": {"buckets-versioned"}, "account": {p.Account()}, "region": {p.Region()}, "back": {"/_plumb/ui/rule?name=buckets-versioned"}}
	done := b.post("evaluate", form)
	done.has(t, "The rule was asked to evaluate again.") // and may have done so
	p.Drain(t)
	b.page("rule?name=buckets-versioned").lacks(t, "evaluating</b>")
	form.Set("rule", "none")
	if s := b.post("evaluate", form); s.Status != http.StatusNotFound {
		t.Errorf("a rule that is not there: %d", s.Status)
	}
	if s := b.get("rule?name=none"); s.Status != http.StatusNotFound {
		t.Errorf("a page of none: %d", s.Status)
	}
}

func TestRulesThatLookAtNothingAreFoundByOneFilter(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		managed(t, p, "no-such-thing", "RDS_STORAGE_ENCRYPTED")
		b := newBrowser(t, p)
		b.page("rules").has(t, ">buckets-versioned</a>", ">no-such-thing</a>", "looks at nothing yet")
		s := b.page("rules?show=nothing")
		s.has(t, ">no-such-thing</a>")
		s.lacks(t, ">buckets-versioned</a>")
		b.page("rules?show=failing").lacks(t, ">no-such-thing</a>")
		b.page("rules?words=such+NO").lacks(t, ">buckets-versioned</a>")
		b.page("rule?name=no-such-thing").has(t, "It has judged nothing. There are 0 AWS::RDS::DBInstance")
		b.page("find?q=no-such-thing").has(t, "name=no-such-thing")
	}, withConsole)
}

func TestRuleSaysWhatItNeverJudged(t *testing.T) {
	p := apptest.Start(t, withConsole)
	story(t, p)
	managed(t, p, "reads-nothing", "S3_BUCKET_REPLICATION_ENABLED")
	b := newBrowser(t, p)
	b.page("rule?name=buckets-versioned").has(t, "There is nothing of its types that it has not judged.")
}

func TestServerModeShowsNoOtherAccountsRules(t *testing.T) {
	p := apptest.Start(t, serverMode)
	one, two := p.As("111111111111", p.Region()).Signing("AKIAONE", "one-secret"), p.As("222222222222", p.Region()).Signing("AKIATWO", "two-secret")
	for who, name := range map[*apptest.Plumb]string{one: "of-one", two: "of-two"} {
		bucket(t, who, name, "", map[string]string{"owner": name})
		record(t, who)
		versioningRule(t, who, "rule-"+name)
	}
	b := newBrowser(t, p)
	b.login("AKIAONE", "one-secret", "")
	for _, path := range append(everyPage(p),
		"rule?account=222222222222&name=rule-of-two", "resource?account=222222222222&region="+p.Region()+"&type=AWS::S3::Bucket&id=of-two",
		"wrong?rule=rule-of-two", "wrong?is=account:222222222222", "ticket?rule=rule-of-two",
		"ticket?rule=rule-of-two&pick="+url.QueryEscape(`{"account":"222222222222","region":"`+p.Region()+`","type":"AWS::S3::Bucket","id":"of-two"}`)) {
		s := b.get(path)
		if s.Status == http.StatusInternalServerError || strings.Contains(s.Text, ">of-two<") || strings.Contains(s.Text, ">rule-of-two</a>") || strings.Contains(s.Text, "| of-two |") {
			t.Errorf("%s: %d %s", path, s.Status, text(s.Text))
		}
	}
	b.page("wrong").has(t, ">rule-of-one</a>")
	b.page("wrong").lacks(t, `action="/_plumb/ui/evaluate"`)
	b.page("rule?name=rule-of-one").lacks(t, `action="/_plumb/ui/evaluate"`)
}
