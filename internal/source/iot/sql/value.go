package sql

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Values are those of JSON: nil, bool, string, []any, map[string]any, and json.Number,
// so that a number leaves as it came. undefined is what is not there.
type undefined struct{}

func parseNumber(s string) json.Number { return json.Number(s) }

func intNumber(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// floatNumber writes a result of arithmetic. What is no number is undefined.
func floatNumber(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return undefined{}
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return intNumber(int64(f))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func asInt(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// asFloat reads a number, or a text that is one.
func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// asBool reads a boolean, or a text that is one.
func asBool(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// asText writes a value as functions of texts see it.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case undefined:
		return "", false
	case string:
		return v, true
	case json.Number:
		return string(v), true
	}
	return encode(v), true
}

// encode writes JSON without escapes for web pages. Members that are undefined are left out.
func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(defined(v)) != nil { // a number that is none
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// defined takes what is undefined out of a value.
func defined(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, m := range v {
			if _, gone := m.(undefined); !gone {
				out[k] = defined(m)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, m := range v {
			out = append(out, defined(m))
		}
		return out
	case undefined:
		return nil
	}
	return v
}
