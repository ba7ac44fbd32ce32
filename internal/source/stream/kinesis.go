package stream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/source/mapping"
)

type kinesis struct{}

func (kinesis) interval() time.Duration { return time.Second }

func (kinesis) info() (member, timeFormat string) {
	return "KinesisBatchInfo", "2006-01-02T15:04:05.000Z"
}

func streamName(m mapping.Mapping) string {
	_, name, _ := strings.Cut(m.Source, ":stream/")
	name, _, _ = strings.Cut(name, "/") // a consumer's
	return name
}

func (kinesis) shards(ctx context.Context, c *awsclient.Client, m mapping.Mapping) (out []shard, err error) {
	in := map[string]any{"StreamName": streamName(m)}
	for {
		page, err := c.Call(ctx, "kinesis", "ListShards", in)
		if err != nil {
			return nil, err
		}
		for _, s := range objects(page["Shards"]) {
			one := shard{ID: text(s["ShardId"])}
			for _, name := range []string{"ParentShardId", "AdjacentParentShardId"} {
				if p := text(s[name]); p != "" {
					one.Parents = append(one.Parents, p)
				}
			}
			out = append(out, one)
		}
		next := text(page["NextToken"])
		if next == "" {
			return out, nil
		}
		in = map[string]any{"NextToken": next}
	}
}

func (kinesis) iterator(ctx context.Context, c *awsclient.Client, m mapping.Mapping, shard string, at position) (string, error) {
	in, err := at.members(map[string]any{"StreamName": streamName(m), "ShardId": shard})
	if err != nil {
		return "", err
	}
	out, err := c.Call(ctx, "kinesis", "GetShardIterator", in)
	return text(out["ShardIterator"]), err
}

// A kinesisRecord is a record as the function gets it.
type kinesisRecord struct {
	Kinesis struct {
		Version   string      `json:"kinesisSchemaVersion"`
		Key       string      `json:"partitionKey"`
		Sequence  string      `json:"sequenceNumber"`
		Data      string      `json:"data"` // base64
		Timestamp json.Number `json:"approximateArrivalTimestamp"`
	} `json:"kinesis"`
	Source    string `json:"eventSource"`
	Version   string `json:"eventVersion"`
	ID        string `json:"eventID"`
	Name      string `json:"eventName"`
	Identity  string `json:"invokeIdentityArn"`
	Region    string `json:"awsRegion"`
	SourceARN string `json:"eventSourceARN"`
}

func (kinesis) records(
	ctx context.Context, c *awsclient.Client, m mapping.Mapping, role, shard, iterator string,
) (rs []record, next string, err error) {
	out, err := c.Call(ctx, "kinesis", "GetRecords", map[string]any{"ShardIterator": iterator, "Limit": 10000})
	if err != nil {
		return nil, "", err
	}
	for _, in := range objects(out["Records"]) {
		data, err := base64.StdEncoding.DecodeString(text(in["Data"])) // which the client leaves as it came
		if err != nil {
			return nil, "", fmt.Errorf("data of a record: %w", err)
		}
		e := kinesisRecord{
			Source: "aws:kinesis", Version: "1.0", ID: shard + ":" + text(in["SequenceNumber"]), Name: "aws:kinesis:record", Identity: role,
			Region: m.Region, SourceARN: m.Source,
		}
		arrival := instant(in["ApproximateArrivalTimestamp"])
		e.Kinesis.Version, e.Kinesis.Key, e.Kinesis.Sequence = "1.0", text(in["PartitionKey"]), text(in["SequenceNumber"])
		e.Kinesis.Data, e.Kinesis.Timestamp = base64.StdEncoding.EncodeToString(data), seconds(arrival)
		rs = append(rs, record{Sequence: e.Kinesis.Sequence, Arrival: arrival, Key: e.Kinesis.Key, Event: e, Filtered: filteredData(e, data)})
	}
	return rs, text(out["NextShardIterator"]), nil
}

// seconds writes a time with its milliseconds.
func seconds(t time.Time) json.Number {
	text := json.Number(t.UTC().Format("5.000")) // only its fraction counts
	_, fraction, _ := strings.Cut(text.String(), ".")
	whole, _ := json.Marshal(t.Unix()) // a number always can
	return json.Number(string(whole) + "." + fraction)
}

// filteredData is a record as patterns see it: data that is a JSON object is one.
func filteredData(e kinesisRecord, data []byte) any {
	out := map[string]any{
		"kinesisSchemaVersion": "1.0", "partitionKey": e.Kinesis.Key, "sequenceNumber": e.Kinesis.Sequence,
		"approximateArrivalTimestamp": e.Kinesis.Timestamp, "data": strings.ToValidUTF8(string(data), "\uFFFD"),
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) == nil && members != nil {
		out["data"] = json.RawMessage(data)
	}
	return out
}
