// Package sqs is the face of the embedded SQS: it checks what a request means,
// asks package queue, and answers in SQS's shapes, to clients that speak its
// JSON and to those that still speak its Query protocol.
//
// A queue's URL is the endpoint that the client used, the account and the name:
// http://127.0.0.1:4577/123456789012/work.
package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
	"plumb/internal/wire"
)

// New returns SQS with its operations bound to a store.
func New(log *slog.Logger, store *queue.Store, tokens wire.Tokens) *model.Registry {
	s := sqsapi.NewService()
	register(s, face{log, store, tokens})
	return s.Registry()
}

// register is SQS's table of contents.
func register(s *sqsapi.Service, f face) {
	s.CreateQueue(f.CreateQueue)
	s.DeleteQueue(f.DeleteQueue)
	s.GetQueueUrl(f.GetQueueUrl)
	s.ListQueues(f.ListQueues)
	s.ListDeadLetterSourceQueues(f.ListDeadLetterSourceQueues)
	s.GetQueueAttributes(f.GetQueueAttributes)
	s.SetQueueAttributes(f.SetQueueAttributes)
	s.PurgeQueue(f.PurgeQueue)

	s.TagQueue(f.TagQueue)
	s.UntagQueue(f.UntagQueue)
	s.ListQueueTags(f.ListQueueTags)

	s.AddPermission(f.AddPermission)
	s.RemovePermission(f.RemovePermission)

	s.SendMessage(f.SendMessage)
	s.SendMessageBatch(f.SendMessageBatch)
	s.ReceiveMessage(f.ReceiveMessage)
	s.DeleteMessage(f.DeleteMessage)
	s.DeleteMessageBatch(f.DeleteMessageBatch)
	s.ChangeMessageVisibility(f.ChangeMessageVisibility)
	s.ChangeMessageVisibilityBatch(f.ChangeMessageVisibilityBatch)

	s.StartMessageMoveTask(f.StartMessageMoveTask)
	s.ListMessageMoveTasks(f.ListMessageMoveTasks)
	s.CancelMessageMoveTask(f.CancelMessageMoveTask)
}

type face struct {
	log    *slog.Logger
	store  *queue.Store
	tokens wire.Tokens
}

func queueURL(ctx context.Context, q queue.Queue) *string {
	return new(q.URL(caller.From(ctx).Endpoint))
}

// find returns the queue that a URL names, whatever its host. A queue of another
// account is one that does not exist, unless its policy lets the caller in.
func (f face) find(ctx context.Context, queueURL *string) (queue.Queue, error) {
	at := caller.Place(ctx)
	u, err := url.Parse(deref(queueURL))
	if err != nil || deref(queueURL) == "" {
		return queue.Queue{}, sqsapi.InvalidAddress("The address %s is not valid for this endpoint.", deref(queueURL))
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 {
		if at.Account = parts[len(parts)-2]; !caller.MayUse(ctx, at.Account) {
			return queue.Queue{}, queue.NoSuchQueue()
		}
	}
	return f.store.Find(ctx, at, name)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func invalid(format string, args ...any) *model.Error {
	return model.Errorf(model.Error{Code: "InvalidParameterValueException", QueryCode: "InvalidParameterValue", Status: 400}, format, args...)
}

// seconds checks a parameter that is a number of seconds; without one it is -1.
func seconds(name string, v *int32, most int32) (time.Duration, error) {
	if v == nil {
		return -1, nil
	}
	if *v < 0 || *v > most {
		return 0, invalid("Value %d for parameter %s is invalid. Reason: Must be between 0 and %d, if provided.", *v, name, most)
	}
	return time.Duration(*v) * time.Second, nil
}

// page reads the limits of a list.
func page(max *int32) (int, error) {
	if max == nil {
		return 1000, nil
	}
	if *max < 1 || *max > 1000 {
		return 0, invalid("Value for parameter MaxResults is invalid. Reason: Must be an integer between 1 and 1000.")
	}
	return int(*max), nil
}

func badToken() error { return invalid("Invalid or expired next token.") }

// failure is an entry of a batch that did not work; an error that AWS does not
// name fails the whole request instead.
func failure(id *string, err error) (sqsapi.BatchResultErrorEntry, error) {
	e, ok := err.(*model.Error)
	if !ok {
		return sqsapi.BatchResultErrorEntry{}, fmt.Errorf("entry %s: %w", deref(id), err)
	}
	code := e.QueryCode
	if code == "" {
		code = e.Code
	}
	return sqsapi.BatchResultErrorEntry{Id: id, Code: &code, Message: &e.Message, SenderFault: new(!e.Fault)}, nil
}
