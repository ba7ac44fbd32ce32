package sqs

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
)

// CreateQueue makes a queue or finds the one that is the same.
func (f face) CreateQueue(ctx context.Context, in *sqsapi.CreateQueueInput) (*sqsapi.CreateQueueOutput, error) {
	q, err := f.store.Create(ctx, queue.Queue{Place: caller.Place(ctx), Name: deref(in.QueueName), Attributes: in.Attributes, Tags: in.Tags})
	if err != nil {
		return nil, err
	}
	return &sqsapi.CreateQueueOutput{QueueUrl: queueURL(ctx, q)}, nil
}

// DeleteQueue removes a queue with its messages.
func (f face) DeleteQueue(ctx context.Context, in *sqsapi.DeleteQueueInput) (*sqsapi.DeleteQueueOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Delete(ctx, q)
}

// GetQueueUrl finds a queue by name.
func (f face) GetQueueUrl(ctx context.Context, in *sqsapi.GetQueueUrlInput) (*sqsapi.GetQueueUrlOutput, error) {
	at := caller.Place(ctx)
	if owner := deref(in.QueueOwnerAWSAccountId); owner != "" && owner != at.Account {
		return nil, queue.NoSuchQueue()
	}
	q, err := f.store.Find(ctx, at, deref(in.QueueName))
	if err != nil {
		return nil, err
	}
	return &sqsapi.GetQueueUrlOutput{QueueUrl: queueURL(ctx, q)}, nil
}

// ListQueues lists queues by name. As in SQS, an answer has a token only if the
// request bounded it.
func (f face) ListQueues(ctx context.Context, in *sqsapi.ListQueuesInput) (*sqsapi.ListQueuesOutput, error) {
	at := caller.Place(ctx)
	limit, err := page(in.MaxResults)
	if err != nil {
		return nil, err
	}
	filters := []string{at.Account, at.Region, deref(in.QueueNamePrefix)}
	after, ok := f.tokens.Decode("ListQueues", deref(in.NextToken), filters...)
	if !ok {
		return nil, badToken()
	}
	list, err := f.store.List(ctx, at, deref(in.QueueNamePrefix), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &sqsapi.ListQueuesOutput{}
	for i, q := range list {
		if i == limit {
			if in.MaxResults != nil {
				out.NextToken = new(f.tokens.Encode("ListQueues", list[i-1].Name, filters...))
			}
			break
		}
		out.QueueUrls = append(out.QueueUrls, *queueURL(ctx, q))
	}
	return out, nil
}

// ListDeadLetterSourceQueues lists the queues whose dead letters go to one.
func (f face) ListDeadLetterSourceQueues(
	ctx context.Context, in *sqsapi.ListDeadLetterSourceQueuesInput,
) (*sqsapi.ListDeadLetterSourceQueuesOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	limit, err := page(in.MaxResults)
	if err != nil {
		return nil, err
	}
	after, ok := f.tokens.Decode("ListDeadLetterSourceQueues", deref(in.NextToken), q.ARN())
	if !ok {
		return nil, badToken()
	}
	list, err := f.store.Sources(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &sqsapi.ListDeadLetterSourceQueuesOutput{QueueUrls: []string{}}
	last := ""
	for _, source := range list {
		if source.Name <= after {
			continue
		}
		if len(out.QueueUrls) == limit {
			out.NextToken = new(f.tokens.Encode("ListDeadLetterSourceQueues", last, q.ARN()))
			break
		}
		out.QueueUrls, last = append(out.QueueUrls, *queueURL(ctx, source)), source.Name
	}
	return out, nil
}

// PurgeQueue forgets a queue's messages.
func (f face) PurgeQueue(ctx context.Context, in *sqsapi.PurgeQueueInput) (*sqsapi.PurgeQueueOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Purge(ctx, q)
}

// GetQueueAttributes answers those attributes that are asked for.
func (f face) GetQueueAttributes(ctx context.Context, in *sqsapi.GetQueueAttributesInput) (*sqsapi.GetQueueAttributesOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all, err := f.store.Described(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &sqsapi.GetQueueAttributesOutput{}
	for _, name := range in.AttributeNames {
		if name == "All" {
			out.Attributes = all
			return out, nil
		}
		if !knownAttribute(name) {
			return nil, sqsapi.InvalidAttributeName("Unknown Attribute %s.", name)
		}
		if v, ok := all[string(name)]; ok {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[string(name)] = v
		}
	}
	return out, nil
}

func knownAttribute(name sqsapi.QueueAttributeName) bool {
	for _, n := range name.Values() {
		if n == name {
			return true
		}
	}
	return false
}

// SetQueueAttributes changes attributes.
func (f face) SetQueueAttributes(ctx context.Context, in *sqsapi.SetQueueAttributesInput) (*sqsapi.SetQueueAttributesOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.SetAttributes(ctx, q, in.Attributes)
}

// TagQueue adds tags.
func (f face) TagQueue(ctx context.Context, in *sqsapi.TagQueueInput) (*sqsapi.TagQueueOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Tag(ctx, q, in.Tags, nil)
}

// UntagQueue removes tags.
func (f face) UntagQueue(ctx context.Context, in *sqsapi.UntagQueueInput) (*sqsapi.UntagQueueOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Tag(ctx, q, nil, in.TagKeys)
}

// ListQueueTags answers a queue's tags.
func (f face) ListQueueTags(ctx context.Context, in *sqsapi.ListQueueTagsInput) (*sqsapi.ListQueueTagsOutput, error) {
	q, err := f.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &sqsapi.ListQueueTagsOutput{Tags: q.Tags}, nil
}
