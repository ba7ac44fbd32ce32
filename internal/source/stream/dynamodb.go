package stream

import (
	"context"
	"encoding/json"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/source/mapping"
)

type dynamodb struct{}

func (dynamodb) interval() time.Duration { return 250 * time.Millisecond }

func (dynamodb) info() (member, timeFormat string) {
	return "DDBStreamBatchInfo", "2006-01-02T15:04:05Z"
}

func (dynamodb) shards(ctx context.Context, c *awsclient.Client, m mapping.Mapping) (out []shard, err error) {
	in := map[string]any{"StreamArn": m.Source}
	for {
		page, err := c.Call(ctx, "dynamodbstreams", "DescribeStream", in)
		if err != nil {
			return nil, err
		}
		d, _ := page["StreamDescription"].(map[string]any)
		for _, s := range objects(d["Shards"]) {
			one := shard{ID: text(s["ShardId"])}
			if p := text(s["ParentShardId"]); p != "" {
				one.Parents = []string{p}
			}
			out = append(out, one)
		}
		last := text(d["LastEvaluatedShardId"])
		if last == "" {
			return out, nil
		}
		in["ExclusiveStartShardId"] = last
	}
}

func (dynamodb) iterator(ctx context.Context, c *awsclient.Client, m mapping.Mapping, shard string, at position) (string, error) {
	in, err := at.members(map[string]any{"StreamArn": m.Source, "ShardId": shard})
	if err != nil {
		return "", err
	}
	out, err := c.Call(ctx, "dynamodbstreams", "GetShardIterator", in)
	return text(out["ShardIterator"]), err
}

// A dynamodbRecord is a record as the function gets it.
type dynamodbRecord struct {
	ID        string    `json:"eventID"`
	Name      string    `json:"eventName"`
	Version   string    `json:"eventVersion"`
	Source    string    `json:"eventSource"`
	Region    string    `json:"awsRegion"`
	Change    change    `json:"dynamodb"`
	User      *identity `json:"userIdentity,omitempty"`
	SourceARN string    `json:"eventSourceARN"`
}

type change struct {
	Created  int64          `json:"ApproximateCreationDateTime"` // seconds
	Keys     map[string]any `json:"Keys,omitempty"`
	NewImage map[string]any `json:"NewImage,omitempty"`
	OldImage map[string]any `json:"OldImage,omitempty"`
	Sequence string         `json:"SequenceNumber"`
	Size     any            `json:"SizeBytes"`
	View     string         `json:"StreamViewType"`
}

type identity struct {
	Type      string `json:"type"`
	Principal string `json:"principalId"`
}

func (dynamodb) records(
	ctx context.Context, c *awsclient.Client, m mapping.Mapping, _, _, iterator string,
) (rs []record, next string, err error) {
	out, err := c.Call(ctx, "dynamodbstreams", "GetRecords", map[string]any{"ShardIterator": iterator, "Limit": 1000})
	if err != nil {
		return nil, "", err
	}
	for _, in := range objects(out["Records"]) {
		d, _ := in["dynamodb"].(map[string]any)
		arrival := instant(d["ApproximateCreationDateTime"])
		e := dynamodbRecord{
			ID: text(in["eventID"]), Name: text(in["eventName"]), Version: text(in["eventVersion"]), Source: "aws:dynamodb", Region: m.Region, SourceARN: m.Source,
			Change: change{
				Created: arrival.Unix(), Keys: image(d["Keys"]), NewImage: image(d["NewImage"]), OldImage: image(d["OldImage"]),
				Sequence: text(d["SequenceNumber"]), Size: d["SizeBytes"], View: text(d["StreamViewType"]),
			},
		}
		if u, ok := in["userIdentity"].(map[string]any); ok && (u["Type"] != nil || u["PrincipalId"] != nil) {
			e.User = &identity{text(u["Type"]), text(u["PrincipalId"])}
		}
		key, err := json.Marshal(e.Change.Keys)
		if err != nil {
			return nil, "", err
		}
		rs = append(rs, record{Sequence: e.Change.Sequence, Arrival: arrival, Key: string(key), Event: e, Filtered: e})
	}
	return rs, text(out["NextShardIterator"]), nil
}

func image(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
