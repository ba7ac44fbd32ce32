package eventbus

import (
	"bytes"
	"encoding/json"
	"time"
)

// An Event is what is put on a bus.
type Event struct {
	ID         string // given by Put
	Source     string
	DetailType string
	Detail     json.RawMessage // an object
	Resources  []string
	Time       time.Time // zero is now
	Trace      string
}

// body is the JSON of an event, as targets get it.
func (e Event) body(account, region string) ([]byte, error) {
	var detail bytes.Buffer
	if err := json.Compact(&detail, e.Detail); err != nil {
		return nil, err
	}
	if e.Resources == nil {
		e.Resources = []string{}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // as it was put
	err := enc.Encode(struct {
		Version    string          `json:"version"`
		ID         string          `json:"id"`
		DetailType string          `json:"detail-type"`
		Source     string          `json:"source"`
		Account    string          `json:"account"`
		Time       string          `json:"time"`
		Region     string          `json:"region"`
		Resources  []string        `json:"resources"`
		Detail     json.RawMessage `json:"detail"`
	}{"0", e.ID, e.DetailType, e.Source, account, FormatTime(e.Time), region, e.Resources, detail.Bytes()})
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// FormatTime writes a time as events have it.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
