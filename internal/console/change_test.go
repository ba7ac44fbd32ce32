package console_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"plumb/internal/apptest"
)

func TestChangesTellWhatChangedInAWindowNewestFirst(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		s := b.page("changes?within=1m")
		s.has(t, "BucketVersioningConfiguration.Status Enabled → Suspended", "buckets-versioned non-compliant", `tr data-row class="bad"`, "AWS Config&#39;s own", `data-live="/_plumb/ui/events"`)
		s.lacks(t, ">discovered</td>", ">AWS::Config::ConfigurationRecorder</td>")
		all := b.page("changes?noise=show")
		all.has(t, ">discovered</td>", ">AWS::Config::ConfigurationRecorder</td>")
		if strings.Index(all.Text, "Suspended") > strings.Index(all.Text, ">discovered</td>") {
			t.Error("the newest is not first")
		}
		then := p.Clock().Now().Add(-30 * time.Second).Format(time.RFC3339)
		past := b.page("changes?at=" + then)
		past.has(t, ">discovered</td>")
		past.lacks(t, "→ Suspended", "data-live")
		b.page("changes?is=account:999999999999").has(t, "Nothing changed in this time")
	}, withConsole)
}

func TestChangesComeInPages(t *testing.T) {
	p := apptest.Start(t, withConsole)
	record(t, p)
	for i := range 43 {
		bucket(t, p, "bucket-"+strings.Repeat("x", i%7+1)+"-"+string(rune('a'+i%26))+string(rune('a'+i/26)), "", nil)
	}
	p.Drain(t)
	b := newBrowser(t, p)
	s := b.page("changes?is=type:AWS::S3::Bucket")
	if n := strings.Count(s.Text, ">discovered</td>"); n != 40 {
		t.Errorf("%d on the first page", n)
	}
	s = b.page(between(t, s.Text, `<tr class="more"><td colspan="20"><a href="`, `"`))
	if n := strings.Count(s.Text, ">discovered</td>"); n != 4 { // and the bucket of files
		t.Errorf("%d on the second page", n)
	}
}

func TestLivePageIsToldThatSomethingHappened(t *testing.T) {
	p := apptest.Start(t, withConsole)
	record(t, p)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Console()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), ": ") {
	}
	version(t, p, "config-"+p.Account(), "Enabled")
	p.Drain(t)
	for lines.Scan() {
		if lines.Text() == "event: changed" {
			return
		}
	}
	t.Error("nothing was told", lines.Err())
}

func TestInventorySaysWhatNoRuleJudges(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		s := b.page("inventory")
		s.has(t, "AWS::S3::Bucket", "no rule judges it") // the recorder itself is recorded
		s = b.page("inventory?is=type:AWS::S3::Bucket")
		s.has(t, ">reports</a>", "non-compliant")
		then := p.Clock().Now().Add(-10 * 365 * 24 * time.Hour).Format(time.RFC3339)
		b.page("inventory?is=type:AWS::S3::Bucket&at="+then).lacks(t, ">reports</a>")
		b.page("inventory?is=type:AWS::S3::Bucket&at=-1s").has(t, ">reports</a>", "not kept for the past")
	}, withConsole)
}

func TestHomeHasFewNumbersThatLeadOn(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		b := newBrowser(t, p)
		b.page("").has(t, "Nothing is recorded yet", "nothing is judged yet")
		story(t, p)
		s := b.page("")
		if n := strings.Count(s.Text, `class="number`); n < 5 || n > 8 {
			t.Errorf("%d numbers", n)
		}
		s.has(t, "<b>0 %</b>", "new failures in 24 h", ">buckets-versioned</a>", "AWS would charge")
		p.Clock().Advance(24 * time.Hour)
		p.Drain(t)
		p.Clock().Advance(24 * time.Hour)
		p.Drain(t)
		b.page("").has(t, `class="line"`, "The score of the last 2 days")
	}, withConsole)
}
