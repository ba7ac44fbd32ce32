package sqs

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
)

// StartMessageMoveTask begins to move the messages of a dead-letter queue.
func (f face) StartMessageMoveTask(ctx context.Context, in *sqsapi.StartMessageMoveTaskInput) (*sqsapi.StartMessageMoveTaskOutput, error) {
	t := queue.MoveTask{Destination: deref(in.DestinationArn)}
	if in.MaxNumberOfMessagesPerSecond != nil {
		t.Rate = int(*in.MaxNumberOfMessagesPerSecond)
		if t.Rate < 1 || t.Rate > 500 {
			return nil, invalid("Value %d for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500, if provided.", t.Rate)
		}
	}
	handle, err := f.store.StartMove(ctx, caller.Place(ctx), deref(in.SourceArn), t)
	if err != nil {
		return nil, err
	}
	return &sqsapi.StartMessageMoveTaskOutput{TaskHandle: &handle}, nil
}

// ListMessageMoveTasks lists a queue's tasks, the newest first: one, unless the request
// asks for more.
func (f face) ListMessageMoveTasks(ctx context.Context, in *sqsapi.ListMessageMoveTasksInput) (*sqsapi.ListMessageMoveTasksOutput, error) {
	most := 1
	if in.MaxResults != nil {
		most = int(*in.MaxResults)
	}
	if most < 1 || most > queue.MaxMoveTasks {
		return nil, invalid("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and %d, if provided.", most, queue.MaxMoveTasks)
	}
	q, tasks, err := f.store.Moves(ctx, caller.Place(ctx), deref(in.SourceArn))
	if err != nil {
		return nil, err
	}
	out := &sqsapi.ListMessageMoveTasksOutput{}
	for _, t := range tasks[:min(most, len(tasks))] {
		out.Results = append(out.Results, taskEntry(q, t))
	}
	return out, nil
}

// taskEntry describes a task. As in SQS, only a running one has its handle, and only a
// failed one a reason.
func taskEntry(q queue.Queue, t queue.MoveTask) sqsapi.ListMessageMoveTasksResultEntry {
	e := sqsapi.ListMessageMoveTasksResultEntry{
		Status: &t.Status, SourceArn: new(q.ARN()), DestinationArn: textOrNil(t.Destination), FailureReason: textOrNil(t.Failure),
		ApproximateNumberOfMessagesMoved: &t.Moved, ApproximateNumberOfMessagesToMove: &t.ToMove, StartedTimestamp: new(t.Started.UnixMilli()),
	}
	if t.Running() {
		e.TaskHandle = new(t.Handle(q))
	}
	if t.Rate > 0 {
		e.MaxNumberOfMessagesPerSecond = new(int32(t.Rate))
	}
	return e
}

// CancelMessageMoveTask ends a task; what it has moved stays where it is.
func (f face) CancelMessageMoveTask(ctx context.Context, in *sqsapi.CancelMessageMoveTaskInput) (*sqsapi.CancelMessageMoveTaskOutput, error) {
	moved, err := f.store.CancelMove(ctx, caller.Place(ctx), deref(in.TaskHandle))
	if err != nil {
		return nil, err
	}
	return &sqsapi.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: &moved}, nil
}
