package logs

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
)

// CreateLogStream makes a stream in a group.
func (o operations) CreateLogStream(ctx context.Context, in *logsapi.CreateLogStreamInput) (*logsapi.CreateLogStreamOutput, error) {
	return nil, o.store.CreateStream(ctx, caller.Place(ctx), *in.LogGroupName, *in.LogStreamName)
}

// DeleteLogStream removes a stream with its events.
func (o operations) DeleteLogStream(ctx context.Context, in *logsapi.DeleteLogStreamInput) (*logsapi.DeleteLogStreamOutput, error) {
	return nil, o.store.DeleteStream(ctx, caller.Place(ctx), *in.LogGroupName, *in.LogStreamName)
}

// DescribeLogStreams lists the streams of a group.
func (o operations) DescribeLogStreams(ctx context.Context, in *logsapi.DescribeLogStreamsInput) (*logsapi.DescribeLogStreamsOutput, error) {
	name, err := groupOf(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	l := logs.StreamList{
		Prefix: model.Deref(in.LogStreamNamePrefix), ByLast: in.OrderBy == "LastEventTime", Descending: model.Deref(in.Descending), Limit: pageSize(in.Limit),
	}
	if l.ByLast && l.Prefix != "" {
		return nil, logsapi.InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	filters := []string{name, l.Prefix, string(in.OrderBy), strconv.FormatBool(l.Descending)}
	position, ok := o.tokens.Decode("DescribeLogStreams", model.Deref(in.NextToken), filters...)
	if !ok {
		return nil, badToken()
	}
	if position != "" {
		last, stream, _ := strings.Cut(position, " ")
		l.After = &logs.Stream{Name: stream}
		l.After.Last, _ = strconv.ParseInt(last, 10, 64)
	}
	g, err := o.store.Group(ctx, caller.Place(ctx), name)
	if err != nil {
		return nil, err
	}
	l.Limit++
	list, err := o.store.Streams(ctx, g, l)
	if err != nil {
		return nil, err
	}
	out := &logsapi.DescribeLogStreamsOutput{LogStreams: []logsapi.LogStream{}}
	if limit := l.Limit - 1; len(list) > limit {
		list = list[:limit]
		end := list[limit-1]
		out.NextToken = new(o.tokens.Encode("DescribeLogStreams", fmt.Sprintf("%d %s", end.Last, end.Name), filters...))
	}
	for _, st := range list {
		out.LogStreams = append(out.LogStreams, streamShape(st))
	}
	return out, nil
}

func streamShape(st logs.Stream) logsapi.LogStream {
	out := logsapi.LogStream{LogStreamName: &st.Name, CreationTime: &st.Created, Arn: new(st.ARN()), StoredBytes: new(int64(0))}
	if st.Ingested > 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp, out.LastIngestionTime = &st.First, &st.Last, &st.Ingested
		out.UploadSequenceToken = new(sequenceToken(st.Ingested))
	}
	return out
}

// sequenceToken makes what AWS still gives and no longer asks for.
func sequenceToken(ingested int64) string { return fmt.Sprintf("%056d", ingested) }
