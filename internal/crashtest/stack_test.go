package crashtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/db/dbtest"
)

// TestStacksEndWholeWhenServersAreKilled kills a server in the middle of the
// creation, the change and the deletion of stacks. Each ends as it was asked for,
// and nothing was made twice.
func TestStacksEndWholeWhenServersAreKilled(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("it takes more than a minute, and runs with PLUMB_TEST_REAL=1")
	}
	plumb, _ := programs(t)
	t.Run("SQLite", func(t *testing.T) {
		s := newServer(plumb, dbtest.Folder(t), freeAddress(t), "")
		stacksEndWhole(t, s, s)
	})
	t.Run("two servers on PostgreSQL", func(t *testing.T) {
		database := dbtest.PostgresURL(t)
		doomed := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
		heir := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
		heir.start(t)
		if err := heir.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { heir.end(t) })
		stacksEndWhole(t, doomed, heir)
	})
}

// stackQueues is how many queues each stack has, and topics.
const stackQueues = 8

// stackTemplate has resources without names in two steps: topics, then queues that
// need them.
func stackTemplate() string {
	var b strings.Builder
	b.WriteString("Parameters: {Wait: {Type: String, Default: '30'}}\nResources:\n")
	for n := range stackQueues {
		fmt.Fprintf(&b, "  Topic%d: {Type: AWS::SNS::Topic}\n", n)
		fmt.Fprintf(&b, "  Queue%d: {Type: AWS::SQS::Queue, DependsOn: Topic%d, Properties: {VisibilityTimeout: !Ref Wait}}\n", n, n)
	}
	return b.String()
}

// A stackStory is one server that is killed, and one that answers afterwards, which
// may be the same.
type stackStory struct {
	*testing.T
	doomed, heir *server
}

// try calls a service of a server.
func (s stackStory) try(at *server, service, operation string, in map[string]any) (map[string]any, error) {
	client := awsclient.New(awsclient.Options{Endpoint: at.url(), Region: "us-east-1", Credentials: awsclient.Static("123456789012", "any", "")})
	return client.Call(s.Context(), service, operation, in)
}

func (s stackStory) call(service, operation string, in map[string]any) map[string]any {
	s.Helper()
	out, err := s.try(s.heir, service, operation, in)
	if err != nil {
		s.Fatalf("%s: %v\n%s", operation, err, s.heir.tail())
	}
	return out
}

func (s stackStory) begin() {
	s.doomed.start(s)
	if err := s.doomed.wait(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func stacksEndWhole(t *testing.T, doomed, heir *server) {
	s := stackStory{t, doomed, heir}
	s.begin()
	t.Cleanup(func() { doomed.end(t) })
	random := rand.New(rand.NewPCG(uint64(number("PLUMB_CRASH_SEED", 1)), 1))
	for n := range number("PLUMB_CRASH_KILLS", 3) {
		name := fmt.Sprintf("stack%d", n)
		in := func(more map[string]any) map[string]any {
			out := map[string]any{"StackName": name, "ClientRequestToken": fmt.Sprintf("token-%d", n)}
			for k, v := range more {
				out[k] = v
			}
			return out
		}
		s.survives(random, "CreateStack", in(map[string]any{"TemplateBody": stackTemplate()}), "CREATE_COMPLETE")
		s.has(name, "30")
		s.survives(random, "UpdateStack", in(map[string]any{"UsePreviousTemplate": true, "ClientRequestToken": fmt.Sprintf("token-%d-second", n),
			"Parameters": []any{map[string]any{"ParameterKey": "Wait", "ParameterValue": "40"}}}), "UPDATE_COMPLETE")
		s.has(name, "40")
		s.survives(random, "DeleteStack", in(map[string]any{"ClientRequestToken": fmt.Sprintf("token-%d-third", n)}), "")
		if left := s.queues(name); len(left) != 0 {
			t.Errorf("of %s are left %v", name, left)
		}
		if left := s.topics(name); left != 0 {
			t.Errorf("of %s are left %d topics", name, left)
		}
	}
}

// survives asks for an operation, kills the server in the middle of it, and waits
// for its end.
func (s stackStory) survives(random *rand.Rand, operation string, in map[string]any, want string) {
	s.Helper()
	kill := make(chan bool)
	after := time.Duration(random.IntN(400)) * time.Millisecond
	go func() {
		time.Sleep(after)
		s.doomed.kill(s)
		close(kill)
	}()
	_, err := s.try(s.doomed, "cloudformation", operation, in)
	<-kill
	s.begin()
	if err != nil { // the kill cut it off: the same request again is one request
		s.call("cloudformation", operation, in)
	}
	last := ""
	for began := time.Now(); time.Since(began) < 90*time.Second; time.Sleep(100 * time.Millisecond) { // another server's clock
		out, err := s.try(s.heir, "cloudformation", "DescribeStacks", map[string]any{"StackName": in["StackName"]})
		if err != nil {
			if last = awsclient.Code(err); want == "" && last == "ValidationError" {
				return // it is gone
			}
			continue
		}
		list, _ := out["Stacks"].([]any)
		if last, _ = list[0].(map[string]any)["StackStatus"].(string); last == want {
			return
		}
	}
	s.Fatalf("%s with a kill after %s: the stack is %s, want %s\n%s", operation, after, last, want, s.heir.tail())
}

// has checks that a stack has each of its queues and topics once, as they were
// asked for.
func (s stackStory) has(name, wait string) {
	s.Helper()
	urls := s.queues(name)
	if len(urls) != stackQueues {
		s.Errorf("%s has %d queues, want %d: %v", name, len(urls), stackQueues, urls)
	}
	for _, url := range urls {
		out := s.call("sqs", "GetQueueAttributes", map[string]any{"QueueUrl": url, "AttributeNames": []any{"VisibilityTimeout"}})
		if got, _ := out["Attributes"].(map[string]any); got["VisibilityTimeout"] != wait {
			s.Errorf("%v has the attributes %v, want %s", url, got, wait)
		}
	}
	if topics := s.topics(name); topics != stackQueues {
		s.Errorf("%s has %d topics, want %d", name, topics, stackQueues)
	}
}

func (s stackStory) queues(name string) []any {
	out, _ := s.call("sqs", "ListQueues", map[string]any{"QueueNamePrefix": name + "-"})["QueueUrls"].([]any)
	return out
}

func (s stackStory) topics(name string) (n int) {
	list, _ := s.call("sns", "ListTopics", map[string]any{})["Topics"].([]any)
	for _, topic := range list {
		arn, _ := topic.(map[string]any)["TopicArn"].(string)
		if strings.Contains(arn, ":"+name+"-") {
			n++
		}
	}
	return n
}
