package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// TimeLayout is the spelling of times in events, messages and files: ISO 8601,
// UTC, milliseconds, Z.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns t in TimeLayout.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// Decode reads one JSON value into map[string]any, []any, string, bool, nil and
// numbers that keep their kind: int64 when written as an integer that fits,
// float64 otherwise. Anything after the value is an error.
func Decode(b []byte) (any, error) {
	var v any
	if err := decodeInto(b, &v); err != nil {
		return nil, err
	}
	return normal(v), nil
}

func decodeInto(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode JSON: %w", err)
	}
	if d.More() {
		return fmt.Errorf("decode JSON: data after the value")
	}
	return nil
}

// normal replaces every json.Number by an int64 or a float64, in place.
func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = normal(e)
		}
	case []any:
		for i, e := range v {
			v[i] = normal(e)
		}
	}
	return v
}

func timeText(t *time.Time) *string {
	if t == nil || t.IsZero() {
		return nil
	}
	s := FormatTime(*t)
	return &s
}

func parseTime(s *string) (*time.Time, error) {
	if s == nil || *s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339Nano, *s)
	if err != nil {
		return nil, fmt.Errorf("parse time: %w", err)
	}
	return &t, nil
}
