package stream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"plumb/internal/apptest/moto"
)

type object = map[string]any

// startMoto runs moto's server until the test ends, or skips the test.
func startMoto(t *testing.T) string {
	t.Helper()
	url, stop, err := moto.Start()
	if errors.Is(err, moto.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

// A cloud is moto, as its clients call it.
type cloud struct {
	t   *testing.T
	url string
}

func (c cloud) call(service, target string, in object) (out object) {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %s %s %v", target, res.Status, text, err)
	}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			c.t.Fatal(err)
		}
	}
	return out
}

func (c cloud) kinesis(operation string, in object) object {
	c.t.Helper()
	return c.call("kinesis", "Kinesis_20131202."+operation, in)
}

func (c cloud) dynamodb(operation string, in object) object {
	c.t.Helper()
	return c.call("dynamodb", "DynamoDB_20120810."+operation, in)
}

// put adds records to the stream "s"; a record's key stands before its first dash.
func (c cloud) put(data ...string) {
	c.t.Helper()
	const most = 500 // a call
	for len(data) > 0 {
		var records []any
		for _, d := range data[:min(len(data), most)] {
			key, _, _ := strings.Cut(d, "-")
			records = append(records, object{"Data": []byte(d), "PartitionKey": key})
		}
		c.kinesis("PutRecords", object{"StreamName": "s", "Records": records})
		data = data[min(len(data), most):]
	}
}
