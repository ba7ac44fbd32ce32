// Package demo tells the main job as a story, to somebody who sees Plumb for the
// first time: it makes a bucket, a topic, a queue, a recorder, a delivery channel
// and two rules, changes the bucket, and prints what came of it, with times.
//
// It is a client and nothing else: everything is a signed request to the server
// whose URL it gets, as any AWS client would send it. It keeps nothing, and knows
// nothing of how a server works.
//
//	err := demo.Tell(ctx, os.Stdout, demo.Stage{URL: "http://127.0.0.1:4577", Account: "123456789012", Region: "us-east-1"})
package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"plumb/internal/awsclient"
)

// A Stage is where the story takes place.
type Stage struct {
	URL, Account, Region string
	Color                bool // the output is a terminal
	// Python is set where python3 and boto3 are there; else the custom rule is a
	// program, Bootstrap, for the runtime provided.al2023.
	Python    bool
	Bootstrap string // path of a program that calls Rule when it is run as a function
}

// The names of what the story makes.
const (
	watched     = "demo-reports"
	delivered   = "demo-config"
	topicName   = "demo-config-changes"
	queueName   = "demo-config-inbox"
	managedRule = "bucket-versioning-enabled"
	customRule  = "important-buckets-keep-versions"
)

// waitTimeout is how long the story waits for anything that it expects.
const waitTimeout = 30 * time.Second

type story struct {
	Stage
	*page
	client *awsclient.Client

	topicARN, queueURL string
}

// Tell runs the story and prints it to w.
func Tell(ctx context.Context, w io.Writer, stage Stage) error {
	st := newStory(w, stage)
	chapters := []struct {
		title string
		tell  func(context.Context) error
	}{
		{"A bucket, a topic and a subscribed queue", st.makeResources},
		{"AWS Config records and delivers", st.startRecording},
		{"Two rules: a managed one and a function", st.putRules},
		{"Someone suspends the bucket's versioning", st.change},
		{"What the queue received", st.readQueue},
		{"What is in S3", st.readBucket},
	}
	for i, c := range chapters {
		st.chapter(i+1, c.title)
		if err := c.tell(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
	}
	return nil
}

func newStory(w io.Writer, stage Stage) *story {
	return &story{
		Stage: stage, page: newPage(w, stage.Color),
		client: awsclient.New(awsclient.Options{
			Region: stage.Region, Endpoint: stage.URL, Credentials: awsclient.Static(stage.Account, "any", ""),
		}),
	}
}

// A shape is an input or an output of an operation.
type shape = map[string]any

func (st *story) call(ctx context.Context, service, operation string, in shape) (shape, error) {
	return st.client.Call(ctx, service, operation, in)
}

// list returns the structures of a list member.
func list(out shape, member string) []shape {
	var all []shape
	values, _ := out[member].([]any)
	for _, v := range values {
		if s, ok := v.(shape); ok {
			all = append(all, s)
		}
	}
	return all
}

// text returns a member that is a string, and "" where there is none.
func text(s shape, member string) string {
	v, _ := s[member].(string)
	return v
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, what string, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := ask(ctx)
		if yes || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %s in vain", waitTimeout, what)
		}
	}
}
