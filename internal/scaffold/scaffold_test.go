package scaffold_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"plumb/internal/scaffold"
)

func TestEveryLanguageHasAFileWithItsNames(t *testing.T) {
	for _, language := range scaffold.Languages() {
		folder := filepath.Join(t.TempDir(), "my-rule")
		files, err := scaffold.New(folder, language, "AWS::EC2::Instance")
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %v, %v", language, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil || regexp.MustCompile(`{{\w+}}`).Match(text) {
				t.Errorf("%s: %v\n%s", file, err, text)
			}
		}
	}
}

func TestWrongWishesAreRefusedAndNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string][3]string{
		"is none of python":      {filepath.Join(dir, "a"), "cobol", "AWS::S3::Bucket"},
		"is not a resource type": {filepath.Join(dir, "a"), "python", "bucket"},
		"is the rule's":          {filepath.Join(dir, "1 a"), "python", "AWS::S3::Bucket"},
	} {
		if _, err := scaffold.New(c[0], c[1], c[2]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
	full := filepath.Join(dir, "full")
	for range 2 {
		_, err := scaffold.New(full, "guard", "AWS::S3::Bucket")
		if _, second := os.Stat(filepath.Join(full, "rule.guard")); err != nil && (second != nil || !strings.Contains(err.Error(), "is not empty")) {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("there are %v", entries)
	}
}
