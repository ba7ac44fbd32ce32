package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/apptest/moto"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// typedCommands returns the commands in the blocks of a page that name no language, by the heading above
// them, as a person types them: one may take several lines.
func typedCommands(t *testing.T, page string) (sections []string, commands map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	section, language, fenced, begun := "", "", false, ""
	commands = map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced, language, begun = !fenced, line[3:], ""
		case !fenced:
			if title, ok := strings.CutPrefix(line, "## "); ok {
				section = title
			}
		case language == "":
			begun += line + "\n"
			if strings.HasSuffix(line, `\`) || exec.CommandContext(t.Context(), "sh", "-n", "-c", begun).Run() != nil {
				continue // it goes on
			}
			if len(commands[section]) == 0 {
				sections = append(sections, section)
			}
			commands[section] = append(commands[section], strings.TrimSpace(begun))
			begun = ""
		}
	}
	return sections, commands
}

// A typist types the commands of a page. What a page shows in the place of what an answer has
// is replaced by what it has.
type typist struct {
	t        *testing.T
	dir      string
	env      []string
	literals []string // of the page, and what to type for them, in turn
}

// learned are members of answers, by how a command begins and what the page shows for them later.
var learned = map[string]map[string]string{
	"aws apigatewayv2 create-api":           {"abcdefghij": "ApiId"},
	"aws apigateway create-rest-api":        {"abcdefghij": "id", "ROOT": "rootResourceId"},
	"aws apigateway create-resource":        {"--resource-id ID": "id"},
	"aws lexv2-models create-bot ":          {"ABCDEFGHIJ": "botId"},
	"aws cloudfront create-distribution":    {"d0123456789abc.cloudfront.net": "Distribution.DomainName"},
	"aws lambda create-function-url-config": {"http://abcdefghijklmnopqrstuvwxyz234567.lambda-url.us-east-1.on.aws/": "FunctionUrl"},
}

// assigns is a command that keeps what another prints.
var assigns = regexp.MustCompile(`^(\w+)=\$\(`)

func (w *typist) types(command string) string {
	w.t.Helper()
	typed := strings.NewReplacer(w.literals...).Replace(command)
	variable := assigns.FindStringSubmatch(typed)
	if variable != nil {
		typed += `; printf %s "$` + variable[1] + `"`
	}
	cmd := exec.CommandContext(w.t.Context(), "sh", "-c", typed)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Errorf("%s: %v\n%s", typed, err, out)
	}
	if variable != nil {
		w.env = append(w.env, variable[1]+"="+string(out))
	}
	for begins, members := range learned {
		if !strings.HasPrefix(command, begins) {
			continue
		}
		var answer map[string]any
		if err := json.Unmarshal(out, &answer); err != nil {
			w.t.Fatalf("%s answers %s", typed, out)
		}
		for shown, member := range members {
			w.literals = append([]string{shown, strings.Replace(shown, lastWord(shown), memberOf(answer, member), 1)}, w.literals...)
		}
	}
	return string(out)
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

func memberOf(answer map[string]any, path string) string {
	var v any = answer
	for _, name := range strings.Split(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return fmt.Sprint(v)
}

// needTyping skips a test that types commands unless it is asked for and can.
func needTyping(t *testing.T) {
	t.Helper()
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: with it, the commands of pages are typed")
	}
	for _, name := range []string{"aws", "curl", "git"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	lambdatest.NeedBoto3(t)
}

// newTypist starts a server whose address stands for that of the default settings.
func newTypist(t *testing.T, change ...func(*settings.Settings)) (*typist, *apptest.Plumb) {
	t.Helper()
	needTyping(t)
	bin := filepath.Dir(asProgram(t))
	p := apptest.Start(t, append(change, func(s *settings.Settings) { s.SMTPListen, s.MQTTListen = "127.0.0.1:0", "127.0.0.1:0" })...)
	address := strings.TrimPrefix(p.URL(), "http://")
	w := &typist{t: t, dir: t.TempDir(), literals: []string{"./plumb", "plumb", "127.0.0.1:4577", address, "localhost:4577", address}}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_") {
			w.env = append(w.env, e)
		}
	}
	w.env = append(w.env, "HOME="+t.TempDir(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "AWS_PAGER=", // as "plumb env" has it:
		"AWS_ENDPOINT_URL="+p.URL(), "AWS_ACCESS_KEY_ID="+p.Account(), "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1")
	return w, p
}

// The README's commands are typed as they stand; those for Go are .ci/run's.
func TestCommandsOfTheREADMEWorkAsTyped(t *testing.T) {
	page, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	w, p := newTypist(t)
	_, commands := typedCommands(t, page)
	n, last := 0, ""
	for _, c := range commands["Use it"] {
		switch first, _, _ := strings.Cut(c, " "); first {
		case "aws", "curl":
			if strings.HasPrefix(c, "aws configservice get-compliance") {
				p.Drain(t)
			}
			out := w.types(c)
			if first == "aws" {
				n, last = n+1, out
			}
		}
	}
	if n < 8 || !strings.Contains(last, `"ComplianceType": "COMPLIANT"`) {
		t.Errorf("%d commands; the last one prints\n%s", n, last)
	}
}

// The page on event sources shows how each is set up with AWS's own command.
func TestCommandsOfEventSourcesWorkAsTyped(t *testing.T) {
	page, err := filepath.Abs("../../docs/event-sources.md")
	if err != nil {
		t.Fatal(err)
	}
	w, p := newTypist(t)
	p.MakeFunction(t, "f", answersLex)
	if _, err := p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("photos")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Client().Call(t.Context(), "logs", "CreateLogGroup", map[string]any{"logGroupName": "/app"}); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"a.jpg": []byte("a picture"), "mail.txt": []byte("Subject: hello\r\n\r\nhello\r\n"), "template.yaml": []byte(firstYAML(t, page)),
		"edge.zip": lambdatest.Zip(t, "main.py", []byte("def handler(event, context):\n    return event['Records'][0]['cf']['request']\n")),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sections, commands := typedCommands(t, page)
	n := 0
	for _, section := range sections {
		if section == streamsSection {
			continue // they are a target's
		}
		for _, c := range commands[section] {
			first, _, _ := strings.Cut(c, " ")
			switch {
			case first == "mosquitto_pub", strings.HasPrefix(c, "git clone"): // its client is not everywhere; it wants the next block first
				continue
			case strings.HasPrefix(c, "curl smtp:"):
				w.literals = append(w.literals, "127.0.0.1:2525", listenerOf(t, w, "smtp"))
			}
			n++
			out := w.types(c)
			if strings.Contains(c, "recognize-text") && !strings.Contains(out, "Ordered.") {
				t.Errorf("the function of Lex did not answer: %s", out)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d commands", n)
	}
}

// answersLex is a function that fulfills an intent of Lex V2, and answers the event to
// all others.
const answersLex = `def handler(event, context):
    if "sessionState" not in event:
        return event
    intent = dict(event["sessionState"]["intent"], state="Fulfilled")
    return {"sessionState": {"dialogAction": {"type": "Close"}, "intent": intent}, "messages": [{"contentType": "PlainText", "content": "Ordered."}]}
`

const streamsSection = "Kinesis and DynamoDB Streams"

// The streams of the page are those of a target.
func TestCommandsOfStreamsWorkAsTyped(t *testing.T) {
	needTyping(t)
	page, err := filepath.Abs("../../docs/event-sources.md")
	if err != nil {
		t.Fatal(err)
	}
	cloud, stop, err := moto.Start()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(stop)
	w, p := newTypist(t, apptest.Target(cloud))
	p.MakeFunction(t, "f", apptest.EventPrinter)
	_, commands := typedCommands(t, page)
	for _, c := range commands[streamsSection] {
		w.types(c)
	}
	got := ""
	for range 60 {
		p.Drain(t)
		got = strings.Join(p.Printed(t, "f"), "\n")
		if strings.Contains(got, "aws:kinesis") && strings.Contains(got, "aws:dynamodb") {
			return
		}
		p.Clock().Advance(time.Second)
	}
	t.Errorf("%d commands; the function got\n%s", len(commands[streamsSection]), got)
}

// firstYAML is the first block of YAML on a page.
func firstYAML(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	block, _, _ := strings.Cut(rest, "```")
	return block
}

// listenerOf is the address of a further listener, which opens when it is needed.
func listenerOf(t *testing.T, w *typist, name string) string {
	t.Helper()
	var all map[string]string
	out := w.types("curl -s 127.0.0.1:4577/_plumb/listeners")
	if err := json.Unmarshal([]byte(out), &all); err != nil || all[name] == "" {
		t.Fatalf("the listeners are %s, %v", out, err)
	}
	return all[name]
}
