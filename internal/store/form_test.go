package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/store"
)

// What an item is put together as is what it is encoded as, to the byte.
func TestAFormIsTheEncodedItem(t *testing.T) {
	created := noon.Add(-time.Hour)
	like := `,"resourceName":"x","configurationItemVersion":"9","imported":{"version":"1.0"}`
	changes := map[string]func(*config.Item){
		"plain": func(*config.Item) {},
		"named": func(it *config.Item) {
			it.Name, it.ARN, it.AZ, it.CreationTime = `a "name" <&>`, "arn:of:it", "Regional", &created
		},
		"daily": func(it *config.Item) { it.Frequency, it.DeliveryTime = "DAILY", &created },
		"names in values": func(it *config.Item) {
			it.Configuration = map[string]any{"resourceName": like, "imported": map[string]any{"version": "7"}, "html": "<b>"}
			it.Tags, it.Name, it.ARN = map[string]string{like: like}, like, like
			it.Supplementary = map[string]any{"resourceName": map[string]any{"configurationItemVersion": "2"}}
			it.Relationships = []config.Relationship{{Type: "A::B::C", ResourceName: like, Name: "Is attached to"}}
		},
		"imported":      func(it *config.Item) { it.Imported = &config.Stamps{Version: "1.2", StateID: 949, Captured: created} },
		"imported time": func(it *config.Item) { it.Imported = &config.Stamps{Captured: created.Add(123 * time.Microsecond)} },
		"gone":          func(it *config.Item) { it.Status, it.Configuration = config.StatusDeleted, nil },
		"not recorded":  func(it *config.Item) { it.Status, it.Configuration = config.StatusNotRecorded, nil },
		`odd "id"/é<`:   func(it *config.Item) { it.MD5, it.RelatedEvents = "d41d8c", []string{"event"} },
	}
	run(t, func(s suite) {
		var versions []config.VersionKey
		want := map[config.VersionKey]string{}
		for name, change := range changes {
			for minute := range 2 {
				it := s.add(key("A::B::C", name), minute, func(it *store.NewItem) { change(&it.Item) })
				if it.Imported != nil && !it.Imported.Captured.IsZero() {
					it.CaptureTime = it.Imported.Captured
				}
				text, err := json.Marshal(it)
				s.must(err)
				want[it.Version()] = string(text)
				versions = append(versions, it.Version())
			}
		}
		live := 0
		for after := (config.ResourceKey{}); ; live++ { // page by page of one
			page, err := store.LiveItems(s.Context(), s.tx, place, after, 1)
			s.must(err)
			if len(page) == 0 {
				break
			}
			after = page[0].ResourceKey
			forms, err := store.Forms(s.Context(), s.tx, page)
			s.must(err)
			s.equal(forms[0].VersionKey, page[0].VersionKey)
			s.equal(string(forms[0].Text), want[forms[0].VersionKey])
		}
		s.equal(live, len(changes)-1) // all but the one that is gone
		gone := config.VersionKey{ResourceKey: key("A::B::C", "plain"), StateID: 1}
		all, err := store.VersionForms(s.Context(), s.tx, place, append([]config.VersionKey{gone}, versions...))
		s.must(err)
		s.equal(len(all), len(versions))
		for i, f := range all {
			s.equal(f.VersionKey, versions[i])
			s.equal(string(f.Text), want[f.VersionKey])
		}
	})
}
