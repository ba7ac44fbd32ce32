package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/db/dbtest"
	"plumb/internal/settings"
)

// needTools skips a test of a page without the tools that the page's commands are of.
func needTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range append(names, "sh") {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed, and the page needs it", name)
		}
	}
}

// callAs has AWS's clients of this test call a server, as "plumb env" has it.
func callAs(t *testing.T, url, id, secret string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "",
	} {
		t.Setenv(name, value)
	}
}

// stepsOf reads the console blocks of a page in docs/, with other texts in the place of
// what a test has elsewhere.
func stepsOf(t *testing.T, page string, n int, instead ...string) []step {
	t.Helper()
	steps := consoles(t, "../../docs/"+page)
	if len(steps) != n {
		t.Fatalf("the page has %d commands", len(steps))
	}
	for i := range steps {
		steps[i].command = strings.NewReplacer(instead...).Replace(steps[i].command)
	}
	return steps
}

// serving runs a page's command that serves, hands on its address once it is ready, and
// has it end, as a supervisor does.
func serving(t *testing.T, dir, command string, use func(url string)) {
	t.Helper()
	bin := filepath.Dir(asProgram(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	errOut, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, url, said := bufio.NewScanner(errOut), "", ""
	for url == "" && lines.Scan() {
		said += lines.Text() + "\n"
		url, _ = strings.CutPrefix(lines.Text(), "ready ")
		if url == lines.Text() {
			url = ""
		}
	}
	if url == "" {
		t.Fatalf("%s: %v\n%s", command, cmd.Wait(), said)
	}
	use(url)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, errOut); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v", command, err)
	}
}

// ready fails the test unless a server says that it is.
func ready(t *testing.T) func(url string) {
	return func(url string) {
		t.Helper()
		if code, out, errs := plumb(t, "health", "--endpoint", url); code != 0 {
			t.Errorf("it is not ready: %d %s%s", code, out, errs)
		}
	}
}

func TestCommandsOfRunAServerWork(t *testing.T) {
	needTools(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "plumb.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nconsole: \"off\"\ndata: "+filepath.Join(dir, "data")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(t, "how-to/operate.md", 2, "/etc/plumb/plumb.yaml", file)
	walk(t, steps[:1], "")
	serving(t, dir, steps[1].command, ready(t))
}

// The settings of the page are those of two servers, on a database of the test.
func TestCommandsOfSeveralServersWork(t *testing.T) {
	needTools(t, "aws")
	database := dbtest.PostgresURL(t)
	page := abs(t, "../../docs/how-to/several-servers.md")
	dir := t.TempDir()
	file := func(host string) string {
		yaml := regexp.MustCompile(`(?m)^database: .*$`).ReplaceAllLiteralString(firstYAML(t, page), "database: "+database)
		yaml = strings.NewReplacer("0.0.0.0:4577", "127.0.0.1:0", "plumb-1", host).Replace(yaml)
		path := filepath.Join(dir, host+".yaml")
		if err := os.WriteFile(path, []byte(yaml+"data: "+filepath.Join(dir, host)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := stepsOf(t, "how-to/several-servers.md", 2, "/etc/plumb/plumb.yaml", file("plumb-1"))
	two := stepsOf(t, "how-to/several-servers.md", 2, "/etc/plumb/plumb.yaml", file("plumb-2"))
	walk(t, one[:1], "")
	serving(t, dir, one[1].command, func(first string) {
		serving(t, dir, two[1].command, func(second string) {
			ready(t)(second)
			callAs(t, first, "AKIAEXAMPLE", "SECRET")
			runs(t, dir, nil, "aws", "s3api", "create-bucket", "--bucket", "seen-by-all")
			callAs(t, second, "AKIAEXAMPLE", "SECRET")
			if out := runs(t, dir, nil, "aws", "s3api", "list-buckets"); !strings.Contains(out, "seen-by-all") {
				t.Errorf("what one wrote, the other shows as %s", out)
			}
		})
	})
}

func TestCommandsOfManyAccountsDoWhatThePageShows(t *testing.T) {
	needTools(t, "aws")
	p := apptest.Start(t)
	callAs(t, p.URL(), p.Account(), "any")
	walk(t, stepsOf(t, "how-to/many-accounts.md", 7), "")
}

func TestCommandsOfTheImportBringThePast(t *testing.T) {
	needTools(t, "aws")
	from := apptest.Start(t, func(s *settings.Settings) { s.LogLevel = "error" })
	deliveredPast(t, from)
	callAs(t, from.URL(), from.Account(), "any")
	t.Setenv("PLUMB_LISTEN", "127.0.0.1:9") // no server is there
	steps := stepsOf(t, "how-to/import.md", 4, "config-bucket", apptest.DeliveryBucket, "eu-west-1", from.Region(), "AWS::EC2", "AWS::S3")
	walk(t, steps[:2], "")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLUMB_LISTEN", "127.0.0.1:0")
	serving(t, dir, steps[2].command, func(url string) {
		callAs(t, url, from.Account(), "any")
		out := runs(t, dir, nil, "aws", "configservice", "get-resource-config-history", "--resource-type", "AWS::S3::Bucket", "--resource-id", "gone")
		if !strings.Contains(out, "ResourceDeleted") {
			t.Errorf("the past of a bucket that is gone is %s", out)
		}
	})
	t.Setenv("PLUMB_LISTEN", "127.0.0.1:9")
	t.Setenv("PLUMB_S3_ENDPOINT", from.URL())
	walk(t, steps[3:], "")
}

func TestCommandsOfAPolicyInGuardDoWhatThePageShows(t *testing.T) {
	needTools(t, "aws", "curl")
	p := apptest.Start(t)
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	callAs(t, p.URL(), p.Account(), "any")
	walk(t, stepsOf(t, "guard.md", 8), strings.TrimPrefix(p.URL(), "http://"))
}

// span is a command within a sentence or a table.
var span = regexp.MustCompile("`((?:plumb |aws |describe-|get-|POST |eval |env |pip |npm )[^`]*)`")

// TestCommandsOfTroubleshootWork types what each row says to look at, against a server
// with a rule, its function and a bucket.
func TestCommandsOfTroubleshootWork(t *testing.T) {
	needTools(t, "aws", "curl")
	text, err := os.ReadFile("../../docs/how-to/troubleshoot.md")
	if err != nil {
		t.Fatal(err)
	}
	p := apptest.Start(t)
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.MakeFunction(t, "speaker", "def handler(event, context):\n    print('hello')\n")
	if _, err := p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("speaker")}); err != nil {
		t.Fatal(err)
	}
	_, err = p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: aws.String("versioned"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("S3_BUCKET_VERSIONING_ENABLED")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	callAs(t, p.URL(), p.Account(), "any")
	address := strings.TrimPrefix(p.URL(), "http://")
	t.Setenv("PLUMB_LISTEN", address)
	t.Setenv("PLUMB_DATA", t.TempDir())
	left := map[string]bool{ // with what they need instead
		"pip install boto3": true, "npm install -g @aws-sdk/client-config-service": true, // a registry
		"aws sqs": true, "plumb rule dev": true, // named, not typed
		"aws lambda update-function-configuration --memory-size": true,
	}
	var steps []step
	for _, m := range span.FindAllStringSubmatch(string(text), -1) {
		command := strings.NewReplacer("RULE", "versioned", "RESOURCE", apptest.DeliveryBucket, "FUNCTION", "speaker", `\|`, "|").Replace(m[1])
		switch {
		case left[m[1]]:
			continue
		case strings.HasPrefix(command, "describe-"), strings.HasPrefix(command, "get-"):
			command = "aws configservice " + command
		case strings.HasPrefix(command, "POST "):
			command = "curl -sf -X POST " + p.URL() + strings.TrimPrefix(command, "POST ")
		}
		steps = append(steps, step{command: command})
	}
	if len(steps) < 10 {
		t.Fatalf("the page has %d commands", len(steps))
	}
	walk(t, steps, "")
}
