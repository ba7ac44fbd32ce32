package realtest

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTheModuleRecordsAndEvaluates applies the module of deploy/terraform, changes a
// parameter of its rules, and removes all of it.
func TestTheModuleRecordsAndEvaluates(t *testing.T) {
	needTool(t, "terraform", "aws")
	s := serve(t)
	w := needTerraform(t, s, "terraform-module", filepath.Join("..", "..", "deploy", "terraform"))
	w.run(t, "apply", "-auto-approve")
	w.unchanged(t)
	s.drain(t)
	for _, rule := range []string{"versioned", "tagged", "owned"} {
		if got := told(t, s, rule); got != "NON_COMPLIANT" {
			t.Errorf("the rule %s says %q of a bucket without versions and tags", rule, got)
		}
	}
	w.run(t, "apply", "-auto-approve", "-var", "tag=team")
	w.unchanged(t, "-var", "tag=team")
	w.run(t, "destroy", "-auto-approve")
	var rules []any
	s.query(t, &rules, "configservice", "describe-config-rules", "--query", "ConfigRules")
	if len(rules) != 0 {
		t.Errorf("rules after destroy: %v", rules)
	}
}

// copyModule puts the files of a module into the workspace's folder module.
func copyModule(t *testing.T, from, workspace string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(workspace, "module"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
