package main

import (
	"bytes"
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

func TestRuleListCanBeNarrowedToWhatIsEvaluated(t *testing.T) {
	all, err := ruleCommand(t, "list")
	if err != nil || strings.Count(all, "\n") != 815 {
		t.Errorf("%v, %d lines", err, strings.Count(all, "\n"))
	}
	some, err := ruleCommand(t, "list", "--evaluated")
	if err != nil || strings.Contains(some, "FMS_WEBACL_RESOURCE_POLICY_CHECK") || !strings.Contains(some, "ENCRYPTED_VOLUMES") {
		t.Errorf("%v\n%s", err, some)
	}
}
