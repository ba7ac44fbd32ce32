package resources_test

import (
	"reflect"
	"slices"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/resource"
	"plumb/internal/resource/faulty"
	"plumb/models"
)

// Every fault on every call of every type: a reading gives what it gives without the fault, or an error. A change or a
// deletion that nobody made is worse than no answer.
func TestNoFaultMakesAFalseItemOrDeletion(t *testing.T) {
	cat := load(t)
	tried := 0
	for _, info := range cat.Types() {
		t.Run(info.Type, func(t *testing.T) {
			examples, err := cat.Examples(info.Type)
			if err != nil {
				t.Fatal(err)
			}
			for _, ex := range examples {
				tried += faults(t, cat, info, ex)
			}
		})
	}
	t.Logf("%d faults", tried)
}

var examplePlace = config.Place{Account: "123456789012", Region: "us-east-1"}

func faults(t *testing.T, cat *resource.Catalogue, info resource.Info, ex resource.Example) (tried int) {
	target := faulty.Start(t, awsclient.NewModels(models.FS), ex.Answers, services(cat, info.Type)...)
	client := target.Client()
	read := func() ([]config.Item, error) {
		return resource.Collect(cat.Discover(t.Context(), client, examplePlace, info.Type))
	}
	whole, err := read()
	if err != nil {
		t.Fatalf("%s, without a fault: %v", ex.Name, err)
	}
	for _, call := range cat.Calls(info.Type) {
		for _, fault := range faulty.Faults() {
			if call.Bare && (fault == faulty.RootAlone || fault == faulty.EmptyObject) {
				continue // it is what the service answers when there is nothing
			}
			tried++
			target.Heal()
			target.Break(call.Operation, fault)
			if items, err := read(); err == nil && !reflect.DeepEqual(items, whole) {
				t.Errorf("%s, %s: %d items instead of %d, or others", call.Operation, fault, len(items), len(whole))
			}
			for _, last := range whole[:min(1, len(whole))] {
				if gone, err := cat.Gone(t.Context(), client, last); gone {
					t.Errorf("%s, %s: %s is gone, %v", call.Operation, fault, last.ID, err)
				}
			}
			if fault == faulty.EmptyPage && call.List {
				target.Heal()
				target.Break(call.Operation, fault)
				if _, err := read(); err != nil {
					t.Errorf("%s, %s: %v", call.Operation, fault, err)
				}
			}
		}
	}
	return tried
}

// services are those that reading a type calls.
func services(cat *resource.Catalogue, typ string) []string {
	var out []string
	for _, call := range cat.Calls(typ) {
		if !slices.Contains(out, call.Service) {
			out = append(out, call.Service)
		}
	}
	return out
}
