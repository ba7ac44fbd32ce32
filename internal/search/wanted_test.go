package search_test

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/store"
)

// TestWhatASelectionKeepsOfAnItemIsWhatItsRowNeeds compares rows that are made of it
// with rows that are made of the whole item.
func TestWhatASelectionKeepsOfAnItemIsWhatItsRowNeeds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		to := config.Relationship{Type: "A::B::Host", ID: "h-1", Name: "Is contained in "}
		recordRelated(t, d, home, "A::B::Disk", "d-1", `{"size": 100, "state": "in-use", "parts": [{"n": 1, "at": {"x": 1}}, "loose", [{"n": 2}]], "none": null}`,
			map[string]string{"env": "prod"}, to)
		for _, selected := range []string{
			"*", "resourceId", "configurationStateId, arn", "tags", "tags.key", "relationships", "relationships.relationshipName", "configuration",
			"configuration.size, configuration.state.value", "configuration.parts.n, configuration.none", "configuration.parts.at.x, configuration", "supplementaryConfiguration.x",
		} {
			q, err := query.Parse("SELECT " + selected)
			if err != nil {
				t.Fatal(err)
			}
			err = d.Read(t.Context(), func(tx *db.Tx) error {
				var m store.Match
				err := store.Select(t.Context(), tx, store.Selection{Places: []config.Place{home}, Wanted: q.Wanted()}, func(one store.Match) error {
					m = one
					return nil
				})
				if err != nil {
					return err
				}
				bodies, err := store.Bodies(t.Context(), tx, []int64{m.Resource})
				if err != nil {
					return err
				}
				whole, err := config.Decode(bodies[0])
				if err != nil {
					return err
				}
				got, want := q.Project(m.Form), q.Project(whole.(map[string]any))
				if text(t, got) != text(t, want) {
					t.Errorf("%s: got %s, want %s", selected, text(t, got), text(t, want))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func text(t *testing.T, row map[string]any) string {
	t.Helper()
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
