package managed

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ownFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRulesOfOnesOwnStandBesideTheManagedOnes(t *testing.T) {
	dir := ownFolder(t, map[string]string{"deep/port.yaml": goodFile, "notes.txt": "no rule", ".hidden.yaml": ":", "plumb-test.yaml": "tests: []"})
	c, err := LoadWith(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, ok := c.Known("PORT_CLOSED")
	if !ok || !info.Evaluated || info.DefaultName != "port-closed" || info.Trigger != Change || len(info.Parameters) != 1 {
		t.Errorf("the rule is %v %+v", ok, info)
	}
	if err := c.CheckParameters("PORT_CLOSED", `{"port": "443"}`); err != nil {
		t.Error(err)
	}
	if err := c.CheckParameters("PORT_CLOSED", `{"prot": "443"}`); err == nil {
		t.Error("a parameter that the file does not have was taken")
	}
	if _, err := c.Evaluator("PORT_CLOSED", ""); err != nil {
		t.Error(err)
	}
	if _, ok := c.Known("INCOMING_SSH_DISABLED"); !ok {
		t.Error("the managed rules are gone")
	}
}

func TestWrongRuleOfOnesOwnIsToldWithFileAndLine(t *testing.T) {
	renamed := func(to string) string { return "# ours\n" + strings.Replace(goodFile, "PORT_CLOSED", to, 1) }
	for want, files := range map[string]map[string]string{
		`a.yaml:4: the trigger "sometimes" is none of`:                     {"a.yaml": strings.Replace(goodFile, "trigger: change", "trigger: sometimes", 1)},
		`a.yaml:2: the identifier "S3_BUCKET_VERSIONING_ENABLED" is that`:  {"a.yaml": renamed("S3_BUCKET_VERSIONING_ENABLED")},
		`a.yaml:2: the identifier "port-closed" is not of capital letters`: {"a.yaml": renamed("port-closed")},
		`b.yaml:1: the identifier "PORT_CLOSED" is that of another file`:   {"a.yaml": goodFile, "b.yaml": goodFile},
	} {
		dir := ownFolder(t, files)
		if _, err := LoadWith(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
	if _, err := LoadWith(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "rules of your own") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestRuleWhoseFileIsGoneHasNoEvaluator(t *testing.T) {
	if _, err := loaded(t).Evaluator("PORT_CLOSED", ""); !errors.Is(err, ErrNoEvaluator) {
		t.Errorf("the error is %v", err)
	}
}
