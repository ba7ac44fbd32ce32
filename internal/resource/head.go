package resource

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// A head is what a start needs to know of a file: which type it is about, and what tells it apart from others.
type head struct {
	Type    string
	Service string
	Global  bool
	Beyond  bool
	Poll    time.Duration
	Single  bool // it says how one resource is asked for
	Relates bool // it has relationships
}

// head returns the head of a form that was decoded.
func (f *form) head() head {
	return head{
		Type: f.Type, Service: f.Service, Global: f.Global, Beyond: f.Beyond, Poll: f.Poll,
		Single: f.One != nil || f.Exists != nil, Relates: len(f.Relationships) > 0,
	}
}

// headOf finds the head in the text of a file, up to the end of its first document, without decoding it. Keys at the top
// stand at the beginning of a line, as they do in every YAML file that is written in lines.
func headOf(text []byte) (h head, err error) {
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("---")) {
			break
		}
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || line[0] < 'a' || line[0] > 'z' {
			continue
		}
		value, _, _ = bytes.Cut(value, []byte(" #"))
		if err := h.set(string(key), string(bytes.TrimSpace(value))); err != nil {
			return h, fmt.Errorf("%s: %w", key, err)
		}
	}
	return h, nil
}

func (h *head) set(key, value string) (err error) {
	switch key {
	case "type":
		h.Type = value
	case "service":
		h.Service = value
	case "global":
		h.Global, err = strconv.ParseBool(value)
	case "beyond":
		h.Beyond, err = strconv.ParseBool(value)
	case "poll":
		h.Poll, err = time.ParseDuration(value)
	case "one", "exists":
		h.Single = true
	case "relationships":
		h.Relates = true
	}
	return err
}
