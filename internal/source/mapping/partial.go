package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Failures reads which items of a batch a function reports as failed. ok is false
// for a report that makes the whole batch failed: one that names no item, or one that
// is not in the batch. Nothing, null and an empty report mean that none failed.
func Failures(payload []byte, batch []string) (failed map[string]bool, ok bool) {
	switch text := bytes.TrimSpace(payload); {
	case len(text) == 0, slices.Contains([]string{"null", `""`, "[]", "{}"}, string(text)):
		return nil, true
	}
	var report struct {
		Items []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return nil, false
	}
	if _, has := members["batchItemFailures"]; !has {
		return nil, true
	}
	if json.Unmarshal(payload, &report) != nil {
		return nil, false
	}
	failed = map[string]bool{}
	for _, i := range report.Items {
		if i.ID == nil || !slices.Contains(batch, *i.ID) {
			return nil, false
		}
		failed[*i.ID] = true
	}
	return failed, true
}
