package codecommit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/settings"
)

type object = map[string]any

// A fixture is a repository "work", and a folder for git.
type fixture struct {
	*testing.T
	p      *apptest.Plumb
	dir    string
	remote string
	env    []string
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	f := &fixture{T: t, p: p, dir: t.TempDir()}
	f.remote = f.must(f.call("CreateRepository", object{"repositoryName": "work", "repositoryDescription": "of the team"}))["repositoryMetadata"].(object)["cloneUrlHttp"].(string)
	if want := p.URL() + "/v1/repos/work"; f.remote != want {
		t.Errorf("the address is %s, want %s", f.remote, want)
	}
	return f
}

func (f *fixture) call(operation string, in object) (object, error) {
	return f.p.Client().Call(f.Context(), "codecommit", operation, plain(in).(object))
}

// plain writes lists as the client takes them.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, x := range v {
			out[k] = plain(x)
		}
		return out
	case []object:
		out := []any{}
		for _, x := range v {
			out = append(out, plain(x))
		}
		return out
	case []string:
		out := []any{}
		for _, x := range v {
			out = append(out, x)
		}
		return out
	}
	return v
}

func (f *fixture) must(out object, err error) object {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func (f *fixture) refused(code string, _ object, err error) {
	f.Helper()
	if got := awsclient.Code(err); got != code {
		f.Errorf("got %q (%v), want %s", got, err, code)
	}
}

// try runs git in a folder of the fixture's.
func (f *fixture) try(folder string, args ...string) (string, error) {
	f.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		f.Skip("no git")
	}
	c := exec.CommandContext(f.Context(), "git", args...)
	c.Dir = filepath.Join(f.dir, folder)
	c.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
	}, f.env...)
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (f *fixture) git(folder string, args ...string) string {
	f.Helper()
	out, err := f.try(folder, args...)
	if err != nil {
		f.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (f *fixture) write(name, text string) {
	f.Helper()
	name = filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

// begin makes a local repository "a" with a commit, and pushes it.
func (f *fixture) begin() {
	f.Helper()
	f.git("", "init", "-q", "-b", "main", "a")
	f.write("a/README", "hello\n")
	f.write("a/src/main.py", "print(1)\n")
	f.git("a", "add", ".")
	f.git("a", "commit", "-qm", "first")
	f.git("a", "remote", "add", "origin", f.remote)
	f.git("a", "push", "-q", "origin", "main")
}

func (f *fixture) commit(folder, name, text string) (id string) {
	f.Helper()
	f.write(folder+"/"+name, text)
	f.git(folder, "add", ".")
	f.git(folder, "commit", "-qm", "change "+name)
	return f.git(folder, "rev-parse", "HEAD")
}

func TestWhatIsPushedIsCloned(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.git("", "clone", "-q", f.remote, "empty")
		f.begin()
		f.git("", "clone", "-q", f.remote, "b")
		if got := f.git("b", "log", "--format=%s", "main"); got != "first" {
			t.Errorf("the clone has %q", got)
		}
		// many commits, so that deltas, thin packs and several rounds of negotiation are needed
		random := rand.New(rand.NewPCG(1, 2))
		var text strings.Builder
		for range 1000 {
			fmt.Fprintf(&text, "%x\n", random.Uint64())
		}
		for i := range 18 {
			f.commit("a", "big.txt", fmt.Sprintf("%s%d\n", text.String(), i))
			f.commit("b", fmt.Sprintf("only/b%d", i), "b")
		}
		f.git("a", "tag", "light")
		f.git("a", "tag", "-am", "a release", "v1")
		f.git("a", "checkout", "-qb", "feature/x")
		f.commit("a", "x", "x")
		f.git("a", "push", "-q", "origin", "main", "feature/x", "--tags")
		f.git("b", "fetch", "-q", "--tags", "origin")
		f.git("b", "merge", "-q", "-m", "merged", "origin/main")
		f.git("b", "push", "-q", "origin", "main")
		f.git("a", "pull", "-q", "--no-rebase", "origin", "main")
		f.git("", "clone", "-q", f.remote, "c")
		f.git("c", "fsck", "--strict")
		for _, name := range []string{"main", "feature/x"} {
			if got, want := f.git("c", "rev-parse", "origin/"+name), f.git("b", "ls-remote", "origin", "refs/heads/"+name)[:40]; got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if got := f.git("c", "cat-file", "-t", "v1"); got != "tag" {
			t.Errorf("v1 is a %s", got)
		}
		if got := f.git("a", "ls-remote", "origin", "v1^{}"); !strings.HasPrefix(got, f.git("a", "rev-parse", "v1^{commit}")) {
			t.Errorf("the tag leads to %s", got)
		}
	})
}

func TestShallowClones(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.begin()
	for i := range 5 {
		f.commit("a", "n", fmt.Sprint(i))
	}
	f.git("a", "push", "-q", "origin", "main")
	count := func() string { return f.git("s", "rev-list", "--count", "HEAD") }
	f.git("", "clone", "-q", "--depth", "1", f.remote, "s")
	if count() != "1" {
		t.Errorf("%s commits", count())
	}
	f.commit("a", "n", "more")
	f.git("a", "push", "-q", "origin", "main")
	f.git("s", "pull", "-q", "--ff-only")
	if count() != "2" {
		t.Errorf("%s commits after the pull", count())
	}
	f.git("s", "fetch", "-q", "--depth", "4")
	if count() != "4" {
		t.Errorf("%s commits after the fetch", count())
	}
	f.commit("s", "mine", "1")
	f.git("s", "push", "-q", "origin", "main")
	f.git("s", "fetch", "-q", "--unshallow")
	if count() != "8" {
		t.Errorf("%s commits at last", count())
	}
	f.git("s", "fsck", "--strict")
}

func TestPushesThatAreRefusedChangeNothing(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.begin()
		f.git("", "clone", "-q", f.remote, "b")
		f.commit("b", "other", "b")
		f.git("b", "push", "-q", "origin", "main")
		tip := f.git("b", "rev-parse", "HEAD")
		f.commit("a", "mine", "a")
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"origin", "main"}, "fetch first"},
			{[]string{"origin", "--delete", "main"}, "the default branch cannot be deleted"},
			{[]string{"origin", "main:refs/heads/main/below"}, "it conflicts with refs/heads/main"},
			{[]string{"--atomic", "origin", "main:refs/heads/new", "main:refs/heads/main/below"}, "atomic push failed"},
			{[]string{"origin", "HEAD:README:refs/heads/blob"}, "a branch names a commit"},
		} {
			if out, err := f.try("a", append([]string{"push"}, c.args...)...); err == nil || !strings.Contains(out, c.want) {
				t.Errorf("push %v: %v\n%s", c.args, err, out)
			}
		}
		if got := f.git("a", "ls-remote", "origin"); got != tip+"\tHEAD\n"+tip+"\trefs/heads/main" {
			t.Errorf("the repository has\n%s", got)
		}
		// what a push lacks is noticed
		f.git("a", "push", "-q", "--force", "origin", "main")
		for _, body := range []string{"", "0000", "00a0garbage", strings.Repeat("x", 2000)} {
			res, err := http.Post(f.remote+"/git-receive-pack", "application/x-git-receive-pack-request", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if want := map[bool]int{true: 200, false: 400}[len(body) <= 4]; res.StatusCode != want {
				t.Errorf("%.10q: %d", body, res.StatusCode)
			}
		}
		line := strings.Repeat("0", 40) + " " + tip[:39] + "0 refs/heads/broken\x00report-status"
		pack := append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00"), 0x02, 0x9d, 0x08, 0x82, 0x3b, 0xd8, 0xa8, 0xea, 0xb5, 0x10, 0xad, 0x6a, 0xc7, 0x5c, 0x82, 0x3c, 0xfd, 0x3e, 0xd3, 0x1e)
		body := append(fmt.Appendf(nil, "%04x%s0000", len(line)+4, line), pack...)
		res, err := http.Post(f.remote+"/git-receive-pack", "application/x-git-receive-pack-request", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if report, _ := io.ReadAll(res.Body); !strings.Contains(string(report), "ng refs/heads/broken its object is missing") {
			t.Errorf("%s", report)
		}
	})
}

func TestPushesAreBounded(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.MaxBody = 1 << 20 })
	f := setUp(t, p)
	f.begin()
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	f.commit("a", "noise", string(noise))
	if out, err := f.try("a", "push", "origin", "main"); err == nil || !strings.Contains(out, "the push is too large") {
		t.Errorf("%v\n%s", err, out)
	}
	// little to send and much to keep
	f.git("a", "reset", "-q", "--hard", "HEAD^")
	f.commit("a", "zeros", strings.Repeat("0", 3<<20))
	if out, err := f.try("a", "push", "origin", "main"); err == nil || !strings.Contains(out, "the push is too large") {
		t.Errorf("%v\n%s", err, out)
	}
	f.git("a", "reset", "-q", "--hard", "HEAD^")
	f.commit("a", "small", "1")
	f.git("a", "push", "-q", "origin", "main")
}

func (f *fixture) function(more string) (arn string) {
	arn = f.p.MakeFunction(f, "f", apptest.EventPrinter+more)
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("git"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("codecommit.amazonaws.com"), SourceArn: aws.String("arn:aws:codecommit:us-east-1:" + f.p.Account() + ":work"),
	})
	if err != nil {
		f.Fatal(err)
	}
	return arn
}

// events returns the references of the events that the function got and not told of before.
func (f *fixture) events(told *int) (out []string) {
	f.Helper()
	f.p.Drain(f)
	all := f.p.Printed(f, "f")
	for _, text := range all[*told:] {
		var e struct {
			Records []struct {
				Trigger    string `json:"eventTriggerName"`
				CodeCommit struct {
					References []struct {
						Ref              string
						Created, Deleted bool
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			f.Fatal(err)
		}
		for _, r := range e.Records {
			line := r.Trigger
			for _, ref := range r.CodeCommit.References {
				line += fmt.Sprintf(" %s%s%s", map[bool]string{true: "+"}[ref.Created], map[bool]string{true: "-"}[ref.Deleted], ref.Ref)
			}
			out = append(out, line)
		}
	}
	*told = len(all)
	return out
}

func TestFunctionGetsAPushAsAWSTellsIt(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 475e6, time.UTC))
		f := setUp(t, p)
		id := f.must(f.call("PutRepositoryTriggers", object{"repositoryName": "work", "triggers": []object{
			{"name": "all", "destinationArn": f.function(""), "customData": "for the team", "branches": []string{}, "events": []string{"all"}},
		}}))["configurationId"]
		f.begin()
		p.Drain(t)
		printed := p.Printed(t, "f")
		if len(printed) != 1 {
			t.Fatalf("%q", printed)
		}
		var got object
		if err := json.Unmarshal([]byte(printed[0]), &got); err != nil {
			t.Fatal(err)
		}
		record := got["Records"].([]any)[0].(object)
		want := object{"Records": []any{object{
			"awsRegion": "us-east-1", "customData": "for the team", "eventId": record["eventId"], "eventName": "ReferenceChanges", "eventPartNumber": 1.0,
			"codecommit":  object{"references": []any{object{"commit": f.git("a", "rev-parse", "HEAD"), "created": true, "ref": "refs/heads/main"}}},
			"eventSource": "aws:codecommit", "eventSourceARN": "arn:aws:codecommit:us-east-1:" + p.Account() + ":work", "eventTime": "2026-03-01T12:00:00.475+0000",
			"eventTotalParts": 1.0, "eventTriggerConfigId": id, "eventTriggerName": "all", "eventVersion": "1.0",
			"userIdentityARN": "arn:aws:iam::" + p.Account() + ":root",
		}}}
		if !reflect.DeepEqual(got, want) || len(record["eventId"].(string)) != 36 {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

func TestTriggersTakeBranchesAndEvents(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.begin()
		function, told := f.function(""), 0
		put := func(triggers ...object) {
			f.must(f.call("PutRepositoryTriggers", object{"repositoryName": "work", "triggers": triggers}))
		}
		trigger := func(name string, branches []string, events ...string) object {
			return object{"name": name, "destinationArn": function, "branches": branches, "events": events}
		}
		expect := func(what string, want ...string) {
			t.Helper()
			got := f.events(&told)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: the function got %q, want %q", what, got, want)
			}
		}
		put(trigger("t", nil, "all"))
		f.commit("a", "x", "1")
		f.git("a", "tag", "v1")
		f.git("a", "push", "-q", "origin", "main", "v1", "main:dev")
		expect("a push of three references", "t refs/heads/main +refs/tags/v1 +refs/heads/dev")
		f.git("a", "push", "-q", "origin", "--delete", "dev")
		expect("a deletion", "t -refs/heads/dev")
		put(trigger("t", []string{"dev"}, "all"))
		f.git("a", "push", "-q", "origin", "main:other", "main:dev", "main:refs/tags/v2")
		expect("a filter of branches", "t +refs/heads/dev")
		put(trigger("t", nil, "deleteReference", "updateReference"))
		f.commit("a", "x", "2")
		f.git("a", "push", "-q", "origin", "main:fresh", "main:main")
		expect("a filter of events", "t refs/heads/main")
		made := f.must(f.call("PutFile", object{"repositoryName": "work", "branchName": "main", "filePath": "y", "fileContent": []byte("y"),
			"parentCommitId": f.git("a", "rev-parse", "main")}))
		expect("a commit of the API", "t refs/heads/main")
		f.git("a", "pull", "-q", "origin", "main")
		if got := f.git("a", "rev-parse", "HEAD"); got != made["commitId"] {
			t.Errorf("the commit is %s, want %s", got, made["commitId"])
		}
		// without the permission nothing is told any more
		_, err := p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("git")})
		if err != nil {
			t.Fatal(err)
		}
		f.commit("a", "x", "3")
		f.git("a", "push", "-q", "origin", "main")
		expect("no permission")
		out := f.must(f.call("TestRepositoryTriggers", object{"repositoryName": "work", "triggers": []object{trigger("t", nil, "all")}}))
		if failed := out["failedExecutions"].([]any); len(failed) != 1 || !strings.Contains(fmt.Sprint(failed[0]), "does not have permission") {
			t.Errorf("%v", out)
		}
	})
}

func TestFunctionThatFailsIsInvokedThreeTimes(t *testing.T) {
	p := apptest.Start(t)
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f := setUp(t, p)
	f.must(f.call("PutRepositoryTriggers", object{"repositoryName": "work", "triggers": []object{
		{"name": "t", "destinationArn": f.function("    raise Exception('no')\n"), "events": []string{"all"}},
	}}))
	f.begin()
	for range 4 {
		p.Drain(t)
		p.Clock().Advance(3 * time.Minute)
	}
	if got := p.Printed(t, "f"); len(got) != 3 {
		t.Errorf("the function ran %d times", len(got))
	}
}

func TestTopicsAreToldAndTriggersTested(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		call := func(service, operation string, in object) object {
			return f.must(p.Client().Call(t.Context(), service, operation, in))
		}
		topic := call("sns", "CreateTopic", object{"Name": "t"})["TopicArn"].(string)
		queue := call("sqs", "CreateQueue", object{"QueueName": "q"})["QueueUrl"].(string)
		call("sns", "Subscribe", object{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:" + p.Account() + ":q", "Attributes": object{"RawMessageDelivery": "true"}})
		receive := func() string {
			p.Drain(t)
			list, _ := call("sqs", "ReceiveMessage", object{"QueueUrl": queue})["Messages"].([]any)
			if len(list) != 1 {
				t.Fatalf("%d messages", len(list))
			}
			m := list[0].(object)
			call("sqs", "DeleteMessage", object{"QueueUrl": queue, "ReceiptHandle": m["ReceiptHandle"]})
			return m["Body"].(string)
		}
		triggers := []object{{"name": "t", "destinationArn": topic, "events": []string{"all"}}}
		out := f.must(f.call("TestRepositoryTriggers", object{"repositoryName": "work", "triggers": append(triggers,
			object{"name": "none", "destinationArn": topic + "2", "events": []string{"all"}})}))
		if fmt.Sprint(out["successfulExecutions"]) != "[t]" || len(out["failedExecutions"].([]any)) != 1 {
			t.Errorf("%v", out)
		}
		if got := receive(); !strings.Contains(got, `"eventName":"TriggerEventTest"`) || strings.Contains(got, "customData") || strings.Contains(got, `"created"`) {
			t.Errorf("%s", got)
		}
		f.must(f.call("PutRepositoryTriggers", object{"repositoryName": "work", "triggers": triggers}))
		f.begin()
		if got := receive(); !strings.Contains(got, `"ref":"refs/heads/main"`) {
			t.Errorf("%s", got)
		}
		kept := f.must(f.call("GetRepositoryTriggers", object{"repositoryName": "work"}))
		if got := kept["triggers"].([]any)[0].(object); got["destinationArn"] != topic || fmt.Sprint(got["events"]) != "[all]" {
			t.Errorf("%v", got)
		}
		for code, change := range map[string]object{
			"InvalidRepositoryTriggerNameException":           {"name": "a b"},
			"InvalidRepositoryTriggerDestinationArnException": {"destinationArn": "arn:aws:sqs:us-east-1:123456789012:q"},
			"InvalidRepositoryTriggerRegionException":         {"destinationArn": "arn:aws:sns:eu-west-1:123456789012:t"},
			"InvalidRepositoryTriggerCustomDataException":     {"customData": strings.Repeat("x", 1001)},
			"MaximumBranchesExceededException":                {"branches": strings.Fields("1 2 3 4 5 6 7 8 9 10 11")},
			"InvalidRepositoryTriggerBranchNameException":     {"branches": []string{"a b"}},
			"RepositoryTriggerEventsListRequiredException":    {"events": []string{}},
			"InvalidRepositoryTriggerEventsException":         {"events": []string{"all", "createReference"}},
			"RepositoryDoesNotExistException":                 nil,
		} {
			x, name := object{"name": "t", "destinationArn": topic, "events": []string{"all"}}, "work"
			for k, v := range change {
				x[k] = v
			}
			if change == nil {
				name = "none"
			}
			out, err := f.call("PutRepositoryTriggers", object{"repositoryName": name, "triggers": []object{x}})
			f.refused(code, out, err)
		}
	})
}

func TestRepositories(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		out, err := f.call("CreateRepository", object{"repositoryName": "work"})
		f.refused("RepositoryNameExistsException", out, err)
		for _, name := range []string{"a b", "x.git", strings.Repeat("x", 101)} {
			out, err := f.call("CreateRepository", object{"repositoryName": name})
			f.refused("InvalidRepositoryNameException", out, err)
		}
		f.must(f.call("CreateRepository", object{"repositoryName": "second", "tags": object{"team": "web"}}))
		got := f.must(f.call("BatchGetRepositories", object{"repositoryNames": []string{"work", "none"}}))
		if len(got["repositories"].([]any)) != 1 || fmt.Sprint(got["repositoriesNotFound"]) != "[none]" {
			t.Errorf("%v", got)
		}
		f.must(f.call("UpdateRepositoryDescription", object{"repositoryName": "work", "repositoryDescription": "other"}))
		f.must(f.call("UpdateRepositoryName", object{"oldName": "work", "newName": "renamed"}))
		meta := f.must(f.call("GetRepository", object{"repositoryName": "renamed"}))["repositoryMetadata"].(object)
		arn := "arn:aws:codecommit:us-east-1:" + p.Account() + ":renamed"
		if meta["repositoryDescription"] != "other" || meta["Arn"] != arn || meta["cloneUrlHttp"] != p.URL()+"/v1/repos/renamed" || meta["defaultBranch"] != nil {
			t.Errorf("%v", meta)
		}
		list := f.must(f.call("ListRepositories", object{"sortBy": "repositoryName", "order": "descending"}))["repositories"].([]any)
		if len(list) != 2 || list[0].(object)["repositoryName"] != "second" {
			t.Errorf("%v", list)
		}
		f.must(f.call("TagResource", object{"resourceArn": arn, "tags": object{"a": "1", "b": "2"}}))
		f.must(f.call("UntagResource", object{"resourceArn": arn, "tagKeys": []string{"a"}}))
		if tags := f.must(f.call("ListTagsForResource", object{"resourceArn": arn}))["tags"]; fmt.Sprint(tags) != "map[b:2]" {
			t.Errorf("%v", tags)
		}
		if id := f.must(f.call("DeleteRepository", object{"repositoryName": "renamed"}))["repositoryId"]; id != meta["repositoryId"] {
			t.Errorf("%v", id)
		}
		f.must(f.call("DeleteRepository", object{"repositoryName": "renamed"}))
		out, err = f.call("GetRepository", object{"repositoryName": "renamed"})
		f.refused("RepositoryDoesNotExistException", out, err)
	})
}

func TestBranchesAndCommitsOfTheAPI(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		in := func(more object) object {
			out := object{"repositoryName": "work"}
			for k, v := range more {
				out[k] = v
			}
			return out
		}
		first := f.must(f.call("CreateCommit", in(object{"branchName": "main", "authorName": "Ann", "email": "ann@example.com", "commitMessage": "first\n", "putFiles": []object{
			{"filePath": "a.txt", "fileContent": []byte("a")}, {"filePath": "d/run.sh", "fileContent": []byte("#!/bin/sh\n"), "fileMode": "EXECUTABLE"},
		}})))
		id := first["commitId"].(string)
		if len(first["filesAdded"].([]any)) != 2 {
			t.Errorf("%v", first)
		}
		f.git("", "clone", "-q", f.remote, "a")
		f.git("a", "fsck", "--strict")
		if got := f.git("a", "log", "--format=%H %an %ae %s"); got != id+" Ann ann@example.com first" {
			t.Errorf("%s", got)
		}
		out, err := f.call("PutFile", in(object{"branchName": "main", "filePath": "b", "fileContent": []byte("b")}))
		f.refused("ParentCommitIdRequiredException", out, err)
		out, err = f.call("PutFile", in(object{"branchName": "main", "filePath": "a.txt", "fileContent": []byte("a"), "parentCommitId": id}))
		f.refused("SameFileContentException", out, err)
		out, err = f.call("PutFile", in(object{"branchName": "main", "filePath": "a.txt/b", "fileContent": []byte("a"), "parentCommitId": id}))
		f.refused("DirectoryNameConflictsWithFileNameException", out, err)
		out, err = f.call("PutFile", in(object{"branchName": "main", "filePath": "d", "fileContent": []byte("a"), "parentCommitId": id}))
		f.refused("FileNameConflictsWithDirectoryNameException", out, err)
		out, err = f.call("PutFile", in(object{"branchName": "main", "filePath": "../x", "fileContent": []byte("a"), "parentCommitId": id}))
		f.refused("InvalidPathException", out, err)
		second := f.must(f.call("CreateCommit", in(object{"branchName": "main", "parentCommitId": id,
			"putFiles":    []object{{"filePath": "moved/a.txt", "sourceFile": object{"filePath": "a.txt", "isMove": true}}},
			"deleteFiles": []object{}, "setFileModes": []object{{"filePath": "d/run.sh", "fileMode": "NORMAL"}}})))["commitId"].(string)
		out, err = f.call("PutFile", in(object{"branchName": "main", "filePath": "b", "fileContent": []byte("b"), "parentCommitId": id}))
		f.refused("ParentCommitIdOutdatedException", out, err)
		differences := f.must(f.call("GetDifferences", in(object{"beforeCommitSpecifier": id, "afterCommitSpecifier": "main"})))["differences"].([]any)
		var got []string
		for _, d := range differences {
			got = append(got, fmt.Sprint(d.(object)["changeType"]))
		}
		if fmt.Sprint(got) != "[D M A]" {
			t.Errorf("%v", differences)
		}
		file := f.must(f.call("GetFile", in(object{"filePath": "moved/a.txt"})))
		if file["fileContent"] != "YQ==" || file["commitId"] != second || file["fileMode"] != "NORMAL" {
			t.Errorf("%v", file)
		}
		if blob := f.must(f.call("GetBlob", in(object{"blobId": file["blobId"]}))); blob["content"] != "YQ==" {
			t.Errorf("%v", blob)
		}
		folder := f.must(f.call("GetFolder", in(object{"folderPath": "/", "commitSpecifier": id})))
		if len(folder["files"].([]any)) != 1 || folder["subFolders"].([]any)[0].(object)["absolutePath"] != "d" {
			t.Errorf("%v", folder)
		}
		commit := f.must(f.call("GetCommit", in(object{"commitId": second})))["commit"].(object)
		if fmt.Sprint(commit["parents"]) != "["+id+"]" {
			t.Errorf("%v", commit)
		}
		many := f.must(f.call("BatchGetCommits", in(object{"commitIds": []string{id, strings.Repeat("1", 40)}})))
		if len(many["commits"].([]any)) != 1 || len(many["errors"].([]any)) != 1 {
			t.Errorf("%v", many)
		}
		f.must(f.call("CreateBranch", in(object{"branchName": "dev", "commitId": id})))
		out, err = f.call("CreateBranch", in(object{"branchName": "dev", "commitId": id}))
		f.refused("BranchNameExistsException", out, err)
		out, err = f.call("CreateBranch", in(object{"branchName": "x", "commitId": strings.Repeat("1", 40)}))
		f.refused("CommitDoesNotExistException", out, err)
		if list := f.must(f.call("ListBranches", in(nil)))["branches"]; fmt.Sprint(list) != "[dev main]" {
			t.Errorf("%v", list)
		}
		if b := f.must(f.call("GetBranch", in(object{"branchName": "dev"})))["branch"].(object); b["commitId"] != id {
			t.Errorf("%v", b)
		}
		out, err = f.call("DeleteBranch", in(object{"branchName": "main"}))
		f.refused("DefaultBranchCannotBeDeletedException", out, err)
		f.must(f.call("UpdateDefaultBranch", in(object{"defaultBranchName": "dev"})))
		if b := f.must(f.call("DeleteBranch", in(object{"branchName": "main"})))["deletedBranch"].(object); b["commitId"] != second {
			t.Errorf("%v", b)
		}
		f.must(f.call("DeleteBranch", in(object{"branchName": "main"})))
		deleted := f.must(f.call("DeleteFile", in(object{"branchName": "dev", "filePath": "d/run.sh", "parentCommitId": id})))
		f.git("a", "fetch", "-q", "origin")
		if got := f.git("a", "ls-tree", "-r", "--name-only", "origin/dev"); got != "a.txt" || deleted["filePath"] != "d/run.sh" {
			t.Errorf("%s", got)
		}
		out, err = f.call("GetFile", in(object{"filePath": "none"}))
		f.refused("FileDoesNotExistException", out, err)
		out, err = f.call("GetFile", in(object{"filePath": "a.txt", "commitSpecifier": "none"}))
		f.refused("CommitDoesNotExistException", out, err)
	})
}

// server is a server that asks for signatures, and a user that may pull only.
func server(t *testing.T, change ...func(*settings.Settings)) (f *fixture, puller *apptest.Plumb) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("no AWS CLI")
	}
	p := apptest.Start(t, append(change, func(s *settings.Settings) {
		s.Mode, s.AccessKeys = settings.Server, []settings.AccessKey{{ID: "AKIAROOT", Secret: "any", Account: s.Account}}
	})...)
	root := p.Signing("AKIAROOT", "any")
	f = setUp(t, root)
	call := func(operation string, in object) object {
		return f.must(root.Client().Call(t.Context(), "iam", operation, in))
	}
	call("CreateUser", object{"UserName": "reader"})
	call("PutUserPolicy", object{"UserName": "reader", "PolicyName": "p", "PolicyDocument": `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "arn:aws:codecommit:us-east-1:` + p.Account() + `:work"}]}`})
	key := call("CreateAccessKey", object{"UserName": "reader"})["AccessKey"].(object)
	return f, p.Signing(key["AccessKeyId"].(string), key["SecretAccessKey"].(string))
}

// as has git sign in with AWS's credential helper.
func (f *fixture) as(id, secret, region string) *fixture {
	out := *f
	out.env = []string{
		"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_DEFAULT_REGION=" + region,
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=!aws codecommit credential-helper --ignore-host-check $@",
		"GIT_CONFIG_KEY_1=credential.UseHttpPath", "GIT_CONFIG_VALUE_1=true",
	}
	return &out
}

func TestServerModeAsksForThePasswordOfAWSsCredentialHelper(t *testing.T) {
	f, reader := server(t)
	if out, err := f.try("", "clone", f.remote, "x"); err == nil || !strings.Contains(out, "could not read Username") {
		t.Errorf("%v\n%s", err, out)
	}
	root := f.as("AKIAROOT", "any", "us-east-1")
	root.begin()
	root.commit("a", "x", "1")
	root.git("a", "push", "-q", "origin", "main")
	if out, err := f.as("AKIAROOT", "wrong", "us-east-1").try("", "clone", f.remote, "x"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := f.as("AKIAROOT", "any", "eu-west-1").try("", "clone", f.remote, "x"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("%v\n%s", err, out)
	}
	c, err := reader.SDK().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := f.as(c.AccessKeyID, c.SecretAccessKey, "us-east-1")
	by.git("", "clone", "-q", f.remote, "b")
	by.commit("b", "y", "1")
	if out, err := by.try("b", "push", "origin", "main"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("%v\n%s", err, out)
	}
	f.p.Clock().Advance(time.Hour) // a password has an end
	if out, err := by.try("", "clone", f.remote, "late"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDevelopmentModeTakesAnyUser(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p.As("111122223333", "eu-west-1"))
	if out, err := f.try("", "clone", f.remote, "x"); err == nil || !strings.Contains(out, "could not read Username") {
		t.Errorf("the default account has no such repository: %v\n%s", err, out)
	}
	if out, err := f.try("", "clone", p.URL()+"/v1/repos/none", "x"); err == nil || !strings.Contains(out, "not found") {
		t.Errorf("%v\n%s", err, out)
	}
	u, err := url.Parse(f.remote)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("111122223333", "any")
	f.remote = u.String()
	f.begin()
	f.git("", "clone", "-q", f.remote, "b")
}

func TestAnotherServerHasTheRepository(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.begin()
		p.Restart(t)
		f.git("", "clone", "-q", p.URL()+"/v1/repos/work", "b")
	})
}
