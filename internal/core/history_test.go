package core_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/resource"
	"plumb/internal/store"
	"plumb/models"
	"plumb/resources"
)

// A hundred resources like each example of each type, with names, ids, addresses
// and times of their own, take at most a quarter of their JSON as history.
func TestHistoryTakesAQuarterOfItsJSON(t *testing.T) {
	catalogue, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t)
	r := rand.New(rand.NewPCG(1, 2))
	text, items := 0, 0
	for _, info := range catalogue.Types() {
		examples, err := catalogue.Examples(info.Type)
		if err != nil {
			t.Fatal(err)
		}
		for _, ex := range examples {
			made, err := catalogue.Run(t.Context(), info.Type, ex)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range made {
				batch := varied(t, r, it, items, 100)
				for _, n := range batch {
					text, items = text+len(n.Body), items+1
				}
				appendAll(t, d, batch)
			}
		}
	}
	var kept int
	err = d.Read(t.Context(), func(tx *db.Tx) error {
		const row = 16 + 24 // of its month and of the body, without the content
		return tx.QueryRow(t.Context(), `SELECT (SELECT sum(length(content) + ?) FROM body) + (SELECT sum(length(content)) FROM dictionary)`, row).Scan(&kept)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d items: %d bytes of history each, %d of JSON: %.3f", items, kept/items, text/items, float64(kept)/float64(text))
	if kept*4 > text {
		t.Errorf("%d bytes of history for %d of JSON", kept, text)
	}
}

// appendAll appends items in transactions of ten: the first ones make the
// dictionary.
func appendAll(t *testing.T, d *db.DB, batch []store.NewItem) {
	t.Helper()
	for ; len(batch) > 0; batch = batch[10:] {
		err := d.Write(t.Context(), func(tx *db.Tx) error { return store.AppendItems(t.Context(), tx, batch[:10]) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// token is what differs from one resource to the next: whatever has a digit in it.
var token = regexp.MustCompile(`[0-9a-zA-Z_-]*[0-9][0-9a-zA-Z_-]*`)

// varied makes n resources like one, from a time that no other item has.
func varied(t *testing.T, r *rand.Rand, it config.Item, from, n int) []store.NewItem {
	t.Helper()
	out := make([]store.NewItem, n)
	for i := range out {
		at := int64(1_790_000_000_000 + from + i)
		it.StateID, it.CaptureTime, it.Status = at, time.UnixMilli(at).UTC(), config.StatusOK
		body, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		body = vary(r, body)
		var other config.Item
		if err := other.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		other.Place, other.StateID, other.CaptureTime = it.Place, at, it.CaptureTime
		if other.Name != "" {
			other.Name += word(r)
		}
		if other.ID += word(r); i == 0 {
			other.ID = it.ID
		}
		if body, err = json.Marshal(other); err != nil {
			t.Fatal(err)
		}
		out[i] = store.NewItem{Item: other, Body: body, Digest: []byte{1}}
	}
	return out
}

func word(r *rand.Rand) string {
	b := []byte("-")
	for range 6 + r.IntN(8) {
		b = append(b, byte('a'+r.IntN(26)))
	}
	return string(b)
}

// date begins a time, whose minutes and seconds are tokens of their own.
var date = regexp.MustCompile(`^20[0-9]{2}-[0-9]{2}-`)

// vary draws other digits and hexadecimal letters, the same ones for the same
// token.
func vary(r *rand.Rand, body []byte) []byte {
	known := map[string][]byte{"123456789012": []byte("123456789012")}
	return token.ReplaceAllFunc(body, func(t []byte) []byte {
		if v, ok := known[string(t)]; ok {
			return v
		}
		if date.Match(t) {
			return t
		}
		v := bytes.Clone(t)
		for i, c := range v {
			switch {
			case c >= '1' && c <= '9' && len(t) > 3 && (i > 0 || len(t) > 6):
				v[i] = byte('1' + r.IntN(9))
			case c >= 'a' && c <= 'f' && len(t) > 12:
				v[i] = "abcdef"[r.IntN(6)]
			}
		}
		known[string(t)] = v
		return v
	})
}
