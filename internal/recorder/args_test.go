package recorder

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/config"
)

// Jobs wait in stores of users while the program is replaced: what is kept of
// their arguments must not change.
func TestArgumentsOfJobsAreKeptAsTheyWere(t *testing.T) {
	p := config.Place{Account: "123456789012", Region: "eu-west-1"}
	for want, args := range map[string]any{
		`{"place":{"account":"123456789012","region":"eu-west-1"},"generation":7,"due":"2026-03-01T12:00:00.000001Z"}`: poll{
			p, 7, time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC),
		},
		`{"place":{"account":"123456789012","region":"eu-west-1"},"type":"A::B::C","generation":7,"token":8,"inventory":true}`: discover{
			p, "A::B::C", 7, 8, true,
		},
		`{"place":{"account":"123456789012","region":"eu-west-1"},"keys":[{"type":"A::B::C","id":"a"}],"since":9}`: capture{
			p, []typeID{{"A::B::C", "a"}}, 9,
		},
		`{"place":{"account":"123456789012","region":"eu-west-1"},"packs":["conformance-pack-a"]}`: packs{p, []string{"conformance-pack-a"}},
		`{"place":{"account":"123456789012","region":"eu-west-1"},"calls":[{"at":"2026-03-01T12:00:00Z","service":"s3","operation":"CreateBucket",` +
			`"names":["b"]}],"types":{"A::B::C":"2026-03-01T12:00:00Z"}}`: noticed{
			p, []noticedCall{{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "s3", "CreateBucket", []string{"b"}}},
			map[string]time.Time{"A::B::C": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		},
	} {
		got, err := json.Marshal(args)
		if err != nil || string(got) != want {
			t.Errorf("%T is kept as %s, %v\nwant %s", args, got, err, want)
		}
	}
}
