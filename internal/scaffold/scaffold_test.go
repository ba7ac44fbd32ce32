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

// TestProgramHasTheSDKOfThisModule keeps a new program at the versions whose build the
// tests have.
func TestProgramHasTheSDKOfThisModule(t *testing.T) {
	versions := func(path string) map[string]string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+) (v\S+)`).FindAllStringSubmatch(string(text), -1) {
			all[m[1]] = m[2]
		}
		return all
	}
	ours, theirs := versions("../../go.mod"), versions("templates/go/go.mod.tmpl")
	if theirs["github.com/aws/aws-sdk-go-v2/service/configservice"] == "" {
		t.Fatalf("the template requires %v", theirs)
	}
	for module, version := range theirs {
		if ours[module] != "" && ours[module] != version {
			t.Errorf("a new program has %s %s, and this module %s: \"go get\" and \"go mod tidy\" in a new rule, then copy its go.mod and go.sum", module, version, ours[module])
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
