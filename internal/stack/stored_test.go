package stack

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"plumb/internal/job/jobtest"
	"plumb/internal/stack/kind"
	"plumb/internal/template"
)

func TestStoredJobs(t *testing.T) {
	const stack, mark = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1", "2/make"
	jobtest.Golden(t,
		look{Stack: stack, Mark: mark},
		work{Stack: stack, ID: "Queue", Mark: mark},
		work{Stack: stack, ID: "Queue", Generation: 1, Mark: mark, Once: true},
		timeout{Stack: stack, Operation: "2"},
		told{Child: stack},
		silence{Stack: stack, ID: "Mine", Generation: 1, Mark: mark, Token: "t"},
	)
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

func TestStoredForms(t *testing.T) {
	settings := Settings{
		Description: "d", Parameters: []Parameter{{"P", "v", true}}, Capabilities: []string{"CAPABILITY_IAM"}, Tags: []Tag{{"k", "v"}}, Role: "r",
		Notifications: []string{"n"}, Timeout: 5, OnFailure: "DELETE", KeepFailed: true,
	}
	s := Stack{
		Reason: "why", Root: "root", Updated: at, Deleted: at, Settings: settings, By: "by", UserID: "user", ChangeSet: "set", Protected: true,
		Outputs:   []Output{{"O", "v", "d", "e"}},
		Operation: Operation{ID: "op", Token: "t", Phase: Making, Failed: true, Reason: "r", Retain: []string{"R"}, Before: settings, Delete: true},
	}
	text, err := toStack(s)
	if err != nil {
		t.Fatal(err)
	}
	const form = `{"description":"d","parameters":[{"name":"P","value":"v","hidden":true}],"capabilities":["CAPABILITY_IAM"],` +
		`"tags":[{"key":"k","value":"v"}],"role":"r","notifications":["n"],"timeout":5,"onFailure":"DELETE","keepFailed":true}`
	want := `{"reason":"why","root":"root","updated":1767323045000006,"deleted":1767323045000006,"settings":` + form + `,"by":"by","userId":"user",` +
		`"changeSet":"set","protected":true,"outputs":[{"name":"O","value":"v","description":"d","export":"e"}],"operation":"op","token":"t",` +
		`"phase":"make","failed":true,"failureReason":"r","retain":["R"],"before":` + form + `,"delete":true}`
	if text != want {
		t.Errorf("a stack is\n%s\nwant\n%s", text, want)
	}
	var back Stack
	if err := fromStack(text, &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("read back %+v, %v", back, err)
	}

	made := Made{
		Type: "T", Physical: "p", Properties: map[string]any{"N": json.Number("1")}, Attributes: map[string]any{"Arn": "a"}, DependsOn: []string{"D"},
		OnDelete: "Retain", OnReplace: "Delete", Imports: []string{"e"},
	}
	r := Resource{Reason: "why", Updated: at, Made: made, Previous: &made, task: task{
		Mark: "m", State: waiting, Do: doCreate, Token: "t", Name: "n", Called: true, Fresh: true, Since: at,
	}}
	text, err = toResource(r)
	if err != nil {
		t.Fatal(err)
	}
	const madeForm = `"type":"T","physical":"p","properties":{"N":1},"attributes":{"Arn":"a"},"dependsOn":["D"],"onDelete":"Retain","onReplace":"Delete","imports":["e"]`
	want = `{` + madeForm + `,"reason":"why","updated":1767323045000006,"previous":{` + madeForm + `},"mark":"m","state":"waiting","do":"create",` +
		`"token":"t","name":"n","called":true,"fresh":true,"since":1767323045000006}`
	if text != want {
		t.Errorf("a resource is\n%s\nwant\n%s", text, want)
	}
	var read Resource
	if err := fromResource(text, &read); err != nil || !reflect.DeepEqual(read, r) {
		t.Errorf("read back %+v, %v", read, err)
	}

	event, _ := encode(storedEvent{"R", "p", "T", "S", "why", "{}", "t"})
	if want := `{"resource":"R","physical":"p","type":"T","status":"S","reason":"why","properties":"{}","token":"t"}`; event != want {
		t.Errorf("an event is %s", event)
	}
	set, _ := encode(storedChangeSet{"CREATE", "d", "S", "why", "E", toSettings(settings), []storedChange{{"Add", "I", "T", "p", "True", []string{"N"}}}})
	want = `{"kind":"CREATE","description":"d","status":"S","reason":"why","execution":"E","settings":` + form +
		`,"changes":[{"action":"Add","id":"I","type":"T","physical":"p","replacement":"True","properties":["N"]}]}`
	if set != want {
		t.Errorf("a change set is\n%s\nwant\n%s", set, want)
	}
}

func TestNamesFit(t *testing.T) {
	long := strings.Repeat("Long", 40)
	for _, test := range []struct {
		stack, id string
		naming    kind.Naming
		want      string
	}{
		{"s", "Queue", kind.Naming{Max: 80}, "s-Queue-RANDOM"},
		{"Stack", "Bucket", kind.Naming{Max: 63, Lower: true}, "stack-bucket-random"},
		{"s", "Any", kind.Naming{}, "s-Any-RANDOM"},
		{long, "Function", kind.Naming{Max: 30}, "LongLongLongLo-Function-RANDOM"},
	} {
		if got := makeName(test.stack, test.id, "RANDOM", test.naming); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if got := makeName(long, long, "RANDOM", kind.Naming{Max: 64}); len(got) != 64 || !strings.HasSuffix(got, "-RANDOM") {
		t.Errorf("got %s", got)
	}
}

func TestATemplateIsFoundByEverySpellingOfItsURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://s3.amazonaws.com/b/dir/t.yaml":              "b dir/t.yaml ",
		"https://b.s3.amazonaws.com/t.yaml?versionId=3":      "b t.yaml 3",
		"https://b.c.s3.eu-west-1.amazonaws.com/dir/t%2B.ya": "b.c dir/t+.ya ",
		"https://s3.eu-west-1.amazonaws.com/b/t":             "b t ",
		"https://s3-eu-west-1.amazonaws.com/b/t":             "b t ",
		"http://127.0.0.1:4577/b/t":                          "b t ",
		"s3://b/dir/t":                                       "b dir/t ",
		"https://s3.amazonaws.com/b":                         "!",
		"ftp://s3.amazonaws.com/b/t":                         "!",
		"t.yaml":                                             "!",
	} {
		bucket, key, version, err := objectOf(address)
		got := bucket + " " + key + " " + version
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestIAMIsToBeAcknowledged(t *testing.T) {
	for text, want := range map[string]string{
		"Resources: {A: {Type: AWS::SQS::Queue}}":                           "",
		"Resources: {A: {Type: AWS::IAM::Policy}}":                          "CAPABILITY_IAM",
		"Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}": "CAPABILITY_NAMED_IAM",
	} {
		tpl, err := template.Parse([]byte(text), template.Options{Stack: true})
		if err != nil {
			t.Fatal(err)
		}
		needed, _ := Capabilities(tpl)
		if got := strings.Join(needed, ","); got != want {
			t.Errorf("%s needs %s, want %s", text, got, want)
		}
		if err := acknowledged(tpl, []string{"CAPABILITY_NAMED_IAM"}, false); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := acknowledged(tpl, nil, false); (err != nil) != (want != "") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
