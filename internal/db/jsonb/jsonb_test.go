package jsonb_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/db/jsonb"
)

// decode reads a document as a whole, as encoding/json would.
func decode(n jsonb.Node) any {
	switch {
	case n.IsArray():
		out := []any{}
		n.Elements(func(e jsonb.Node) bool { out = append(out, decode(e)); return true })
		return out
	case n.IsObject():
		out := map[string]any{}
		n.Members(func(name string, v jsonb.Node) bool { out[name] = decode(v); return true })
		return out
	}
	v := n.Scalar()
	if i, ok := v.(int64); ok {
		return float64(i)
	}
	return v
}

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
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		root := jsonb.Open(packed(t, d, text))
		if got := decode(root); !reflect.DeepEqual(got, want) {
			t.Errorf("%.80s: got %v", text, got)
		}
		object, _ := want.(map[string]any)
		for name, v := range object {
			if got := decode(root.Member(name)); !reflect.DeepEqual(got, v) {
				t.Errorf("member %q: got %v", name, got)
			}
		}
		if root.Member("nowhere").Scalar() != nil || root.Member("nowhere").IsObject() {
			t.Errorf("%.80s has a member that is nowhere", text)
		}
	}
}

func FuzzDamagedDocumentsAreRead(f *testing.F) {
	f.Add([]byte{0x0c})
	f.Add([]byte{0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x17, 'a'})
	f.Add([]byte{0x4c, 0x17, 'a', 0x13, '1'})
	f.Fuzz(func(_ *testing.T, b []byte) {
		decode(jsonb.Open(b))
		jsonb.Open(b).Member("a")
	})
}
