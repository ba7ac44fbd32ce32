package syntax

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// PLUMB_GUARD_FIXTURES is a list of folders, checkouts of the original and of its
// rule registry.
func TestRuleFilesOfTheOriginalAreRead(t *testing.T) {
	folders := os.Getenv("PLUMB_GUARD_FIXTURES")
	if folders == "" {
		t.Skip("PLUMB_GUARD_FIXTURES is not set")
	}
	read := 0
	for _, folder := range filepath.SplitList(folders) {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".guard") && !strings.HasSuffix(path, ".ruleset") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, err = Parse(filepath.Base(path), string(source))
			invalid := strings.HasPrefix(filepath.Base(path), "invalid_")
			if invalid != (err != nil) {
				t.Errorf("%s: invalid: %v, error: %v", path, invalid, err)
			}
			read++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rule files", read)
}
