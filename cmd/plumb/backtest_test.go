package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

// plumbs runs a command against a server, and returns what it printed and its
// errors.
func plumbs(t *testing.T, p *apptest.Plumb, args ...string) (out, errOut string) {
	t.Helper()
	var text, errText bytes.Buffer
	run(t.Context(), append(args, "--endpoint", p.URL(), "--region", p.Region()), strings.NewReader(""), &text, &errText)
	return text.String(), errText.String()
}

const doors = "rule doors when resourceType == \"Acme::Road::Car\" {\n  configuration.doors >= 4 <<too few doors>>\n}\n"

func TestBacktestPrintsWhatAChangedPolicyWouldTurn(t *testing.T) {
	p := apptest.Start(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "doors.guard")
	save := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	car := func(id, configuration string) {
		_, err := p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{ResourceType: new("Acme::Road::Car"), SchemaVersionId: new("1"),
			ResourceId: &id, Configuration: &configuration})
		if err != nil {
			t.Fatal(err)
		}
	}
	save(doors)
	if _, errOut := plumbs(t, p, "rule", "put", path); errOut != "" {
		t.Fatal(errOut)
	}
	car("family", `{"doors": 5}`)
	car("coupe", `{"doors": 2}`)
	p.Drain(t)
	out, errOut := plumbs(t, p, "backtest", path, "--since", "1h")
	if !strings.HasSuffix(out, ", 0 flips; compared with the rule doors\n") || strings.Contains(out, "->") || errOut != "" {
		t.Errorf("the same policy: %s%s", out, errOut)
	}
	save(strings.Replace(doors, "4", "2", 1))
	for _, args := range [][]string{{"--since", "1h"}, {"--present"}} {
		out, errOut = plumbs(t, p, append([]string{"backtest", path}, args...)...)
		for _, want := range []string{" (now)  Acme::Road::Car coupe  NON_COMPLIANT -> COMPLIANT", ", 1 flips", "1 resources would turn COMPLIANT now\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is not in\n%s%s", args, want, out, errOut)
			}
		}
	}
	out, _ = plumbs(t, p, "backtest", path, "--against", "none", "--json")
	if !strings.HasSuffix(out, `"flips":2,"turned":{"COMPLIANT":2}}}`+"\n") || strings.Contains(out, "compared") {
		t.Errorf("without a rule to compare with: %s", out)
	}
	save("rule doors {\n  configuration.doors >=\n}\n")
	if _, errOut = plumbs(t, p, "backtest", path); !strings.Contains(errOut, "3:1") {
		t.Errorf("a fault of the policy is told as %s", errOut)
	}
	left, err := p.Config().GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: new("doors"),
		ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}})
	if err != nil || len(left.EvaluationResults) != 1 {
		t.Errorf("the recorded verdicts are %v %v", left, err)
	}
}

func TestBacktestSaysWhatItCannotTry(t *testing.T) {
	p := apptest.Start(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"none"}, "'none' provided in the request is invalid"},
		{[]string{"none", "--against", "other"}, "--against is for files and identifiers"},
		{[]string{"S3_BUCKET_VERSIONING_ENABLED", "--since", "yesterday"}, "want 30d, 12h or a time"},
		{[]string{"S3_BUCKET_VERSIONING_ENABLED", "--parameter", "x"}, "want NAME=VALUE"},
		{[]string{"S3_BUCKET_VERSIONING_ENABLED", "--parameter", "x=y"}, "x"},
		{[]string{"NO_SUCH_RULE"}, "NO_SUCH_RULE"},
	} {
		if out, errOut := plumbs(t, p, append([]string{"backtest"}, c.args...)...); !strings.Contains(errOut, c.says) || out != "" {
			t.Errorf("%v: %s%s", c.args, out, errOut)
		}
	}
}
