package restapi

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
)

// Patch does what patch operations say to a shape. They may change what allowed names: the
// first part of their paths.
func Patch(shape any, operations []apigatewayapi.PatchOperation, allowed ...string) error {
	for _, o := range operations {
		path := strings.Split(strings.TrimPrefix(model.Deref(o.Path), "/"), "/")
		for i := range path {
			path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(path[i])
		}
		if !slices.Contains(allowed, path[0]) {
			return invalid("Invalid patch path '%s' specified for op '%s'. Must be one of: [/%s]", model.Deref(o.Path), o.Op, strings.Join(allowed, ", /"))
		}
		if o.Op != apigatewayapi.OpAdd && o.Op != apigatewayapi.OpReplace && o.Op != apigatewayapi.OpRemove {
			return invalid("Invalid patch operation specified. Must be one of: [add, replace, remove]")
		}
		if err := patch(reflect.ValueOf(shape).Elem(), path, o); err != nil {
			return err
		}
	}
	return nil
}

func badPath(o apigatewayapi.PatchOperation) error {
	return invalid("Invalid patch path '%s' specified for op '%s'", model.Deref(o.Path), o.Op)
}

func patch(v reflect.Value, path []string, o apigatewayapi.PatchOperation) error {
	if len(path) == 0 {
		if o.Op == apigatewayapi.OpRemove {
			v.SetZero()
			return nil
		}
		return assign(v, model.Deref(o.Value), o)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			if o.Op == apigatewayapi.OpRemove {
				return nil
			}
			v.Set(reflect.New(v.Type().Elem()))
		}
		return patch(v.Elem(), path, o)
	case reflect.Struct:
		for i := range v.NumField() {
			if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); name == path[0] && name != "-" {
				return patch(v.Field(i), path[1:], o)
			}
		}
	case reflect.Map:
		return patchMap(v, path, o)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String && len(path) == 1 {
			return patchList(v, path[0], o)
		}
	}
	return badPath(o)
}

func patchMap(v reflect.Value, path []string, o apigatewayapi.PatchOperation) error {
	key := reflect.ValueOf(path[0])
	if o.Op == apigatewayapi.OpRemove && len(path) == 1 {
		if !v.MapIndex(key).IsValid() {
			return badPath(o)
		}
		v.SetMapIndex(key, reflect.Value{})
		return nil
	}
	next := reflect.MakeMap(v.Type()) // others may hold the one that is there
	for _, k := range v.MapKeys() {
		next.SetMapIndex(k, v.MapIndex(k))
	}
	item := reflect.New(v.Type().Elem()).Elem()
	if was := v.MapIndex(key); was.IsValid() {
		item.Set(was)
	}
	if err := patch(item, path[1:], o); err != nil {
		return err
	}
	next.SetMapIndex(key, item)
	v.Set(next)
	return nil
}

// patchList: the last part of the path is the text that is added, removed, or replaced.
func patchList(v reflect.Value, item string, o apigatewayapi.PatchOperation) error {
	var out []string
	for i := range v.Len() {
		out = append(out, v.Index(i).String())
	}
	at := slices.Index(out, item)
	if n, err := strconv.Atoi(item); err == nil && at < 0 && n < len(out) && n >= 0 {
		at = n
	}
	switch {
	case o.Op == apigatewayapi.OpRemove && at < 0:
		return badPath(o)
	case o.Op == apigatewayapi.OpRemove:
		out = slices.Delete(out, at, at+1)
	case o.Op == apigatewayapi.OpReplace && at >= 0 && model.Deref(o.Value) != "":
		out[at] = *o.Value
	case at < 0:
		out = append(out, item)
	}
	list := reflect.MakeSlice(v.Type(), len(out), len(out))
	for i, s := range out {
		list.Index(i).SetString(s)
	}
	v.Set(list)
	return nil
}

// assign sets a value from the text that a patch operation has.
func assign(v reflect.Value, text string, o apigatewayapi.PatchOperation) error {
	if v.Kind() == reflect.Pointer {
		to := reflect.New(v.Type().Elem())
		if err := assign(to.Elem(), text, o); err != nil {
			return err
		}
		v.Set(to)
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return invalid("Invalid boolean value: %s", text)
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return invalid("Invalid number: %s", text)
		}
		v.SetInt(n)
	default:
		if json.Unmarshal([]byte(text), v.Addr().Interface()) != nil {
			return badPath(o)
		}
	}
	return nil
}
