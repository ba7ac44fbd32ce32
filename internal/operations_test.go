package internal

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryOperationThatIsBuiltIsRunByATest looks for the name of each operation
// in the tests that use the service: as a method of an SDK's client, an action or
// a target, as a command of the AWS CLI or a method of boto3.
func TestEveryOperationThatIsBuiltIsRunByATest(t *testing.T) {
	tests := testSources(t)
	for service, operations := range builtOperations(t) {
		sources := ""
		for _, text := range tests {
			if strings.Contains(text, clientOf(service)) {
				sources += text
			}
		}
		for _, operation := range operations {
			run := regexp.MustCompile(`\b(` + operation + `|` + kebab(operation) + `|` + strings.ReplaceAll(kebab(operation), "-", "_") + `)\b`).MatchString(sources)
			switch missing := slices.Contains(untested(), service+" "+operation); {
			case !run && !missing:
				t.Errorf("no test runs %s of %s", operation, service)
			case run && missing:
				t.Errorf("%s of %s has a test: take it off the list", operation, service)
			}
		}
	}
}

// untested are operations that were built without a test. The list only shrinks.
func untested() []string {
	return []string{
		"lambda GetFunctionCodeSigningConfig", "lambda GetFunctionConcurrency", "lambda ListVersionsByFunction", "lambda UpdateFunctionCode",
		"sns GetDataProtectionPolicy", "sns ListSubscriptions", "sns PutDataProtectionPolicy", "sqs ChangeMessageVisibilityBatch",
	}
}

// clientOf is the word that a test has which uses a service.
func clientOf(service string) string {
	if service == "config" {
		return "configservice"
	}
	return service
}

var serviceLine = regexp.MustCompile(`^## .*\(([\w-]+) [-0-9]+\)$`)

// builtOperations reads docs/coverage.md, which another test keeps fresh.
func builtOperations(t *testing.T) map[string][]string {
	t.Helper()
	built, service := map[string][]string{}, ""
	for _, line := range lines(t, "coverage.md") {
		if m := serviceLine.FindStringSubmatch(line); m != nil {
			service = m[1]
		}
		if names, ok := strings.CutPrefix(line, "Built: "); ok {
			built[service] = quoted(names)
		}
	}
	if len(built["config"]) == 0 {
		t.Fatal("docs/coverage.md lists no operation of AWS Config")
	}
	return built
}

// testSources are the texts of all tests, of what they share, and their scripts.
func testSources(t *testing.T) (texts []string) {
	t.Helper()
	look := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "operations_test.go" {
			return err
		}
		path = filepath.ToSlash(path)
		if strings.HasPrefix(path, "walltest/") { // it names operations that are to be refused
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "testdata/script/") && !strings.HasPrefix(path, "apptest/") {
			return nil
		}
		text, err := os.ReadFile(path)
		texts = append(texts, string(text))
		return err
	}
	for _, dir := range []string{".", "../testdata/script"} {
		if err := filepath.WalkDir(dir, look); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// kebab returns the name of an operation as the AWS CLI spells it.
func kebab(operation string) string {
	words := regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(operation, "$1-$2")
	return strings.ToLower(words)
}
