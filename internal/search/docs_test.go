package search_test

import (
	"os"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/search"
)

// blocks returns the blocks of a page that are in a language.
func blocks(page, language string) (out []string) {
	for _, b := range strings.Split(page, "```"+language+"\n")[1:] {
		b, _, _ = strings.Cut(b, "```")
		out = append(out, strings.TrimSpace(b))
	}
	return out
}

// recordLine records a resource of the manual: type, id, configuration, tags, and
// after an arrow what it is related to.
func recordLine(t *testing.T, d *db.DB, line string) {
	t.Helper()
	line, related, _ := strings.Cut(line, " -> ")
	parts := strings.SplitN(line, " ", 3)
	configuration, given, _ := strings.Cut(parts[2], "} ")
	if given != "" {
		configuration += "}"
	}
	tags := map[string]string{}
	for _, tag := range strings.Fields(given) {
		tags[strings.Split(tag, "=")[0]] = strings.Split(tag, "=")[1]
	}
	var to []config.Relationship
	for _, end := range strings.Fields(related) {
		kind, id, _ := strings.Cut(end, "/")
		to = append(to, config.Relationship{Type: kind, ID: id, Name: "Is associated with "})
	}
	recordRelated(t, d, home, parts[0], parts[1], configuration, tags, to...)
}

func TestExamplesInTheManualAreTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(blocks(string(text), "query")); n < 15 {
		t.Fatalf("%d examples", n)
	}
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		for _, line := range strings.Split(blocks(string(text), "items")[0], "\n") {
			recordLine(t, d, line)
		}
		for language, parse := range map[string]func(string) (*query.Query, error){"query": query.Parse, "extended": query.ParseExtended} {
			for _, e := range blocks(string(text), language) {
				expression, want, _ := strings.Cut(e+"\n", "\n---\n")
				want = strings.TrimSpace(want)
				if got := answered(t, d, parse, expression); got != want {
					t.Errorf("%s\n got\n%s\nwant\n%s", expression, got, want)
				}
			}
		}
	})
}

// answered returns the rows of an answer, or its error.
func answered(t *testing.T, d *db.DB, parse func(string) (*query.Query, error), expression string) string {
	t.Helper()
	q, err := parse(expression)
	if err != nil {
		return err.Error()
	}
	page, err := search.Select(t.Context(), d, q, []config.Place{home}, search.Window{Limit: 100})
	if err != nil {
		return err.Error()
	}
	return strings.Join(page.Rows, "\n")
}
