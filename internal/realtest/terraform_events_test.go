package realtest

import "testing"

// TestTerraformMakesAndRemovesRulesAndSchedules applies rules of EventBridge with their
// targets, and a schedule. What is described is what was put, and all of it goes again.
func TestTerraformMakesAndRemovesRulesAndSchedules(t *testing.T) {
	needTool(t, "terraform", "aws")
	s := serve(t)
	w := needTerraform(t, s, "terraform-events")
	w.run(t, "apply", "-auto-approve")
	w.unchanged(t)
	var targets []any
	s.query(t, &targets, "events", "list-targets-by-rule", "--rule", "sold", "--event-bus-name", "orders", "--query", "Targets")
	if len(targets) != 1 {
		t.Errorf("targets after apply: %v", targets)
	}
	w.run(t, "destroy", "-auto-approve")
	var rules []any
	s.query(t, &rules, "events", "list-rules", "--query", "Rules")
	if len(rules) != 0 {
		t.Errorf("rules after destroy: %v", rules)
	}
}
