package sns

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/snsapi"
	"plumb/internal/topic"
)

// page is how many topics or subscriptions one answer lists.
const page = 100

// CreateTopic makes a topic or finds the one that is the same.
func (f face) CreateTopic(ctx context.Context, in *snsapi.CreateTopicInput) (*snsapi.CreateTopicOutput, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for k, v := range in.Attributes {
		if v != "" {
			attributes[k] = v
		}
	}
	if p := deref(in.DataProtectionPolicy); p != "" {
		attributes[dataProtection] = p
	}
	if attributes["FifoTopic"] == "false" {
		delete(attributes, "FifoTopic")
	}
	t, err := f.store.Create(ctx, topic.Topic{Place: caller.Place(ctx), Name: deref(in.Name), Attributes: attributes, Tags: tags})
	if err != nil {
		return nil, err
	}
	return &snsapi.CreateTopicOutput{TopicArn: new(t.ARN())}, nil
}

// DeleteTopic removes a topic with its subscriptions.
func (f face) DeleteTopic(ctx context.Context, in *snsapi.DeleteTopicInput) (*snsapi.DeleteTopicOutput, error) {
	if err := own(ctx, in.TopicArn, "TopicArn"); err != nil {
		return nil, err
	}
	return nil, f.store.Delete(ctx, deref(in.TopicArn))
}

// ListTopics lists topics by name.
func (f face) ListTopics(ctx context.Context, in *snsapi.ListTopicsInput) (*snsapi.ListTopicsOutput, error) {
	at := caller.Place(ctx)
	after, ok := f.tokens.Decode("ListTopics", deref(in.NextToken), at.Account, at.Region)
	if !ok {
		return nil, invalid("NextToken")
	}
	list, err := f.store.List(ctx, at, after, page+1)
	if err != nil {
		return nil, err
	}
	out := &snsapi.ListTopicsOutput{Topics: []snsapi.Topic{}}
	for i, t := range list {
		if i == page {
			out.NextToken = new(f.tokens.Encode("ListTopics", list[i-1].Name, at.Account, at.Region))
			break
		}
		out.Topics = append(out.Topics, snsapi.Topic{TopicArn: new(t.ARN())})
	}
	return out, nil
}

// find returns the caller's topic of that ARN.
func (f face) find(ctx context.Context, topicARN *string) (t topic.Topic, err error) {
	if err := own(ctx, topicARN, "TopicArn"); err != nil {
		return t, err
	}
	err = f.store.Read(ctx, func(tx *db.Tx) error {
		t, err = topic.Find(ctx, tx, *topicARN)
		return err
	})
	return t, err
}

// GetTopicAttributes answers all attributes of a topic.
func (f face) GetTopicAttributes(ctx context.Context, in *snsapi.GetTopicAttributesInput) (*snsapi.GetTopicAttributesOutput, error) {
	if err := own(ctx, in.TopicArn, "TopicArn"); err != nil {
		return nil, err
	}
	out := &snsapi.GetTopicAttributesOutput{}
	err := f.store.Read(ctx, func(tx *db.Tx) error {
		t, err := topic.Find(ctx, tx, *in.TopicArn)
		if err != nil {
			return err
		}
		out.Attributes, err = topic.Described(ctx, tx, t)
		delete(out.Attributes, dataProtection)
		return err
	})
	return out, err
}

// SetTopicAttributes changes one attribute.
func (f face) SetTopicAttributes(ctx context.Context, in *snsapi.SetTopicAttributesInput) (*snsapi.SetTopicAttributesOutput, error) {
	if err := own(ctx, in.TopicArn, "TopicArn"); err != nil {
		return nil, err
	}
	return nil, f.store.SetAttribute(ctx, *in.TopicArn, deref(in.AttributeName), deref(in.AttributeValue))
}

// dataProtection is the attribute that a data protection policy is kept as. It
// is kept and given back, not acted on.
const dataProtection = "DataProtectionPolicy"

// GetDataProtectionPolicy answers the policy that was put, or "".
func (f face) GetDataProtectionPolicy(
	ctx context.Context, in *snsapi.GetDataProtectionPolicyInput,
) (*snsapi.GetDataProtectionPolicyOutput, error) {
	t, err := f.find(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &snsapi.GetDataProtectionPolicyOutput{DataProtectionPolicy: new(t.Attributes[dataProtection])}, nil
}

// PutDataProtectionPolicy keeps a policy.
func (f face) PutDataProtectionPolicy(
	ctx context.Context, in *snsapi.PutDataProtectionPolicyInput,
) (*snsapi.PutDataProtectionPolicyOutput, error) {
	if err := own(ctx, in.ResourceArn, "ResourceArn"); err != nil {
		return nil, err
	}
	return nil, f.store.SetAttribute(ctx, *in.ResourceArn, dataProtection, deref(in.DataProtectionPolicy))
}

// TagResource adds tags to a topic.
func (f face) TagResource(ctx context.Context, in *snsapi.TagResourceInput) (*snsapi.TagResourceOutput, error) {
	if err := own(ctx, in.ResourceArn, "ResourceArn"); err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return nil, f.store.Tag(ctx, *in.ResourceArn, tags, nil)
}

// UntagResource removes tags of a topic.
func (f face) UntagResource(ctx context.Context, in *snsapi.UntagResourceInput) (*snsapi.UntagResourceOutput, error) {
	if err := own(ctx, in.ResourceArn, "ResourceArn"); err != nil {
		return nil, err
	}
	return nil, f.store.Tag(ctx, *in.ResourceArn, nil, in.TagKeys)
}

// ListTagsForResource answers the tags of a topic.
func (f face) ListTagsForResource(ctx context.Context, in *snsapi.ListTagsForResourceInput) (*snsapi.ListTagsForResourceOutput, error) {
	t, err := f.find(ctx, in.ResourceArn)
	if err != nil {
		if isNotFound(err) {
			err = snsapi.ResourceNotFoundException("Resource does not exist")
		}
		return nil, err
	}
	return &snsapi.ListTagsForResourceOutput{Tags: tagList(t.Tags)}, nil
}
