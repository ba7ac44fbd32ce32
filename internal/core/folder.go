package core

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Folders within the data folder.
const (
	objectsFolder = "objects"   // of buckets
	codeFolder    = "functions" // unpacked; a cache
	runFolder     = "run"       // of running functions
	sandboxFolder = "sandbox"
)

func (m *Machine) folder(name string) string { return filepath.Join(m.options.Settings.Data, name) }

// SandboxFolder is where a data folder keeps what the sandbox needs.
func SandboxFolder(data string) string { return filepath.Join(data, sandboxFolder) }

// ScratchFolders is a pattern of the /tmp of functions in a data folder.
func ScratchFolders(data string) string {
	return filepath.Join(data, runFolder, "environments", "*", "tmp")
}

// Empty forgets everything that was kept: the store, and the folders that hold
// objects and code.
func (m *Machine) Empty(ctx context.Context) error {
	if err := m.DB.Empty(ctx); err != nil {
		return fmt.Errorf("empty the store: %w", err)
	}
	for _, name := range []string{objectsFolder, codeFolder, scriptsFolder} {
		if err := os.RemoveAll(m.folder(name)); err != nil {
			return fmt.Errorf("remove files: %w", err)
		}
	}
	return nil
}
