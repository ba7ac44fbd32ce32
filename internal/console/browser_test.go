package console_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"plumb/internal/apptest"
)

var screenshots = flag.String("screenshots", "", "write docs/console's pictures to this folder")

// chromium starts a browser, or skips the test where the machine has none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium on this machine: install it (Debian's package chromium) to run the stories in a browser")
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1440, 1000),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(profile(t)))
	all, stop := chromedp.NewExecAllocator(context.Background(), o...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(all)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// profile returns a folder for a browser. Processes of it may write there for a moment after its end.
func profile(t *testing.T) string {
	dir, err := os.MkdirTemp("", "plumb-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for until := time.Now().Add(5 * time.Second); os.RemoveAll(dir) != nil && time.Now().Before(until); {
			time.Sleep(20 * time.Millisecond)
		}
	})
	return dir
}

// A person sits before a browser.
type person struct {
	t      *testing.T
	ctx    context.Context
	root   string
	clicks int
	begun  time.Time // of a task
}

func (p *person) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		var at string
		chromedp.Run(p.ctx, chromedp.Location(&at))
		p.t.Fatalf("at %s: %v", at, err)
	}
}

func (p *person) open(path string) { p.t.Helper(); p.run(chromedp.Navigate(p.root + path)) }

// click clicks what a CSS selector finds.
func (p *person) click(selector string) {
	p.t.Helper()
	p.clicks++
	p.run(chromedp.Click(selector, chromedp.ByQuery))
}

// follow clicks the link with a text, and waits for the page that it leads to.
func (p *person) follow(text string) {
	p.t.Helper()
	p.clicks++
	p.run(chromedp.Click(fmt.Sprintf(`//main//a[normalize-space(.)=%q]`, text), chromedp.BySearch))
}

func (p *person) press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.run(chromedp.KeyEvent(k))
	}
}

// isOffered waits until the field offers a word.
func (p *person) isOffered(word string) {
	p.t.Helper()
	p.run(chromedp.WaitVisible(fmt.Sprintf(`//li[@role="option"][.=%q]`, word), chromedp.BySearch))
}

// sees waits until the page says something.
func (p *person) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		js := fmt.Sprintf(`document.readyState === 'complete' && document.body.innerText.includes(%q)`, text)
		var err error
		for end := time.Now().Add(15 * time.Second); ; { // a page that goes away takes the question with it
			var there bool
			err = chromedp.Run(p.ctx, chromedp.Poll(js, &there, chromedp.WithPollingTimeout(time.Until(end))))
			if err == nil || p.ctx.Err() != nil || time.Now().After(end) {
				break
			}
		}
		if err != nil {
			var at, body string
			chromedp.Run(p.ctx, chromedp.Location(&at), chromedp.Text("body", &body, chromedp.ByQuery))
			p.t.Fatalf("at %s the page does not say %q: %v\n%s", at, text, err, body)
		}
	}
}

func newPerson(t *testing.T, p *apptest.Plumb) *person {
	return &person{t: t, ctx: chromium(t), root: p.Console()}
}

func TestChangesPageGoesOnByItself(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("changes")
	who.sees("Enabled → Suspended")
	who.run(chromedp.Poll(`performance.getEntriesByType('resource').length > 0`, nil))
	version(t, p, "config-"+p.Account(), "Enabled")
	p.Drain(t)
	who.sees("→ Enabled")
}

func TestInventoryPacksQueryAndOperationsInABrowser(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("inventory")
	who.follow("AWS::S3::Bucket")
	who.sees("reports")
	who.open("inventory")
	who.click("#value")
	who.press("Enabled", kb.Enter)
	who.sees("reports", "supplementaryConfiguration", "oldest revision that is kept")
	who.open("query")
	who.follow("SELECT resourceType, COUNT(*) GROUP BY resourceType")
	who.sees("AWS::S3::Bucket", "2")
	who.open("query")
	who.click("#sql")
	who.press("SELECT resourceId WHERE resourceTy")
	who.isOffered("resourceType")
	who.press(kb.ArrowDown, kb.Enter, " = 'AWS::S3::B")
	who.isOffered("AWS::S3::Bucket")
	who.press(kb.Tab, "' AND supplementaryConfiguration.BucketV")
	who.isOffered("supplementaryConfiguration.BucketVersioningConfiguration.status")
	who.press(kb.Escape, "ersioningConfiguration.status = 'Suspended'")
	who.press(kb.Tab, kb.Enter)
	who.sees("reports")
	who.open("packs")
	who.sees("There is no conformance pack")
	who.open("operations")
	who.sees("Deliveries", "Settings")
}

func TestBrowserRunsNothingHostile(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	pushed(t, p, hostile)
	who.run(chromedp.ActionFunc(func(ctx context.Context) error { return network.Enable().Do(ctx) }))
	var complaints []string
	chromedp.ListenTarget(who.ctx, func(event any) {
		if text := fmt.Sprintf("%T", event); strings.Contains(text, "JavascriptDialogOpening") {
			complaints = append(complaints, text)
		}
	})
	for _, path := range []string{resource(p, "AWS::S3::Bucket", hostile), "changes", "wrong?rule=buckets-versioned", "inventory?is=type:AWS::S3::Bucket"} {
		who.open(path)
		who.sees("Plumb")
		var injected int
		who.run(chromedp.Evaluate(`document.querySelectorAll('main script, main img, main iframe').length`, &injected))
		if injected > 0 {
			t.Errorf("%s has %d elements that were injected", path, injected)
		}
	}
	if len(complaints) > 0 {
		t.Error(complaints)
	}
}

// axe is axe-core where npm put it; empty if it did not.
func axe() string {
	folders := filepath.SplitList(os.Getenv("PLUMB_NODE_PATH"))
	if out, err := exec.Command("npm", "root", "--global").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, f := range folders {
		if text, err := os.ReadFile(filepath.Join(f, "axe-core", "axe.min.js")); err == nil {
			return string(text)
		}
	}
	return ""
}

func TestNothingKeepsPeopleOutOfAnyPage(t *testing.T) {
	script := axe()
	if script == "" {
		t.Skip("no axe-core in PLUMB_NODE_PATH or npm's global folder")
	}
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	b := newBrowser(t, p)
	b.begin("owners", "guard")
	b.save(draft("owners", textOf(t, b.page("bench?draft=owners")), untagged, "do", "keep"))
	for _, as := range []struct {
		scheme string
		width  int64
	}{{"light", 1280}, {"dark", 1280}, {"light", 390}} {
		who.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: as.scheme}}),
			emulation.SetDeviceMetricsOverride(as.width, 800, 1, as.width < 500))
		for _, path := range []string{
			"", "wrong", "wrong?rule=buckets-versioned", "changes", "inventory", "inventory?value=Enabled", "find?q=report", "rules", "rule?name=buckets-versioned", "try?name=buckets-versioned&since=24h", "packs", "query", "operations",
			"components", "bench", "bench?draft=owners&since=24h", "requests", resource(p, "AWS::S3::Bucket", "reports"), resource(p, "AWS::S3::Bucket", "reports", "at", "-1s"),
		} {
			who.open(path)
			var found []string
			who.run(chromedp.Evaluate(script+";0", nil), chromedp.Evaluate(
				`axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')))`,
				&found, awaited))
			if len(found) > 0 {
				t.Errorf("%s, %s, %d wide: %s", path, as.scheme, as.width, strings.Join(found, "\n"))
			}
		}
	}
}

func TestPicturesOfTheDocs(t *testing.T) {
	if *screenshots == "" {
		t.Skip("pictures are made with -screenshots FOLDER")
	}
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	for i := range 6 {
		bucket(t, p, fmt.Sprint("team-data-", i), []string{"Enabled", ""}[i%2], map[string]string{"owner": []string{"finance", "ops", "web"}[i%3]})
	}
	managed(t, p, "buckets-log-access", "S3_BUCKET_LOGGING_ENABLED")
	managed(t, p, "databases-encrypted", "RDS_STORAGE_ENCRYPTED")
	b := newBrowser(t, p)
	text := textOf(t, b.begin("buckets-have-owners", "python"))
	b.save(draft("buckets-have-owners", text, "", "pick", "AWS::S3::Bucket/team-data-1", "do", "keep"))
	unserved(t, p)
	for _, c := range []struct {
		name, path, scheme string
		width, height      int64
	}{
		{"home-light", "", "light", 1280, 640}, {"home-dark", "", "dark", 1280, 640}, {"home-phone", "", "light", 390, 780},
		{"resource-light", resource(p, "AWS::S3::Bucket", "reports"), "light", 1280, 900}, {"resource-dark", resource(p, "AWS::S3::Bucket", "reports"), "dark", 1280, 900},
		{"resource-phone", resource(p, "AWS::S3::Bucket", "reports"), "dark", 390, 780},
		{"wrong-light", "wrong?rule=buckets-versioned", "light", 1280, 640}, {"changes-dark", "changes", "dark", 1280, 640},
		{"bench-light", "bench?draft=buckets-have-owners", "light", 1280, 900}, {"bench-dark", "bench?draft=buckets-have-owners", "dark", 1280, 900},
		{"bench-phone", "bench?draft=buckets-have-owners", "light", 390, 780}, {"requests-dark", "requests", "dark", 1280, 640},
		{"rule-light", "rule?name=buckets-versioned", "light", 1280, 760}, {"inventory-past", "inventory?is=type:AWS::S3::Bucket&at=-1s", "light", 1280, 520},
	} {
		who.run(emulation.SetDeviceMetricsOverride(c.width, c.height, 1, c.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: c.scheme}}))
		who.open(c.path)
		who.sees("Plumb")
		var picture []byte
		who.run(chromedp.CaptureScreenshot(&picture))
		if err := os.WriteFile(filepath.Join(*screenshots, c.name+".png"), small(t, picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// awaited has a script's promise be waited for.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
