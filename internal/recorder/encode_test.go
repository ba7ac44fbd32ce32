package recorder

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
)

func TestItemIsEncodedAsItMarshals(t *testing.T) {
	it := config.Item{
		ResourceKey: config.ResourceKey{Type: "AWS::S3::Bucket", ID: `"configuration":null`}, Tags: map[string]string{"configuration": `"configuration":null`},
		Relationships: []config.Relationship{{Type: `x"configuration":null`, ID: "y", Name: "configuration"}},
		Configuration: map[string]any{"configuration": nil},
	}
	want, err := json.Marshal(it)
	if err != nil {
		t.Fatal(err)
	}
	got, err := encodeItem(it, []byte(`{"configuration":null}`))
	if err != nil || string(got) != string(want) {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestConfigurationsAreEncodedAsEncodingJSONDoesIt(t *testing.T) {
	for _, v := range []any{
		nil, true, int64(-7), 1.5, 1e21, "", "plain", `quo"te \ back`, "line\nbreak\x00", "<a href='x'>&", "\u2028 é 日本 \xff", "\x7f",
		[]any(nil), map[string]any(nil), []any{}, map[string]any{},
		map[string]any{"b": []any{int64(1), "x", nil}, "a": map[string]any{"ü": false}, "": 0.1, `"`: "k"},
		json.RawMessage(`{"kept": 1}`), []string{"of", "another", "type"},
	} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := appendJSON(nil, v)
		if err != nil || string(got) != string(want) {
			t.Errorf("%#v: got %s, %v; want %s", v, got, err, want)
		}
	}
}
