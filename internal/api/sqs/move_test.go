package sqs_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// A mover is a server whose clock stands and whose dead letters are moved.
type mover struct {
	*testing.T
	p *apptest.Plumb
}

func moving(t *testing.T, story func(m mover)) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		p.Clock().Freeze(time.Time{})
		story(mover{t, p})
	})
}

func (m mover) arn(name string) *string {
	return aws.String("arn:aws:sqs:" + m.p.Region() + ":" + m.p.Account() + ":" + name)
}

func (m mover) queue(name string, attributes map[string]string) *string {
	m.Helper()
	if strings.HasSuffix(name, ".fifo") {
		if attributes == nil {
			attributes = map[string]string{}
		}
		attributes["FifoQueue"], attributes["ContentBasedDeduplication"] = "true", "true"
	}
	out, err := m.p.SQS().CreateQueue(m.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(m.T, err)
	return out.QueueUrl
}

// url is a queue's URL after a restart, too.
func (m mover) url(name string) *string {
	return aws.String(m.p.URL() + "/" + m.p.Account() + "/" + name)
}

// source makes a queue whose messages die after their first receive.
func (m mover) source(name, dead string) {
	m.Helper()
	m.queue(name, map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":1}`, *m.arn(dead))})
}

func (m mover) send(name string, bodies ...string) {
	m.Helper()
	for _, b := range bodies {
		in := &sdk.SendMessageInput{QueueUrl: m.url(name), MessageBody: &b}
		if strings.HasSuffix(name, ".fifo") {
			in.MessageGroupId = aws.String("g")
		}
		_, err := m.p.SQS().SendMessage(m.Context(), in)
		must(m.T, err)
	}
}

func (m mover) receive(name string) (out []types.Message) {
	m.Helper()
	got, err := m.p.SQS().ReceiveMessage(m.Context(), &sdk.ReceiveMessageInput{QueueUrl: m.url(name), MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	must(m.T, err)
	return got.Messages
}

// kill sends messages and receives them as often as it takes for them to die.
func (m mover) kill(name string, bodies ...string) {
	m.Helper()
	m.send(name, bodies...)
	m.receive(name)
	m.p.Clock().Advance(31 * time.Second)
	if left := m.receive(name); len(left) > 0 {
		m.Fatalf("%d messages of %s are alive", len(left), name)
	}
}

func (m mover) start(source string, change ...func(*sdk.StartMessageMoveTaskInput)) (string, error) {
	in := &sdk.StartMessageMoveTaskInput{SourceArn: m.arn(source)}
	for _, f := range change {
		f(in)
	}
	out, err := m.p.SQS().StartMessageMoveTask(m.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.TaskHandle, nil
}

func (m mover) begin(source string, change ...func(*sdk.StartMessageMoveTaskInput)) string {
	m.Helper()
	handle, err := m.start(source, change...)
	must(m.T, err)
	return handle
}

func (m mover) to(name string) func(*sdk.StartMessageMoveTaskInput) {
	return func(in *sdk.StartMessageMoveTaskInput) { in.DestinationArn = m.arn(name) }
}

func atRate(n int32) func(*sdk.StartMessageMoveTaskInput) {
	return func(in *sdk.StartMessageMoveTaskInput) { in.MaxNumberOfMessagesPerSecond = &n }
}

func (m mover) tasks(source string, most int32) []types.ListMessageMoveTasksResultEntry {
	m.Helper()
	out, err := m.p.SQS().ListMessageMoveTasks(m.Context(), &sdk.ListMessageMoveTasksInput{SourceArn: m.arn(source), MaxResults: &most})
	must(m.T, err)
	return out.Results
}

// state wants the newest task's status and count.
func (m mover) state(source, want string) {
	m.Helper()
	t := m.tasks(source, 1)[0]
	got := fmt.Sprintf("%s %d/%d %s", *t.Status, t.ApproximateNumberOfMessagesMoved, aws.ToInt64(t.ApproximateNumberOfMessagesToMove), aws.ToString(t.FailureReason))
	if strings.TrimSpace(got) != want {
		m.Errorf("the task is %q, want %q", got, want)
	}
	if (*t.Status == "RUNNING") != (t.TaskHandle != nil) {
		m.Errorf("a task that is %s has the handle %v", *t.Status, t.TaskHandle)
	}
}

func (m mover) fails(err error, code, part string) {
	m.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		m.Errorf("got error %v, want %s with %q", err, code, part)
	}
}

// Dead letters go back to the queues that they came from, as new messages; those that a
// receiver holds stay.
func TestMovedMessagesComeBackToTheirSources(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.source("one", "dead")
		m.source("two", "dead")
		m.kill("one", "held")
		m.receive("dead")
		m.kill("one", "a")
		m.kill("two", "b")
		_, err := m.p.SQS().ChangeMessageVisibility(m.Context(), &sdk.ChangeMessageVisibilityInput{QueueUrl: m.url("dead"), ReceiptHandle: m.receive("dead")[0].ReceiptHandle, VisibilityTimeout: 600})
		must(m.T, err)
		m.p.Clock().Advance(31 * time.Second)
		m.p.Hold()
		m.begin("dead")
		m.state("dead", "RUNNING 0/2")
		m.p.Drain(m.T)
		m.state("dead", "COMPLETED 2/2")
		var got []string
		for _, name := range []string{"one", "two", "dead"} {
			for _, message := range m.receive(name) {
				got = append(got, name+" "+*message.Body+" "+message.Attributes["ApproximateReceiveCount"]+message.Attributes["DeadLetterQueueSourceArn"])
			}
		}
		if want := []string{"one a 1", "two b 1"}; !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
	})
}

// A task with a rate moves so many messages a second, goes on after a restart, and is
// the only one of its queue until it ends.
func TestAMoveTaskKeepsItsRateAndSurvivesARestart(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.queue("other", nil)
		m.source("work", "dead")
		m.kill("work", "a", "b", "c", "d", "e")
		m.begin("dead", m.to("other"), atRate(2))
		m.p.Drain(m.T)
		m.state("dead", "RUNNING 2/5")
		_, err := m.start("dead")
		m.fails(err, "InvalidParameterValue", "There is already a task running")
		now := m.p.Clock().Now()
		m.p.Restart(m.T)
		m.p.Clock().Freeze(now)
		m.p.Clock().Advance(time.Second)
		m.p.Drain(m.T)
		m.state("dead", "RUNNING 4/5")
		m.p.Clock().Advance(time.Second)
		m.p.Drain(m.T)
		m.state("dead", "COMPLETED 5/5")
		entry := m.tasks("dead", 1)[0]
		if *entry.DestinationArn != *m.arn("other") || *entry.MaxNumberOfMessagesPerSecond != 2 || *entry.SourceArn != *m.arn("dead") {
			t.Errorf("the task is %+v", entry)
		}
		if n := len(m.receive("other")); n != 5 {
			t.Errorf("%d messages were moved", n)
		}
		m.begin("dead")
	})
}

// A canceled task leaves what it has not moved; what it has moved stays moved.
func TestACanceledMoveTaskStops(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.source("work", "dead")
		m.kill("work", "a", "b", "c")
		handle := m.begin("dead", atRate(1))
		m.p.Drain(m.T)
		cancel := func(handle string) (*sdk.CancelMessageMoveTaskOutput, error) {
			return m.p.SQS().CancelMessageMoveTask(m.Context(), &sdk.CancelMessageMoveTaskInput{TaskHandle: &handle})
		}
		_, err := cancel("nonsense")
		m.fails(err, "InvalidParameterValue", "TaskHandle")
		m.p.Hold()
		out, err := cancel(handle)
		must(t, err)
		if out.ApproximateNumberOfMessagesMoved != 1 {
			t.Errorf("canceled after %d messages", out.ApproximateNumberOfMessagesMoved)
		}
		m.state("dead", "CANCELLING 1/3")
		m.p.Drain(m.T)
		m.state("dead", "CANCELLED 1/3")
		_, err = cancel(handle)
		m.fails(err, "InvalidParameterValue", "Only active tasks")
		m.p.Clock().Advance(time.Minute)
		m.p.Drain(m.T)
		m.state("dead", "CANCELLED 1/3")
		if n := len(m.receive("dead")); n != 2 {
			t.Errorf("%d messages are left", n)
		}
		m.receive("work")
		_, err = m.p.SQS().DeleteQueue(m.Context(), &sdk.DeleteQueueInput{QueueUrl: m.url("dead")})
		must(t, err)
		m.queue("dead", nil)
		_, err = cancel(handle)
		m.fails(err, "ResourceNotFoundException", "Task does not exist")
	})
}

// A task fails when it comes to a message of which nobody knows where it came from, or
// whose queue is gone. The message stays.
func TestAMoveTaskFailsForAMessageThatHasNowhereToGo(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.source("work", "dead")
		m.source("gone", "dead")
		m.kill("work", "a")
		m.send("dead", "sent")
		m.begin("dead")
		m.p.Drain(m.T)
		m.state("dead", "FAILED 1/2 CouldNotDetermineMessageSource")
		m.begin("dead", m.to("work"))
		m.p.Drain(m.T)
		m.state("dead", "COMPLETED 1/1")
		m.kill("gone", "b")
		_, err := m.p.SQS().DeleteQueue(m.Context(), &sdk.DeleteQueueInput{QueueUrl: m.url("gone")})
		must(t, err)
		m.begin("dead")
		m.p.Drain(m.T)
		m.state("dead", "FAILED 0/1 AWS.SimpleQueueService.NonExistentQueue")
		if n := len(m.receive("dead")); n != 1 {
			t.Errorf("%d messages are left", n)
		}
	})
}

// Only dead-letter queues are sources, and a task's ends are of one type, place and
// existence.
func TestMoveTasksThatAreRefused(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.queue("order.fifo", nil)
		m.source("work", "dead")
		for _, c := range []struct {
			source     string
			change     func(*sdk.StartMessageMoveTaskInput)
			code, part string
		}{
			{"work", atRate(1), "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."},
			{"none", atRate(1), "ResourceNotFoundException", "SourceArn"},
			{"dead", m.to("none"), "ResourceNotFoundException", "DestinationArn"},
			{"dead", m.to("dead"), "InvalidParameterValue", "must be different"},
			{"dead", m.to("order.fifo"), "InvalidParameterValue", "same type"},
			{"dead", atRate(0), "InvalidParameterValue", "MaxNumberOfMessagesPerSecond"},
			{"dead", atRate(501), "InvalidParameterValue", "MaxNumberOfMessagesPerSecond"},
			{"dead", func(in *sdk.StartMessageMoveTaskInput) { in.SourceArn = aws.String("dead") }, "InvalidParameterValue", "SourceArn"},
		} {
			_, err := m.start(c.source, c.change)
			m.fails(err, c.code, c.part)
		}
		for _, most := range []int32{0, 11} {
			_, err := m.p.SQS().ListMessageMoveTasks(m.Context(), &sdk.ListMessageMoveTasksInput{SourceArn: m.arn("dead"), MaxResults: &most})
			m.fails(err, "InvalidParameterValue", "MaxResults")
		}
		_, err := m.p.As("222222222222", m.p.Region()).SQS().StartMessageMoveTask(m.Context(), &sdk.StartMessageMoveTaskInput{SourceArn: m.arn("dead")})
		m.fails(err, "ResourceNotFoundException", "SourceArn")
	})
}

// Messages of a FIFO queue come back in their order, though their queue has just
// accepted the same ones.
func TestMovedMessagesOfAFIFOQueueKeepTheirOrder(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead.fifo", nil)
		m.source("work.fifo", "dead.fifo")
		m.kill("work.fifo", "a", "b", "c")
		m.begin("dead.fifo")
		m.p.Drain(m.T)
		m.state("dead.fifo", "COMPLETED 3/3")
		if got := bodies(m.receive("work.fifo")); got != "a b c" {
			t.Errorf("received %q", got)
		}
	})
}

// The last ten tasks of a queue are listed, the newest first, and one without a number;
// the old protocol answers the same.
func TestMoveTasksAreListedNewestFirst(t *testing.T) {
	moving(t, func(m mover) {
		m.queue("dead", nil)
		m.source("work", "dead")
		for i := range int32(12) {
			m.begin("dead", atRate(i+1))
			m.p.Drain(m.T)
		}
		var rates []int32
		for _, task := range m.tasks("dead", 10) {
			rates = append(rates, *task.MaxNumberOfMessagesPerSecond)
		}
		if want := []int32{12, 11, 10, 9, 8, 7, 6, 5, 4, 3}; !slices.Equal(rates, want) {
			t.Errorf("listed %v, want %v", rates, want)
		}
		answer, err := http.PostForm(m.p.URL(), url.Values{"Action": {"ListMessageMoveTasks"}, "Version": {"2012-11-05"}, "SourceArn": {*m.arn("dead")}})
		must(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		must(t, err)
		if strings.Count(string(text), "<ListMessageMoveTasksResultEntry>") != 1 || !strings.Contains(string(text), "<Status>COMPLETED</Status>") {
			t.Errorf("the old protocol answers %s", text)
		}
	})
}
