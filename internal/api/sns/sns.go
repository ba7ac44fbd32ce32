// Package sns is the face of the embedded SNS: it checks what a request means,
// asks package topic, and answers in SNS's shapes.
//
// Pages is the part of SNS that anybody may ask, without a signature: the
// certificate that messages are signed with, and the links that confirm and end
// a subscription.
package sns

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/topic"
	"plumb/internal/wire"
)

// New returns SNS with its operations bound to a store.
func New(log *slog.Logger, store *topic.Store, tokens wire.Tokens) *model.Registry {
	s := snsapi.NewService()
	register(s, face{log, store, tokens})
	return s.Registry()
}

// register is SNS's table of contents. Text messages to telephones and mobile
// push are not built.
func register(s *snsapi.Service, f face) {
	s.CreateTopic(f.CreateTopic)
	s.DeleteTopic(f.DeleteTopic)
	s.ListTopics(f.ListTopics)
	s.GetTopicAttributes(f.GetTopicAttributes)
	s.SetTopicAttributes(f.SetTopicAttributes)
	s.AddPermission(f.AddPermission)
	s.RemovePermission(f.RemovePermission)
	s.GetDataProtectionPolicy(f.GetDataProtectionPolicy)
	s.PutDataProtectionPolicy(f.PutDataProtectionPolicy)

	s.TagResource(f.TagResource)
	s.UntagResource(f.UntagResource)
	s.ListTagsForResource(f.ListTagsForResource)

	s.Subscribe(f.Subscribe)
	s.ConfirmSubscription(f.ConfirmSubscription)
	s.Unsubscribe(f.Unsubscribe)
	s.ListSubscriptions(f.ListSubscriptions)
	s.ListSubscriptionsByTopic(f.ListSubscriptionsByTopic)
	s.GetSubscriptionAttributes(f.GetSubscriptionAttributes)
	s.SetSubscriptionAttributes(f.SetSubscriptionAttributes)

	s.Publish(f.Publish)
	s.PublishBatch(f.PublishBatch)
}

type face struct {
	log    *slog.Logger
	store  *topic.Store
	tokens wire.Tokens
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func invalid(format string, args ...any) error {
	return snsapi.InvalidParameterException("Invalid parameter: "+format, args...)
}

// own checks that what an ARN names is of the caller's account, or of one whose policy
// lets the caller in.
func own(ctx context.Context, resourceARN *string, parameter string) error {
	a, err := arn.Parse(deref(resourceARN))
	if err != nil || a.Service != "sns" {
		return invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, strings.Count(deref(resourceARN), ":")+1)
	}
	if c := caller.From(ctx); !caller.MayUse(ctx, a.Account) {
		return snsapi.AuthorizationErrorException("User: %s is not authorized to perform this operation on resource: %s", c.PrincipalARN, deref(resourceARN))
	}
	return nil
}

func tagMap(tags []snsapi.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		if _, twice := out[deref(t.Key)]; twice {
			return nil, invalid("Duplicated keys are not allowed.")
		}
		out[deref(t.Key)] = deref(t.Value)
	}
	return out, nil
}

func tagList(m map[string]string) []snsapi.Tag {
	out := []snsapi.Tag{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, snsapi.Tag{Key: new(k), Value: new(m[k])})
	}
	return out
}
