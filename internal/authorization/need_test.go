package authorization

import (
	"encoding/base64"
	"reflect"
	"slices"
	"testing"

	"plumb/internal/caller"
	"plumb/internal/model/sqsapi"
)

// Who moves messages needs the right to take them from the one queue and to send them
// to the other; a task is canceled with a right to its source.
func TestAMoveTaskNeedsRightsToBothQueues(t *testing.T) {
	dead, work := "arn:aws:sqs:us-east-1:123456789012:dead", "arn:aws:sqs:us-east-1:123456789012:work"
	handle := base64.StdEncoding.EncodeToString([]byte(`{"taskId":"a","sourceArn":"` + dead + `"}`))
	for _, c := range []struct {
		operation string
		in        any
		want      []string
	}{
		{"StartMessageMoveTask", sqsapi.StartMessageMoveTaskInput{SourceArn: &dead, DestinationArn: &work},
			[]string{"sqs:StartMessageMoveTask " + dead, "sqs:ReceiveMessage " + dead, "sqs:DeleteMessage " + dead, "sqs:GetQueueAttributes " + dead, "sqs:SendMessage " + work}},
		{"StartMessageMoveTask", sqsapi.StartMessageMoveTaskInput{SourceArn: &dead},
			[]string{"sqs:StartMessageMoveTask " + dead, "sqs:ReceiveMessage " + dead, "sqs:DeleteMessage " + dead, "sqs:GetQueueAttributes " + dead}},
		{"ListMessageMoveTasks", sqsapi.ListMessageMoveTasksInput{SourceArn: &dead}, []string{"sqs:ListMessageMoveTasks " + dead}},
		{"CancelMessageMoveTask", sqsapi.CancelMessageMoveTaskInput{TaskHandle: &handle}, []string{"sqs:CancelMessageMoveTask " + dead}},
		{"CancelMessageMoveTask", sqsapi.CancelMessageMoveTaskInput{TaskHandle: &dead}, []string{"sqs:CancelMessageMoveTask *"}},
	} {
		r := reading{c: caller.Caller{Account: "123456789012", Region: "us-east-1"}, in: reflect.ValueOf(c.in)}
		var got []string
		for _, q := range services["sqs"].asks(r, "sqs", c.operation, false) {
			got = append(got, q.Action+" "+q.Resource)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s asks for %q, want %q", c.operation, got, c.want)
		}
	}
}
