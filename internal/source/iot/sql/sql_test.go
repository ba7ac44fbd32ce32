package sql_test

import (
	"strings"
	"testing"
	"time"

	"plumb/internal/source/iot/sql"
)

const click = `{"serialNumber":"G030","batteryVoltage":"2000mV","clickType":"SINGLE","n":3,"f":1.5,"o":{"list":[1,"two",null]},"t":true}`

func message(payload string) sql.Message {
	return sql.Message{Account: "123456789012", Topic: "iotbutton/G030/x", Payload: []byte(payload), Client: "c", Time: time.UnixMilli(1700000000123)}
}

func TestAStatementSelectsOfAMessage(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT * FROM 'iotbutton/+'":                           click,
		"select clickType as c, n + 1 as m FROM 'a'":            `{"c":"SINGLE","m":4}`,
		"SELECT o.list[1], o.list FROM \"a\"":                   `{"list":[1,"two",null],"o.list[1]":"two"}`,
		"SELECT topic() AS a, topic(2) AS b FROM 'a'":           `{"a":"iotbutton/G030/x","b":"G030"}`,
		"SELECT timestamp() AS t, clientid() AS c":              `{"c":"c","t":1700000000123}`,
		"SELECT missing, o.missing, isUndefined(x) AS u":        `{"u":true}`,
		"SELECT 'it''s' AS q, -n AS m, n / 2 AS h":              `{"h":1.5,"m":-3,"q":"it's"}`,
		"SELECT {'a': [n, {'b': x}]} AS o":                      `{"o":{"a":[3,{}]}}`,
		"SELECT CASE n WHEN 3 THEN 'yes' ELSE 'no' END AS c":    `{"c":"yes"}`,
		"SELECT upper(substring(clickType, 0, 3)) AS s":         `{"s":"SIN"}`,
		"SELECT cast(f AS Int) AS i, cast(n AS String) AS s":    `{"i":1,"s":"3"}`,
		"SELECT encode('a', 'base64') AS e, accountid() AS a":   `{"a":"123456789012","e":"YQ=="}`,
		"SELECT n + 'x' AS s, 1 + 2 * 3 AS p, (1 + 2) * 3 AS q": `{"p":7,"q":9,"s":"3x"}`,
		"SELECT regexp_matches(serialNumber, 'G[0-9]+') AS r":   `{"r":true}`,
		"SELECT parse_time('yyyy-MM-dd', timestamp()) AS d":     `{"d":"2023-11-14"}`,
		"SELECT *, topic(2) AS s FROM 'a' WHERE n = 3":          `{"batteryVoltage":"2000mV","clickType":"SINGLE","f":1.5,"n":3,"o":{"list":[1,"two",null]},"s":"G030","serialNumber":"G030","t":true}`,
	} {
		q, err := sql.Parse(statement)
		if err != nil {
			t.Errorf("%s: %v", statement, err)
			continue
		}
		if got, ok := q.Run(message(click)); !ok || string(got) != want {
			t.Errorf("%s is %s, %v, want %s", statement, got, ok, want)
		}
	}
}

func TestAConditionIsTrueOrTheMessageIsNotTaken(t *testing.T) {
	for condition, want := range map[string]bool{
		"clickType = 'SINGLE'": true, "clickType <> 'SINGLE'": false, "n > 2 AND f < 2": true, "n >= 4 OR t": true, "NOT t": false,
		"missing = 1": false, "NOT missing = 1": false, "missing = 1 OR t": true, "missing = 1 AND t": false, "n = '3'": true,
		"clickType IN ['SINGLE', 'LONG']": true, "n IN [1, 2]": false, "o.list = [1, 'two', null]": true, "isNull(o.list[2])": true,
		"n": false, "startswith(clickType, 'SIN')": true, "clickType < 5": false, "NOT (n = 4) AND n % 2 = 1": true,
	} {
		q, err := sql.Parse("SELECT * FROM 'a' WHERE " + condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if _, got := q.Run(message(click)); got != want {
			t.Errorf("%s is %v", condition, got)
		}
	}
}

func TestAMessageThatIsNoJSONLeavesAsItCame(t *testing.T) {
	q, err := sql.Parse("SELECT * FROM 'a'")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := q.Run(message("\xff\x00")); !ok || string(got) != "\xff\x00" {
		t.Errorf("%q, %v", got, ok)
	}
	q, err = sql.Parse("SELECT encode(*, 'base64') AS data, n FROM 'a'")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := q.Run(message("\xff\x00")); !ok || string(got) != `{"data":"/wA="}` {
		t.Errorf("%s, %v", got, ok)
	}
}

func TestAStatementThatIsNoneIsRefused(t *testing.T) {
	for _, statement := range []string{
		"", "SELECT", "SELECT * FROM", "SELECT * FROM a", "SELECT * FROM 'a/#/b'", "SELECT * FROM 'a+'", "SELECT * FROM 'a' WHERE", "SELECT * FROM 'a' LIMIT 1",
		"SELECT a b FROM 'a'", "SELECT 'a FROM b", "SELECT f(1) FROM 'a'", "SELECT topic(1, 2) FROM 'a'", "SELECT (SELECT 1) FROM 'a'", "SELECT a ; b",
		"SELECT " + strings.Repeat("(", 5000) + "1", "SELECT " + strings.Repeat("NOT ", 5000) + "a", "SELECT " + strings.Repeat("-", 9000) + "1", "SELECT {'a' 1}",
	} {
		if _, err := sql.Parse(statement); err == nil {
			t.Errorf("%.60s was taken", statement)
		}
	}
}

func TestATemplateIsFilledFromAMessage(t *testing.T) {
	tpl, err := sql.ParseTemplate("in/${topic(2)}/${timestamp()}-${clickType}.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpl.Fill(message(click)); got != "in/G030/1700000000123-SINGLE.json" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := tpl.Fill(message("{}")); err == nil {
		t.Error("an undefined expression was filled in")
	}
	for _, bad := range []string{"${", "${a", "${a b}", "${}"} {
		if _, err := sql.ParseTemplate(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestAFilterMatchesTopics(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a", false}, {"a", "a/b", false}, {"a/+", "a/b", true}, {"a/+", "a", false}, {"a/+/c", "a/b/c", true}, {"a/#", "a/b/c", true},
		{"a/#", "a", true}, {"#", "a/b", true}, {"#", "$aws/x", false}, {"+/x", "$aws/x", false}, {"$aws/#", "$aws/x", true}, {"+", "", true}, {"a/b/#", "a", false},
	} {
		if got := sql.Matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s matches %s: %v", c.filter, c.topic, got)
		}
	}
}
