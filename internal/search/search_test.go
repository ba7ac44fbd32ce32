package search_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/search"
	"plumb/internal/store"
)

var (
	home = config.Place{Account: "123456789012", Region: "eu-west-1"}
	away = config.Place{Account: "210987654321", Region: "us-east-1"}
)

// record appends the first item of a resource.
func record(t testing.TB, d *db.DB, p config.Place, kind, id, configuration string) {
	t.Helper()
	recordTagged(t, d, p, kind, id, configuration, map[string]string{})
}

func recordTagged(t testing.TB, d *db.DB, p config.Place, kind, id, configuration string, tags map[string]string) {
	t.Helper()
	recordRelated(t, d, p, kind, id, configuration, tags)
}

func recordRelated(
	t testing.TB, d *db.DB, p config.Place, kind, id, configuration string, tags map[string]string, to ...config.Relationship,
) {
	t.Helper()
	body, err := config.Decode([]byte(configuration))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: p, Type: kind, ID: id}, Status: config.StatusOK, CaptureTime: at, StateID: at.UnixMilli(),
		Tags: tags, Configuration: body, Relationships: to,
	}
	text, err := json.Marshal(it)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(t.Context(), func(tx *db.Tx) error {
		return store.AppendItems(t.Context(), tx, []store.NewItem{{Item: it, Body: text, Digest: []byte(id)}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fill(t testing.TB, d *db.DB) {
	record(t, d, home, "A::B::Disk", "d-1", `{"size": 100, "kind": "ssd", "zones": ["a", "b"], "on": true}`)
	record(t, d, home, "A::B::Disk", "d-2", `{"size": 50, "kind": "ssd", "zones": ["b", "b"], "on": false}`)
	record(t, d, home, "A::B::Disk", "d-3", `{"size": 7.5, "kind": "tape", "zones": []}`)
	record(t, d, home, "A::B::Disk", "d-4", `{"kind": "none", "sizes": [1, 2]}`)
	record(t, d, home, "A::B::Host", "h-1", `{"size": "large", "port": 22}`)
	record(t, d, away, "A::B::Disk", "d-1", `{"size": 1, "kind": "ssd"}`)
}

// pages returns all rows, and checks that pages of every size have the same.
func pages(t *testing.T, d *db.DB, expression string, places ...config.Place) []string {
	t.Helper()
	q, err := query.Parse(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	whole, err := search.Select(t.Context(), d, q, places, search.Window{Limit: 100})
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	for limit := 1; limit <= 4 && !q.OrdersByAggregate(); limit++ {
		var rows []string
		w := search.Window{Limit: limit}
		for range 20 {
			p, err := search.Select(t.Context(), d, q, places, w)
			if err != nil {
				t.Fatalf("%s: %v", expression, err)
			}
			if rows = append(rows, p.Rows...); p.Next == "" {
				break
			}
			w.After = p.Next
		}
		if fmt.Sprint(rows) != fmt.Sprint(whole.Rows) {
			t.Errorf("%s in pages of %d\n got %v\nwant %v", expression, limit, rows, whole.Rows)
		}
	}
	return whole.Rows
}

func TestAnswers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		fill(t, d)
		for expression, want := range map[string]string{
			"SELECT resourceId": `{"resourceId":"d-1"} {"resourceId":"d-2"} {"resourceId":"d-3"} {"resourceId":"d-4"} {"resourceId":"h-1"}`,
			"SELECT resourceId WHERE resourceType = 'No::Such::T'":                                             ``,
			"SELECT resourceId, configuration.size WHERE configuration.size > 10":                              `{"configuration":{"size":100.0},"resourceId":"d-1"} {"configuration":{"size":50.0},"resourceId":"d-2"}`,
			"SELECT resourceId ORDER BY configuration.size":                                                    `{"resourceId":"d-3"} {"resourceId":"d-2"} {"resourceId":"d-1"} {"resourceId":"h-1"} {"resourceId":"d-4"}`,
			"SELECT resourceId ORDER BY configuration.size DESC, resourceId":                                   `{"resourceId":"h-1"} {"resourceId":"d-1"} {"resourceId":"d-2"} {"resourceId":"d-3"} {"resourceId":"d-4"}`,
			"SELECT resourceId WHERE resourceType = 'A::B::Disk' ORDER BY configuration.kind, resourceId DESC": `{"resourceId":"d-4"} {"resourceId":"d-2"} {"resourceId":"d-1"} {"resourceId":"d-3"}`,
			"SELECT resourceId ORDER BY resourceType DESC":                                                     `{"resourceId":"h-1"} {"resourceId":"d-1"} {"resourceId":"d-2"} {"resourceId":"d-3"} {"resourceId":"d-4"}`,
			"SELECT COUNT(*)": `{"COUNT(*)":5}`,
			"SELECT count(*), sum(configuration.size) WHERE resourceId = 'none'":                                      `{"COUNT(*)":0}`,
			"SELECT resourceType, COUNT(*) GROUP BY resourceType":                                                     `{"COUNT(*)":4,"resourceType":"A::B::Disk"} {"COUNT(*)":1,"resourceType":"A::B::Host"}`,
			"SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*)":                                   `{"COUNT(*)":1,"resourceType":"A::B::Host"} {"COUNT(*)":4,"resourceType":"A::B::Disk"}`,
			"SELECT resourceType GROUP BY resourceType ORDER BY resourceType DESC":                                    `{"resourceType":"A::B::Host"} {"resourceType":"A::B::Disk"}`,
			"SELECT configuration.kind, SUM(configuration.size), AVG(configuration.size) GROUP BY configuration.kind": `{"configuration":{"kind":"none"}} {"AVG(configuration.size)":75.0,"SUM(configuration.size)":150.0,"configuration":{"kind":"ssd"}} {"AVG(configuration.size)":7.5,"SUM(configuration.size)":7.5,"configuration":{"kind":"tape"}} {}`,
			"SELECT MIN(configuration.size), MAX(configuration.size), COUNT(configuration.size)":                      `{"COUNT(configuration.size)":4,"MAX(configuration.size)":"large","MIN(configuration.size)":7.5}`,
			"SELECT configuration.zones, COUNT(*) GROUP BY configuration.zones":                                       `{"COUNT(*)":1,"configuration":{"zones":"a"}} {"COUNT(*)":2,"configuration":{"zones":"b"}} {"COUNT(*)":3}`,
			"SELECT configuration.on, COUNT(*) GROUP BY configuration.on":                                             `{"COUNT(*)":1,"configuration":{"on":false}} {"COUNT(*)":1,"configuration":{"on":true}} {"COUNT(*)":3}`,
			"SELECT configuration.kind, COUNT(*) GROUP BY configuration.kind ORDER BY SUM(configuration.size) DESC":   `{"COUNT(*)":2,"configuration":{"kind":"ssd"}} {"COUNT(*)":1,"configuration":{"kind":"tape"}} {"COUNT(*)":1,"configuration":{"kind":"none"}} {"COUNT(*)":1}`,
			"SELECT SUM(configuration.sizes), COUNT(configuration.sizes)":                                             `{"COUNT(configuration.sizes)":2,"SUM(configuration.sizes)":3.0}`,
			"SELECT accountId, awsRegion, resourceType, COUNT(*) GROUP BY accountId, awsRegion, resourceType":         `{"COUNT(*)":4,"accountId":"123456789012","awsRegion":"eu-west-1","resourceType":"A::B::Disk"} {"COUNT(*)":1,"accountId":"123456789012","awsRegion":"eu-west-1","resourceType":"A::B::Host"}`,
			"SELECT configurationStateId, COUNT(*) GROUP BY configurationStateId":                                     `{"COUNT(*)":5,"configurationStateId":"1772366400000"}`,
		} {
			if got := strings.Join(pages(t, d, expression, home), " "); got != want {
				t.Errorf("%s\n got %s\nwant %s", expression, got, want)
			}
		}
	})
}

func TestSeveralPlacesAreAnsweredAsOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		fill(t, d)
		nowhere := config.Place{Account: "111111111111", Region: "eu-west-1"}
		for expression, want := range map[string]string{
			"SELECT accountId, COUNT(*) GROUP BY accountId":                     `{"COUNT(*)":5,"accountId":"123456789012"} {"COUNT(*)":1,"accountId":"210987654321"}`,
			"SELECT accountId WHERE resourceId = 'd-1'":                         `{"accountId":"123456789012"} {"accountId":"210987654321"}`,
			"SELECT accountId WHERE resourceId = 'd-1' ORDER BY accountId DESC": `{"accountId":"210987654321"} {"accountId":"123456789012"}`,
			"SELECT resourceId WHERE accountId <> '123456789012'":               `{"resourceId":"d-1"}`,
			"SELECT resourceId WHERE awsRegion = 'us-east-1'":                   `{"resourceId":"d-1"}`,
		} {
			if got := strings.Join(pages(t, d, expression, home, away, nowhere, home), " "); got != want {
				t.Errorf("%s\n got %s\nwant %s", expression, got, want)
			}
		}
		if got := pages(t, d, "SELECT resourceId", nowhere); len(got) > 0 {
			t.Errorf("a place of which nothing was kept has %v", got)
		}
	})
}

func TestAWindowThatIsNoneIsRefused(t *testing.T) {
	d := dbtest.Open(t)
	fill(t, d)
	for _, expression := range []string{
		"SELECT resourceId", "SELECT resourceId ORDER BY arn", "SELECT arn, COUNT(*) GROUP BY arn", "SELECT arn, COUNT(*) GROUP BY arn ORDER BY COUNT(*)",
	} {
		q, err := query.Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		for _, after := range []string{"x", `["a","b"]`, `5`} {
			if _, err := search.Select(t.Context(), d, q, []config.Place{home}, search.Window{After: after, Limit: 5}); !errors.Is(err, search.ErrWindow) {
				t.Errorf("%s after %s: %v", expression, after, err)
			}
		}
	}
}

func TestALargePageEndsEarly(t *testing.T) {
	d := dbtest.Open(t)
	for i := range 12 {
		record(t, d, home, "A::B::Disk", fmt.Sprintf("d-%02d", i), `{"text": "`+strings.Repeat("x", 600_000)+`"}`)
	}
	q, err := query.Parse("SELECT configuration")
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	w := search.Window{Limit: 100}
	for range 10 {
		p, err := search.Select(t.Context(), d, q, []config.Place{home}, w)
		if err != nil {
			t.Fatal(err)
		}
		if sizes = append(sizes, len(p.Rows)); p.Next == "" {
			break
		}
		w.After = p.Next
	}
	if fmt.Sprint(sizes) != "[6 6]" {
		t.Errorf("pages have %v rows", sizes)
	}
}

// ask returns the rows of an extended query, of all pages.
func ask(t *testing.T, d *db.DB, expression string, limit int, places ...config.Place) (rows []string) {
	t.Helper()
	q, err := query.ParseExtended(expression)
	if err != nil {
		t.Fatal(err)
	}
	for w := (search.Window{Limit: limit}); ; {
		page, err := search.Select(t.Context(), d, q, places, w)
		if err != nil {
			t.Fatal(err)
		}
		if rows = append(rows, page.Rows...); page.Next == "" {
			return rows
		}
		w.After = page.Next
	}
}

func TestJoinsLeadFromItemsToThoseThatTheyAreRelatedTo(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		to := func(kind, id string) config.Relationship {
			return config.Relationship{Type: kind, ID: id, Name: "Is in "}
		}
		record(t, d, home, "A::B::Net", "n-1", `{"cidr": "10.0.0.0/8"}`)
		record(t, d, away, "A::B::Net", "n-1", `{"cidr": "172.16.0.0/12"}`)
		record(t, d, away, "A::B::Net", "n-3", `{}`)
		recordRelated(t, d, home, "A::B::Sub", "s-1", `{"zone": "a"}`, map[string]string{"env": "prod"}, to("A::B::Net", "n-1"))
		recordRelated(t, d, home, "A::B::Sub", "s-2", `{"zone": "b"}`, nil, to("A::B::Net", "n-1"), to("A::B::Net", "n-9"))
		recordRelated(t, d, home, "A::B::Host", "h-1", `{"size": 1}`, nil, to("A::B::Sub", "s-1"), to("A::B::Sub", "s-2"))
		recordRelated(t, d, home, "A::B::Host", "h-2", `{"size": 2}`, nil, to("A::B::Sub", "s-2"), to("A::B::Net", "n-3"))
		recordRelated(t, d, away, "A::B::Host", "h-3", `{"size": 3}`, nil, to("A::B::Net", "n-1"))
		for _, when := range []string{"", " AS OF '2026-03-02'"} {
			for expression, want := range map[string]string{
				"SELECT resourceId, s.resourceId JOIN s ON relationships WHERE resourceType = 'A::B::Host'":                                                                              `{"resourceId":"h-1","s":{"resourceId":"s-1"}} {"resourceId":"h-1","s":{"resourceId":"s-2"}} {"resourceId":"h-2","s":{"resourceId":"s-2"}} {"resourceId":"h-3","s":{"resourceId":"n-1"}}`,
				"SELECT resourceId AS h, n.configuration.cidr AS net, s.relationshipName JOIN s ON relationships JOIN n ON s.relationships WHERE s.tags.tag = 'env=prod'":                `{"h":"h-1","net":"10.0.0.0/8","s":{"relationshipName":"Is in "}}`,
				"SELECT s.configuration.zone, COUNT(*), SUM(configuration.size) JOIN s ON relationships WHERE s.resourceType = 'A::B::Sub' GROUP BY s.configuration.zone":                `{"COUNT(*)":1,"SUM(configuration.size)":1.0,"s":{"configuration":{"zone":"a"}}} {"COUNT(*)":2,"SUM(configuration.size)":3.0,"s":{"configuration":{"zone":"b"}}}`,
				"SELECT DISTINCT s.resourceId JOIN s ON relationships WHERE s.resourceType = 'A::B::Net' ORDER BY s.resourceId":                                                          `{"s":{"resourceId":"n-1"}}`,
				"SELECT resourceId JOIN s ON relationships JOIN n ON s.relationships WHERE n.configuration.cidr = '10.1.2.3' AND (configuration.size = 2 OR s.configuration.zone = 'a')": `{"resourceId":"h-1"} {"resourceId":"h-2"}`,
				"SELECT resourceId, s.configuration.zone JOIN s ON relationships WHERE configuration.size > 0 ORDER BY s.configuration.zone DESC, resourceId DESC":                       `{"resourceId":"h-2","s":{"configuration":{"zone":"b"}}} {"resourceId":"h-1","s":{"configuration":{"zone":"b"}}} {"resourceId":"h-1","s":{"configuration":{"zone":"a"}}} {"resourceId":"h-3"}`,
				"SELECT s.tags, s.configurationStateId JOIN s ON relationships WHERE s.resourceId = 's-1'":                                                                               `{"s":{"configurationStateId":"1772366400000","tags":[{"key":"env","tag":"env=prod","value":"prod"}]}}`,
				"SELECT * JOIN s ON relationships WHERE NOT s.configuration.zone = 'a' AND s.resourceId LIKE 's-2%' AND resourceId = 'h-2'":                                              `{"accountId":"123456789012","awsRegion":"eu-west-1","configurationItemCaptureTime":"2026-03-01T12:00:00.000Z","resourceId":"h-2","resourceType":"A::B::Host","version":"1.3"}`,
				"SELECT COUNT(*) JOIN s ON relationships JOIN n ON s.relationships JOIN m ON relationships":                                                                              `{"COUNT(*)":5}`,
			} {
				for _, limit := range []int{1, 2, 100} {
					if got := strings.Join(ask(t, d, expression+when, limit, home, away), " "); got != want {
						t.Errorf("%s in pages of %d\n got %s\nwant %s", expression+when, limit, got, want)
					}
				}
			}
		}
	})
}

func TestAnAggregatorsTypesAreThoseOfJoinedResourcesToo(t *testing.T) {
	d := dbtest.Open(t)
	record(t, d, home, "A::B::Secret", "x-1", `{"text": "hidden"}`)
	recordRelated(t, d, home, "A::B::Host", "h-1", `{}`, nil, config.Relationship{Type: "A::B::Secret", ID: "x-1"})
	q, err := query.ParseExtended("SELECT x.configuration.text JOIN x ON relationships")
	if err != nil {
		t.Fatal(err)
	}
	for types, want := range map[string]int{"A::B::Host": 0, "A::B::Host A::B::Secret": 1} {
		page, err := search.Select(t.Context(), d, q.OfTypes(strings.Fields(types)), []config.Place{home}, search.Window{Limit: 9})
		if err != nil || len(page.Rows) != want {
			t.Errorf("of %s: %v %v", types, page.Rows, err)
		}
	}
}

func TestThePastIsAskedLikeThePresent(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		fill(t, d)
		at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
		change := func(id, configuration string, status config.ItemStatus) {
			t.Helper()
			body, err := config.Decode([]byte(configuration))
			if err != nil {
				t.Fatal(err)
			}
			it := config.Item{ResourceKey: config.ResourceKey{Place: home, Type: "A::B::Disk", ID: id}, Status: status, CaptureTime: at, StateID: at.UnixMilli(),
				Tags: map[string]string{}, Configuration: body}
			text, err := json.Marshal(it)
			if err != nil {
				t.Fatal(err)
			}
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				return store.AppendItems(t.Context(), tx, []store.NewItem{{Item: it, Body: text, Digest: []byte(id + configuration)}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		change("d-1", `{"size": 900, "kind": "tape"}`, config.StatusOK)
		change("d-2", `{}`, config.StatusDeleted)
		for expression, want := range map[string]string{
			"SELECT resourceId ORDER BY configuration.size DESC AS OF '2026-03-01T12:30:00Z'":                                                            `{"resourceId":"h-1"} {"resourceId":"d-1"} {"resourceId":"d-2"} {"resourceId":"d-3"} {"resourceId":"d-4"}`,
			"SELECT configuration.size WHERE resourceId = 'd-1' AS OF '2026-03-01T12:30:00Z'":                                                            `{"configuration":{"size":100.0}}`,
			"SELECT configuration.size WHERE resourceId = 'd-1' AS OF '2026-03-01T13:00:00Z'":                                                            `{"configuration":{"size":900.0}}`,
			"SELECT configuration.size WHERE resourceId = 'd-1'":                                                                                         `{"configuration":{"size":900.0}}`,
			"SELECT resourceId WHERE configuration.kind = 'ssd' AS OF '2026-03-01T13:00:00+00:00'":                                                       ``,
			"SELECT configuration.kind AS kind, COUNT(*) AS n WHERE resourceType = 'A::B::Disk' GROUP BY kind HAVING n > 1 AS OF '2026-03-01T12:30:00Z'": `{"kind":"ssd","n":2}`,
			"SELECT COUNT(*) AS OF '2026-03-02'":                                                                                                         `{"COUNT(*)":4}`,
			"SELECT COUNT(*) AS OF '2020-01-01'":                                                                                                         `{"COUNT(*)":0}`,
		} {
			for _, limit := range []int{1, 2, 100} {
				if got := strings.Join(ask(t, d, expression, limit, home, home), " "); got != want {
					t.Errorf("%s in pages of %d\n got %s\nwant %s", expression, limit, got, want)
				}
			}
		}
		if got := len(ask(t, d, "SELECT resourceId AS OF '2026-03-01T12:30:00Z'", 2, home, away)); got != 6 {
			t.Errorf("two places had %d resources", got)
		}
		q, _ := query.ParseExtended("SELECT resourceId AS OF '2026-03-01T12:30:00Z'")
		if _, err := search.Select(t.Context(), d, q, []config.Place{home}, search.Window{After: "{\"k\":[\"t\"]}", Limit: 1}); !errors.Is(err, search.ErrWindow) {
			t.Error(err)
		}
	})
}
