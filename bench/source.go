package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"plumb/internal/apptest/moto"
)

// The function of the sources: it prints how many records it got.
//
//go:embed source.py
var sourcePython []byte

// perBatch is how many records a function gets at once.
const perBatch = 100

// sources measures records that pollers hand to a function in batches, against bare warm
// invocations: SQS messages, and records of eight shards in moto, of whose batches one in
// a hundred fails.
func sources(ctx context.Context, b *bench) error {
	interpreter, _ := python(ctx)
	if interpreter == "" {
		b.table.missing("records of sources", "no python3 here")
		return nil
	}
	front, err := b.bareRuntime(ctx, interpreter, b.clients)
	if err != nil {
		return err
	}
	event, err := changeEvent()
	if err != nil {
		return err
	}
	client := newClient()
	bare := together(b.clients, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, "POST", front, bytes.NewReader(event))
		if err != nil {
			return err
		}
		answer, err := do(client, r)
		return wantEcho(answer, err)
	})
	cloud, stop, err := moto.Start()
	if err != nil && !errors.Is(err, moto.ErrNone) {
		return err
	}
	if err == nil {
		b.atEnd(stop)
	}
	s, err := b.sourceServer(ctx, cloud)
	if err != nil {
		return err
	}
	records := 10_000
	if b.quick {
		records = 400
	}
	if err := s.queue(ctx, b, records, bare); err != nil {
		return err
	}
	if cloud == "" {
		b.table.missing("records of streams", "no moto_server here")
		return nil
	}
	return s.stream(ctx, b, cloud, records, bare)
}

// sourceServer starts a server whose account has its streams in a target, if there is one.
func (b *bench) sourceServer(ctx context.Context, cloud string) (*server, error) {
	s, err := b.settings(ctx)
	if err != nil {
		return nil, err
	}
	s.Target = cloud
	if err := s.Check(); err != nil {
		return nil, err
	}
	a, err := b.start(ctx, s)
	if err != nil {
		return nil, err
	}
	return &server{a, newClient(), s.Database}, nil
}

// queue fills a queue, has a mapping empty it, and adds how fast that was.
func (s *server) queue(ctx context.Context, b *bench, records int, bare act) error {
	if err := s.sourceFunction(ctx, "messages", "0"); err != nil {
		return err
	}
	if _, err := target(ctx, s.client, s.app.URL(), "sqs", "AmazonSQS.CreateQueue", map[string]any{"QueueName": "work"}); err != nil {
		return err
	}
	const most = 10 // a call
	for n := 0; n < records; n += most {
		var entries []any
		for i := range most {
			entries = append(entries, map[string]any{"Id": strconv.Itoa(i), "MessageBody": strconv.Itoa(n + i)})
		}
		if _, err := target(ctx, s.client, s.app.URL(), "sqs", "AmazonSQS.SendMessageBatch", map[string]any{"QueueUrl": s.app.URL() + "/" + benchAccount + "/work", "Entries": entries}); err != nil {
			return err
		}
	}
	return s.handled(ctx, b, "messages", fmt.Sprintf("messages of a queue in batches of %d", perBatch), records, bare, map[string]any{
		"EventSourceArn": "arn:aws:sqs:" + benchRegion + ":" + benchAccount + ":work", "MaximumBatchingWindowInSeconds": 1})
}

// stream fills a stream of a target, has a mapping read it, and adds how fast that was.
func (s *server) stream(ctx context.Context, b *bench, cloud string, records int, bare act) error {
	if err := s.sourceFunction(ctx, "records", "0.01"); err != nil {
		return err
	}
	const shards, most = 8, 500
	if _, err := target(ctx, s.client, cloud, "kinesis", "Kinesis_20131202.CreateStream", map[string]any{"StreamName": "s", "ShardCount": shards}); err != nil {
		return err
	}
	for n := 0; n < records; n += most {
		var all []any
		for i := range min(most, records-n) {
			all = append(all, map[string]any{"PartitionKey": strconv.Itoa(n + i), "Data": []byte(strconv.Itoa(n + i))})
		}
		if _, err := target(ctx, s.client, cloud, "kinesis", "Kinesis_20131202.PutRecords", map[string]any{"StreamName": "s", "Records": all}); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("records of %d shards in moto in batches of %d, 1 %% of them failing", shards, perBatch)
	return s.handled(ctx, b, "records", what, records, bare, map[string]any{
		"EventSourceArn": "arn:aws:kinesis:" + benchRegion + ":" + benchAccount + ":stream/s", "StartingPosition": "TRIM_HORIZON"})
}

// handled makes a mapping, waits until its function has handled all records, and adds the
// rate beside that of bare invocations, which are measured just before.
func (s *server) handled(ctx context.Context, b *bench, function, what string, records int, bare act, mapping map[string]any) error {
	floor, _, err := rate(ctx, b.turn, bare)
	if err != nil {
		return err
	}
	mapping["FunctionName"], mapping["BatchSize"] = function, perBatch
	began := time.Now()
	if _, err := s.lambda(ctx, "POST", "/2015-03-31/event-source-mappings", mapping); err != nil {
		return err
	}
	const longest = 5 * time.Minute
	for {
		n, err := s.printed(ctx, function)
		if err != nil {
			return err
		}
		if n >= records {
			break
		}
		if time.Since(began) > longest {
			return fmt.Errorf("%s: %d of %d were handled in %s", what, n, records, longest)
		}
		time.Sleep(50 * time.Millisecond)
	}
	ours := float64(records) / time.Since(began).Seconds()
	b.table.race(what, "records/s", race{ours: ours, floor: floor, ratio: ours / floor}, 0)
	return nil
}

func (s *server) sourceFunction(ctx context.Context, name, fails string) error {
	if _, err := s.makeFunction(ctx, name, sourcePython); err != nil {
		return err
	}
	_, err := s.lambda(ctx, "PUT", "/2015-03-31/functions/"+name+"/configuration", map[string]any{
		"Environment": map[string]any{"Variables": map[string]string{"FAILS": fails}},
	})
	return err
}

// printed returns how many records a function has said that it handled.
func (s *server) printed(ctx context.Context, function string) (n int, err error) {
	in := map[string]any{"logGroupName": "/aws/lambda/" + function, "filterPattern": "HANDLED"}
	for {
		answer, err := target(ctx, s.client, s.app.URL(), "logs", "Logs_20140328.FilterLogEvents", in)
		if err != nil && strings.Contains(err.Error(), "ResourceNotFoundException") {
			return 0, nil // it printed nothing yet
		}
		if err != nil {
			return 0, err
		}
		var page struct {
			Events    []struct{ Message string }
			NextToken string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return 0, err
		}
		for _, e := range page.Events {
			var records int
			if _, err := fmt.Sscanf(e.Message, "HANDLED %d", &records); err == nil {
				n += records
			}
		}
		if page.NextToken == "" {
			return n, nil
		}
		in["nextToken"] = page.NextToken
	}
}

// target asks for an operation that the header X-Amz-Target names, of a server or of moto.
func target(ctx context.Context, c *http.Client, url, service, operation string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r, err := newRequest(ctx, "POST", url+"/", service, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Amz-Target", operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	return do(c, r)
}
