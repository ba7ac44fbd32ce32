package realtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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

// needTerraform prepares a workspace with the configuration in a folder of
// testdata, and the module that it uses, or skips where the provider is not to be
// had.
func needTerraform(t *testing.T, s served, folder string, module ...string) workspace {
	t.Helper()
	w := workspace{dir: t.TempDir()}
	text, err := os.ReadFile(filepath.Join("testdata", folder, "main.tf"))
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
	for _, from := range module {
		copyModule(t, from, w.dir)
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
	w := needTerraform(t, s, "terraform")
	w.run(t, "apply", "-auto-approve")
	w.unchanged(t)
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

// unchanged fails the test if Terraform sees a difference between what it wants and
// what is described.
func (w workspace) unchanged(t *testing.T, args ...string) {
	t.Helper()
	if out, code := w.try(t, append([]string{"plan", "-detailed-exitcode"}, args...)...); code != 0 {
		t.Errorf("the plan is not empty:\n%s", out)
	}
}

// TestTerraformKnowsEveryResourceOfAWSConfig makes, changes, imports and removes
// each kind of resource that the provider has for AWS Config. Texts of templates are
// not described by AWS either, so importing a pack puts it again.
func TestTerraformKnowsEveryResourceOfAWSConfig(t *testing.T) {
	needTool(t, "terraform", "aws", "python3")
	s := serve(t)
	w := needTerraform(t, s, "terraform-all")
	s.aws(t, "organizations", "create-organization")
	w.run(t, "apply", "-auto-approve")
	w.unchanged(t)
	w.run(t, "apply", "-auto-approve", "-var", "color=blue")
	w.unchanged(t, "-var", "color=blue")

	imports, err := os.ReadFile(filepath.Join("testdata", "terraform-all", "imports.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "imports.tf"), imports, 0o644); err != nil {
		t.Fatal(err)
	}
	forget, kinds := []string{"state", "rm"}, map[string]bool{}
	for _, m := range regexp.MustCompile(`to = ((aws_config_\w+)\.\w+)`).FindAllStringSubmatch(string(imports), -1) {
		forget, kinds[m[2]] = append(forget, m[1]), true
	}
	if len(kinds) != 13 {
		t.Errorf("%d kinds of resources", len(kinds))
	}
	w.state(t, forget...)
	out, code := w.try(t, "apply", "-auto-approve", "-var", "color=blue")
	if code != 0 || !strings.Contains(out, "Resources: 14 imported, 0 added, 2 changed, 0 destroyed.") {
		t.Errorf("import: exit %d\n%s", code, out)
	}
	w.unchanged(t, "-var", "color=blue")
	w.run(t, "destroy", "-auto-approve", "-var", "color=blue")
	var rules, packs []any
	s.query(t, &rules, "configservice", "describe-config-rules", "--query", "ConfigRules")
	s.query(t, &packs, "configservice", "describe-conformance-packs", "--query", "ConformancePackDetails")
	if len(rules)+len(packs) != 0 {
		t.Errorf("after destroy: rules %v, packs %v", rules, packs)
	}
}

// TestTerraformMakesChangesAndRemovesIdentities is what modules have of IAM: nothing
// of it leaves the machine.
func TestTerraformMakesChangesAndRemovesIdentities(t *testing.T) {
	needTool(t, "terraform", "aws")
	s := serve(t)
	w := needTerraform(t, s, "terraform-iam")
	w.run(t, "apply", "-auto-approve")
	w.unchanged(t)
	w.run(t, "apply", "-auto-approve", "-var", "color=blue")
	w.unchanged(t, "-var", "color=blue")
	w.run(t, "destroy", "-auto-approve", "-var", "color=blue")
	var left []any
	s.query(t, &left, "iam", "get-account-authorization-details", "--query", "[UserDetailList, GroupDetailList, RoleDetailList, Policies][]")
	if len(left) != 0 {
		t.Errorf("after destroy: %v", left)
	}
}

// state is run for the commands that take no -input.
func (w workspace) state(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("terraform %v: %v\n%s", args, err, out)
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
