package restapi

import (
	"errors"
	"strings"
	"testing"

	"plumb/internal/model/apigatewayapi"
)

func TestBodiesAreHeldAgainstDraft4(t *testing.T) {
	for _, c := range []struct{ schema, fits, not string }{
		{`{}`, `1 "a" null [] {} true`, ``},
		{`{"type": "integer"}`, `1 -3`, `1.0 1e3 "1" null`},
		{`{"type": "number", "minimum": 1, "maximum": 3, "exclusiveMaximum": true}`, `1 2.5`, `0 3 4`},
		{`{"type": ["string", "null"]}`, `"a" null`, `1 true`},
		{`{"multipleOf": 0.1}`, `0.3 1 "a"`, `0.25`},
		{`{"enum": [1, "a", {"b": [1.0]}]}`, `1 1.0 "a" {"b":[1.0]}`, `2 "b" {}`},
		{`{"minLength": 2, "maxLength": 3, "pattern": "^[a-zé]+$"}`, `"ab" "éé" 1`, `"a" "abcd" "AB"`},
		{`{"items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": true}`, `["a"] ["a","b"] 1`, `[] ["a","a"] ["a","b","c"] [1]`},
		{`{"items": [{"type": "string"}, {}], "additionalItems": false}`, `[] ["a"] ["a",1]`, `[1] ["a",1,1]`},
		{`{"items": [{}], "additionalItems": {"type": "null"}}`, `[1,null]`, `[1,2]`},
		{`{"required": ["a"], "properties": {"a": {"type": "null"}}, "minProperties": 1, "maxProperties": 2}`, `{"a":null} 1`, `{} {"b":1} {"a":1} {"a":null,"b":1,"c":1}`},
		{`{"properties": {"a": {}}, "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": false}`, `{"a":1,"x1":2}`, `{"b":1} {"x":"1"}`},
		{`{"additionalProperties": {"type": "boolean"}}`, `{"a":true}`, `{"a":1}`},
		{`{"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}`, `{"b":1} {"a":1,"b":1} {"c":1,"d":1}`, `{"a":1} {"c":1}`},
		{`{"allOf": [{"minimum": 1}, {"maximum": 2}]}`, `1 2`, `0 3`},
		{`{"anyOf": [{"type": "string"}, {"minimum": 5, "type": "integer"}]}`, `"a" 5`, `4 null`},
		{`{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}`, `2 3`, `1 6`},
		{`{"not": {"type": "string"}}`, `1`, `"a"`},
		{`{"definitions": {"a~b/c": {"type": "integer"}}, "properties": {"x": {"$ref": "#/definitions/a~0b~1c"}, "me": {"$ref": "#"}}}`, `{"x":1} {"me":{"x":1}}`, `{"x":"1"} {"me":{"me":{"x":"1"}}}`},
		{`{"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Other#/definitions/n"}`, `1`, `"a"`},
	} {
		d := &Definition{Models: []apigatewayapi.Model{
			{Name: new("M"), Schema: &c.schema}, {Name: new("Other"), Schema: new(`{"definitions": {"n": {"$ref": "#/definitions/m"}, "m": {"type": "integer"}}}`)},
		}}
		if err := d.CheckModel(&d.Models[0]); err != nil {
			t.Errorf("%s: %v", c.schema, err)
		}
		for _, body := range strings.Fields(c.fits) {
			if wrong, err := d.checkBody("M", []byte(body)); len(wrong) > 0 || err != nil {
				t.Errorf("%s %s: %v %v", c.schema, body, wrong, err)
			}
		}
		for _, body := range strings.Fields(c.not) {
			if wrong, err := d.checkBody("M", []byte(body)); len(wrong) == 0 || err != nil {
				t.Errorf("%s %s fits: %v", c.schema, body, err)
			}
		}
	}
}

func TestCheckingABodyIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ schema, body string }{
		"a reference to itself": {`{"$ref": "#"}`, `1`},
		"a growing tree":        {`{"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}, {"not": {}}], "not": {"not": {"not": {}}}}`, strings.Repeat("[", 60) + strings.Repeat("]", 60)},
		"a deep body":           {`{"items": {"$ref": "#"}}`, strings.Repeat("[", 2000) + strings.Repeat("]", 2000)},
		"long enumerations":     {`{"items": {"enum": [` + strings.Repeat("1,", 999) + `1]}}`, "[" + strings.Repeat("1,", 999) + "1]"},
	} {
		d := &Definition{Models: []apigatewayapi.Model{{Name: new("M"), Schema: &c.schema}}}
		if _, err := d.checkBody("M", []byte(c.body)); !errors.Is(err, errTooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
