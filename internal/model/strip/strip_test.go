package main

import (
	"maps"
	"slices"
	"testing"

	"plumb/documents"
	"plumb/internal/model"
	"plumb/models"
	"plumb/resources"
)

func TestDescriptionsHaveTheOperationsThatAreNamedAndNoOthers(t *testing.T) {
	all, err := wanted(models.FS, resources.FS, documents.FS)
	if err != nil {
		t.Fatal(err)
	}
	for name, listing := range all {
		api, err := model.Load(models.FS, name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := slices.Sorted(maps.Keys(api.Operations)); listing.Operations != nil && !slices.Equal(got, listing.Operations) {
			t.Errorf("%s has %v, and %v are named: strip it again", name, got, listing.Operations)
		}
	}
}
