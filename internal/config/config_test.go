package config_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
)

var place = config.Place{Account: "123456789012", Region: "us-east-1"}

// group is the item of the reference's skeleton.
func group() config.Item {
	return config.Item{
		ResourceKey: config.ResourceKey{Place: place, Type: "AWS::EC2::SecurityGroup", ID: "sg-1"},
		ARN:         "arn:aws:ec2:us-east-1:123456789012:security-group/sg-1", AZ: "Not Applicable", Status: config.StatusOK,
		CaptureTime: time.UnixMilli(1536921528177).UTC(), StateID: 1536921528177, Tags: map[string]string{"Env": "Dev"},
		Relationships: []config.Relationship{{Type: "AWS::EC2::VPC", ID: "vpc-1", Name: "Is contained in Vpc"}},
		Configuration: map[string]any{"groupId": "sg-1", "ipPermissions": []any{}},
		Supplementary: map[string]any{},
	}
}

func TestEventFormHasTheSpellingOfAWS(t *testing.T) {
	got, err := json.Marshal(group())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"relatedEvents":[],"relationships":[{"resourceId":"vpc-1","resourceName":null,"resourceType":"AWS::EC2::VPC","name":"Is contained in Vpc"}],` +
		`"configuration":{"groupId":"sg-1","ipPermissions":[]},"supplementaryConfiguration":{},"tags":{"Env":"Dev"},` +
		`"configurationItemVersion":"1.3","configurationItemCaptureTime":"2018-09-14T10:38:48.177Z","configurationStateId":1536921528177,` +
		`"awsAccountId":"123456789012","configurationItemStatus":"OK","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","resourceName":null,` +
		`"ARN":"arn:aws:ec2:us-east-1:123456789012:security-group/sg-1","awsRegion":"us-east-1","availabilityZone":"Not Applicable",` +
		`"configurationStateMd5Hash":"","resourceCreationTime":null}`
	if string(got) != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestItemComesBackFromTheEventForm(t *testing.T) {
	it := group()
	it.Configuration = map[string]any{"int": int64(9007199254740993), "float": 1.5, "nothing": nil, "list": []any{int64(1), "a", true}}
	b, err := json.Marshal(it)
	if err != nil {
		t.Fatal(err)
	}
	var back config.Item
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	it.AWSRegion = "us-east-1"
	if !reflect.DeepEqual(it, back) {
		t.Fatalf("got  %+v\nwant %+v", back, it)
	}
}

// Form and MarshalJSON are two ways to say the same.
func TestFormSaysWhatTheEventFormSays(t *testing.T) {
	for _, it := range []config.Item{group(), {ResourceKey: group().ResourceKey, Status: config.StatusDeleted, CaptureTime: time.UnixMilli(1).UTC()}} {
		b, _ := json.Marshal(it)
		want, err := config.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := json.Marshal(it.Form())
		got, _ := config.Decode(f)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	}
}

func TestItemThatCannotBeReadNamesTheMember(t *testing.T) {
	for text, want := range map[string]string{
		`{"resourceType": 5}`:                     "resourceType is a number: want a text",
		`{"relationships": {}}`:                   "relationships is an object: want a list",
		`{"relationships": [{"resourceId": []}]}`: "relationships.0.resourceId is a list: want a text",
		`{"tags": "owner"}`:                       "tags is a text: want an object",
		`[]`:                                      "the whole is a list: want an object",
		`{"configurationItemCaptureTime": "yesterday"}`:   `configurationItemCaptureTime is "yesterday": want a time in ISO 8601`,
		`{"resourceCreationTime": "2026-13-01T00:00Z"}`:   `resourceCreationTime is "2026-13-01T00:00Z": want a time`,
		`{"configurationItemDeliveryTime": "1764000000"}`: `configurationItemDeliveryTime is "1764000000": want a time`,
	} {
		var it config.Item
		if err := json.Unmarshal([]byte(text), &it); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q is not in %v", text, want, err)
		}
	}
}

func TestDecodeRefusesWhatFollowsTheValue(t *testing.T) {
	for _, s := range []string{"", "{", "{} {}", "nope"} {
		if v, err := config.Decode([]byte(s)); err == nil {
			t.Errorf("%q gave %v", s, v)
		}
	}
}

func TestDiffTellsLeavesOfObjectsAndElementsOfLists(t *testing.T) {
	before, after := group(), group()
	before.Configuration = map[string]any{"state": "available", "old": int64(1), "securityGroups": []any{map[string]any{"groupId": "sg-a"}, map[string]any{"groupId": "sg-k"}}}
	after.Configuration = map[string]any{"state": "in-use", "new": map[string]any{"deep": true}, "securityGroups": []any{map[string]any{"groupId": "sg-k"}, map[string]any{"groupId": "sg-b"}}}
	after.Tags = map[string]string{"Env": "Prod"}
	d := config.NewDiff(&before, after)
	got := map[string]string{}
	for k, c := range d.Changed {
		got[k] = fmt.Sprint(c.Type, " ", c.Previous, " ", c.Updated)
	}
	want := map[string]string{
		"Configuration.State":            "UPDATE available in-use",
		"Configuration.Old":              "DELETE 1 <nil>",
		"Configuration.New":              "CREATE <nil> map[deep:true]",
		"Configuration.SecurityGroups.0": "DELETE map[groupId:sg-a] <nil>",
		"Configuration.SecurityGroups.2": "CREATE <nil> map[groupId:sg-b]",
		"Tags.Env":                       "UPDATE Dev Prod",
	}
	if d.ChangeType != config.ChangeUpdate || !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\ngot  %v\nwant %v", d.ChangeType, got, want)
	}
}

func TestDiffOfWhatCameAndWhatWent(t *testing.T) {
	it := group()
	if d := config.NewDiff(nil, it); d.ChangeType != config.ChangeCreate || len(d.Changed) != 0 {
		t.Errorf("came: %+v", d)
	}
	gone := config.Item{ResourceKey: it.ResourceKey, Status: config.StatusDeleted}
	if d := config.NewDiff(&it, gone); d.ChangeType != config.ChangeDelete || d.Changed["Configuration"].Updated != nil {
		t.Errorf("went: %+v", d)
	}
	if d := config.NewDiff(&gone, it); d.ChangeType != config.ChangeCreate {
		t.Errorf("came back: %+v", d)
	}
}

func TestScopeCovers(t *testing.T) {
	it := group()
	other := []string{"AWS::S3::Bucket"}
	for name, c := range map[string]struct {
		scope *config.Scope
		types []string
		want  bool
	}{
		"nothing":                     {nil, nil, true},
		"the rule's own types":        {nil, other, false},
		"an empty list":               {&config.Scope{Types: []string{}}, nil, true},
		"its type":                    {&config.Scope{Types: []string{it.Type}}, other, true},
		"another type":                {&config.Scope{Types: other}, nil, false},
		"its id":                      {&config.Scope{Types: []string{it.Type}, ID: new("sg-1")}, nil, true},
		"another id":                  {&config.Scope{Types: []string{it.Type}, ID: new("sg-2")}, nil, false},
		"its tag":                     {&config.Scope{TagKey: new("Env")}, other, true},
		"its tag with its value":      {&config.Scope{TagKey: new("Env"), TagValue: new("Dev")}, nil, true},
		"its tag with another value":  {&config.Scope{TagKey: new("Env"), TagValue: new("dev")}, nil, false},
		"a tag that it does not have": {&config.Scope{TagKey: new("env")}, nil, false},
	} {
		if got := (config.Rule{Scope: c.scope}).Covers(it, c.types); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestRecorderOfEverythingLeavesGlobalTypesOutUnlessAsked(t *testing.T) {
	for _, c := range []struct {
		group config.RecordingGroup
		typ   string
		want  bool
	}{
		{config.RecordingGroup{Strategy: config.RecordAll}, "AWS::EC2::VPC", true},
		{config.RecordingGroup{Strategy: config.RecordAll}, "AWS::IAM::Role", false},
		{config.RecordingGroup{Strategy: config.RecordAll, IncludeGlobal: true}, "AWS::IAM::Role", true},
		{config.RecordingGroup{Strategy: config.RecordInclusion, Types: []string{"AWS::IAM::Role"}}, "AWS::IAM::Role", true},
		{config.RecordingGroup{Strategy: config.RecordInclusion, Types: []string{"AWS::IAM::Role"}}, "AWS::EC2::VPC", false},
		{config.RecordingGroup{Strategy: config.RecordExclusion, Excluded: []string{"AWS::EC2::VPC"}}, "AWS::IAM::Role", true},
		{config.RecordingGroup{Strategy: config.RecordExclusion, Excluded: []string{"AWS::EC2::VPC"}}, "AWS::EC2::VPC", false},
		{config.RecordingGroup{Strategy: config.RecordInclusion}, config.TypeRecorder, true},
	} {
		if got := (config.Recorder{Group: c.group}).Records(c.typ); got != c.want {
			t.Errorf("%+v records %s: got %v", c.group, c.typ, got)
		}
	}
}

func TestMessagesNameThemselves(t *testing.T) {
	at := time.Date(2016, 7, 13, 21, 50, 0, 373e6, time.UTC)
	scheduled, err := config.ScheduledNotification("123456789012", at)
	if err != nil || string(scheduled) != `{"awsAccountId":"123456789012","notificationCreationTime":"2016-07-13T21:50:00.373Z","messageType":"ScheduledNotification","recordVersion":"1.0"}` {
		t.Errorf("%s, %v", scheduled, err)
	}
	change, err := config.ChangeNotification(group(), nil, at)
	if err != nil || !strings.HasPrefix(string(change), `{"configurationItemDiff":null,"configurationItem":{`) ||
		!strings.HasSuffix(string(change), `"notificationCreationTime":"2016-07-13T21:50:00.373Z","messageType":"ConfigurationItemChangeNotification","recordVersion":"1.3"}`) {
		t.Errorf("%s, %v", change, err)
	}
}

func TestDiffOfADeletionListsWhatWentWhole(t *testing.T) {
	it := group()
	it.Tags = map[string]string{"team": "x", "Env": "Dev"}
	it.Supplementary = map[string]any{"BucketPolicy": map[string]any{"policyText": "p"}, "unset": nil}
	gone := config.Item{ResourceKey: it.ResourceKey, Status: config.StatusDeleted}
	got, err := json.Marshal(config.NewDiff(&it, gone))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"changeType":"DELETE","changedProperties":{` +
		`"Configuration":{"previousValue":{"groupId":"sg-1","ipPermissions":[]},"updatedValue":null,"changeType":"DELETE"},` +
		`"Relationships.0":{"previousValue":{"name":"Is contained in Vpc","resourceId":"vpc-1","resourceName":null,"resourceType":"AWS::EC2::VPC"},"updatedValue":null,"changeType":"DELETE"},` +
		`"SupplementaryConfiguration.BucketPolicy":{"previousValue":{"policyText":"p"},"updatedValue":null,"changeType":"DELETE"},` +
		`"Tags.Env":{"previousValue":"Dev","updatedValue":null,"changeType":"DELETE"},` +
		`"Tags.team":{"previousValue":"x","updatedValue":null,"changeType":"DELETE"}}}`
	if string(got) != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestEachChangedKeyIsAPropertyOfItsOwn(t *testing.T) {
	body := func(v string) map[string]any {
		return map[string]any{
			"state": v, "environment": map[string]any{"variables": map[string]any{"path": v, "Path": v}},
			"rules":  map[string]any{"expire": v},                                                  // a map by the ids that customers chose
			"limits": map[string]any{"a-b": v, "c": map[string]any{"d": v}, "c.d": v},              // no member of AWS has such a name
			"odd":    map[string]any{"one": map[string]any{"x": v}, "One": map[string]any{"x": v}}, // two keys that differ in case
		}
	}
	before, after := group(), group()
	before.Configuration, after.Configuration = body("1"), body("2")
	before.Tags = map[string]string{"team": "1", "Team": "1", "ünder": "1", "": "1"}
	after.Tags = map[string]string{"team": "2", "Team": "2", "ünder": "2", "": "2"}
	var got []string
	for k := range config.NewDiff(&before, after).Changed {
		got = append(got, k)
	}
	slices.Sort(got)
	want := []string{
		"Configuration.Environment.Variables.Path", "Configuration.Environment.Variables.path",
		"Configuration.Limits.a-b", "Configuration.Limits.c.D", `Configuration.Limits.c\.d`, "Configuration.Odd.One.X", "Configuration.Odd.one.X",
		"Configuration.Rules.expire", "Configuration.State", "Tags.", "Tags.Team", "Tags.team", "Tags.ünder",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}
