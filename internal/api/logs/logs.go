// Package logs is the embedded CloudWatch Logs' API: it checks what a request
// means, asks package logs, and answers in AWS's shapes.
package logs

import (
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
	subscriptions "plumb/internal/source/logs"
	"plumb/internal/wire"
)

// New returns CloudWatch Logs with its operations bound to a store.
func New(store *logs.Store, filters *subscriptions.Subscriptions, tokens wire.Tokens) *model.Registry {
	s := logsapi.NewService()
	register(s, operations{store, filters, tokens})
	return s.Registry()
}

// register is the table of contents. Queries of Logs Insights, metrics and exports
// are not built.
func register(s *logsapi.Service, o operations) {
	s.CreateLogGroup(o.CreateLogGroup)
	s.DeleteLogGroup(o.DeleteLogGroup)
	s.DescribeLogGroups(o.DescribeLogGroups)
	s.PutRetentionPolicy(o.PutRetentionPolicy)
	s.DeleteRetentionPolicy(o.DeleteRetentionPolicy)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.ListTagsForResource(o.ListTagsForResource)
	s.TagLogGroup(o.TagLogGroup)
	s.UntagLogGroup(o.UntagLogGroup)
	s.ListTagsLogGroup(o.ListTagsLogGroup)

	s.CreateLogStream(o.CreateLogStream)
	s.DeleteLogStream(o.DeleteLogStream)
	s.DescribeLogStreams(o.DescribeLogStreams)

	s.PutLogEvents(o.PutLogEvents)
	s.GetLogEvents(o.GetLogEvents)
	s.FilterLogEvents(o.FilterLogEvents)

	s.PutSubscriptionFilter(o.PutSubscriptionFilter)
	s.DescribeSubscriptionFilters(o.DescribeSubscriptionFilters)
	s.DeleteSubscriptionFilter(o.DeleteSubscriptionFilter)
}

type operations struct {
	store         *logs.Store
	subscriptions *subscriptions.Subscriptions
	tokens        wire.Tokens
}

// groupOf returns the group that a request names, by name or by identifier.
func groupOf(ctx context.Context, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", logsapi.InvalidParameterException("LogGroup name and LogGroup identifier cannot be both specified.")
	case name != nil:
		return *name, nil
	case identifier == nil:
		return "", logsapi.InvalidParameterException("Either LogGroup name or LogGroup identifier must be specified.")
	case strings.HasPrefix(*identifier, "arn:"):
		return groupOfARN(ctx, *identifier)
	}
	return *identifier, nil
}

// groupOfARN returns the name of the group whose ARN it is, with :* at its end
// or without.
func groupOfARN(ctx context.Context, text string) (string, error) {
	a, err := arn.Parse(text)
	at := caller.Place(ctx)
	name, ok := strings.CutPrefix(a.Resource, "log-group:")
	if err != nil || a.Service != "logs" || !ok {
		return "", logsapi.InvalidParameterException("The ARN %s is not one of a log group.", text)
	}
	if a.Account != at.Account || a.Region != at.Region {
		return "", logs.NoSuchGroup()
	}
	return strings.TrimSuffix(name, ":*"), nil
}

func badToken() error {
	return logsapi.InvalidParameterException("The specified nextToken is invalid.")
}
