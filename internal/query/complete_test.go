package query_test

import (
	"slices"
	"testing"

	"plumb/internal/query"
)

func TestSpotSaysWhatIsBeingWritten(t *testing.T) {
	for text, want := range map[string]query.Spot{
		"":                                    {},
		"SEL":                                 {Word: "SEL"},
		"SELECT resourceId, configuration.st": {Word: "configuration.st"},
		"SELECT * WHERE resourceType = 'AWS::S3::Bucket' AND configuration.": {Word: "configuration.", Type: "AWS::S3::Bucket"},
		"SELECT * WHERE resourceType = 'AWS::S":                              {Word: "AWS::S", Value: "resourceType"},
		"SELECT * WHERE resourceType IN ('AWS::S3::Bucket', 'AWS":            {Word: "AWS", Value: "resourceType"},
		"SELECT * WHERE accountId LIKE '12":                                  {Word: "12", Value: "accountId"},
		"SELECT * WHERE tags.key = 'it''s":                                   {Word: "s"}, // the end of a text, at worst
		"SELECT 'a":                                                          {Word: "a"},
		"SELECT COUNT(":                                                      {},
	} {
		if got := query.SpotAt(text, ""); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if got := query.SpotAt("SELECT conf", " WHERE resourceType = 'AWS::EC2::Instance'"); got.Type != "AWS::EC2::Instance" {
		t.Errorf("what follows names no type: %+v", got)
	}
}

func TestWordsAreUnderstood(t *testing.T) {
	for _, w := range query.Words() {
		if w[0] < 'a' { // a keyword
			continue
		}
		if _, err := query.ParseExtended("SELECT " + w); err != nil {
			t.Errorf("%s: %v", w, err)
		}
	}
	if !slices.Contains(query.Words(), "SELECT") || !slices.Contains(query.Words(), "relationships.resourceId") {
		t.Errorf("the words are %v", query.Words())
	}
}
