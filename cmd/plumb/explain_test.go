package main

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// gone is the address of a server that is not there.
func gone(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// words are those of Go's packages, of cobra and of SQLite, which tell nobody what to do.
var words = regexp.MustCompile(`dial tcp|Post "|Get "|\b(?:stat|lstat|open|mkdir) \S+: no such|arg\(s\)|\(14\)`)

func TestCommandsWithoutAServerSayWhereItIsMissingAndWhatToDo(t *testing.T) {
	address := gone(t)
	t.Setenv("PLUMB_LISTEN", address)
	folder := inFolder(t, map[string]string{"owned/rule.guard": versionedGuard, "owned/plumb-test.yaml": versionedTests, "item.json": `{"resourceType": "AWS::S3::Bucket", "resourceId": "a"}`})
	for _, args := range [][]string{
		{"logs", "f"}, {"why", "rule", "bucket"}, {"rule", "put", "owned"}, {"rule", "run", "owned"}, {"item", "put", "item.json"}, {"health"},
		{"query", "SELECT resourceId"}, {"deliveries", "list"}, {"channels", "test", "x"}, {"audit"},
	} {
		code, _, errs := plumb(t, args...)
		if code == 0 || words.MatchString(errs) || !strings.Contains(errs, "nothing answers at http://"+address) || !strings.Contains(errs, "plumb serve") {
			t.Errorf("%v: code %d: %s", args, code, errs)
		}
	}
	if entries, err := filepath.Glob(filepath.Join(folder, ".plumb*")); err != nil || entries != nil {
		t.Errorf("they left %v, %v", entries, err)
	}
}

func TestMistakesOfACallAreToldInPlainWords(t *testing.T) {
	t.Setenv("PLUMB_LISTEN", gone(t))
	for call, want := range map[string]string{
		"restore":                     "plumb restore is called as plumb restore FOLDER",
		"backup":                      "plumb backup is called as plumb backup FOLDER",
		"why one":                     "plumb why is called as plumb why RULE RESOURCE",
		"rule test nosuch":            "nosuch: no such file or directory",
		"check nosuch.json":           "nosuch.json: no such file or directory",
		"import nosuch":               "nosuch: no such file or directory",
		"serve --settings nosuch.yml": "settings file: nosuch.yml: no such file or directory",
		"serve --rules nosuch":        "nosuch: no such file or directory",
		"backup copy":                 "plumb.db: there is no such file: name the data folder of a server with --data, or its database with --database",
	} {
		t.Run(call, func(t *testing.T) {
			inFolder(t, nil)
			code, _, errs := plumb(t, strings.Fields(call)...)
			if code == 0 || words.MatchString(errs) || !strings.Contains(errs, want) {
				t.Errorf("code %d: %s", code, errs)
			}
		})
	}
}
