package realtest

import (
	"testing"
	"time"

	"plumb/internal/report"
	"plumb/internal/ruletest"
	"plumb/internal/settings"
)

// publicTested is how many public rules have a test file here.
const publicTested = 55

// TestPublicRulesPassTheirTestFiles is "plumb rule test testdata/rule-test --root CHECKOUT": rules as they are in the checkout,
// each with items and what it must say.
func TestPublicRulesPassTheirTestFiles(t *testing.T) {
	o := ruletest.Options{Root: needCheckout(t, rulesVariable), Settings: settings.Default()}
	suites, err := ruletest.Collect([]string{"testdata/rule-test"}, o)
	if err != nil || len(suites) != publicTested {
		t.Fatalf("%d rules, want %d: %v", len(suites), publicTested, err)
	}
	began := time.Now()
	for _, c := range ruletest.Run(t.Context(), suites, o) {
		if c.Status != report.Passed {
			t.Errorf("%s: %s is %s: %s\n%s", c.Suite, c.Name, c.Status, c.Message, c.Detail)
		}
	}
	t.Logf("%d rules in %s", len(suites), time.Since(began).Round(100*time.Millisecond))
}
