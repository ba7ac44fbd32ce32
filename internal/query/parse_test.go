package query_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"plumb/internal/query"
)

func TestExpressionsThatAreTaken(t *testing.T) {
	for _, text := range []string{
		"SELECT *",
		"select resourceId where resourceType = 'AWS::EC2::Instance'",
		"SELECT resourceId, configuration.instanceType WHERE resourceType='AWS::EC2::Instance'AND tags.tag = 'a=b'",
		"SELECT COUNT(*), resourceType GROUP BY resourceType ORDER BY COUNT(*) DESC",
		"SELECT configuration.a, configuration.b, awsRegion, SUM(configuration.size) GROUP BY configuration.a, configuration.b, awsRegion ORDER BY awsRegion ASC, configuration.a",
		"SELECT resourceId WHERE NOT NOT (accountId = 1 OR (arn <> 'x' AND version != 'y'))",
		"SELECT resourceId WHERE configuration.n BETWEEN -1.5 AND 1e3 AND configuration.m NOT IN ('a', 2, true, FALSE)",
		"SELECT resourceId WHERE resourceName LIKE 'abc%' OR resourceName LIKE 'abc_' OR resourceName NOT LIKE 'abc_d%' OR resourceName LIKE 'exact'",
		"SELECT resourceId WHERE resourceName = 'it''s'\n\tORDER BY resourceId",
		"SELECT supplementaryConfiguration.Bucket-Policy/x:y.1.z",
		"SELECT tags, relationships, configuration, *, relationships.relationshipName",
		"SELECT COUNT(configuration.x), MIN(configuration.x), MAX(configuration.x), AVG(configuration.x)",
		"SELECT awsRegion GROUP BY awsRegion",
		"SELECT resourceId WHERE resourceId = '" + strings.Repeat("é", 4000) + "'",
		"SELECT * WHERE " + strings.Repeat("(", 100) + "version = 1" + strings.Repeat(")", 100),
		"SELECT * WHERE " + strings.Repeat("NOT ", 100) + "version = 1",
	} {
		if _, err := query.Parse(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                        "line 1, column 1: expected SELECT, found the end",
		"DELETE":                                  "line 1, column 1: expected SELECT, found DELETE",
		"SELECT":                                  "column 7: expected a property, an aggregate or *, found the end",
		"SELECT * FROM x":                         "column 10: FROM is not supported",
		"SELECT DISTINCT resourceId":              "column 8: DISTINCT is not supported",
		"SELECT resourceId AS x":                  "column 19: AS is not supported",
		"SELECT resourceID":                       "column 8: there is no property resourceID",
		"SELECT configuration..a":                 "there is no property",
		"SELECT tags.foo":                         "there is no property tags.foo",
		"SELECT relationships.name":               "there is no property",
		"SELECT *\nWHERE\n  resourceId ~ 1":       `line 3, column 14: '~' has no meaning here`,
		"SELECT * WHERE é = 1":                    "column 16: 'é' has no meaning here",
		"SELECT * WHERE resourceId = 'é' 5":       "column 33: expected the end, found 5",
		"SELECT * WHERE resourceId":               "expected an operator",
		"SELECT * WHERE resourceId = ":            "expected a value",
		"SELECT * WHERE resourceId = x":           "expected a value, found x",
		"SELECT * WHERE resourceId = NULL":        "NULL is not supported",
		"SELECT * WHERE resourceId IS NULL":       "IS is not supported",
		"SELECT * WHERE resourceId = 'x":          "column 29: the quote is never closed",
		"SELECT * WHERE resourceId = 1.2.3":       "1.2.3 is not a number",
		"SELECT * WHERE resourceId = 1e999":       "1e999 is not a number",
		"SELECT * WHERE configuration = 'x'":      "configuration has members",
		"SELECT * WHERE tags = 'x'":               "tags has members",
		"SELECT * WHERE resourceId IN ()":         "expected a value, found )",
		"SELECT * WHERE resourceId BETWEEN 1":     "expected AND",
		"SELECT * WHERE resourceId LIKE 5":        "expected a text in single quotes",
		"SELECT * WHERE resourceId LIKE 'ab%'":    "3 characters before it",
		"SELECT * WHERE resourceId LIKE '%abc'":   "% may only end",
		"SELECT * WHERE resourceId LIKE '_abc'":   "3 characters before it",
		"SELECT * WHERE resourceId LIKE 'abc%d%'": "% may only end",
		"SELECT * WHERE (resourceId = 1":          "expected ), found the end",
		"SELECT * WHERE " + strings.Repeat("(", 101) + "version = 1" + strings.Repeat(")", 101): "nested more than 100 deep",
		"SELECT * WHERE " + strings.Repeat("(", 200):                                            "nested more than 100 deep",
		"SELECT * WHERE " + strings.Repeat("NOT ", 200):                                         "nested more than 100 deep",
		"SELECT SUM(*)":                                               "SUM takes a property",
		"SELECT COUNT(resourceId, arn)":                               "expected ), found ,",
		"SELECT COUNT(SUM(resourceId))":                               "there is no property SUM",
		"SELECT resourceId, COUNT(*)":                                 "resourceId is selected and must be in GROUP BY",
		"SELECT *, COUNT(*)":                                          "* cannot be selected",
		"SELECT configuration, COUNT(*) GROUP BY resourceId":          "configuration is selected and must be in GROUP BY",
		"SELECT COUNT(*) GROUP BY configuration":                      "configuration has members",
		"SELECT COUNT(*) GROUP BY arn, version, accountId, awsRegion": "GROUP BY takes at most 3",
		"SELECT COUNT(*) GROUP BY arn, version ORDER BY COUNT(*)":     "takes one property in GROUP BY",
		"SELECT COUNT(*) GROUP BY arn ORDER BY version":               "version is in ORDER BY and must be in GROUP BY",
		"SELECT arn ORDER BY COUNT(*)":                                "nothing is grouped",
		"SELECT arn ORDER BY tags":                                    "tags has members",
		"SELECT COUNT(*) GROUP BY arn HAVING COUNT(*) > 1":            "HAVING is not supported",
		"SELECT arn;":                         "';' has no meaning here",
		"SELECT select":                       "expected a property",
		"SELECT " + strings.Repeat("a", 5000): "more than 4096 characters",
	} {
		_, err := query.Parse(text)
		if e, ok := errors.AsType[*query.Error](err); !ok || !strings.Contains(e.Error(), want) {
			t.Errorf("%s\n got %v\nwant ...%s...", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("SELECT resourceId, COUNT(*) WHERE NOT (tags.key IN ('a', 1) OR configuration.a.b BETWEEN '10.0.0.0' AND '10.1.0.0/16') GROUP BY resourceId ORDER BY COUNT(*) DESC")
	f.Add("SELECT DISTINCT tags.key AS k, configuration.a.b AS b FROM history HAVING k = 'a' ORDER BY b AS OF '2026-01-01'")
	f.Add("SELECT COUNT(*) AS n GROUP BY arn HAVING n > 1 OR MAX(configuration.a) < 2")
	f.Add("SELECT a.arn, b.relationshipName AS r JOIN a ON relationships JOIN b ON a.relationships WHERE a.tags.key = 'x' ORDER BY b.configuration.x")
	f.Add("SELECT * WHERE resourceName LIKE 'abc_%' AND arn <> 'it''s' ORDER BY configuration.x")
	form := map[string]any{
		"resourceId": "a", "tags": map[string]any{"a": "b"}, "relationships": []any{map[string]any{"resourceId": "x"}},
		"configuration": map[string]any{"a": []any{map[string]any{"b": "10.0.0.0/8"}, nil, int64(5), 1.5, true, []any{"x"}}},
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.Parse(text)
		if err != nil {
			q, err = query.ParseExtended(text)
		}
		if err != nil {
			if _, ok := errors.AsType[*query.Error](err); !ok {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		if query.Holds(query.Not{Condition: q.Where}, query.ValuesOf(form)) == query.Holds(q.Where, query.ValuesOf(form)) {
			t.Fatal("a condition and its opposite agree")
		}
		if q.Grouped() {
			return
		}
		if _, err := json.Marshal(q.Project(form)); err != nil {
			t.Fatal(err)
		}
	})
}
