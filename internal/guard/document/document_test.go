package document

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecodedValuesKeepTheirKinds(t *testing.T) {
	v, err := FromGo(map[string]any{
		"text": "a", "truth": true, "none": nil, "whole": 3.0, "float": 2.5, "int": 7, "number": json.Number("1.0"),
		"large": json.Number("9007199254740993"), "list": []any{"x", map[string]any{"y": int64(1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"text": `String "a"`, "truth": "bool true", "none": `null "NULL"`, "whole": "int 3", "float": "float 2.5",
		"int": "int 7", "number": "float 1", "large": "int 9007199254740993", "list": `array ["x",{"y":1}]`,
	} {
		if got := v.Get(key).Kind().String() + " " + v.Get(key).Literal(); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	if got := v.Get("list").Item(1).Get("y").Path(); got != "/list/1/y" {
		t.Errorf("the path is %s", got)
	}
}

func TestDecodedValuesOfOtherKindsAreRefused(t *testing.T) {
	if _, err := FromGo(map[string]any{"a": struct{}{}}); err == nil {
		t.Error("a struct was taken")
	}
	deep := any("x")
	for range 2000 {
		deep = []any{deep}
	}
	if _, err := FromGo(deep); err == nil {
		t.Error("a document without end was taken")
	}
}

func TestTextsGivePlaces(t *testing.T) {
	for name, text := range map[string]string{
		"json": "{\n  \"ä\": 1,\n  \"b\": [true,\n    {\"c\": null}]\n}",
		"yaml": "'ä': 1\n'b':\n  [true,\n    {c: null}]\n",
	} {
		v, err := Parse([]byte(text), Template)
		if err != nil {
			t.Fatal(name, err)
		}
		inner := v.Get("b").Item(1).Get("c")
		if inner.Path() != "/b/1/c" || inner.At().Line != 4 {
			t.Errorf("%s: c is at %s, %v", name, inner.Path(), inner.At())
		}
	}
	v, err := Parse([]byte(`{"ä": 1}`), Template)
	if err != nil || v.Get("ä").At() != (Pos{Line: 1, Column: 7}) || v.Get("ä").Place() != "/ä[L:0,C:6]" {
		t.Error(v.Get("ä").At(), err)
	}
}

func TestFlavoursReadWordsDifferently(t *testing.T) {
	text := "[yes, True, 0x10, 0123, 1e3, '', , ~, .5, nan, !!str 5, 2001-01-01]"
	text = strings.ReplaceAll(text, ", ,", ", Null,")
	for flavour, want := range map[Flavour]string{
		Template: `[true,"True","0x10",123,1000,"","NULL","NULL",0.5,NaN,"5","2001-01-01"]`,
		Core:     `["yes",true,16,"0123",1000,"","NULL","NULL",0.5,"nan","5","2001-01-01"]`,
	} {
		v, err := Parse([]byte(text), flavour)
		if err != nil {
			t.Fatal(err)
		}
		if v.Literal() != want {
			t.Errorf("flavour %d: got\n%s\nwant\n%s", flavour, v.Literal(), want)
		}
	}
}

func TestShortFormsBecomeLong(t *testing.T) {
	text := "a: !Ref b\nc: !Join ['', [!Sub x, !GetAtt y.z]]\nd: !Unknown w\ne: !If [f, 1, 2]\n"
	v, err := Parse([]byte(text), Template)
	want := `{"a":{"Ref":"b"},"c":{"Fn::Join":["",[{"Fn::Sub":"x"},{"Fn::GetAtt":"y.z"}]]},"d":"w","e":{"Fn::If":["f",1,2]}}`
	if err != nil || v.Literal() != want {
		t.Errorf("%v\n%s", err, v.Literal())
	}
	if path := v.Get("c").Get("Fn::Join").Item(1).Item(0).Get("Fn::Sub").Path(); path != "/c/Fn::Join/1/0/Fn::Sub" {
		t.Error(path)
	}
}

func TestMergingLeavesItsPartsAlone(t *testing.T) {
	a, _ := Parse([]byte(`{"a": {"x": [1]}}`), Template)
	b, _ := Parse([]byte(`{"b": {"y": [2]}}`), Template)
	m, err := Merge(a, b)
	if err != nil || m.Literal() != `{"a":{"x":[1]},"b":{"y":[2]}}` {
		t.Fatal(m, err)
	}
	for _, v := range []*Value{a.Get("a").Get("x"), m.Get("a").Get("x"), m.Get("b").Get("y")} {
		if v.Item(0).Parent() != v || v.Parent().Item(0) != v {
			t.Errorf("%s has lost its parent", v.Path())
		}
	}
	if _, err := Merge(a, a); err == nil {
		t.Error("a key in both was taken")
	}
	if _, err := Merge(a, NewList(nil)); err == nil {
		t.Error("a list was merged with a map")
	}
}

func TestLargeMapsAreSearched(t *testing.T) {
	keys := map[string]any{}
	for i := range 100 {
		keys[strings.Repeat("k", i+1)] = i
	}
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := Parse(text, Template)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := FromGo(keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*Value{parsed, decoded} {
		if v.Get("kkk").Int() != 2 || v.Get("x") != nil || v.Get("") != nil || v.Len() != 100 {
			t.Error(v)
		}
	}
}

func TestTheLastOfEqualKeysCounts(t *testing.T) {
	for _, text := range []string{`{"a": 1, "b": 2, "a": 3}`, "a: 1\nb: 2\na: 3\n"} {
		v, err := Parse([]byte(text), Template)
		if err != nil || v.Literal() != `{"a":3,"b":2}` {
			t.Error(v, err)
		}
	}
}

func TestBadTextsAreRefused(t *testing.T) {
	for _, text := range []string{"", " \n", "a: [", "{\"a\": ", "a: &x 1\nb: *x", "1: a", "? [a]\n: b", "!!int x", strings.Repeat("[", 2000)} {
		if v, err := Parse([]byte(text), Template); err == nil {
			t.Errorf("%q was read as %s", text, v)
		}
	}
	bomb := "a: &a [x, x]\nb: &b [*a, *a]\n"
	for i := range 30 {
		c, d := string(rune('b'+i)), string(rune('c'+i))
		bomb += d + ": &" + d + " [*" + c + ", *" + c + "]\n"
	}
	if _, err := Parse([]byte(bomb), Core); err == nil {
		t.Error("a document that grows without end was read")
	}
}
