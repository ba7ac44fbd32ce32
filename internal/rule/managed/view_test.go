package managed

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// beside returns the verdict of a check on an item with others beside it.
func beside(t *testing.T, check string, item config.Item, v view.Fixed) (config.Compliance, error) {
	t.Helper()
	f, err := loaded(t).ParseFile("test.yaml", []byte("identifier: T\ndescription: d\nresources: [A::B::C]\ntrigger: periodic\ncheck: |-\n  "+check+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Evaluator("{}")
	if err != nil {
		t.Fatal(err)
	}
	item.Type, item.Status = "A::B::C", config.StatusOK
	got, _, err := e.Evaluate(item, v)
	return got, err
}

func around(t *testing.T) (config.Item, view.Fixed) {
	t.Helper()
	key := func(id string) config.Item {
		return config.Item{ResourceKey: config.ResourceKey{Type: "AWS::KMS::Key", ID: id}, Name: "name-" + id, ARN: "arn:" + id,
			Configuration: map[string]any{"enabled": id == "k1"}, Tags: map[string]string{"t": id}}
	}
	item := config.Item{
		Configuration: map[string]any{"key": "arn:k2", "made": "2026-01-01T03:04:05.000Z", "until": int64(1767668645), "millis": int64(1767323045000)},
		Relationships: []config.Relationship{{Type: "AWS::KMS::Key", ID: "k1"}, {Type: "AWS::KMS::Key", ResourceName: "name-k2"}, {Type: "AWS::KMS::Alias", ID: "k3"}},
	}
	v := Beside()
	v.Items, v.Unread = []config.Item{key("k1"), key("k2"), key("k3")}, []string{"AWS::KMS::Alias"}
	return item, v
}

func TestARuleLooksAtOtherResourcesAndAtTheTime(t *testing.T) {
	item, v := around(t)
	for _, check := range []string{
		`find("AWS::KMS::Key").exists(k, k.ARN == configuration.key && !k.configuration.enabled && k.tags.t == "k2")`,
		`size(find("AWS::KMS::Key")) == 3 && size(find("AWS::EC2::VPC")) == 0`,
		`size(related("AWS::KMS::Key")) == 2 && related("AWS::KMS::Key").all(k, k.resourceId in ["k1", "k2"])`,
		`related("AWS::KMS::Key")[0].configuration.missing.deeper == null`,
		`days(configuration.made) == 1.0 && days(configuration.until) == -4.0 && days(configuration.millis) == 0.0`,
		`days(null) == null && days("2026-01-01") > 1 && days("2026-01-01 03:04:05") == 1`,
	} {
		if got, err := beside(t, check, item, v); got != config.Compliant {
			t.Errorf("%s: %s, %v", check, got, err)
		}
	}
}

func TestWhatNobodyRecordsCannotBeTold(t *testing.T) {
	item, v := around(t)
	for check, want := range map[string]string{
		`find("AWS::KMS::Alias").exists(a, true)`: "AWS::KMS::Alias is not recorded here",
		`size(related("AWS::KMS::Alias")) == 0`:   "AWS::KMS::Alias is not recorded here",
		`days("soon") > 1`:                        "soon is not a time",
	} {
		got, err := beside(t, check, item, v)
		if got != config.InsufficientData || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, where an error with %q is expected", check, got, err, want)
		}
	}
}

func TestAFileSaysWhichTypesItLooksThrough(t *testing.T) {
	f, err := loaded(t).ParseFile("test.yaml", []byte(`identifier: T
description: d
resources: [AWS::::Account]
trigger: periodic
applicable: size(find("AWS::KMS::Key")) > 0
check: find("AWS::KMS::Alias").exists(a, related("AWS::KMS::Key") == [])
examples:
- name: at another time, with others
  item: {}
  now: "2026-02-03T00:00:00Z"
  others: [{resourceType: "AWS::KMS::Key", resourceId: k}]
  unread: [AWS::KMS::Alias]
  compliance: INSUFFICIENT_DATA
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"AWS::KMS::Key", "AWS::KMS::Alias"}; !slices.Equal(f.Finds, want) {
		t.Errorf("it looks through %v, want %v", f.Finds, want)
	}
	e := f.Examples[0]
	if err := f.Run(e); err != nil {
		t.Error(err)
	}
	if !e.Beside.At.Equal(time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)) || e.Beside.Items[0].ID != "k" {
		t.Errorf("beside the item: %v", e.Beside)
	}
}
