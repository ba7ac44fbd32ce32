package sns

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/snsapi"
	"plumb/internal/topic"
)

// Subscribe adds a subscription. Until an HTTP endpoint has confirmed, its ARN is
// answered only to those who ask for it.
func (f face) Subscribe(ctx context.Context, in *snsapi.SubscribeInput) (*snsapi.SubscribeOutput, error) {
	if err := own(ctx, in.TopicArn, "TopicArn"); err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for k, v := range in.Attributes {
		if v != "" && v != "{}" {
			attributes[k] = v
		}
	}
	sub, err := f.store.Subscribe(ctx, *in.TopicArn, topic.Subscription{
		Owner: caller.From(ctx).Account, Protocol: deref(in.Protocol), Endpoint: deref(in.Endpoint), Attributes: attributes,
	})
	if err != nil {
		return nil, err
	}
	answer := sub.ARN()
	if sub.Pending() && (in.ReturnSubscriptionArn == nil || !*in.ReturnSubscriptionArn) {
		answer = "pending confirmation"
	}
	return &snsapi.SubscribeOutput{SubscriptionArn: &answer}, nil
}

// ConfirmSubscription takes the token that an endpoint was sent. Any caller that has
// the token may use it, whatever its account.
func (f face) ConfirmSubscription(ctx context.Context, in *snsapi.ConfirmSubscriptionInput) (*snsapi.ConfirmSubscriptionOutput, error) {
	sub, _, err := f.store.Confirm(ctx, deref(in.TopicArn), deref(in.Token))
	if err != nil {
		return nil, err
	}
	return &snsapi.ConfirmSubscriptionOutput{SubscriptionArn: new(sub.ARN())}, nil
}

// Unsubscribe removes a subscription.
func (f face) Unsubscribe(ctx context.Context, in *snsapi.UnsubscribeInput) (*snsapi.UnsubscribeOutput, error) {
	if err := own(ctx, in.SubscriptionArn, "SubscriptionArn"); err != nil {
		return nil, err
	}
	_, err := f.store.Unsubscribe(ctx, *in.SubscriptionArn)
	return nil, err
}

func shape(sub topic.Subscription) snsapi.Subscription {
	name := sub.ARN()
	if sub.Pending() {
		name = "PendingConfirmation"
	}
	return snsapi.Subscription{
		SubscriptionArn: &name, Owner: new(sub.Owner), Protocol: new(sub.Protocol), Endpoint: new(sub.Endpoint), TopicArn: new(sub.TopicARN()),
	}
}

// list answers a page of subscriptions: of one topic, or of all.
func (f face) list(ctx context.Context, operation string, at config.Place, name string, token *string) ([]snsapi.Subscription, *string, error) {
	filters := []string{at.Account, at.Region, name}
	after, ok := f.tokens.Decode(operation, deref(token), filters...)
	if !ok {
		return nil, nil, invalid("NextToken")
	}
	list, err := f.store.Subscriptions(ctx, at, name, after, page+1)
	if err != nil {
		return nil, nil, err
	}
	out := []snsapi.Subscription{}
	for i, sub := range list {
		if i == page {
			return out, new(f.tokens.Encode(operation, list[i-1].Position(), filters...)), nil
		}
		out = append(out, shape(sub))
	}
	return out, nil, nil
}

// ListSubscriptions lists the subscriptions of a region.
func (f face) ListSubscriptions(ctx context.Context, in *snsapi.ListSubscriptionsInput) (*snsapi.ListSubscriptionsOutput, error) {
	subs, next, err := f.list(ctx, "ListSubscriptions", caller.Place(ctx), "", in.NextToken)
	if err != nil {
		return nil, err
	}
	return &snsapi.ListSubscriptionsOutput{Subscriptions: subs, NextToken: next}, nil
}

// ListSubscriptionsByTopic lists the subscriptions of a topic.
func (f face) ListSubscriptionsByTopic(
	ctx context.Context, in *snsapi.ListSubscriptionsByTopicInput,
) (*snsapi.ListSubscriptionsByTopicOutput, error) {
	t, err := f.find(ctx, in.TopicArn)
	if err != nil {
		return nil, err
	}
	subs, next, err := f.list(ctx, "ListSubscriptionsByTopic", t.Place, t.Name, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &snsapi.ListSubscriptionsByTopicOutput{Subscriptions: subs, NextToken: next}, nil
}

// GetSubscriptionAttributes answers all attributes of a subscription.
func (f face) GetSubscriptionAttributes(
	ctx context.Context, in *snsapi.GetSubscriptionAttributesInput,
) (*snsapi.GetSubscriptionAttributesOutput, error) {
	if err := own(ctx, in.SubscriptionArn, "SubscriptionArn"); err != nil {
		return nil, err
	}
	out := &snsapi.GetSubscriptionAttributesOutput{}
	err := f.store.Read(ctx, func(tx *db.Tx) error {
		sub, err := topic.FindSubscription(ctx, tx, *in.SubscriptionArn)
		if err != nil {
			return err
		}
		t, err := topic.Find(ctx, tx, sub.TopicARN())
		out.Attributes = sub.Described(t)
		return err
	})
	return out, err
}

// SetSubscriptionAttributes changes one attribute.
func (f face) SetSubscriptionAttributes(
	ctx context.Context, in *snsapi.SetSubscriptionAttributesInput,
) (*snsapi.SetSubscriptionAttributesOutput, error) {
	if err := own(ctx, in.SubscriptionArn, "SubscriptionArn"); err != nil {
		return nil, err
	}
	return nil, f.store.SetSubscriptionAttribute(ctx, *in.SubscriptionArn, deref(in.AttributeName), deref(in.AttributeValue))
}
