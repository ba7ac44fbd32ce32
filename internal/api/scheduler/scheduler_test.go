package scheduler_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*testing.T
	*apptest.Plumb
	client   *scheduler.Client
	url, arn string // of a queue
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{T: t, Plumb: p, client: scheduler.NewFromConfig(p.SDK()), arn: "arn:aws:sqs:us-east-1:" + p.Account() + ":inbox"}
	out, err := p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("inbox")})
	f.must(err)
	f.url = *out.QueueUrl
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) refused(err error, code, message string) {
	f.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		f.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func (f *fixture) schedule(name, expression string, change ...func(*scheduler.CreateScheduleInput)) (arn string, err error) {
	in := &scheduler.CreateScheduleInput{
		Name: &name, ScheduleExpression: &expression, FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{Arn: &f.arn, RoleArn: aws.String("arn:aws:iam::" + f.Account() + ":role/r"), Input: aws.String("<aws.scheduler.scheduled-time>")},
	}
	for _, c := range change {
		c(in)
	}
	out, err := f.client.CreateSchedule(f.Context(), in)
	if err != nil {
		return "", err
	}
	f.Drain(f)
	return *out.ScheduleArn, nil
}

func (f *fixture) advance(d time.Duration) {
	f.Clock().Advance(d)
	f.Drain(f)
}

// received takes the bodies out of the queue.
func (f *fixture) received() (bodies []string) {
	for {
		out, err := f.SQS().ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: &f.url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		f.must(err)
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			_, err := f.SQS().DeleteMessage(f.Context(), &sqs.DeleteMessageInput{QueueUrl: &f.url, ReceiptHandle: m.ReceiptHandle})
			f.must(err)
		}
	}
}

func (f *fixture) want(want ...string) {
	f.Helper()
	if got := f.received(); !slices.Equal(got, want) {
		f.Errorf("the queue has %q, want %q", got, want)
	}
}

func TestSchedulesInvokeTheirTargetsWhenTheyAreDue(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		_, err := f.schedule("rate", "rate(1 hours)") // Scheduler does not mind
		f.must(err)
		f.want("2026-03-01T12:00:00Z") // a rate begins at once
		f.advance(59 * time.Minute)
		f.want()
		f.advance(time.Minute)
		f.want("2026-03-01T13:00:00Z")
		_, err = f.client.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String("rate")})
		f.must(err)
		_, err = f.schedule("cron", "cron(30 9 * * ? *)", func(in *scheduler.CreateScheduleInput) {
			in.ScheduleExpressionTimezone = aws.String("America/New_York")
		})
		f.must(err)
		f.advance(90 * time.Minute)
		f.want("2026-03-01T14:30:00Z")
		f.advance(7 * 24 * time.Hour) // the clock there is turned meanwhile, and one stands for those that were missed
		f.want("2026-03-02T14:30:00Z")
		f.advance(23 * time.Hour)
		f.want("2026-03-09T13:30:00Z")
	})
}

func TestScheduleForOneTimeIsDeletedAfterIt(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	for name, action := range map[string]types.ActionAfterCompletion{"kept": types.ActionAfterCompletionNone, "deleted": types.ActionAfterCompletionDelete} {
		_, err := f.schedule(name, "at(2026-03-01T12:10:00)", func(in *scheduler.CreateScheduleInput) { in.ActionAfterCompletion = action })
		f.must(err)
	}
	f.advance(10 * time.Minute)
	f.want("2026-03-01T12:10:00Z", "2026-03-01T12:10:00Z")
	f.advance(24 * time.Hour)
	f.want()
	_, err := f.client.GetSchedule(f.Context(), &scheduler.GetScheduleInput{Name: aws.String("kept")})
	f.must(err)
	_, err = f.client.GetSchedule(f.Context(), &scheduler.GetScheduleInput{Name: aws.String("deleted")})
	f.refused(err, "ResourceNotFoundException", "Schedule deleted does not exist.")
}

func TestScheduleKeepsToItsDatesAndItsWindow(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	_, err := f.schedule("dates", "rate(1 hour)", func(in *scheduler.CreateScheduleInput) {
		in.StartDate, in.EndDate = aws.Time(noon.Add(90*time.Minute)), aws.Time(noon.Add(3*time.Hour))
	})
	f.must(err)
	for range 6 {
		f.advance(30 * time.Minute)
	}
	f.want("2026-03-01T13:30:00Z", "2026-03-01T14:30:00Z")
	f.advance(24 * time.Hour)
	f.want()
	_, err = f.schedule("window", "at(2026-03-02T16:00:00)", func(in *scheduler.CreateScheduleInput) {
		in.FlexibleTimeWindow = &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(15)}
	})
	f.must(err)
	f.advance(75 * time.Minute) // 16:15
	f.want("2026-03-02T16:00:00Z")
}

func TestUpdateAndStateCountAtOnce(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	_, err := f.schedule("s", "rate(1 hour)")
	f.must(err)
	f.received()
	update := &scheduler.UpdateScheduleInput{Name: aws.String("s"), ScheduleExpression: aws.String("rate(2 hours)"), State: types.ScheduleStateDisabled,
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target:             &types.Target{Arn: &f.arn, RoleArn: aws.String("arn:aws:iam::" + f.Account() + ":role/r"), Input: aws.String("new")}}
	_, err = f.client.UpdateSchedule(f.Context(), update)
	f.must(err)
	f.advance(24 * time.Hour)
	f.want()
	update.State = types.ScheduleStateEnabled
	_, err = f.client.UpdateSchedule(f.Context(), update)
	f.must(err)
	f.Drain(t)
	f.want("new")
	got, err := f.client.GetSchedule(f.Context(), &scheduler.GetScheduleInput{Name: aws.String("s")})
	if f.must(err); *got.ScheduleExpression != "rate(2 hours)" || *got.ScheduleExpressionTimezone != "UTC" || *got.Target.RetryPolicy.MaximumRetryAttempts != 185 ||
		!got.CreationDate.Equal(noon) || got.ActionAfterCompletion != types.ActionAfterCompletionNone {
		t.Errorf("got %+v", got)
	}
}

func TestFunctionsAndBusesAreTargetsToo(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	function := f.MakeFunction(t, "f", apptest.EventPrinter)
	arn, err := f.schedule("f", "at(2026-03-01T12:10:00)", func(in *scheduler.CreateScheduleInput) { in.Target.Arn, in.Target.Input = &function, nil })
	f.must(err)
	_, err = f.schedule("filled", "at(2026-03-01T12:11:00)", func(in *scheduler.CreateScheduleInput) {
		in.Target.Arn = &function
		in.Target.Input = aws.String(`{"arn": "<aws.scheduler.schedule-arn>", "at": "<aws.scheduler.scheduled-time>", "try": "<aws.scheduler.attempt-number>"}`)
	})
	f.must(err)
	f.advance(10 * time.Minute)
	f.advance(time.Minute)
	got := f.Printed(t, "f")
	if len(got) != 2 {
		t.Fatalf("the function got %q", got)
	}
	id := strings.Split(got[0], `"`)[7]
	if want := `{"version": "0", "id": "` + id + `", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "` + f.Account() +
		`", "time": "2026-03-01T12:10:00Z", "region": "us-east-1", "resources": ["` + arn + `"], "detail": "{}"}`; got[0] != want {
		t.Errorf("got  %s\nwant %s", got[0], want)
	}
	if want := `{"arn": "` + strings.TrimSuffix(arn, "/f") + `/filled", "at": "2026-03-01T12:11:00Z", "try": "1"}`; got[1] != want {
		t.Errorf("got  %s\nwant %s", got[1], want)
	}
	call := func(operation string, in map[string]any) {
		_, err := f.Client().Call(t.Context(), "events", operation, in)
		f.must(err)
	}
	call("PutRule", map[string]any{"Name": "r", "EventPattern": `{"source": ["clock"], "detail": {"a": [1]}}`})
	call("PutTargets", map[string]any{"Rule": "r", "Targets": []any{map[string]any{"Id": "q", "Arn": f.arn, "InputPath": "$.detail-type", "RoleArn": "arn:aws:iam::" + f.Account() + ":role/r"}}})
	bus := "arn:aws:events:us-east-1:" + f.Account() + ":event-bus/default"
	_, err = f.schedule("bus", "at(2026-03-01T12:20:00)", func(in *scheduler.CreateScheduleInput) {
		in.Target.Arn, in.Target.Input = &bus, aws.String(`{"a": 1}`)
		in.Target.EventBridgeParameters = &types.EventBridgeParameters{Source: aws.String("clock"), DetailType: aws.String("tick")}
	})
	f.must(err)
	f.advance(10 * time.Minute)
	f.want(`"tick"`)
}

func TestTargetThatIsGoneGoesToTheDeadLetters(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	arn, err := f.schedule("s", "at(2026-03-01T12:10:00)", func(in *scheduler.CreateScheduleInput) {
		in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String(f.arn)}
		in.Target.Arn = aws.String(strings.Replace(f.arn, "inbox", "gone", 1))
	})
	f.must(err)
	f.advance(10 * time.Minute)
	out, err := f.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &f.url, MessageAttributeNames: []string{"All"}})
	if f.must(err); len(out.Messages) != 1 || *out.Messages[0].Body != "2026-03-01T12:10:00Z" {
		t.Fatalf("dead letters: %v", out.Messages)
	}
	a := out.Messages[0].MessageAttributes
	for name, want := range map[string]string{"SCHEDULE_ARN": arn, "ERROR_CODE": "NO_RESOURCE", "SCHEDULED_TIME": "2026-03-01T12:10:00Z"} {
		if aws.ToString(a[name].StringValue) != want {
			t.Errorf("%s is %v, want %s", name, aws.ToString(a[name].StringValue), want)
		}
	}
}

func TestSchedulesThatCannotWorkAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	for _, expression := range []string{"cron(0 1 * * * *)", "rate(10 seconds)", "at(2021-12-31)", " rate(10 minutes)"} {
		_, err := f.schedule("s", expression)
		f.refused(err, "ValidationException", "Invalid Schedule Expression "+expression+".")
	}
	_, err := f.schedule("s", "rate(1 day)", func(in *scheduler.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("Nowhere/Else") })
	f.refused(err, "ValidationException", "Provided ScheduleExpressionTimezone Nowhere/Else is not valid.")
	_, err = f.schedule("s", "rate(1 day)", func(in *scheduler.CreateScheduleInput) { in.GroupName = aws.String("none") })
	f.refused(err, "ResourceNotFoundException", "Schedule group none does not exist.")
	_, err = f.schedule("s", "rate(1 day)", func(in *scheduler.CreateScheduleInput) {
		in.Target.Arn = aws.String("arn:aws:scheduler:::aws-sdk:sqs:sendMessage")
	})
	f.refused(err, "ValidationException", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage is not supported as a Target here: functions of Lambda, queues of SQS, standard topics of SNS and event buses are.")
	_, err = f.schedule("s", "rate(1 day)")
	f.must(err)
	_, err = f.schedule("s", "rate(1 day)")
	f.refused(err, "ConflictException", "Schedule s already exists.")
}

func TestGroupsHoldSchedules(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	ctx, c, text := t.Context(), f.client, aws.String
	group, err := c.CreateScheduleGroup(ctx, &scheduler.CreateScheduleGroupInput{Name: text("zone"), Tags: []types.Tag{{Key: text("a"), Value: text("1")}}})
	f.must(err)
	_, err = c.CreateScheduleGroup(ctx, &scheduler.CreateScheduleGroupInput{Name: text("zone")})
	f.refused(err, "ConflictException", "Schedule group zone already exists.")
	got, err := c.GetScheduleGroup(ctx, &scheduler.GetScheduleGroupInput{Name: text("zone")})
	if f.must(err); *got.Arn != *group.ScheduleGroupArn || got.State != types.ScheduleGroupStateActive {
		t.Errorf("group %v", got)
	}
	_, err = c.TagResource(ctx, &scheduler.TagResourceInput{ResourceArn: group.ScheduleGroupArn, Tags: []types.Tag{{Key: text("b"), Value: text("2")}}})
	f.must(err)
	_, err = c.UntagResource(ctx, &scheduler.UntagResourceInput{ResourceArn: group.ScheduleGroupArn, TagKeys: []string{"a"}})
	f.must(err)
	tags, err := c.ListTagsForResource(ctx, &scheduler.ListTagsForResourceInput{ResourceArn: group.ScheduleGroupArn})
	if f.must(err); len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" {
		t.Errorf("tags %v", tags.Tags)
	}
	groups, err := c.ListScheduleGroups(ctx, &scheduler.ListScheduleGroupsInput{MaxResults: aws.Int32(1)})
	f.must(err)
	more, err := c.ListScheduleGroups(ctx, &scheduler.ListScheduleGroupsInput{NextToken: groups.NextToken})
	if f.must(err); *groups.ScheduleGroups[0].Name != "default" || len(more.ScheduleGroups) != 1 || *more.ScheduleGroups[0].Name != "zone" {
		t.Errorf("groups %v %v", groups.ScheduleGroups, more.ScheduleGroups)
	}
	for _, name := range []string{"a", "b"} {
		for _, g := range []string{"default", "zone"} {
			_, err := f.schedule(name, "at(2030-01-01T00:00:00)", func(in *scheduler.CreateScheduleInput) { in.GroupName = &g })
			f.must(err)
		}
	}
	list := func(in scheduler.ListSchedulesInput) (names []string) {
		for {
			out, err := c.ListSchedules(ctx, &in)
			f.must(err)
			for _, s := range out.Schedules {
				names = append(names, *s.GroupName+"/"+*s.Name)
			}
			if in.NextToken = out.NextToken; out.NextToken == nil {
				return names
			}
		}
	}
	if got := list(scheduler.ListSchedulesInput{MaxResults: aws.Int32(3)}); !slices.Equal(got, []string{"default/a", "default/b", "zone/a", "zone/b"}) {
		t.Errorf("schedules %q", got)
	}
	if got := list(scheduler.ListSchedulesInput{GroupName: text("zone"), NamePrefix: text("b")}); !slices.Equal(got, []string{"zone/b"}) {
		t.Errorf("schedules of a group with a prefix %q", got)
	}
	if got := list(scheduler.ListSchedulesInput{State: types.ScheduleStateDisabled}); len(got) != 0 {
		t.Errorf("disabled schedules %q", got)
	}
	_, err = c.DeleteScheduleGroup(ctx, &scheduler.DeleteScheduleGroupInput{Name: text("zone")})
	f.must(err)
	if got := list(scheduler.ListSchedulesInput{}); !slices.Equal(got, []string{"default/a", "default/b"}) {
		t.Errorf("after the group was deleted: %q", got)
	}
	others := scheduler.NewFromConfig(f.As("999999999999", "us-east-1").SDK())
	_, err = others.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: text("a")})
	f.refused(err, "ResourceNotFoundException", "Schedule a does not exist.")
}
