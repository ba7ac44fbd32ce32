package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"plumb/internal/model"
)

// A jsonCodec reads and writes bodies in AWS's JSON: names match by case, unknown members are ignored, and times are
// seconds since 1970 with milliseconds as their fraction.
type jsonCodec struct{ read, write, writeISO json.Options }

func newJSONCodec() jsonCodec {
	return jsonCodec{
		read: json.JoinOptions(
			jsontext.AllowDuplicateNames(true), // the last one wins, as everywhere at AWS
			jsontext.AllowInvalidUTF8(true),    // Python clients send lone surrogates; they become U+FFFD
			json.WithUnmarshalers(json.UnmarshalFromFunc(readTime)),
		),
		write: json.JoinOptions(
			jsontext.AllowInvalidUTF8(true),
			json.Deterministic(true),
			json.WithMarshalers(json.MarshalToFunc(writeTime)),
		),
		writeISO: json.JoinOptions(
			jsontext.AllowInvalidUTF8(true),
			json.Deterministic(true),
			json.WithMarshalers(json.MarshalToFunc(writeISOTime)),
		),
	}
}

// decode reads a body into a pointer to an input. An empty body is an input without members.
func (c jsonCodec) decode(body []byte, into any) error {
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into, c.read); err != nil {
		return model.SerializationException("%s", describeJSON(err))
	}
	return nil
}

// refuseNUL returns an error for a body with a text that has U+0000 in it.
func refuseNUL(body []byte) error {
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return nil // it ended, or decode says what is wrong
		}
		if token.Kind() == jsontext.KindString && strings.Contains(token.String(), "\x00") {
			return model.ValidationException("The text at %s has the character U+0000, which is not taken.", d.StackPointer())
		}
	}
}

func (c jsonCodec) encode(v any) ([]byte, error) { return json.Marshal(v, c.write) }

// encodeFor writes a body with the times of a service.
func (c jsonCodec) encodeFor(info model.Info, v any) ([]byte, error) {
	if info.ISOTimes {
		return json.Marshal(v, c.writeISO)
	}
	return c.encode(v)
}

func writeTime(e *jsontext.Encoder, t time.Time) error {
	text := strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
	return e.WriteValue(jsontext.Value(text))
}

func writeISOTime(e *jsontext.Encoder, t time.Time) error {
	return e.WriteToken(jsontext.String(t.UTC().Format("2006-01-02T15:04:05Z")))
}

// readTime takes a number of seconds and, because old clients send it, an ISO 8601 string.
func readTime(d *jsontext.Decoder, t *time.Time) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case jsontext.KindNumber:
		seconds, err := token.Float()
		if err != nil || math.Abs(seconds) > 253402300799 { // the end of year 9999
			return fmt.Errorf("%v is not a time", seconds)
		}
		*t = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
		return nil
	case jsontext.KindString:
		*t, err = parseISO(token.String())
		return err
	case jsontext.KindNull:
		return nil
	}
	return errors.New("a time is a number of seconds")
}

// parseISO reads the spellings of ISO 8601 that AWS clients send.
func parseISO(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time in ISO 8601", text)
}

// describeJSON words a decoding error for the client: where, and what was found in place of what. It names JSON's and
// AWS's types, never Go's.
func describeJSON(err error) string {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return "The request body is not valid JSON: " + plainJSON(err)
	}
	at := ""
	if p := string(semantic.JSONPointer); p != "" {
		at = " at " + p
	}
	if semantic.Err != nil && semantic.GoType == reflect.TypeFor[time.Time]() {
		return fmt.Sprintf("Start of structure or map found where not expected%s", at)
	}
	return fmt.Sprintf("%s can not be converted to %s%s", jsonWord(semantic.JSONKind), awsWord(semantic.GoType), at)
}

func plainJSON(err error) string {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) && syntactic.Err != nil {
		return fmt.Sprintf("%v after offset %d", syntactic.Err, syntactic.ByteOffset)
	}
	return "unexpected end"
}

func jsonWord(k jsontext.Kind) string {
	switch k {
	case jsontext.KindString:
		return "STRING_VALUE"
	case jsontext.KindNumber:
		return "NUMBER_VALUE"
	case jsontext.KindTrue:
		return "TRUE_VALUE"
	case jsontext.KindFalse:
		return "FALSE_VALUE"
	case jsontext.KindBeginObject:
		return "START_OBJECT"
	case jsontext.KindBeginArray:
		return "START_ARRAY"
	}
	return "The value"
}

func awsWord(t reflect.Type) string {
	if t == nil {
		return "the expected type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a String"
	case reflect.Bool:
		return "a Boolean"
	case reflect.Int32:
		return "an Integer"
	case reflect.Int64:
		return "a Long"
	case reflect.Float64:
		return "a Double"
	case reflect.Map:
		return "a Map"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "a Blob"
		}
		return "a List"
	}
	return "a Structure"
}
