package sqs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"plumb/internal/queue"
	"plumb/internal/source/mapping"
)

// maxBatch is how many bytes of messages a batch may have: an invocation takes 6 MiB.
const maxBatch = 6<<20 - 1<<10

// A record is a message as the function gets it.
type record struct {
	MessageID         string               `json:"messageId"`
	ReceiptHandle     string               `json:"receiptHandle"`
	Body              string               `json:"body"`
	Attributes        map[string]string    `json:"attributes"`
	MessageAttributes map[string]attribute `json:"messageAttributes"`
	MD5OfAttributes   string               `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody         string               `json:"md5OfBody"`
	EventSource       string               `json:"eventSource"`
	EventSourceARN    string               `json:"eventSourceARN"`
	Region            string               `json:"awsRegion"`
}

// An attribute is a message attribute; the lists are always empty.
type attribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      *string  `json:"binaryValue,omitempty"` // base64
	StringListValues []string `json:"stringListValues"`
	BinaryListValues []string `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func recordOf(m mapping.Mapping, msg queue.Message) record {
	r := record{
		MessageID: msg.ID, ReceiptHandle: msg.Receipt, Body: msg.Body, Attributes: systemAttributes(msg), MessageAttributes: map[string]attribute{},
		MD5OfAttributes: queue.MD5OfAttributes(msg.Attributes), MD5OfBody: queue.MD5(msg.Body),
		EventSource: "aws:sqs", EventSourceARN: m.Source, Region: m.Region,
	}
	for name, v := range msg.Attributes {
		a := attribute{StringValue: v.StringValue, StringListValues: []string{}, BinaryListValues: []string{}}
		if v.DataType != nil {
			a.DataType = *v.DataType
		}
		if v.BinaryValue != nil {
			a.BinaryValue = new(base64.StdEncoding.EncodeToString(v.BinaryValue))
		}
		r.MessageAttributes[name] = a
	}
	return r
}

func systemAttributes(msg queue.Message) map[string]string {
	all := map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(msg.Received), "SentTimestamp": millis(msg.Sent), "SenderId": msg.Sender,
		"ApproximateFirstReceiveTimestamp": millis(msg.First),
	}
	for name, v := range map[string]string{
		"SequenceNumber": msg.Sequence, "MessageGroupId": msg.Group, "MessageDeduplicationId": msg.Dedup, "AWSTraceHeader": msg.Trace,
		"DeadLetterQueueSourceArn": msg.Source,
	} {
		if v != "" {
			all[name] = v
		}
	}
	return all
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// event is what the function gets of a batch.
func event(m mapping.Mapping, batch []queue.Message) ([]byte, error) {
	list := make([]record, 0, len(batch))
	for _, msg := range batch {
		list = append(list, recordOf(m, msg))
	}
	return compact(map[string]any{"Records": list})
}

// compact writes JSON without escaping what HTML needs.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// sizeOf is how many bytes a message takes in an event, or a few more.
func sizeOf(msg queue.Message) int {
	text, err := compact(recordOf(mapping.Mapping{}, msg))
	if err != nil {
		return maxBatch
	}
	return len(text) + 512 // its receipt and the ARN of its queue
}

// succeeded returns the messages that a function does not report as failed. A
// report that cannot be understood means that all failed.
func succeeded(payload []byte, batch []queue.Message) []queue.Message {
	ids := make([]string, len(batch))
	for i, msg := range batch {
		ids[i] = msg.ID
	}
	failed, ok := mapping.Failures(payload, ids)
	if !ok {
		return nil
	}
	var done []queue.Message
	for _, msg := range batch {
		if !failed[msg.ID] {
			done = append(done, msg)
		}
	}
	return done
}

// filter parts a batch into the messages that the function wants and the others,
// which nobody gets.
func filter(m mapping.Mapping, batch []queue.Message) (wanted, others []queue.Message, err error) {
	if len(m.Filters) == 0 {
		return batch, nil, nil
	}
	f, err := mapping.ParseFilters(m.Filters)
	if err != nil {
		return nil, nil, err
	}
	for _, msg := range batch {
		ok, err := f.Match(filtered(m, msg))
		if err != nil {
			return nil, nil, err
		}
		if ok {
			wanted = append(wanted, msg)
		} else {
			others = append(others, msg)
		}
	}
	return wanted, others, nil
}

// filtered is a message as patterns see it: a body that is a JSON object is one.
func filtered(m mapping.Mapping, msg queue.Message) any {
	r := recordOf(m, msg)
	var body map[string]json.RawMessage
	if json.Unmarshal([]byte(msg.Body), &body) != nil || body == nil {
		return r
	}
	return struct {
		record
		Body json.RawMessage `json:"body"`
	}{r, json.RawMessage(msg.Body)}
}
