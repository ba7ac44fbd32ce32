package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"plumb/internal/arn"
	"plumb/internal/lambda"
	"plumb/internal/model"
)

func isNamed(err error) bool {
	if err == nil {
		return false
	}
	_, named := model.Named(err)
	return named
}

// event is what the function gets of a batch; last is true for the end of a window.
func (w *work) event(batch []waiting, last bool) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i, rec := range batch {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(rec.text)
	}
	b.WriteByte(']')
	if w.m.Tumbling > 0 {
		b.Write(w.windowMembers(last))
	}
	b.WriteByte('}')
	return b.Bytes()
}

const milliseconds = "2006-01-02T15:04:05.000Z"

// lost is what the destination gets of a batch that was given up.
// A bucket gets the batch itself, too.
func (w *work) lost(batch []waiting, tried part, condition string, a lambda.Answer, ran bool) (lambda.Message, error) {
	member, format := readerOf(w.m).info()
	first, last := batch[0], batch[len(batch)-1]
	out := map[string]any{
		"version": "1.0", "timestamp": w.now().UTC().Format(milliseconds),
		"requestContext": map[string]any{
			"requestId": lambda.NewID(), "functionArn": w.m.Function.ARN(), "condition": condition, "approximateInvokeCount": max(tried.Attempts, 1),
		},
		member: map[string]any{
			"shardId": w.at.Shard, "startSequenceNumber": first.Sequence, "endSequenceNumber": last.Sequence, "batchSize": len(batch), "streamArn": w.m.Source,
			"approximateArrivalOfFirstRecord": first.Arrival.UTC().Format(format), "approximateArrivalOfLastRecord": last.Arrival.UTC().Format(format),
		},
	}
	if ran {
		var failure *string // of a batch of which some failed there is none
		if a.FunctionError != "" {
			failure = &a.FunctionError
		}
		out["responseContext"] = map[string]any{"statusCode": 200, "executedVersion": a.Version, "functionError": failure}
	}
	message := lambda.Message{Target: w.m.OnFailure}
	if d, err := arn.Parse(w.m.OnFailure); err == nil && d.Service == "s3" {
		message.Key = lambda.ObjectKey(w.m.ID+"/"+w.at.Shard, w.now())
		out["payload"] = json.RawMessage(w.event(batch, false))
	}
	body, err := compact(out)
	message.Body = string(body)
	return message, err
}

// maxState is how many bytes the state of a window may have.
const maxState = 1 << 20

// windowOf returns the start of the window that a record is in, in seconds.
func (w *work) windowOf(rec waiting) int64 {
	if w.m.Tumbling == 0 {
		return 0
	}
	return rec.Arrival.Unix() - rec.Arrival.Unix()%int64(w.m.Tumbling)
}

// windowMembers are the members that the events of a window have beside the records.
func (w *work) windowMembers(last bool) []byte {
	start := time.Unix(w.at.Window.Start, 0).UTC()
	text, err := json.Marshal(struct {
		Window map[string]string `json:"window"`
		State  json.RawMessage   `json:"state"`
		Shard  string            `json:"shardId"`
		Source string            `json:"eventSourceARN"`
		Final  bool              `json:"isFinalInvokeForWindow"`
		Early  bool              `json:"isWindowTerminatedEarly"`
	}{
		map[string]string{"start": start.Format(time.RFC3339), "end": start.Add(time.Duration(w.m.Tumbling) * time.Second).Format(time.RFC3339)},
		w.at.Window.State, w.at.Shard, w.m.Source, last, w.at.Window.Early,
	})
	if err != nil { // a state that is none cannot be kept
		return nil
	}
	return append([]byte{','}, text[1:len(text)-1]...)
}

// keepState takes over the state that a function returns for its window.
func (w *work) keepState(payload []byte) error {
	if w.m.Tumbling == 0 || w.at.Window == nil {
		return nil
	}
	var answer struct {
		State json.RawMessage `json:"state"`
	}
	if json.Unmarshal(payload, &answer) != nil || len(answer.State) == 0 {
		answer.State = json.RawMessage("{}")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(answer.State) > maxState {
		w.at.Window.Early = true
		return nil
	}
	w.at.Window.State = answer.State
	return nil
}

// What became of a window.
const (
	open    = iota // it goes on
	handled        // it ended, and the next one may begin
	paused         // its end is tried again
)

// endWindow ends the window of a shard when its time is over, and begins that of the next
// record.
func (w *work) endWindow(ctx context.Context, all []waiting) (int, error) {
	now := w.at.Window
	if now == nil {
		if len(all) > 0 {
			w.at.Window = &window{Start: w.windowOf(all[0]), State: json.RawMessage("{}")}
		}
		return open, nil
	}
	over := now.Early || len(all) > 0 && w.windowOf(all[0]) != now.Start ||
		len(all) == 0 && (w.last || w.now().Unix() > now.Start+int64(w.m.Tumbling)+1)
	if !over {
		return open, nil
	}
	a, err := w.functions.Invoke(ctx, w.m.Function, lambda.Call{Payload: w.event(nil, true)})
	if err != nil || a.FunctionError != "" {
		if err == nil {
			now.Attempts++
		}
		if w.m.Retries < 0 || now.Attempts <= w.m.Retries {
			w.pause(backOff(now.Attempts))
			return paused, w.save(ctx, nil)
		}
	}
	w.at.Window = nil
	return handled, w.save(ctx, nil)
}
