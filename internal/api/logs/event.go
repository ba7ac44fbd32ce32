package logs

import (
	"context"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
)

// The limits of PutLogEvents.
const (
	maxBatch    = 1 << 20 // bytes, with overhead
	overhead    = 26      // bytes for each event
	maxSpan     = 24 * time.Hour
	maxAge      = 14 * 24 * time.Hour
	maxInFuture = 2 * time.Hour
)

// PutLogEvents adds events to a stream. Those that are too old or too new are
// left out, and the answer says which.
func (o operations) PutLogEvents(ctx context.Context, in *logsapi.PutLogEventsInput) (*logsapi.PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	g, err := o.store.Group(ctx, caller.Place(ctx), *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	entries, rejected := o.accepted(g, in.LogEvents)
	if err := o.store.Put(ctx, caller.Place(ctx), *in.LogGroupName, *in.LogStreamName, entries); err != nil {
		return nil, err
	}
	return &logsapi.PutLogEventsOutput{NextSequenceToken: new(sequenceToken(o.store.Now().UnixMilli())), RejectedLogEventsInfo: rejected}, nil
}

func checkBatch(events []logsapi.InputLogEvent) error {
	size := 0
	for i, e := range events {
		size += len(*e.Message) + overhead
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return logsapi.InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > maxBatch {
		return logsapi.InvalidParameterException("Upload too large: %d bytes exceeds limit of %d", size, maxBatch)
	}
	if *events[len(events)-1].Timestamp-*events[0].Timestamp > maxSpan.Milliseconds() {
		return logsapi.InvalidParameterException("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// accepted returns the events that are neither too old nor too new. They are in
// order, so what is rejected stands at the ends.
func (o operations) accepted(g logs.Group, events []logsapi.InputLogEvent) (out []logs.Entry, rejected *logsapi.RejectedLogEventsInfo) {
	now := o.store.Now()
	expired := int64(0)
	if g.Retention > 0 {
		expired = now.Add(-time.Duration(g.Retention) * 24 * time.Hour).UnixMilli()
	}
	var info logsapi.RejectedLogEventsInfo
	for i, e := range events {
		t := *e.Timestamp
		switch {
		case t < expired:
			info.ExpiredLogEventEndIndex = new(int32(i + 1))
		case t < now.Add(-maxAge).UnixMilli():
			info.TooOldLogEventEndIndex = new(int32(i + 1))
		case t > now.Add(maxInFuture).UnixMilli():
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex = new(int32(i))
			}
		default:
			out = append(out, logs.Entry{Time: t, Message: *e.Message})
		}
	}
	if info != (logsapi.RejectedLogEventsInfo{}) {
		rejected = &info
	}
	return out, rejected
}

// maxEvents is how many events a page has when the request does not say.
const maxEvents = 10000

func eventLimit(limit *int32) int {
	if limit == nil {
		return maxEvents
	}
	return int(*limit)
}

// GetLogEvents reads a stream in either direction. Its tokens say where the page
// ends; at the end of the stream the same token comes back.
func (o operations) GetLogEvents(ctx context.Context, in *logsapi.GetLogEventsInput) (*logsapi.GetLogEventsOutput, error) {
	name, err := groupOf(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	q := logs.Query{From: model.Deref(in.StartTime), Until: model.Deref(in.EndTime), Limit: eventLimit(in.Limit), Backward: !model.Deref(in.StartFromHead)}
	var at logs.Position
	if in.NextToken != nil {
		direction, text, _ := strings.Cut(*in.NextToken, "/")
		var ok bool
		if at, ok = logs.ParsePosition(text); !ok || direction != "f" && direction != "b" {
			return nil, badToken()
		}
		if q.Backward = direction == "b"; q.Backward {
			q.Before = &at
		} else {
			q.After = &at
		}
	}
	page, err := o.store.Stream(ctx, caller.Place(ctx), name, *in.LogStreamName, q)
	if err != nil {
		return nil, err
	}
	out := &logsapi.GetLogEventsOutput{Events: []logsapi.OutputLogEvent{}}
	first, last := at, at
	for i, e := range page.Events {
		if i == 0 {
			first = e.At()
		}
		last = e.At()
		out.Events = append(out.Events, logsapi.OutputLogEvent{Timestamp: &e.Time, Message: &e.Message, IngestionTime: &e.Ingested})
	}
	out.NextForwardToken, out.NextBackwardToken = new("f/"+last.String()), new("b/"+first.String())
	return out, nil
}

// FilterLogEvents reads the events of a group's streams together.
func (o operations) FilterLogEvents(ctx context.Context, in *logsapi.FilterLogEventsInput) (*logsapi.FilterLogEventsOutput, error) {
	name, err := groupOf(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	q := logs.Query{Streams: in.LogStreamNames, Prefix: model.Deref(in.LogStreamNamePrefix), From: model.Deref(in.StartTime), Limit: eventLimit(in.Limit)}
	if len(q.Streams) > 0 && q.Prefix != "" {
		return nil, logsapi.InvalidParameterException("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")
	}
	if in.EndTime != nil {
		q.Until = *in.EndTime + 1 // unlike GetLogEvents', it is included
	}
	if q.Pattern, err = logs.ParsePattern(model.Deref(in.FilterPattern)); err != nil {
		return nil, logsapi.InvalidParameterException("Invalid filter pattern: %v", err)
	}
	filters := append([]string{name, q.Prefix, model.Deref(in.FilterPattern)}, q.Streams...)
	position, ok := o.tokens.Decode("FilterLogEvents", model.Deref(in.NextToken), filters...)
	if !ok {
		return nil, badToken()
	}
	if at, ok := logs.ParsePosition(position); ok {
		q.After = &at
	}
	page, err := o.store.Filter(ctx, caller.Place(ctx), name, q)
	if err != nil {
		return nil, err
	}
	out := &logsapi.FilterLogEventsOutput{Events: []logsapi.FilteredLogEvent{}, SearchedLogStreams: []logsapi.SearchedLogStream{}}
	for _, e := range page.Events {
		out.Events = append(out.Events, logsapi.FilteredLogEvent{
			LogStreamName: &e.Stream, Timestamp: &e.Time, Message: &e.Message, IngestionTime: &e.Ingested, EventId: new(e.ID()),
		})
	}
	if page.More != nil {
		out.NextToken = new(o.tokens.Encode("FilterLogEvents", page.More.String(), filters...))
	}
	return out, nil
}
