package awsclient

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"plumb/internal/config"
	"plumb/internal/model"
)

// Timestamp formats of the models.
const (
	formatISO  = "iso8601"
	formatUnix = "unixTimestamp"
	formatHTTP = "rfc822"
)

// text writes a scalar for XML, query parameters, headers and paths.
func text(ref *model.Ref, v any, timeFormat string) (string, error) {
	switch ref.Shape.Type {
	case "string", "character":
		if s, ok := v.(string); ok {
			return s, nil
		}
	case "boolean":
		if b, ok := v.(bool); ok {
			return strconv.FormatBool(b), nil
		}
	case "integer", "long":
		if i, ok := integer(v); ok {
			return strconv.FormatInt(i, 10), nil
		}
	case "float", "double":
		if f, ok := float(v); ok {
			return strconv.FormatFloat(f, 'g', -1, 64), nil
		}
	case "blob":
		if b, ok := blob(v); ok {
			return base64.StdEncoding.EncodeToString(b), nil
		}
	case "timestamp":
		if t, ok := instant(v); ok {
			return timeText(t, timeFormatOf(ref, timeFormat)), nil
		}
	}
	return "", fmt.Errorf("%T is no %s", v, ref.Shape.Type)
}

// integer takes every kind of whole number that Go or YAML makes.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == float64(int64(v))
	}
	return 0, false
}

func float(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	i, ok := integer(v)
	return float64(i), ok
}

// blob takes bytes, or text, whose bytes are meant.
func blob(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case string:
		return []byte(v), true
	}
	return nil, false
}

func instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		return t, err == nil
	}
	return time.Time{}, false
}

// timeFormatOf is the format that the use, the shape or the protocol asks for.
func timeFormatOf(ref *model.Ref, protocol string) string {
	switch {
	case ref.TimestampFormat != "":
		return ref.TimestampFormat
	case ref.Shape.TimestampFormat != "":
		return ref.Shape.TimestampFormat
	}
	return protocol
}

func timeText(t time.Time, format string) string {
	switch format {
	case formatUnix:
		return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
	case formatHTTP:
		return t.UTC().Format(http.TimeFormat)
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z")
}

// value reads a scalar from text.
func value(ref *model.Ref, s string) (any, error) {
	switch ref.Shape.Type {
	case "boolean":
		return strconv.ParseBool(s)
	case "integer", "long":
		return strconv.ParseInt(s, 10, 64)
	case "float", "double":
		return strconv.ParseFloat(s, 64)
	case "timestamp":
		t, err := parseTime(s)
		if err != nil {
			return nil, err
		}
		return config.FormatTime(t), nil
	}
	return s, nil // strings, and blobs, which stay base64
}

// parseTime takes every spelling that services are known to answer, whichever the model promises: SDKs do so too.
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999", http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMilli(int64(f * 1000)), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time", s)
}
