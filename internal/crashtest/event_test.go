package crashtest

import (
	"fmt"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/db/dbtest"
)

// TestEventsThatWereAcceptedAreDelivered kills a server while events are put, and
// counts them at their target after the next start.
func TestEventsThatWereAcceptedAreDelivered(t *testing.T) {
	plumb, _ := programs(t)
	story := func(t *testing.T, database string) {
		s := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
		begin := func() {
			s.start(t)
			if err := s.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		begin()
		t.Cleanup(func() { s.end(t) })
		client := awsclient.New(awsclient.Options{Endpoint: s.url(), Region: "us-east-1", Credentials: awsclient.Static("123456789012", "any", "")})
		call := func(service, operation string, in map[string]any) map[string]any {
			out, err := client.Call(t.Context(), service, operation, in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		const queue = "arn:aws:sqs:us-east-1:123456789012:inbox"
		url := call("sqs", "CreateQueue", map[string]any{"QueueName": "inbox", "Attributes": map[string]any{"Policy": `{"Statement": {"Effect": "Allow",
			"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "` + queue + `"}}`}})["QueueUrl"]
		call("events", "PutRule", map[string]any{"Name": "r", "EventPattern": `{"source": ["s"]}`})
		call("events", "PutTargets", map[string]any{"Rule": "r", "Targets": []any{map[string]any{"Id": "q", "Arn": queue, "InputPath": "$.detail.n"}}})
		accepted, kills := map[string]bool{}, make(chan bool)
		for kill := range 3 {
			go func() {
				time.Sleep(300 * time.Millisecond)
				s.kill(t)
				kills <- true
			}()
			for n := 0; ; n++ {
				name := fmt.Sprint(kill*100_000 + n)
				_, err := client.Call(t.Context(), "events", "PutEvents", map[string]any{"Entries": []any{
					map[string]any{"Source": "s", "DetailType": "t", "Detail": `{"n": ` + name + `}`}}})
				if err != nil {
					break // it was killed
				}
				accepted[name] = true
			}
			<-kills
			begin()
		}
		got := map[string]bool{}
		for empty := 0; empty < 3 && len(got) < len(accepted)+3; {
			messages, _ := call("sqs", "ReceiveMessage", map[string]any{"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "VisibilityTimeout": 600})["Messages"].([]any)
			if len(messages) == 0 {
				empty++
			}
			for _, m := range messages {
				got[m.(map[string]any)["Body"].(string)] = true
			}
		}
		missing := 0
		for name := range accepted {
			if !got[name] {
				missing++
			}
		}
		if missing > 0 || len(accepted) == 0 {
			t.Errorf("%d of %d accepted events are missing", missing, len(accepted))
		}
		t.Logf("%d accepted, %d delivered", len(accepted), len(got))
	}
	t.Run("SQLite", func(t *testing.T) { story(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { story(t, dbtest.PostgresURL(t)) })
}
