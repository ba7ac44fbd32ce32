package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"plumb/internal/config"
)

func TestItemWithTextIsTheItem(t *testing.T) {
	for _, configuration := range []any{
		nil, map[string]any{}, map[string]any{"a": []any{map[string]any{"}": "]\"\\"}, int64(1), "\\"}, "configuration": nil},
		[]any{"[", map[string]any{}}, "a text", int64(7), true,
	} {
		it := config.Item{
			ResourceKey: config.ResourceKey{Place: config.Place{Account: "123456789012", Region: "eu-west-1"}, Type: "T", ID: `"configuration":{`},
			AWSRegion:   "eu-west-1", Tags: map[string]string{"configuration": `"configuration":{}`}, Configuration: configuration,
			Supplementary: map[string]any{"configuration": map[string]any{"x": "y"}},
			Relationships: []config.Relationship{{Type: `"configuration":{`, ID: "x", Name: "n"}},
		}
		body, err := it.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := itemWithText(body)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if text, ok := got.Configuration.(json.RawMessage); ok {
			if got.Configuration, err = config.Decode(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if !reflect.DeepEqual(got, it) {
			t.Errorf("got  %+v\nwant %+v", got, it)
		}
	}
}
