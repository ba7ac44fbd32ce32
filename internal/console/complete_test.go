package console_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"

	"plumb/internal/apptest"
)

func TestQueryIsCompletedByWhatIsRecorded(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		story(t, p)
		b := newBrowser(t, p)
		for before, want := range map[string]struct{ word, first, other string }{
			"SELECT resourceT":                            {"resourceT", "resourceType", ""},
			"sel":                                         {"sel", "SELECT", ""},
			"SELECT * WHERE resourceType = 'aws::s3":      {"aws::s3", "AWS::S3::Bucket", ""},
			"SELECT * WHERE accountId = '":                {"", p.Account(), ""},
			"SELECT * WHERE configurationItemStatus = 'O": {"O", "OK", ""},
			"SELECT * WHERE resourceName = 'rep":          {"rep", "", "reports"},
			"SELECT ":                                     {"", "", "SELECT"},
			"SELECT configuration.n":                      {"configuration.n", "configuration.name", ""},
			"SELECT * WHERE resourceType = 'AWS::No::Such' AND configuration.n": {"configuration.n", "", "configuration.name"},
		} {
			s := b.get("complete?format=json&before=" + url.QueryEscape(before))
			var got struct {
				Word  string
				Words []string
			}
			if err := json.Unmarshal([]byte(s.Text), &got); err != nil {
				t.Fatalf("%q: %v: %s", before, err, s.Text)
			}
			if got.Word != want.word || want.first != "" && (len(got.Words) == 0 || got.Words[0] != want.first) || want.other != "" && slices.Contains(got.Words, want.other) {
				t.Errorf("%q: %+v, want %+v", before, got, want)
			}
		}
	}, withConsole)
}
