package jsonb_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/db/jsonb"
)

func packed(t *testing.T, d *db.DB, text string) (b []byte) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), `SELECT jsonb(?)`, text).Scan(&b) })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDocumentsReadAsTheyWereWritten(t *testing.T) {
	d := dbtest.Open(t)
	for _, text := range []string{
		`null`, `true`, `-5`, `1.5e10`, `9223372036854775807`, `"text"`, `"a\"b\\\n\u00e9\ud83d\ude00"`, `"é😀"`, `[]`, `{}`,
		`{"a":{"b":[1,2,{"c":null}]},"d\"e":false,"":"empty","long":"` + strings.Repeat("x", 300) + `","longer":"` + strings.Repeat("y", 70_000) + `"}`,
	} {
		want, err := config.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		root := jsonb.Open(packed(t, d, text))
		if got := root.Value(); !reflect.DeepEqual(got, want) {
			t.Errorf("%.80s: got %v", text, got)
		}
		object, _ := want.(map[string]any)
		for name, v := range object {
			if got := root.Member(name).Value(); !reflect.DeepEqual(got, v) {
				t.Errorf("member %q: got %v", name, got)
			}
		}
		if root.Member("nowhere").Scalar() != nil || root.Member("nowhere").IsObject() {
			t.Errorf("%.80s has a member that is nowhere", text)
		}
	}
}

func TestAPartHasWhatPathsLeadTo(t *testing.T) {
	d := dbtest.Open(t)
	root := jsonb.Open(packed(t, d, `{"a":{"b":1,"c":2,"d":{"e":null}},"list":[{"x":1,"y":2},{"y":3},"z",[{"x":4,"y":5}]],"s":"t","n":null}`))
	for _, c := range []struct {
		want  string
		paths [][]string
	}{
		{`{"a":{"b":1}}`, [][]string{{"a", "b"}, {"nowhere"}, {"n"}}},
		{`{"a":{"b":1,"c":2,"d":{"e":null}},"s":"t"}`, [][]string{{"a", "c"}, {"a"}, {"s"}}},
		{`{"a":{"b":1,"d":{}}}`, [][]string{{"a", "d", "e"}, {"a", "b", "value"}}},
		{`{"list":[{"x":1},{},"z",[{"x":4}]]}`, [][]string{{"list", "x"}}},
		{`{}`, nil},
	} {
		got, err := json.Marshal(root.Part(jsonb.NewPaths(c.paths)))
		if err != nil || string(got) != c.want {
			t.Errorf("%v: got %s, %v", c.paths, got, err)
		}
	}
}

func FuzzDamagedDocumentsAreRead(f *testing.F) {
	f.Add([]byte{0x0c})
	f.Add([]byte{0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x17, 'a'})
	f.Add([]byte{0x4c, 0x17, 'a', 0x13, '1'})
	f.Fuzz(func(_ *testing.T, b []byte) {
		jsonb.Open(b).Value()
		jsonb.Open(b).Part(jsonb.NewPaths([][]string{{"a", "b"}}))
	})
}
