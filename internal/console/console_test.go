package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// withConsole has a server serve the console on a free port.
func withConsole(s *settings.Settings) { s.Console = "127.0.0.1:0" }

// A browser is one without scripts: it has cookies and follows links.
type browser struct {
	t    testing.TB
	root string
	http.Client
}

func newBrowser(t testing.TB, p *apptest.Plumb) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, p.Console(), http.Client{Jar: jar}}
}

// A shown page is what a browser got.
type shown struct {
	http.Header
	Status int
	Text   string
	URL    *url.URL
}

func (b *browser) do(r *http.Request) shown {
	b.t.Helper()
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return shown{resp.Header, resp.StatusCode, string(text), resp.Request.URL}
}

// get asks for a page under the root, or for a whole address.
func (b *browser) get(path string) shown {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		base, err := url.Parse(b.root)
		if err != nil {
			b.t.Fatal(err)
		}
		to, err := base.Parse(path)
		if err != nil {
			b.t.Fatal(err)
		}
		path = to.String()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	return b.do(r)
}

// page asks for one that is there.
func (b *browser) page(path string) shown {
	b.t.Helper()
	s := b.get(path)
	if s.Status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, s.Status, text(s.Text))
	}
	return s
}

func (b *browser) post(path string, form url.Values) shown {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.root+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// token returns what the forms of a page carry.
func (s shown) token(t testing.TB) string {
	t.Helper()
	m := csrfField.FindStringSubmatch(s.Text)
	if m == nil {
		t.Fatalf("the page has no form: %s", text(s.Text))
	}
	return m[1]
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// text is a page without its tags, for messages.
func text(page string) string { return tags.ReplaceAllString(page, " ") }

func (s shown) has(t testing.TB, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(s.Text, want) {
			t.Errorf("%s lacks %q: %s", s.URL, want, text(s.Text))
		}
	}
}

func (s shown) lacks(t testing.TB, all ...string) {
	t.Helper()
	for _, not := range all {
		if strings.Contains(s.Text, not) {
			t.Errorf("%s has %q: %s", s.URL, not, text(s.Text))
		}
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// record has the server record everything, and drains it.
func record(t testing.TB, p *apptest.Plumb) {
	t.Helper()
	ctx, c := t.Context(), p.Config()
	must[*configservice.PutConfigurationRecorderOutput](t)(c.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &configtypes.ConfigurationRecorder{
			Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + p.Account() + ":role/config"),
			RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
		}}))
	files := "config-" + p.Account()
	bucket(t, p, files, "", nil)
	must[*configservice.PutDeliveryChannelOutput](t)(c.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &configtypes.DeliveryChannel{Name: aws.String("default"), S3BucketName: &files}}))
	must[*configservice.StartConfigurationRecorderOutput](t)(c.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{
		ConfigurationRecorderName: aws.String("default")}))
	p.Drain(t)
}

// bucket makes a bucket with tags, and versioning if a status is given.
func bucket(t testing.TB, p *apptest.Plumb, name, versioning string, tags map[string]string) {
	t.Helper()
	ctx, c := t.Context(), p.S3()
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}))
	if len(tags) > 0 {
		var set []s3types.Tag
		for k, v := range tags {
			set = append(set, s3types.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
		must[*s3.PutBucketTaggingOutput](t)(c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &name, Tagging: &s3types.Tagging{TagSet: set}}))
	}
	if versioning != "" {
		version(t, p, name, versioning)
	}
}

func version(t testing.TB, p *apptest.Plumb, name, status string) {
	t.Helper()
	must[*s3.PutBucketVersioningOutput](t)(p.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatus(status)}}))
}

// versioningRule puts the managed rule on versioning.
func versioningRule(t testing.TB, p *apptest.Plumb, name string) {
	t.Helper()
	managed(t, p, name, "S3_BUCKET_VERSIONING_ENABLED")
}

// managed puts a managed rule and drains the server.
func managed(t testing.TB, p *apptest.Plumb, name, identifier string) {
	t.Helper()
	must[*configservice.PutConfigRuleOutput](t)(p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: &name, Source: &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: &identifier},
	}}))
	p.Drain(t)
}

// story is a bucket whose versioning was suspended under a rule.
func story(t testing.TB, p *apptest.Plumb) {
	t.Helper()
	bucket(t, p, "reports", "Enabled", map[string]string{"owner": "finance"})
	record(t, p)
	versioningRule(t, p, "buckets-versioned")
	p.Clock().Advance(90e9)
	version(t, p, "reports", "Suspended")
	p.Drain(t)
}

func TestBrowserIsLedToTheConsole(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	s := b.get(p.URL() + "/")
	if s.Status != http.StatusOK || s.URL.Path != "/_plumb/ui/" || !strings.Contains(s.Text, "<title>Home · Plumb</title>") {
		t.Errorf("%d at %s", s.Status, s.URL)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := b.do(r); strings.Contains(s.Text, "<html") {
		t.Errorf("a client that is no browser got a page: %s", s.Text)
	}
}

func TestPagesMayNotBeFramedKeptOrMadeToRunForeignScripts(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	s := b.page("")
	policy := s.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || s.Get("X-Frame-Options") != "DENY" || s.Get("Cache-Control") != "no-store" || s.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", s.Header)
	}
	if strings.Contains(s.Text, " style=") || strings.Contains(s.Text, " on") && regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(s.Text) {
		t.Error("the page has inline styles or handlers")
	}
	links := regexp.MustCompile(`(?:src|href)="(/_plumb/ui/assets/[^"]+)"`).FindAllStringSubmatch(s.Text, -1)
	if len(links) < 3 {
		t.Fatalf("assets %v", links)
	}
	for _, link := range links {
		if a := b.page(link[1]); !strings.Contains(a.Get("Cache-Control"), "immutable") || a.Text == "" {
			t.Errorf("%s: %v", link[1], a.Header)
		}
	}
	if s := b.get("assets/console.css"); s.Status != http.StatusNotFound {
		t.Errorf("an asset without its digest: %d", s.Status)
	}
}

func TestCookieIsForTheseFormsAlone(t *testing.T) {
	p := apptest.Start(t, withConsole)
	s := newBrowser(t, p).page("")
	c := s.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/_plumb/ui/"} {
		if !strings.Contains(c, want) {
			t.Errorf("cookie %s lacks %s", c, want)
		}
	}
}

func TestPagesOfOthersReachNothing(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	for name, c := range map[string]struct {
		method, host string
		header       map[string]string
		want         int
	}{
		"a link in a ticket": {"GET", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Referer": "https://tickets.example/1"}, 200},
		"a frame":            {"GET", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		"a script's request": {"GET", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}, 403},
		"a form":             {"POST", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403},
		"an old browser":     {"POST", "", map[string]string{"Origin": "https://evil.example"}, 403},
		"a pointed name":     {"GET", "evil.example", nil, 403},
		"another port":       {"POST", "", map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, p.Console(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		if c.host != "" {
			r.Host = c.host
		}
		if s := b.do(r); s.Status != c.want {
			t.Errorf("%s: %d %s", name, s.Status, text(s.Text))
		}
	}
}

func serverMode(s *settings.Settings) {
	withConsole(s)
	s.Mode = settings.Server
	s.AccessKeys = []settings.AccessKey{
		{ID: "AKIAONE", Secret: "one-secret", Account: "111111111111", User: "ann"},
		{ID: "AKIATWO", Secret: "two-secret", Account: "222222222222"},
	}
}

func (b *browser) login(id, secret, to string) shown {
	return b.post("login", url.Values{"id": {id}, "secret": {secret}, "to": {to}})
}

func TestServerModeAsksForAnAccessKeyAndShowsItsAccountAlone(t *testing.T) {
	p := apptest.Start(t, serverMode)
	one, two := p.As("111111111111", p.Region()).Signing("AKIAONE", "one-secret"), p.As("222222222222", p.Region()).Signing("AKIATWO", "two-secret")
	for who, name := range map[*apptest.Plumb]string{one: "of-one", two: "of-two"} {
		bucket(t, who, name, "", nil)
		record(t, who)
	}
	b := newBrowser(t, p)
	if s := b.get("find?q=of-one"); !strings.HasSuffix(s.URL.Path, "/login") || strings.Contains(s.Text, "of-one</a>") {
		t.Fatalf("who is not logged in got %s", s.URL)
	}
	if s := b.login("AKIAONE", "two-secret", ""); s.Status != http.StatusForbidden {
		t.Fatalf("a wrong secret: %d", s.Status)
	}
	s := b.login("AKIAONE", "one-secret", "/_plumb/ui/find?q=of-one")
	if s.Status != http.StatusOK || s.URL.Query().Get("q") != "of-one" {
		t.Fatalf("%d at %s", s.Status, s.URL)
	}
	s.has(t, ">of-one</a>", "111111111111", "read-only")
	b.page("find?q=of-two").lacks(t, ">of-two</a>", "222222222222")
	b.page("").lacks(t, "222222222222")
	b.page("inventory?value=of-one").has(t, ">of-one</a>")
	b.page("inventory?value=of-two").lacks(t, ">of-two</a>", "222222222222")
	if s := b.post("anything", url.Values{"csrf": {s.token(t)}}); s.Status != http.StatusForbidden {
		t.Errorf("an action in server mode: %d", s.Status)
	}
	b.post("logout", url.Values{"csrf": {s.token(t)}})
	if s := b.get(""); !strings.HasSuffix(s.URL.Path, "/login") {
		t.Errorf("after the logout: %s", s.URL)
	}
}

func TestLoginLeadsToOurPagesOnly(t *testing.T) {
	p := apptest.Start(t, serverMode)
	for _, to := range []string{"https://evil.example/", "//evil.example/", `/_plumb/ui/..\evil`, "/other", "javascript:alert(1)"} {
		b := newBrowser(t, p)
		if s := b.login("AKIAONE", "one-secret", to); s.URL.Path != "/_plumb/ui/" || s.URL.Host != strings.TrimSuffix(strings.TrimPrefix(p.Console(), "http://"), "/_plumb/ui/") {
			t.Errorf("%s led to %s", to, s.URL)
		}
	}
}

func TestLoginCannotBeTriedForEver(t *testing.T) {
	p := apptest.Start(t, serverMode)
	b := newBrowser(t, p)
	var last int
	for range 25 {
		last = b.login("AKIAONE", "x", "").Status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 25th try: %d", last)
	}
}

func TestSessionEndsWithTimeAndWithTheKey(t *testing.T) {
	p := apptest.Start(t, serverMode)
	b := newBrowser(t, p)
	b.login("AKIAONE", "one-secret", "")
	b.page("").has(t, "111111111111")
	p.Clock().Advance(13 * 3600e9)
	if s := b.get(""); !strings.HasSuffix(s.URL.Path, "/login") {
		t.Errorf("after 13 hours: %s", s.URL)
	}
}

func TestFormWithoutItsTokenDoesNothing(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	b.page("")
	for _, token := range []string{"", "guessed"} {
		if s := b.post("evaluate", url.Values{"csrf": {token}}); s.Status != http.StatusForbidden {
			t.Errorf("token %q: %d", token, s.Status)
		}
	}
}

func TestOddAddressesAreRefusedInWords(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	for path, want := range map[string]int{
		"?at=yesterday": 400, "?at=2026-01-31T12:00:00Z": 200, "?at=-30m": 200, "?at=now": 200, "nothing": 404, "?q=%ff": 400, "?q=%00": 400,
		"?is=account:" + strings.Repeat("1", 20000): 400, "assets/../console.css": 404, "find?q=%27%22%3E%3Cscript%3E": 200,
	} {
		if s := b.get(path); s.Status != want {
			t.Errorf("%s: %d %s", path, s.Status, text(s.Text))
		}
	}
}

func TestEveryComponentHasAnExample(t *testing.T) {
	p := apptest.Start(t, withConsole)
	b := newBrowser(t, p)
	s := b.page("components")
	for _, class := range []string{"verdict good", "facets", "class=\"list\"", "timeline", "class=\"diff\"", "class=\"tree\"", "class=\"graph\"", "number", "class=\"line\""} {
		s.has(t, class)
	}
	if s := newBrowser(t, apptest.Start(t, serverMode)).get("components"); s.Status == http.StatusOK && strings.Contains(s.Text, "Facet bar") {
		t.Error("the examples are there in server mode")
	}
}

func TestThereIsNoConsoleUnlessTheModeOrTheSettingsSay(t *testing.T) {
	for name, change := range map[string]func(*settings.Settings){
		"off":         func(s *settings.Settings) { s.Console = "off" },
		"server mode": func(s *settings.Settings) { serverMode(s); s.Console = "" },
	} {
		if at := apptest.Start(t, change).Console(); at != "" {
			t.Errorf("%s: %s", name, at)
		}
	}
	if at := apptest.Start(t, func(s *settings.Settings) { s.Console = "" }).Console(); at == "" {
		t.Error("development mode has none")
	}
	first := apptest.Start(t, withConsole)
	taken := strings.TrimSuffix(strings.TrimPrefix(first.Console(), "http://"), "/_plumb/ui/")
	err := func() error {
		s := settings.Default()
		s.Console = taken
		return s.Check()
	}()
	if err != nil {
		t.Error(err)
	}
}

func TestFindLeadsToWhatHasAnIDANameOrAnARN(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		for _, q := range []string{"reports", "arn:aws:s3:::reports"} {
			b.page("find?q="+url.QueryEscape(q)).has(t, "type=AWS%3A%3AS3%3A%3ABucket", ">reports</a>")
		}
		b.page("find?q=report").has(t, "Nothing recorded has exactly this", `href="/_plumb/ui/inventory?value=report">`)
		b.page("").has(t, p.Account(), "resources that fail a rule")
	}, withConsole)
}
