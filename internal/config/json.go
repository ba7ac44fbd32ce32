package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// TimeLayout is the spelling of times in events, messages and files: ISO 8601,
// UTC, milliseconds, Z.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns t in TimeLayout.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// reading is how JSON that is kept or comes from elsewhere is read, as encoding/json reads
// it: names match in any case, of two values of a name the last one counts, two objects of
// a member that is a map are merged, and invalid UTF-8 becomes U+FFFD.
var reading = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true),
	jsonv1.MatchCaseSensitiveDelimiter(true),
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(readAny)),
)

// Decode reads one JSON value into map[string]any, []any, string, bool, nil and
// numbers that keep their kind: int64 when written as an integer that fits,
// float64 otherwise. Anything after the value is an error.
func Decode(b []byte) (any, error) {
	var v any
	err := decodeInto(b, &v)
	return v, err
}

func decodeInto(b []byte, v any) error {
	err := json.Unmarshal(b, v, reading)
	if err == nil {
		return nil
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok && semantic.Err == nil && semantic.GoType != nil {
		return fmt.Errorf("%s is %s: want %s", orWhole(semantic.JSONPointer), foundKinds[semantic.JSONKind], wantedKind(semantic.GoType))
	}
	return fmt.Errorf("decode JSON: %w", err)
}

func orWhole(p jsontext.Pointer) string {
	if p == "" {
		return "the whole"
	}
	return strings.Join(slices.Collect(p.Tokens()), ".")
}

// foundKinds are what people call the kinds of JSON values.
var foundKinds = map[jsontext.Kind]string{
	jsontext.KindNull: "null", jsontext.KindTrue: "true", jsontext.KindFalse: "false", jsontext.KindString: "a text",
	jsontext.KindNumber: "a number", jsontext.KindBeginObject: "an object", jsontext.KindBeginArray: "a list",
}

func wantedKind(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	return "a number"
}

// readAny reads a value whose shape nobody knows.
func readAny(d *jsontext.Decoder, into *any) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	*into, err = valueOf(d, token)
	return err
}

// valueOf returns the value that begins with a token.
func valueOf(d *jsontext.Decoder, token jsontext.Token) (any, error) {
	switch token.Kind() {
	case jsontext.KindBeginObject:
		return readObject(d)
	case jsontext.KindBeginArray:
		return readArray(d)
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return number(token.String()), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	}
	return nil, nil
}

func readObject(d *jsontext.Decoder) (any, error) {
	object := map[string]any{}
	for {
		token, err := d.ReadToken()
		if err != nil || token.Kind() == jsontext.KindEndObject {
			return object, err
		}
		name := token.String() // before what it is read from is read on
		if token, err = d.ReadToken(); err != nil {
			return nil, err
		}
		if object[name], err = valueOf(d, token); err != nil {
			return nil, err
		}
	}
}

func readArray(d *jsontext.Decoder) (any, error) {
	array := []any{}
	for {
		token, err := d.ReadToken()
		if err != nil || token.Kind() == jsontext.KindEndArray {
			return array, err
		}
		v, err := valueOf(d, token)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
}

func number(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(text, 64) // infinite, if it is too large for one
	return f
}

func timeText(t *time.Time) *string {
	if t == nil || t.IsZero() {
		return nil
	}
	s := FormatTime(*t)
	return &s
}

func parseTime(member string, s *string) (*time.Time, error) {
	if s == nil || *s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339Nano, *s)
	if err != nil {
		return nil, fmt.Errorf("%s is %q: want a time in ISO 8601, such as 2026-01-02T15:04:05.000Z", member, *s)
	}
	return &t, nil
}
