package app

import (
	"fmt"
	"io/fs"
	"strings"

	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/internal/rule/managed"
	"plumb/models"
	"plumb/resources"
)

// catalogues are what Plumb knows, whatever it keeps: they outlive a reset.
type catalogues struct {
	apis    *awsclient.Models   // models/: how services are called
	types   *resource.Catalogue // resources/: what can be recorded
	names   []string            // every type that AWS Config has, recorded here or not
	managed *managed.Catalogue  // rules/: what can be checked
}

func loadCatalogues() (c catalogues, err error) {
	c.apis = awsclient.NewModels(models.FS)
	if c.types, err = resource.Load(resources.FS, c.apis); err != nil {
		return c, fmt.Errorf("resource types: %w", err)
	}
	names, err := fs.ReadFile(resources.FS, "types.txt")
	if err != nil {
		return c, fmt.Errorf("resource types: %w", err)
	}
	c.names = strings.Fields(string(names))
	if c.managed, err = managed.Load(); err != nil {
		return c, fmt.Errorf("managed rules: %w", err)
	}
	return c, nil
}
