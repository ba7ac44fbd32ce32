package search_test

import (
	"errors"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/search"
)

// Whatever is an expression has an answer, or one of the errors for clients.
func FuzzSelect(f *testing.F) {
	d := dbtest.Open(f)
	fill(f, d)
	recordRelated(f, d, home, "A::B::Host", "h-2", `{"size": 2}`, nil, config.Relationship{Type: "A::B::Disk", ID: "d-2"}, config.Relationship{Type: "A::B::Host", ID: "h-2"})
	f.Add("SELECT resourceId, configuration.kind WHERE configuration.size > 10 AND tags.tag = 'a=b' ORDER BY configuration.zones DESC")
	f.Add("SELECT configuration.kind AS k, COUNT(*), MAX(configuration.size) GROUP BY k HAVING COUNT(*) > 1 ORDER BY k")
	f.Add("SELECT resourceId, n.arn, m.relationshipName JOIN n ON relationships JOIN m ON n.relationships WHERE n.configuration.size = 50 OR arn = 'x'")
	f.Add("SELECT x.resourceType, COUNT(*) JOIN x ON relationships GROUP BY x.resourceType AS OF '2026-03-02'")
	f.Add("SELECT DISTINCT resourceType FROM history WHERE resourceId IN ('d-1', 'h-1') AS OF '2026-03-01T12:00:00Z'")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.ParseExtended(text)
		if err != nil {
			return
		}
		page, err := search.Select(t.Context(), d, q, []config.Place{home}, search.Window{Limit: 3})
		if _, told := errors.AsType[*search.Error](err); err != nil && !told {
			t.Fatalf("%s: %v", text, err)
		}
		if err == nil && len(page.Rows) > 3 {
			t.Fatalf("%s: %d rows", text, len(page.Rows))
		}
	})
}
