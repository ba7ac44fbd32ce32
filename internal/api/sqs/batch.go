package sqs

import (
	"context"
	"regexp"

	"plumb/internal/db"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// maxBatch is how many bytes the bodies of one batch may have together.
const maxBatch = 1 << 20

// checkBatch checks the ids of a batch.
func checkBatch(ids []*string) error {
	if len(ids) == 0 {
		return sqsapi.EmptyBatchRequest("There should be at least one entry in the request.")
	}
	if len(ids) > 10 {
		return sqsapi.TooManyEntriesInBatchRequest("Maximum number of entries per request are 10. You have sent %d.", len(ids))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !validID.MatchString(deref(id)) {
			return sqsapi.InvalidBatchEntryId("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[*id] {
			return sqsapi.BatchEntryIdsNotDistinct("Id %s repeated.", *id)
		}
		seen[*id] = true
	}
	return nil
}

// batch runs one step for each entry in one transaction; what fails with an
// error that AWS names is answered, anything else undoes it all.
func (f face) batch(ctx context.Context, ids []*string, step func(tx *db.Tx, i int) error) (failed []sqsapi.BatchResultErrorEntry, err error) {
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	err = f.store.Write(ctx, func(tx *db.Tx) error {
		failed = nil
		for i, id := range ids {
			if err := step(tx, i); err != nil {
				entry, err := failure(id, err)
				if err != nil {
					return err
				}
				failed = append(failed, entry)
			}
		}
		return nil
	})
	return failed, err
}

// SendMessageBatch puts up to ten messages into a queue.
func (f face) SendMessageBatch(ctx context.Context, in *sqsapi.SendMessageBatchInput) (*sqsapi.SendMessageBatchOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var ids []*string
	total := 0
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
		total += len(deref(e.MessageBody))
	}
	if total > maxBatch {
		return nil, sqsapi.BatchRequestTooLong("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBatch, total)
	}
	out := &sqsapi.SendMessageBatchOutput{}
	done := make([]*sqsapi.SendMessageBatchResultEntry, len(ids))
	out.Failed, err = f.batch(ctx, ids, func(tx *db.Tx, i int) error {
		done[i] = nil
		e := in.Entries[i]
		sent, err := f.store.SendMessage(ctx, tx, q, sqsapi.SendMessageInput{
			MessageBody: e.MessageBody, DelaySeconds: e.DelaySeconds, MessageAttributes: e.MessageAttributes, MessageSystemAttributes: e.MessageSystemAttributes,
			MessageDeduplicationId: e.MessageDeduplicationId, MessageGroupId: e.MessageGroupId,
		}, sender(ctx))
		if err != nil {
			return err
		}
		done[i] = &sqsapi.SendMessageBatchResultEntry{
			Id: e.Id, MessageId: &sent.ID, SequenceNumber: textOrNil(sent.Sequence), MD5OfMessageBody: new(queue.MD5(deref(e.MessageBody))),
			MD5OfMessageAttributes: textOrNil(queue.MD5OfAttributes(e.MessageAttributes)), MD5OfMessageSystemAttributes: systemMD5(e.MessageSystemAttributes),
		}
		return nil
	})
	for _, d := range done {
		if d != nil {
			out.Successful = append(out.Successful, *d)
		}
	}
	return out, err
}

// succeeded returns the ids that did not fail.
func succeeded(ids []*string, failed []sqsapi.BatchResultErrorEntry) (out []*string) {
	bad := map[string]bool{}
	for _, e := range failed {
		bad[*e.Id] = true
	}
	for _, id := range ids {
		if !bad[*id] {
			out = append(out, id)
		}
	}
	return out
}

// DeleteMessageBatch forgets up to ten messages.
func (f face) DeleteMessageBatch(ctx context.Context, in *sqsapi.DeleteMessageBatchInput) (*sqsapi.DeleteMessageBatchOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var ids []*string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	out := &sqsapi.DeleteMessageBatchOutput{}
	out.Failed, err = f.batch(ctx, ids, func(tx *db.Tx, i int) error {
		return f.store.DeleteMessage(ctx, tx, q, deref(in.Entries[i].ReceiptHandle))
	})
	if err != nil {
		return nil, err
	}
	for _, id := range succeeded(ids, out.Failed) {
		out.Successful = append(out.Successful, sqsapi.DeleteMessageBatchResultEntry{Id: id})
	}
	return out, nil
}

// ChangeMessageVisibilityBatch changes up to ten messages.
func (f face) ChangeMessageVisibilityBatch(
	ctx context.Context, in *sqsapi.ChangeMessageVisibilityBatchInput,
) (*sqsapi.ChangeMessageVisibilityBatchOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var ids []*string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	out := &sqsapi.ChangeMessageVisibilityBatchOutput{}
	out.Failed, err = f.batch(ctx, ids, func(tx *db.Tx, i int) error {
		d, err := seconds("VisibilityTimeout", in.Entries[i].VisibilityTimeout, 43200)
		if err != nil {
			return err
		}
		return f.store.ChangeVisibility(ctx, tx, q, deref(in.Entries[i].ReceiptHandle), max(d, 0))
	})
	if err != nil {
		return nil, err
	}
	for _, id := range succeeded(ids, out.Failed) {
		out.Successful = append(out.Successful, sqsapi.ChangeMessageVisibilityBatchResultEntry{Id: id})
	}
	return out, nil
}
