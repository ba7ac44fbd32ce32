package realtest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
)

// asking is a function that asks four services about what they hold.
const asking = `
import boto3

def handler(event, context):
    s3, sns, sqs, functions = (boto3.client(n) for n in ("s3", "sns", "sqs", "lambda"))
    url = sqs.get_queue_url(QueueName="asked")["QueueUrl"]
    return {
        "kept": s3.get_bucket_versioning(Bucket="kept").get("Status"),
        "lost": s3.get_bucket_versioning(Bucket="lost").get("Status"),
        "buckets": sorted(b["Name"] for b in s3.list_buckets()["Buckets"]),
        "topic": sns.get_topic_attributes(TopicArn=event["topic"])["Attributes"]["DisplayName"],
        "topics": sorted(t["TopicArn"].rsplit(":", 1)[1] for t in sns.list_topics()["Topics"]),
        "queue": sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"],
        "queues": sorted(u.rsplit("/", 1)[1] for u in sqs.list_queues()["QueueUrls"]),
        "function": functions.get_function_configuration(FunctionName="run")["Description"],
        "functions": sorted(f["FunctionName"] for p in functions.get_paginator("list_functions").paginate() for f in p["Functions"]),
    }
`

// TestFunctionsAskTheTargetAboutWhatItHolds has a function in Plumb ask about
// resources of moto's server, beside those that Plumb holds itself.
func TestFunctionsAskTheTargetAboutWhatItHolds(t *testing.T) {
	moto := startMoto(t)
	names := boto3(t, "elsewhere.py", moto)
	p := apptest.Start(t, apptest.Target(moto))
	embed(t, p, []string{"bucket ours", "topic ours", "queue ours"})
	if err := p.PutFunction(t.Context(), "asking", "asking.handler", zipped(t, map[string][]byte{"asking.py": []byte(asking)})); err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("asking"), Payload: payload})
	if err != nil || out.FunctionError != nil {
		t.Fatalf("%v %s", err, out.Payload)
	}
	var got struct {
		Kept, Lost, Topic, Queue, Function string
		Buckets, Topics, Queues, Functions []string
	}
	if err := json.Unmarshal(out.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.Kept != "Enabled" || got.Lost != "Suspended" || got.Topic != "Told" || got.Queue != "77" || got.Function != "Runs" {
		t.Errorf("the function received %s", out.Payload)
	}
	for what, lists := range map[string][2][]string{
		"buckets": {got.Buckets, {"kept", "lost", "ours"}}, "topics": {got.Topics, {"ours", "told"}},
		"queues": {got.Queues, {"asked", "ours"}}, "functions": {got.Functions, {"asking", "run"}},
	} {
		if !slices.Equal(lists[0], lists[1]) {
			t.Errorf("the %s are %v, want %v", what, lists[0], lists[1])
		}
	}
}
