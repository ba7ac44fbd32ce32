package resources_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

func load(t *testing.T) *resource.Catalogue {
	t.Helper()
	cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// One type: go test ./resources -run /AWS::SQS::Queue
func TestRecordedAnswersMakeTheExpectedItems(t *testing.T) {
	cat := load(t)
	for _, info := range cat.Types() {
		t.Run(info.Type, func(t *testing.T) {
			if err := cat.Verify(info.Type); err != nil {
				t.Error(err)
			}
			examples, err := cat.Examples(info.Type)
			if err != nil || len(examples) == 0 {
				t.Error("the file has no examples", err)
			}
			for _, ex := range examples {
				if err := cat.Check(t.Context(), info.Type, ex); err != nil {
					t.Errorf("%s: %v", ex.Name, err)
				}
			}
		})
	}
}

func TestAnInstanceIsCapturedAgainWithItsGroups(t *testing.T) {
	cat := load(t)
	leads := map[string]string{}
	for _, e := range cat.Edges("AWS::EC2::SecurityGroup") {
		if e.Inverse != "" { // functions, models and others lead to groups, and groups do not list them
			leads[e.From] = e.Inverse
		}
	}
	want := map[string]string{
		"AWS::EC2::Instance":         "Is associated with Instance",
		"AWS::EC2::NetworkInterface": "Is associated with NetworkInterface",
	}
	if !maps.Equal(leads, want) {
		t.Errorf("edges to security groups: %v, want %v", leads, want)
	}
}

func TestGroupsAndVolumesAreRelatedToTheirInstance(t *testing.T) {
	cat := load(t)
	examples, err := cat.Examples("AWS::EC2::Instance")
	if err != nil {
		t.Fatal(err)
	}
	items, err := cat.Run(t.Context(), "AWS::EC2::Instance", examples[0])
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, key := range cat.Related(items[0]) {
		types[key.Type] = true
	}
	want := map[string]bool{"AWS::EC2::NetworkInterface": true, "AWS::EC2::SecurityGroup": true, "AWS::EC2::Volume": true}
	if !maps.Equal(types, want) { // what merely contains it is not
		t.Errorf("related to the instance: %v, want %v", types, want)
	}
}

func TestATypeNeedsThoseWhoseRelationshipsItLists(t *testing.T) {
	cat := load(t)
	for typ, want := range map[string][]string{
		"AWS::EC2::VPC":           nil, // what it contains is not listed
		"AWS::EC2::SecurityGroup": {"AWS::EC2::Instance", "AWS::EC2::NetworkInterface"},
		"AWS::SQS::Queue":         nil,
	} {
		if got := cat.Needs(typ); !slices.Equal(got, want) {
			t.Errorf("%s needs %v, want %v", typ, got, want)
		}
	}
}

func TestEveryTypeHasACallForOneResource(t *testing.T) {
	cat := load(t)
	for _, info := range cat.Types() {
		if !info.Single {
			t.Errorf("%s: nothing can say that a resource is gone", info.Type)
		}
	}
}

func TestEveryTypeNameOfConfigIsKnown(t *testing.T) {
	cat := load(t)
	text, err := fs.ReadFile(resources.FS, "types.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	if len(names) < 500 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%d names, which must each be there once", len(names))
	}
	for _, typ := range names {
		if !cat.Known(typ) || strings.Count(typ, "::") != 2 {
			t.Errorf("%s is not known", typ)
		}
	}
	if cat.Known("AWS::EC2::Toaster") {
		t.Error("AWS::EC2::Toaster is known")
	}
}
