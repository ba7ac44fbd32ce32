package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ruleCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := newRuleCommand()
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceUsage, command.SilenceErrors = true, true
	err := command.Execute()
	return out.String(), err
}

func TestRuleTestRunsTheExamplesOfAFile(t *testing.T) {
	out, err := ruleCommand(t, "test", "../../rules/encrypted-volumes.yaml")
	if err != nil || out != "ok   ../../rules/encrypted-volumes.yaml: 8 examples\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRuleTestFailsOnAWrongExample(t *testing.T) {
	content, err := os.ReadFile("../../rules/encrypted-volumes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "mine.yaml")
	content = bytes.ReplaceAll(content, []byte("compliance: NOT_APPLICABLE"), []byte("compliance: COMPLIANT"))
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := ruleCommand(t, "test", name)
	var exit exitError
	if !errors.As(err, &exit) || exit.code != 1 || exit.err != nil {
		t.Errorf("the error is %v", err)
	}
	for _, want := range []string{
		name + ":27: not attached: NOT_APPLICABLE, where COMPLIANT is expected\n",
		name + ": no example shows NOT_APPLICABLE\n", "FAIL " + name + ": 1 of 8 examples\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestRuleListCanBeNarrowedToWhatIsEvaluated(t *testing.T) {
	all, err := ruleCommand(t, "list")
	if err != nil || strings.Count(all, "\n") != 815 {
		t.Errorf("%v, %d lines", err, strings.Count(all, "\n"))
	}
	some, err := ruleCommand(t, "list", "--evaluated")
	if err != nil || strings.Contains(some, "ACCESS_KEYS_ROTATED") || !strings.Contains(some, "ENCRYPTED_VOLUMES") {
		t.Errorf("%v\n%s", err, some)
	}
}
