package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// The six tasks that the console is there for, in a browser: docs/console.md has their
// clicks and times.

// begins starts a task, which has ten seconds and some clicks.
func (p *person) begins() { p.begun, p.clicks = time.Now(), 0 }

// isDone ends a task.
func (p *person) isDone(clicks int) {
	p.t.Helper()
	took := time.Since(p.begun)
	if took > 10*time.Second || p.clicks > clicks {
		p.t.Errorf("it took %s and %d clicks, want 10 s and %d at most", took, p.clicks, clicks)
	}
	p.t.Logf("%s, %d clicks", took.Round(10*time.Millisecond), p.clicks)
}

func TestWhyIsThisBucketRedByMouse(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("")
	who.sees("new failures in 24 h")
	who.begins()
	who.follow("buckets-versioned")
	who.sees("Resources that fail it")
	who.follow("reports")
	who.sees("BucketVersioningConfiguration.Status Enabled → Suspended", "Versioning is Suspended", "after the change")
	who.isDone(2)
	who.click(`a[rel=prev]`)
	who.sees("This is the first revision that is kept")
	who.click(`a[rel=next]`)
	who.sees("What changed with this revision")
}

func TestWhyIsThisBucketRedByKeyboard(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("wrong")
	who.sees("buckets-versioned")
	who.press("j", kb.Enter)
	who.sees("Resources that fail it")
	who.press("j", kb.Enter)
	who.sees("What rules say, and why", "Timeline")
	who.press("/", kb.Backspace) // chromedp types a key also where the page has taken it
	who.run(chromedp.KeyEvent("reports"), chromedp.KeyEvent(kb.Enter))
	who.sees("Resources and rules")
	who.press("j", kb.Enter)
	who.sees("Enabled → Suspended")
	who.press("[")
	who.sees("This is the first revision that is kept")
	who.press("]")
	who.sees("What changed with this revision")
	who.press("d")
	var at string
	who.run(chromedp.Location(&at))
	if !strings.HasSuffix(at, "#diff") {
		t.Errorf("d led to %s", at)
	}
	who.press("?")
	who.sees("next and previous row")
}

func TestWhatChangedBeforeTheOutageByOneLink(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("changes")
	who.begins()
	who.follow("the last 30 min")
	who.sees("Enabled → Suspended", "buckets-versioned non-compliant")
	who.isDone(1)
}

func TestFailuresOfARuleAsATicketInThreeClicks(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("wrong")
	who.begins()
	who.follow("buckets-versioned")
	who.sees("nothing picked")
	who.press("j", "x")
	who.sees("1 picked")
	who.follow("all of it as Markdown")
	who.run(chromedp.WaitVisible("#ticket", chromedp.ByQuery))
	var text string
	who.run(chromedp.Value("#ticket", &text, chromedp.ByQuery))
	who.isDone(3)
	if !strings.Contains(text, "| reports | AWS::S3::Bucket |") {
		t.Error(text)
	}
}

func TestWhereTheStackTraceOfMyRuleIsByOneClick(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	arn := p.MakeFunction(t, "owners", "def handler(event, context):\n    return event['nothing']\n")
	must[*lambda.AddPermissionOutput](t)(p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: new("owners"), StatementId: new("config"), Action: new("lambda:InvokeFunction"), Principal: new("config.amazonaws.com"),
	}))
	must[*configservice.PutConfigRuleOutput](t)(p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: new("owners"), Scope: &configtypes.Scope{ComplianceResourceTypes: []string{"AWS::S3::Bucket"}},
		Source: &configtypes.Source{Owner: configtypes.OwnerCustomLambda, SourceIdentifier: &arn, SourceDetails: []configtypes.SourceDetail{{
			EventSource: configtypes.EventSourceAwsConfig, MessageType: configtypes.MessageTypeConfigurationItemChangeNotification}}},
	}}))
	p.Drain(t)
	who.open("rules")
	who.begins()
	who.follow("owners")
	who.sees("KeyError: 'nothing'", "line 2, in handler")
	who.isDone(1)
}

func TestRulesThatLookAtNothingByOneClick(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	managed(t, p, "no-such-thing", "RDS_STORAGE_ENCRYPTED")
	who.open("rules")
	who.begins()
	who.follow("that look at nothing")
	who.sees("no-such-thing")
	who.isDone(1)
	who.follow("no-such-thing")
	who.sees("It has judged nothing.")
	who.click(`form[action="/_plumb/ui/evaluate"] button`)
	who.sees("The rule was asked to evaluate again.")
}

func TestWhatANewThresholdWouldTurnByOneClick(t *testing.T) {
	p := apptest.Start(t, withConsole)
	who := newPerson(t, p)
	story(t, p)
	who.open("try?name=buckets-versioned")
	who.run(chromedp.SetValue("#parameters", `{"isMfaDeleteEnabled": "true"}`, chromedp.ByQuery))
	who.begins()
	who.click(`form.try button`)
	who.sees("it would decide otherwise on 1", "reports")
	who.isDone(1)
}
