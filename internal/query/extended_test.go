package query_test

import (
	"strings"
	"testing"

	"plumb/internal/query"
)

func TestExtendedQueriesThatAreWrongSayWhere(t *testing.T) {
	for expression, want := range map[string]string{
		"SELECT resourceId AS a.b":                                   "column 22: expected a name without dots",
		"SELECT resourceId AS":                                       "column 21: expected a name without dots",
		"SELECT resourceId AS x, arn AS x":                           "two things are named x",
		"SELECT DISTINCT *":                                          "DISTINCT takes properties only",
		"SELECT DISTINCT COUNT(*)":                                   "DISTINCT takes properties only",
		"SELECT DISTINCT tags":                                       "tags has members",
		"SELECT DISTINCT arn GROUP BY arn":                           "DISTINCT and GROUP BY",
		"SELECT arn HAVING arn = 'x'":                                "nothing is grouped",
		"SELECT arn GROUP BY arn HAVING resourceId = 'x'":            "resourceId is in HAVING and must be in GROUP BY",
		"SELECT arn AS OF 'yesterday'":                               "'yesterday' is not a time",
		"SELECT arn AS OF 2026":                                      "expected a time in single quotes",
		"SELECT arn AS OF '2026-01-01' WHERE arn = 'x'":              "expected the end",
		"SELECT resourceType AS t, COUNT(*) AS n GROUP BY n":         "there is no property n",
		"SELECT resourceId FROM x":                                   "expected history, found x",
		"SELECT resourceId JOIN x":                                   "column 25: expected ON, found the end",
		"SELECT resourceId JOIN x ON y":                              "column 29: expected relationships, or those of a join before this one, found y",
		"SELECT resourceId JOIN x ON y.relationships":                "expected relationships, or those of a join before this one",
		"SELECT resourceId JOIN x ON x.relationships":                "expected relationships, or those of a join before this one",
		"SELECT resourceId JOIN arn ON relationships":                "column 24: arn is a property and cannot name a join",
		"SELECT resourceId JOIN ARN ON relationships":                "ARN is a property and cannot name a join",
		"SELECT resourceId JOIN where ON relationships":              "expected a name without dots, found where",
		"SELECT resourceId JOIN a.b ON relationships":                "expected a name without dots, found a.b",
		"SELECT arn AS x JOIN x ON relationships":                    "two things are named x",
		"SELECT arn JOIN x ON relationships JOIN x ON relationships": "two things are named x",
		"SELECT x.arn JOIN y ON relationships":                       "column 8: there is no property x.arn",
		"SELECT arn JOIN y ON relationships WHERE x.arn = 'a'":       "column 42: there is no property x.arn",
		"SELECT y.nothing JOIN y ON relationships":                   "there is no property y.nothing",
		"SELECT relationshipName JOIN y ON relationships":            "there is no property relationshipName",
		"SELECT arn JOIN y ON relationships WHERE y.tags = 'x'":      "y.tags has members",
		"SELECT arn FROM history JOIN y ON relationships":            "JOIN and FROM history cannot be had together",
		"SELECT arn JOIN a ON relationships JOIN b ON relationships JOIN c ON relationships JOIN d ON relationships": "column 84: a query has at most 3 joins",
		"SELECT resourceType, COUNT(*) JOIN y ON relationships GROUP BY y.resourceType":                              "resourceType is selected and must be in GROUP BY",
	} {
		_, err := query.ParseExtended(expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
	for _, expression := range []string{"SELECT arn AS a", "SELECT DISTINCT arn", "SELECT arn GROUP BY arn HAVING COUNT(*) > 1", "SELECT arn AS OF '2026-01-01'", "SELECT arn JOIN x ON relationships"} {
		if _, err := query.Parse(expression); err == nil || !strings.Contains(err.Error(), "is not supported") {
			t.Errorf("AWS's language has %s: %v", expression, err)
		}
		if _, err := query.ParseExtended(expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func TestTypesAreThoseThatAConditionIsAbout(t *testing.T) {
	for where, want := range map[string]string{
		"arn = 'x'":                                 "",
		"resourceType = 'A::B::C' AND arn = 'x'":    "A::B::C",
		"arn = 'x' AND resourceType IN ('a', 'b')":  "a b",
		"resourceType = 'A::B::C' OR arn = 'x'":     "",
		"NOT resourceType = 'A::B::C'":              "",
		"resourceType LIKE 'AWS::%' AND arn <> 'y'": "",
	} {
		q, err := query.Parse("SELECT arn WHERE " + where)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(query.Types(q.Where), " "); got != want {
			t.Errorf("%s: %s, want %s", where, got, want)
		}
	}
}
