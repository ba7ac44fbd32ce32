package realtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// pluginsVariable names a folder with Terraform's provider for AWS, as "terraform
// providers mirror" fills one. Without it Terraform looks where it always does.
const pluginsVariable = "PLUMB_TERRAFORM_PLUGINS"

// A workspace is a folder in which Terraform works on a server.
type workspace struct {
	dir string
	env []string
}

// needTerraform prepares a workspace, or skips where the provider is not to be had.
func needTerraform(t *testing.T, s served) workspace {
	t.Helper()
	w := workspace{dir: t.TempDir()}
	text, err := os.ReadFile(filepath.Join("testdata", "terraform", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	judge, err := os.ReadFile(filepath.Join("testdata", "judge.py"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"main.tf": text, "judge.zip": zipped(t, map[string][]byte{"judge.py": judge})} {
		if err := os.WriteFile(filepath.Join(w.dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.env = append(clientEnv(s.url), "TF_VAR_endpoint="+s.url, "TF_VAR_code=judge.zip", "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	args := []string{"init"}
	if dir := os.Getenv(pluginsVariable); dir != "" {
		args = append(args, "-plugin-dir="+dir)
	}
	if out, code := w.try(t, args...); code != 0 {
		t.Skipf("Terraform's provider for AWS is not to be had (%s names a folder with it): %s", pluginsVariable, out)
	}
	return w
}

func (w workspace) try(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("terraform", append(args, "-no-color", "-input=false")...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	t.Logf("$ terraform %v\n%s", args, out)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

func (w workspace) run(t *testing.T, args ...string) {
	t.Helper()
	if out, code := w.try(t, args...); code != 0 {
		t.Fatalf("terraform %v: exit %d\n%s", args, code, out)
	}
}

// TestTerraformMakesChangesAndRemovesARecorderWithRules is the life of a team's
// configuration. A second plan right after the first apply must be empty: what is
// described is what was put.
func TestTerraformMakesChangesAndRemovesARecorderWithRules(t *testing.T) {
	needTool(t, "terraform", "aws")
	needBoto3(t)
	s := serve(t)
	w := needTerraform(t, s)
	w.run(t, "apply", "-auto-approve")
	if out, code := w.try(t, "plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("the plan after the apply is not empty:\n%s", out)
	}
	s.drain(t)
	if got := told(t, s, "own"); got != "COMPLIANT" {
		t.Errorf("the team's rule says %q of its bucket", got)
	}
	if got := told(t, s, "versioned"); got != "COMPLIANT" {
		t.Errorf("the managed rule says %q of the bucket", got)
	}
	w.run(t, "apply", "-auto-approve", "-var", "want=blue")
	s.drain(t)
	if got := told(t, s, "own"); got != "NON_COMPLIANT" {
		t.Errorf("the team's rule says %q after its parameter changed", got)
	}
	w.run(t, "destroy", "-auto-approve")
	var rules []any
	s.query(t, &rules, "configservice", "describe-config-rules", "--query", "ConfigRules")
	if len(rules) != 0 {
		t.Errorf("rules after destroy: %v", rules)
	}
}

// told is what a rule says of the bucket.
func told(t *testing.T, s served, rule string) string {
	t.Helper()
	var verdict []string
	s.query(t, &verdict, "configservice", "get-compliance-details-by-config-rule", "--config-rule-name", rule,
		"--query", "EvaluationResults[?EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId=='delivered-by-terraform'].ComplianceType")
	if len(verdict) != 1 {
		return ""
	}
	return verdict[0]
}
