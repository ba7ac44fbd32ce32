package stream

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/source/mapping"
)

// A record is one of a stream.
type record struct {
	Sequence string
	Arrival  time.Time
	Key      string // what keeps its order in a lane
	Event    any    // as the function gets it
	Filtered any    // as patterns see it
}

// A shard is a part of a stream in the order of its records.
type shard struct {
	ID      string
	Parents []string
}

// A position is where the reading of a shard begins.
type position struct {
	After string // a sequence number; else Begin says it
	Begin string // TRIM_HORIZON, LATEST, AT_TIMESTAMP
	Time  time.Time
}

// A reader reads the streams of a service.
type reader interface {
	// shards lists the shards of a stream, whose name the mapping has.
	shards(ctx context.Context, c *awsclient.Client, m mapping.Mapping) ([]shard, error)
	iterator(ctx context.Context, c *awsclient.Client, m mapping.Mapping, shard string, at position) (string, error)
	// records returns what follows, and where it goes on; nowhere for a shard that ends.
	records(ctx context.Context, c *awsclient.Client, m mapping.Mapping, role, shard, iterator string) (rs []record, next string, err error)
	// interval is how often a shard is looked at.
	interval() time.Duration
	// info is the member of a record of a batch that was given up.
	info() (member, timeFormat string)
}

func readerOf(m mapping.Mapping) reader {
	if m.Service() == "kinesis" {
		return kinesis{}
	}
	return dynamodb{}
}

// objects returns the structures of a list in an answer.
func objects(v any) []map[string]any {
	var out []map[string]any
	list, _ := v.([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// instant reads a time of an answer.
func instant(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
			if t, err := time.Parse(layout, v); err == nil {
				return t
			}
		}
	case float64:
		return time.UnixMicro(int64(v * 1e6))
	}
	return time.Time{}
}

// after reports whether a sequence number comes after another. They are numbers without
// leading zeros, longer than Go's.
func after(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

func (at position) members(in map[string]any) (map[string]any, error) {
	switch {
	case at.After != "":
		in["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
		sequence := "StartingSequenceNumber"
		if in["StreamArn"] != nil {
			sequence = "SequenceNumber"
		}
		in[sequence] = at.After
	case at.Begin == mapping.AtTimestamp:
		in["ShardIteratorType"], in["Timestamp"] = at.Begin, at.Time
	case at.Begin == "":
		return nil, fmt.Errorf("a shard without a position")
	default:
		in["ShardIteratorType"] = at.Begin
	}
	return in, nil
}
