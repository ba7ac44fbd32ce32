package core

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

// Catalogues are what Plumb knows, whatever it keeps: they outlive a reset.
type Catalogues struct {
	APIs    *awsclient.Models   // models/: how services are called
	Types   *resource.Catalogue // resources/: what can be recorded
	Names   []string            // every type that AWS Config has, recorded here or not
	Managed *managed.Catalogue  // rules/: what can be checked
}

// LoadCatalogues reads what the program carries, and the rules of a user's own
// folder if one is named.
func LoadCatalogues(ownRules string) (c Catalogues, err error) {
	c.APIs = awsclient.NewModels(models.FS)
	if c.Types, err = resource.Load(resources.FS, c.APIs); err != nil {
		return c, fmt.Errorf("resource types: %w", err)
	}
	names, err := fs.ReadFile(resources.FS, "types.txt")
	if err != nil {
		return c, fmt.Errorf("resource types: %w", err)
	}
	c.Names = strings.Fields(string(names))
	if c.Managed, err = managed.LoadWith(ownRules); err != nil {
		return c, err
	}
	return c, nil
}
