package resources_test

import (
	"reflect"
	"slices"
	"testing"

	"plumb/internal/resource"
)

// The path that every announced change takes, and every deletion that is confirmed: a resource is read alone, by the
// answers of the examples.
func TestEveryTypeReadsOneResource(t *testing.T) {
	cat := load(t)
	for _, info := range cat.Types() {
		t.Run(info.Type, func(t *testing.T) {
			examples, err := cat.Examples(info.Type)
			if err != nil {
				t.Fatal(err)
			}
			for _, ex := range examples {
				one(t, cat, info, ex)
			}
		})
	}
}

func one(t *testing.T, cat *resource.Catalogue, info resource.Info, ex resource.Example) {
	t.Helper()
	items, err := cat.Run(t.Context(), info.Type, ex)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		client, _ := cat.Replay(ex)
		if got, found, err := cat.Describe(t.Context(), client, it.ResourceKey); err != nil || !found || !reflect.DeepEqual(got, it) {
			t.Errorf("%s, %s is read as\n%v, %v, %v\nand was listed as\n%v", ex.Name, it.ID, got, found, err, it)
		}
		client, _ = cat.Replay(ex)
		if gone, err := cat.Gone(t.Context(), client, it); gone || err != nil {
			t.Errorf("%s, %s is there, and gone is %v, %v", ex.Name, it.ID, gone, err)
		}
		calls := slices.DeleteFunc(cat.Calls(info.Type), func(c resource.Call) bool { return !c.Single })
		single := calls[max(0, slices.IndexFunc(calls, func(c resource.Call) bool { return len(c.Gone) > 0 }))]
		for _, code := range single.Gone {
			client, _ = cat.Replay(failing(ex, single.Operation, code))
			if gone, err := cat.Gone(t.Context(), client, it); !gone || err != nil {
				t.Errorf("%s, %s with %s: gone is %v, %v", ex.Name, it.ID, code, gone, err)
			}
		}
		client, _ = cat.Replay(failing(ex, single.Operation, "AccessDenied"))
		if gone, err := cat.Gone(t.Context(), client, it); gone || err == nil {
			t.Errorf("%s, %s with AccessDenied: gone is %v, %v", ex.Name, it.ID, gone, err)
		}
	}
}

// failing is an example in which an operation fails.
func failing(ex resource.Example, operation, code string) resource.Example {
	out := resource.Example{Answers: []resource.Recorded{{Call: operation, Error: code}}}
	for _, rec := range ex.Answers {
		if rec.Call != operation {
			out.Answers = append(out.Answers, rec)
		}
	}
	return out
}
