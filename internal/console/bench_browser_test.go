package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"plumb/internal/apptest"
)

func TestARuleIsWrittenAtTheBenchByMouse(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open(resource(p, "AWS::S3::Bucket", "reports"))
	who.follow("Write a rule on it, at the rule bench")
	who.sees("Choose a rule to ask about")
	who.run(chromedp.SendKeys("#name", "buckets-have-teams", chromedp.ByQuery), chromedp.SetValue("#language", "python", chromedp.ByQuery))
	who.click("form.begin button")
	who.sees("Save it to see what it says")
	who.click("button[data-save]")
	who.sees("The tag owner is there.")
	who.run(chromedp.SetValue("#parameters", `{"tagKey": "team"}`, chromedp.ByQuery))
	who.click("button[data-save]")
	who.sees("The tag team is missing.")
	who.click(`button[value=keep]`)
	who.sees("all tests pass: 1", "reports is non-compliant")
	who.follow("the last day")
	who.sees("no rule has its name")
	who.run(chromedp.SetValue("#text", "def handler(event, context):\n    raise ValueError('not yet')\n", chromedp.ByQuery))
	who.click("button[data-save]")
	who.sees("ValueError: not yet", "line 2", "of 1 tests, 1 fail")
}

func TestARuleIsWrittenAtTheBenchByKeyboard(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	newBrowser(t, p).begin("owners", "guard")
	who.open("bench")
	who.sees("owners")
	who.press("j", kb.Enter)
	who.sees("Save it to see what it says")
	who.run(chromedp.Focus("#item", chromedp.ByQuery), chromedp.KeyEvent(untagged), chromedp.KeyEvent("s", chromedp.KeyModifiers(2)))
	who.sees("The tag owner is missing.")
	who.run(chromedp.Focus("#text", chromedp.ByQuery), chromedp.KeyEvent(kb.Tab))
	var at string
	who.run(chromedp.Evaluate(`document.activeElement.id`, &at))
	if at != "text" {
		t.Errorf("tab led from the rule to %q", at)
	}
	who.press(kb.Escape, kb.Tab)
	who.run(chromedp.Evaluate(`document.activeElement.id`, &at))
	if at == "text" {
		t.Error("after escape, tab does not lead on")
	}
}

func TestLiveRequestsGoOnByThemselves(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	who.open("requests")
	who.sees("No client asked anything yet.")
	who.run(chromedp.Poll(`performance.getEntriesByType('resource').length > 0`, nil))
	unserved(t, p)
	who.sees("GetTables", "nobody serves this")
}
