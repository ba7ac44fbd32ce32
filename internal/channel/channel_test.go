package channel_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"plumb/internal/channel"
	"plumb/internal/config"
	"plumb/internal/outgoing"
	"plumb/internal/settings"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	here   = config.Place{Account: "123456789012", Region: "us-east-2"}
	began  = time.Date(2016, 9, 7, 18, 39, 39, 853e6, time.UTC)
)

// a channel of the settings, with those that are written for it.
func aChannel(t *testing.T, s settings.Channel, change ...func(*channel.Options)) (*channel.Channels, *channel.Channel) {
	t.Helper()
	o := channel.Options{Client: http.DefaultClient, Now: func() time.Time { return began }, Link: func(k config.ResourceKey) string {
		return "https://plumb.example.com/resource?type=" + k.Type + "&id=" + k.ID
	}}
	for _, f := range change {
		f(&o)
	}
	s.Name = "ops"
	all, err := channel.New([]settings.Channel{s}, o)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := all.Named("ops")
	return all, c
}

func verdict(id string, old, now config.Compliance, annotation string) config.VerdictChange {
	of := func(c config.Compliance) config.Verdict {
		return config.Verdict{Rule: "restricted-ssh", Evaluation: config.Evaluation{
			ResourceType: "AWS::EC2::SecurityGroup", ResourceID: id, Compliance: c, Annotation: annotation,
		}}
	}
	ch := config.VerdictChange{New: of(now)}
	if old != "" {
		ch.Old = new(of(old))
	}
	return ch
}

// linesOf has a line of each kind, with what each receiver would take for markup.
func linesOf(all *channel.Channels) []channel.Line {
	lines := []channel.Line{
		all.Verdict(here, verdict("sg-1", config.Compliant, config.NonCompliant, "Port 22 is open to <everyone> & [all] *now*\n."), began),
		all.Verdict(here, verdict("sg-2", config.NonCompliant, config.Compliant, ""), began),
		all.Item(config.Item{ResourceKey: config.ResourceKey{Place: here, Type: "AWS::S3::Bucket", ID: "logs"}}, config.Diff{
			ChangeType: config.ChangeUpdate,
			Changed:    map[string]config.PropertyChange{"Tags.a": {}, "Configuration.b": {}, "Configuration.c": {}, "Configuration.d": {}},
		}, began),
	}
	failed, _ := all.Delivery(here, []byte(`{"messageType":"ConfigurationSnapshotDeliveryFailed","errorCode":"NoSuchBucket",`+
		`"errorMessage":"Failed to deliver configuration snapshot to bucket: b for account 123456789012 in region us-east-2."}`), began)
	return append(lines, failed)
}

func TestWhatEachKindIsSentIsAsInItsGoldenFile(t *testing.T) {
	for _, kind := range []string{settings.ChannelWebhook, settings.ChannelSlack, settings.ChannelTeams} {
		for _, n := range []int{1, 4} {
			t.Run(fmt.Sprint(kind, " ", n), func(t *testing.T) {
				var got []byte
				var asked http.Header
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					got, _ = io.ReadAll(r.Body)
					asked = r.Header
				}))
				defer server.Close()
				s := settings.Channel{Kind: kind, URL: settings.Secret(server.URL)}
				if kind == settings.ChannelWebhook {
					s.Secret = "0123456789abcdef"
				}
				all, c := aChannel(t, s)
				if err := c.Send(t.Context(), here, linesOf(all)[:n]); err != nil {
					t.Fatal(err)
				}
				if kind == settings.ChannelWebhook {
					h := hmac.New(sha256.New, []byte("0123456789abcdef"))
					fmt.Fprintf(h, "%d.%s", began.Unix(), got)
					want := fmt.Sprintf("t=%d,v1=%s", began.Unix(), hex.EncodeToString(h.Sum(nil)))
					if asked.Get(channel.SignatureHeader) != want {
						t.Errorf("signature %q, want %q", asked.Get(channel.SignatureHeader), want)
					}
				}
				wantGolden(t, fmt.Sprintf("testdata/%s-%d.json", kind, n), got)
			})
		}
	}
}

func wantGolden(t *testing.T, name string, body []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, body, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s (%v): got %s", name, err, got.Bytes())
	}
}

func TestAChatShowsTwentyLinesAndCountsTheRest(t *testing.T) {
	for _, kind := range []string{settings.ChannelSlack, settings.ChannelTeams} {
		var body []byte
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
		all, c := aChannel(t, settings.Channel{Kind: kind, URL: settings.Secret(server.URL)})
		var lines []channel.Line
		for i := range 500 {
			lines = append(lines, all.Verdict(here, verdict(fmt.Sprint("sg-", i), "", config.NonCompliant, strings.Repeat("ü", 256)), began))
		}
		if err := c.Send(t.Context(), here, lines); err != nil {
			t.Fatal(err)
		}
		server.Close()
		if !bytes.Contains(body, []byte("and 480 more")) || !bytes.Contains(bytes.ReplaceAll(body, []byte(`\\`), nil), []byte("500 verdicts NON_COMPLIANT (account 123456789012, us-east-2)")) || len(body) > 28<<10 {
			t.Errorf("%s: %d bytes: %.300s", kind, len(body), body)
		}
	}
}

func TestAChannelIsToldWhatItChooses(t *testing.T) {
	facts := func(change ...func(*channel.Facts)) channel.Facts {
		f := channel.Facts{
			Event: settings.EventsCompliance, Place: here, Type: "AWS::S3::Bucket", Rule: "s3-logging", Old: config.Compliant, New: config.NonCompliant,
			Pack: func() (string, error) { return "baseline", nil },
		}
		for _, c := range change {
			c(&f)
		}
		return f
	}
	compliance := func(old, now config.Compliance) func(*channel.Facts) {
		return func(f *channel.Facts) { f.Old, f.New = old, now }
	}
	event := func(e string) func(*channel.Facts) { return func(f *channel.Facts) { f.Event = e } }
	for _, c := range []struct {
		what string
		s    settings.Channel
		f    channel.Facts
		want bool
	}{
		{"what began", settings.Channel{}, facts(), true},
		{"what ceased", settings.Channel{}, facts(compliance(config.NonCompliant, config.Compliant)), true},
		{"a bad first verdict", settings.Channel{}, facts(compliance("", config.NonCompliant)), true},
		{"a good first verdict", settings.Channel{}, facts(compliance("", config.Compliant)), false},
		{"a verdict that was chosen", settings.Channel{Verdicts: []string{"COMPLIANT"}}, facts(compliance("", config.Compliant)), true},
		{"a verdict that was not", settings.Channel{Verdicts: []string{"COMPLIANT"}}, facts(), false},
		{"items by themselves", settings.Channel{}, facts(event(settings.EventsItems)), false},
		{"items that were asked for", settings.Channel{Events: []string{"items"}}, facts(event(settings.EventsItems)), true},
		{"deliveries that were asked for", settings.Channel{Events: []string{"deliveries"}, Types: []string{"AWS::S3::Bucket"}}, facts(event(settings.EventsDeliveries)), true},
		{"its account", settings.Channel{Accounts: []string{"123456789012"}, Regions: []string{"us-*"}}, facts(), true},
		{"another account", settings.Channel{Accounts: []string{"210987654321"}}, facts(), false},
		{"another region", settings.Channel{Regions: []string{"eu-*"}}, facts(), false},
		{"its types", settings.Channel{Types: []string{"AWS::EC2::*", "AWS::S3::*"}}, facts(), true},
		{"another type", settings.Channel{Types: []string{"AWS::S3"}}, facts(), false},
		{"its rules", settings.Channel{Rules: []string{"s3-*"}}, facts(), true},
		{"another rule", settings.Channel{Rules: []string{"s3?logging", "s3.logging"}}, facts(), false},
		{"its pack", settings.Channel{Packs: []string{"base*"}}, facts(), true},
		{"another pack", settings.Channel{Packs: []string{"other"}}, facts(), false},
		{"a rule of no pack", settings.Channel{Packs: []string{"*"}}, facts(func(f *channel.Facts) { f.Pack = func() (string, error) { return "", nil } }), false},
	} {
		_, ch := aChannel(t, c.s)
		if got, err := ch.Takes(c.f); got != c.want || err != nil {
			t.Errorf("%s: %v, %v", c.what, got, err)
		}
	}
	_, ch := aChannel(t, settings.Channel{Tags: map[string]string{"team": "pay*", "stage": "*"}})
	if !ch.ChoosesByTag() || !ch.TakesTags(map[string]string{"team": "payments", "stage": ""}) || ch.TakesTags(map[string]string{"team": "payments"}) ||
		ch.TakesTags(map[string]string{"team": "ops", "stage": "x"}) {
		t.Error("tags are not chosen by")
	}
}

func TestAPostWaitsForItsDigestAndForTheEndOfQuietHours(t *testing.T) {
	at := func(s string) time.Time { out, _ := time.Parse(time.DateTime, s); return out }
	berlin := settings.Quiet{From: "22:00", To: "07:00", Zone: "Europe/Berlin"}
	for _, c := range []struct {
		digest           time.Duration
		quiet            settings.Quiet
		now, oldest, end string
	}{
		{0, settings.Quiet{}, "2026-01-01 12:00:00", "2026-01-01 11:59:00", "2026-01-01 12:00:00"},
		{5 * time.Minute, settings.Quiet{}, "2026-01-01 12:00:00", "2026-01-01 11:59:00", "2026-01-01 12:04:00"},
		{5 * time.Minute, settings.Quiet{}, "2026-01-01 12:04:00", "2026-01-01 11:59:00", "2026-01-01 12:04:00"},
		{5 * time.Minute, settings.Quiet{}, "2026-01-01 12:00:00", "", "2026-01-01 12:00:00"},
		{0, berlin, "2026-01-01 20:59:59", "", "2026-01-01 20:59:59"},
		{0, berlin, "2026-01-01 21:00:00", "", "2026-01-02 06:00:00"},
		{0, berlin, "2026-01-02 05:59:00", "", "2026-01-02 06:00:00"},
		{0, berlin, "2026-01-02 06:00:00", "", "2026-01-02 06:00:00"},
		{0, berlin, "2026-03-28 21:30:00", "", "2026-03-29 05:00:00"}, // the night in which summer time begins
		{time.Hour, berlin, "2026-01-01 20:30:00", "2026-01-01 20:15:00", "2026-01-02 06:00:00"},
		{0, settings.Quiet{From: "12:00", To: "13:00"}, "2026-01-01 12:30:00", "", "2026-01-01 13:00:00"},
		{0, settings.Quiet{From: "12:00", To: "13:00"}, "2026-01-01 13:00:00", "", "2026-01-01 13:00:00"},
	} {
		_, ch := aChannel(t, settings.Channel{Digest: settings.Span(c.digest), Quiet: c.quiet})
		oldest := time.Time{}
		if c.oldest != "" {
			oldest = at(c.oldest)
		}
		if got := ch.Opens(at(c.now), oldest); !got.Equal(at(c.end)) {
			t.Errorf("%+v: opens %s", c, got)
		}
	}
}

func TestWhatAnotherSideAnswersSaysWhatToDoAndNeverTheAddress(t *testing.T) {
	for status, want := range map[int]error{400: channel.ErrInvalid, 422: channel.ErrInvalid, 401: channel.ErrRefused, 404: channel.ErrRefused, 410: channel.ErrRefused, 429: nil, 500: nil, 302: nil} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, "no_service\n")
		}))
		all, c := aChannel(t, settings.Channel{Kind: settings.ChannelSlack, URL: settings.Secret(server.URL + "/s3cret")})
		err := c.Send(t.Context(), here, linesOf(all))
		server.Close()
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, channel.ErrInvalid) || errors.Is(err, channel.ErrRefused)) ||
			!strings.Contains(err.Error(), "no_service") {
			t.Errorf("%d: %v", status, err)
		}
		err = c.Send(t.Context(), here, linesOf(all)) // nobody listens
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestAnAddressOfTheOwnNetworkIsRefusedUnlessItIsAllowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	defer server.Close()
	all, c := aChannel(t, settings.Channel{Kind: settings.ChannelWebhook, URL: settings.Secret(server.URL)}, func(o *channel.Options) {
		o.Client = outgoing.NewClient(outgoing.Options{})
	})
	if err := c.Send(t.Context(), here, linesOf(all)); !errors.Is(err, channel.ErrRefused) || !strings.Contains(err.Error(), "outgoing-networks") {
		t.Error(err)
	}
}

func TestALineHasTheSameIDEachTimeItIsSent(t *testing.T) {
	all, _ := aChannel(t, settings.Channel{})
	one, again := linesOf(all), linesOf(all)
	seen := map[string]bool{}
	for i := range one {
		if one[i].ID != again[i].ID || seen[one[i].ID] {
			t.Errorf("%+v, %+v", one[i], again[i])
		}
		seen[one[i].ID] = true
	}
}

// The sample of the guide is what is sent.
func TestTheGuideShowsAPostToAWebhookAsItIsSent(t *testing.T) {
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	defer server.Close()
	all, _ := aChannel(t, settings.Channel{}, func(o *channel.Options) {
		o.Link = func(k config.ResourceKey) string {
			q := url.Values{"account": {k.Account}, "region": {k.Region}, "type": {k.Type}, "id": {k.ID}}
			return "https://plumb.example.com/_plumb/ui/resource?" + q.Encode()
		}
	})
	tickets, err := channel.New([]settings.Channel{{Name: "tickets", Kind: settings.ChannelWebhook, URL: settings.Secret(server.URL)}}, channel.Options{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	line := all.Verdict(here, verdict("sg-1", config.Compliant, config.NonCompliant, "Port 22 is open."), began)
	if err := tickets.All()[0].Send(t.Context(), here, []channel.Line{line}); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	sample := strings.NewReplacer(`\u0026`, "&").Replace(want.String())
	text, err := os.ReadFile("../../docs/deliveries.md")
	if err != nil || !strings.Contains(string(text), "```json\n"+sample+"\n```\n") {
		t.Errorf("docs/deliveries.md lacks, %v:\n%s", err, sample)
	}
}
