package sqs

import (
	"context"
	"strconv"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
)

// sender is who receivers see as SenderId.
func sender(ctx context.Context) string {
	c := caller.From(ctx)
	if c.UserID != "" {
		return c.UserID
	}
	return c.Account
}

// SendMessage puts a message into a queue.
func (f face) SendMessage(ctx context.Context, in *sqsapi.SendMessageInput) (*sqsapi.SendMessageOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var sent queue.Sent
	err = f.store.Write(ctx, func(tx *db.Tx) error {
		sent, err = f.store.SendMessage(ctx, tx, q, *in, sender(ctx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sqsapi.SendMessageOutput{
		MessageId: &sent.ID, SequenceNumber: textOrNil(sent.Sequence), MD5OfMessageBody: new(queue.MD5(deref(in.MessageBody))),
		MD5OfMessageAttributes: textOrNil(queue.MD5OfAttributes(in.MessageAttributes)), MD5OfMessageSystemAttributes: systemMD5(in.MessageSystemAttributes),
	}, nil
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func systemMD5(a map[string]sqsapi.MessageSystemAttributeValue) *string {
	plain := queue.Attributes{}
	for k, v := range a {
		plain[k] = sqsapi.MessageAttributeValue(v)
	}
	return textOrNil(queue.MD5OfAttributes(plain))
}

// ReceiveMessage takes messages, waiting for the first one if asked to.
func (f face) ReceiveMessage(ctx context.Context, in *sqsapi.ReceiveMessageInput) (*sqsapi.ReceiveMessageOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	r := queue.ReceiveRequest{Max: 1, Wait: q.Wait()}
	if in.MaxNumberOfMessages != nil {
		r.Max = int(*in.MaxNumberOfMessages)
	}
	if r.Max < 1 || r.Max > 10 {
		return nil, invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", r.Max)
	}
	if r.Visibility, err = seconds("VisibilityTimeout", in.VisibilityTimeout, 43200); err != nil {
		return nil, err
	}
	if in.WaitTimeSeconds != nil {
		if r.Wait, err = seconds("WaitTimeSeconds", in.WaitTimeSeconds, 20); err != nil {
			return nil, err
		}
	}
	got, err := f.store.Receive(ctx, q, r)
	if err != nil {
		return nil, err
	}
	out := &sqsapi.ReceiveMessageOutput{}
	for _, m := range got {
		out.Messages = append(out.Messages, shape(in, m))
	}
	return out, nil
}

func shape(in *sqsapi.ReceiveMessageInput, m queue.Message) sqsapi.Message {
	chosen := chooseAttributes(in.MessageAttributeNames, m.Attributes)
	return sqsapi.Message{
		MessageId: &m.ID, ReceiptHandle: &m.Receipt, Body: &m.Body, MD5OfBody: new(queue.MD5(m.Body)), Attributes: systemAttributes(in, m),
		MessageAttributes: chosen, MD5OfMessageAttributes: textOrNil(queue.MD5OfAttributes(chosen)),
	}
}

// chooseAttributes returns those whose names are listed: All, .*, a prefix with
// .*, or a name.
func chooseAttributes(names []string, all queue.Attributes) queue.Attributes {
	out := queue.Attributes{}
	for name, v := range all {
		for _, want := range names {
			prefix, wild := strings.CutSuffix(want, ".*")
			if want == "All" || want == name || (wild && strings.HasPrefix(name, prefix)) {
				out[name] = v
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func systemAttributes(in *sqsapi.ReceiveMessageInput, m queue.Message) map[string]string {
	all := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": millis(m.Sent), "ApproximateReceiveCount": strconv.Itoa(m.Received),
		"ApproximateFirstReceiveTimestamp": millis(m.First), "SequenceNumber": m.Sequence, "MessageGroupId": m.Group,
		"MessageDeduplicationId": m.Dedup, "AWSTraceHeader": m.Trace, "DeadLetterQueueSourceArn": m.Source,
	}
	out := map[string]string{}
	add := func(name string) {
		for k, v := range all {
			if v != "" && (name == "All" || name == k) {
				out[k] = v
			}
		}
	}
	for _, n := range in.AttributeNames {
		add(string(n))
	}
	for _, n := range in.MessageSystemAttributeNames {
		add(string(n))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// DeleteMessage forgets a message that was received.
func (f face) DeleteMessage(ctx context.Context, in *sqsapi.DeleteMessageInput) (*sqsapi.DeleteMessageOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Write(ctx, func(tx *db.Tx) error { return f.store.DeleteMessage(ctx, tx, q, deref(in.ReceiptHandle)) })
}

// ChangeMessageVisibility hides a received message for a longer or shorter time.
func (f face) ChangeMessageVisibility(
	ctx context.Context, in *sqsapi.ChangeMessageVisibilityInput,
) (*sqsapi.ChangeMessageVisibilityOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	d, err := seconds("VisibilityTimeout", in.VisibilityTimeout, 43200)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Write(ctx, func(tx *db.Tx) error { return f.store.ChangeVisibility(ctx, tx, q, deref(in.ReceiptHandle), max(d, 0)) })
}
