package wire_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

const streamed = "streamed bytes"

// A filler sets every member of a structure, ours or the SDK's, to a value that is told apart from the others.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value, depth int) {
	f.n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), depth)
	case reflect.Struct:
		f.structure(v, depth)
	case reflect.String:
		v.SetString(f.text(v))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(f.n) + 0.5)
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		f.fill(e, depth+1)
		k := reflect.New(v.Type().Key()).Elem()
		k.SetString(fmt.Sprintf("key %d & <more>", f.n))
		v.SetMapIndex(k, e)
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[io.Reader]() {
			v.Set(reflect.ValueOf(strings.NewReader(streamed)))
		}
	}
}

func (f *filler) structure(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(1443610576349 + int64(f.n)*1000).UTC()))
		return
	}
	if depth > 8 {
		return
	}
	for i := range v.NumField() {
		t := v.Type().Field(i)
		switch {
		case !t.IsExported(), t.Name == "ResultMetadata":
		case t.Tag.Get("bind") == "status":
			v.Field(i).Set(reflect.ValueOf(new(int32(200))))
		default:
			f.fill(v.Field(i), depth+1)
		}
	}
}

func (f *filler) text(v reflect.Value) string {
	if m := v.MethodByName("Values"); m.IsValid() {
		return m.Call(nil)[0].Index(0).String()
	}
	return fmt.Sprintf("text-%d", f.n)
}

func (f *filler) slice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(fmt.Appendf(nil, "bytes %d \x00\xff", f.n))
		return
	}
	n := 2
	if depth > 4 {
		n = 1
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i), depth+1)
	}
}

// dump makes a value comparable across both sets of types: names in lower case, pointers followed, absent left out.
func dump(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if _, stream := v.Interface().(io.Reader); stream {
			return base64.StdEncoding.EncodeToString([]byte(streamed))
		}
		return dump(v.Elem())
	case reflect.Struct:
		return dumpStruct(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return base64.StdEncoding.EncodeToString(v.Bytes())
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, dump(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = dump(v.MapIndex(k))
		}
		return out
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.Int32, reflect.Int64:
		return v.Int()
	}
	return fmt.Sprint(v.Interface())
}

func dumpStruct(v reflect.Value) any {
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	out := map[string]any{}
	for i := range v.NumField() {
		t := v.Type().Field(i)
		if !t.IsExported() || t.Name == "ResultMetadata" || v.Field(i).IsZero() {
			continue
		}
		out[strings.ToLower(t.Name)] = dump(v.Field(i))
	}
	return out
}

// without takes members out of an SDK's dump that our type does not have, because the SDK is newer than the model.
func without(t *testing.T, at string, v any, ours reflect.Type) any {
	for ours.Kind() == reflect.Pointer {
		ours = ours.Elem()
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = without(t, at, v[i], ours.Elem())
		}
	case map[string]any:
		for name, value := range v {
			if ours.Kind() == reflect.Map {
				v[name] = without(t, at+"."+name, value, ours.Elem())
				continue
			}
			f, ok := ours.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
			if !ok {
				t.Logf("%s.%s is newer than the model", at, name)
				delete(v, name)
				continue
			}
			v[name] = without(t, at+"."+name, value, f.Type)
		}
	}
	return v
}
