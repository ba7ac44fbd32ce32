package managed

import (
	"strings"
	"testing"

	"plumb/internal/config"
)

// verdict judges an item by a check.
func verdict(t *testing.T, check, parameters string, item config.Item) (config.Compliance, error) {
	t.Helper()
	f, err := loaded(t).ParseFile("test.yaml", []byte("identifier: T\ndescription: d\nresources: [A::B::C]\n"+
		"trigger: change\nparameters: {n: {type: int, optional: true}, list: {type: CSV, optional: true}}\ncheck: |-\n  "+check+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Evaluator(parameters)
	if err != nil {
		t.Fatal(err)
	}
	item.Type, item.Status = "A::B::C", config.StatusOK
	got, _, err := e.Evaluate(item, Beside())
	return got, err
}

func sample(t *testing.T) config.Item {
	t.Helper()
	body, err := config.Decode([]byte(`{"a":{"b":1,"half":1.5,"none":null,"text":"x"},"list":[{"n":1},{"n":2}],"one":{"n":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	return config.Item{Configuration: body, Tags: map[string]string{"k": "v"}}
}

func TestPathsAreNullWhereTheyEnd(t *testing.T) {
	for _, check := range []string{
		`configuration.a.b == 1`,
		`configuration.missing == null`,
		`configuration.missing.deeper.still == null`,
		`configuration.a.none.deeper == null`,
		`configuration.a.text.deeper == null`,
		`configuration.list[7].n == null`,
		`configuration.list[1].n == 2`,
		`configuration["a"]["b"] == 1`,
		`configuration.a["missing"] == null`,
		`supplementaryConfiguration.X.y == null`,
		`configuration.missing != "x"`,
		`!(configuration.missing == "x")`,
		`has(configuration.a.b) && !has(configuration.a.none) && !has(configuration.x.y)`,
		`(true ? configuration.missing.x : configuration.a) == null`,
		`json("{\"x\":{\"y\":1}}").x.y == 1 && json("{}").x.y == null`,
		`tags.k == "v" && tags.missing == null && !("missing" in tags)`,
		`split("a:b", ":")[1] == "b" && split("a:b", ":")[2] == null && split(null, ":")[0] == "" && number(split("x:12", ":")[1]) == 12`,
		`distinct(["b", "a", "b"]) == ["b", "a"] && size(distinct(configuration.list)) == 2 && distinct(null) == []`,
		`older("1.9", "1.28") && !older("1.28", "1.9") && older("5", "5.0.1") && !older("5.0", "5") && !older(null, "") && older("6.2", "7")`,
		`older("1.2-rc", "1.2-rd") && older("3.9", "v4") && older(null, "0.1") && !older("10000000000000000000000", "9") && older("007", "8")`,
		`indices(["x", "y"]) == [0, 1] && indices(null) == [] && sum([1, 2, 3]) == 6 && sum([]) == 0 && sum(csv("4,5")) == 9`,
		`parameters.n == null && size(parameters.list) == 0`,
	} {
		if got, err := verdict(t, check, "{}", sample(t)); got != config.Compliant {
			t.Errorf("%s: %s, %v", check, got, err)
		}
	}
}

func TestMacrosVisitWhatIsThere(t *testing.T) {
	for _, check := range []string{
		`configuration.list.exists(x, x.n == 2)`,
		`!configuration.missing.exists(x, true)`,
		`configuration.missing.all(x, false)`,
		`configuration.list.exists_one(x, x.n == 2)`,
		`size(configuration.list.filter(x, x.n > 1)) == 1`,
		`configuration.list.map(x, x.n) == [1, 2]`,
		`configuration.one.exists(one, one.n != null)`,
		`size(list(configuration.one)) == 1 && size(list(configuration.list)) == 2 && size(list(null)) == 0`,
		`size(values(configuration.a)) == 4`,
		`tags.exists(k, tags[k] == "v")`,
	} {
		if got, err := verdict(t, check, "{}", sample(t)); got != config.Compliant {
			t.Errorf("%s: %s, %v", check, got, err)
		}
	}
}

func TestWhatCannotBeToldIsAnErrorAndNoVerdict(t *testing.T) {
	for check, want := range map[string]string{
		`configuration.missing < 5`:               "no such overload",
		`configuration.a`:                         "not true or false",
		`cannotTell("the weather")`:               "the weather",
		`json("nonsense").x == null`:              "read JSON in text",
		`statements("[1]").exists(s, true)`:       "not an object",
		`(configuration.a ? configuration.b : 1)`: "no such overload",
		`covers(configuration, "tcp", "ssh")`:     "not a number",
	} {
		got, err := verdict(t, check, "{}", sample(t))
		if got != config.InsufficientData || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, where an error with %q is expected", check, got, err, want)
		}
	}
}

func TestRunawayCheckIsStopped(t *testing.T) {
	numbers := make([]any, 2000)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	item := config.Item{Configuration: map[string]any{"l": numbers}}
	check := `configuration.l.all(a, configuration.l.all(b, configuration.l.all(c, a + b + c >= 0)))`
	got, err := verdict(t, check, "{}", item)
	if got != config.InsufficientData || err == nil || !strings.Contains(err.Error(), "cost limit") {
		t.Errorf("%s, %v", got, err)
	}
}
