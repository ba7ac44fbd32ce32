package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"
)

// setScalar parses text into a string, number, boolean, time or blob, or a pointer to one.
func setScalar(v reflect.Value, text, timeFormat string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		return setTime(v, text, timeFormat)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not a boolean", text)
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not an integer", text)
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(n)
	case reflect.Slice:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("a blob is not in base64")
		}
		v.SetBytes(b)
	default:
		return fmt.Errorf("a %s has no text", v.Kind())
	}
	return nil
}

func setTime(v reflect.Value, text, format string) error {
	t, err := parseISO(text)
	if format == "rfc822" {
		t, err = http.ParseTime(text)
	}
	if err != nil {
		if seconds, bad := strconv.ParseFloat(text, 64); bad == nil && seconds < 253402300800 && seconds > -62135596800 {
			t, err = time.UnixMilli(int64(seconds*1000)).UTC(), nil
		}
	}
	if err == nil {
		v.Set(reflect.ValueOf(t))
	}
	return err
}

// scalarText is the inverse of setScalar; ok is false for what is absent.
func scalarText(v reflect.Value, timeFormat string) (text string, ok bool) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	}
	if t, isTime := v.Interface().(time.Time); isTime {
		switch timeFormat {
		case "rfc822":
			return t.UTC().Format(http.TimeFormat), true
		case "unixTimestamp":
			return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64), true
		}
		return t.UTC().Format("2006-01-02T15:04:05.000Z"), true
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), v.Len() > 0
	case reflect.Slice:
		return base64.StdEncoding.EncodeToString(v.Bytes()), !v.IsNil()
	}
	return fmt.Sprint(v.Interface()), true
}

// isScalar says whether a type is written as one piece of text.
func isScalar(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		return t == reflect.TypeFor[time.Time]()
	case reflect.Map:
		return false
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	}
	return true
}
