// Package demo tells the main job as a story, to somebody who sees Plumb for the
// first time: it makes a bucket, a topic, a queue, a recorder, a delivery channel
// and two rules, changes the bucket, and prints what came of it, with times.
//
// It is a client and nothing else: everything goes through the AWS SDK to a
// server that it is told of. It keeps nothing, and knows nothing of how a server
// works.
//
//	err := demo.Tell(ctx, os.Stdout, demo.Stage{URL: "http://127.0.0.1:4577", Account: "123456789012", Region: "us-east-1"})
package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
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

// patience is how long the story waits for anything that it expects.
const patience = 30 * time.Second

type story struct {
	Stage
	*page
	config *configservice.Client
	lambda *lambda.Client
	s3     *s3.Client
	sns    *sns.Client
	sqs    *sqs.Client

	topicARN, queueARN, queueURL string
}

// Tell runs the story and prints it to w.
func Tell(ctx context.Context, w io.Writer, stage Stage) error {
	st := newStory(w, stage)
	chapters := []struct {
		title string
		tell  func(context.Context) error
	}{
		{"A bucket, a topic and a queue that hears it", st.makeResources},
		{"AWS Config records, and tells", st.startRecording},
		{"Two rules: a managed one, and a function of our own", st.putRules},
		{"Somebody suspends the bucket's versioning", st.change},
		{"What the queue received", st.readQueue},
		{"What lies in S3", st.readBucket},
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
	cfg := aws.Config{
		Region: stage.Region, BaseEndpoint: &stage.URL,
		Credentials: credentials.NewStaticCredentialsProvider(stage.Account, "any", ""),
	}
	return &story{
		Stage: stage, page: newPage(w, stage.Color),
		config: configservice.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg),
		s3:  s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		sns: sns.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg),
	}
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, what string, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
			return fmt.Errorf("waited %s for %s in vain", patience, what)
		}
	}
}
