package sns

import (
	"context"
	"errors"
	"regexp"

	"plumb/internal/model"
	"plumb/internal/model/snsapi"
)

// Publish sends a message to a topic's subscribers.
func (f face) Publish(ctx context.Context, in *snsapi.PublishInput) (*snsapi.PublishOutput, error) {
	target := in.TopicArn
	if target == nil {
		target = in.TargetArn
	}
	if in.PhoneNumber != nil {
		return nil, model.NotImplementedException("Publish: messages to telephones are not implemented.")
	}
	if target == nil {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	if err := own(ctx, target, "TopicArn"); err != nil {
		return nil, err
	}
	sent, err := f.store.PublishAll(ctx, *target, []snsapi.PublishInput{*in})
	if err != nil {
		return nil, err
	}
	return &snsapi.PublishOutput{MessageId: &sent[0].ID, SequenceNumber: textOrNil(sent[0].Sequence)}, nil
}

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// maxBatch is how many bytes the messages of one batch may have together.
const maxBatch = 256 << 10

func checkBatch(entries []snsapi.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return snsapi.EmptyBatchRequestException("The batch request doesn't contain any entries.")
	case len(entries) > 10:
		return snsapi.TooManyEntriesInBatchRequestException("The batch request contains more entries than permissible.")
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		if !validID.MatchString(deref(e.Id)) {
			return snsapi.InvalidBatchEntryIdException("The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
		if seen[*e.Id] {
			return snsapi.BatchEntryIdsNotDistinctException("Two or more batch entries in the request have the same Id.")
		}
		seen[*e.Id] = true
		size += len(deref(e.Message))
	}
	if size > maxBatch {
		return snsapi.BatchRequestTooLongException("The length of all the batch messages put together is more than the limit.")
	}
	return nil
}

// PublishBatch sends up to ten messages with one job. Those that are not
// acceptable are answered and the others sent.
func (f face) PublishBatch(ctx context.Context, in *snsapi.PublishBatchInput) (*snsapi.PublishBatchOutput, error) {
	t, err := f.find(ctx, in.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &snsapi.PublishBatchOutput{Successful: []snsapi.PublishBatchResultEntry{}, Failed: []snsapi.BatchResultErrorEntry{}}
	var good []snsapi.PublishInput
	for _, e := range in.PublishBatchRequestEntries {
		one := snsapi.PublishInput{
			Message: e.Message, Subject: e.Subject, MessageStructure: e.MessageStructure, MessageAttributes: e.MessageAttributes,
			MessageDeduplicationId: e.MessageDeduplicationId, MessageGroupId: e.MessageGroupId,
		}
		var refused *model.Error
		if errors.As(t.Check(one), &refused) {
			out.Failed = append(out.Failed, snsapi.BatchResultErrorEntry{Id: e.Id, Code: &refused.Code, Message: &refused.Message, SenderFault: new(true)})
			continue
		}
		good = append(good, one)
		out.Successful = append(out.Successful, snsapi.PublishBatchResultEntry{Id: e.Id})
	}
	if len(good) == 0 {
		return out, nil
	}
	sent, err := f.store.PublishAll(ctx, t.ARN(), good)
	for i, p := range sent {
		out.Successful[i].MessageId, out.Successful[i].SequenceNumber = new(p.ID), textOrNil(p.Sequence)
	}
	return out, err
}
