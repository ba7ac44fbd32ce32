package app

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

const deploy = "../../deploy"

// series returns what /metrics can show: each family, and the parts of histograms.
func series(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	name, histograms := regexp.MustCompile(`fqName: "([^"]+)"`), []string{"", "_bucket", "_sum", "_count"}
	for _, c := range newMetrics(&App{}).own {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			family := name.FindStringSubmatch(d.String())[1]
			parts := histograms[:1]
			if _, ok := c.(*prometheus.HistogramVec); ok {
				parts = histograms
			}
			for _, part := range parts {
				all[family+part] = true
			}
		}
	}
	return all
}

var ourMetric = regexp.MustCompile(`\bplumb_[a-z_]+`)

// expressions are those of the dashboard and of the alerts.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile(filepath.Join(deploy, "grafana/plumb.json"))
	if err == nil {
		err = json.Unmarshal(text, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			out["panel "+p.Title] += target.Expr + " "
		}
	}
	var alerts struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if text, err = os.ReadFile(filepath.Join(deploy, "prometheus/alerts.yml")); err == nil {
		err = yaml.Unmarshal(text, &alerts)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			out["alert "+r.Alert] = r.Expr
		}
	}
	return out
}

func TestDashboardAndAlertsAskForWhatThereIs(t *testing.T) {
	known, asked := series(t), map[string]bool{}
	for where, expr := range expressions(t) {
		if strings.TrimSpace(expr) == "" {
			t.Errorf("%s asks for nothing", where)
		}
		for _, name := range ourMetric.FindAllString(expr, -1) {
			asked[name] = true
			if !known[name] {
				t.Errorf("%s asks for %s, which /metrics does not show", where, name)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(deploy, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !strings.Contains(string(text), "`"+base+"`") {
			t.Errorf("deploy/README.md does not say what %s is", base)
		}
		if !asked[base] && !asked[base+"_bucket"] && !asked[base+"_count"] {
			t.Errorf("neither dashboard nor alerts show %s", base)
		}
	}
}

func TestPrometheusTakesTheAlerts(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed")
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "check", "rules", filepath.Join(deploy, "prometheus/alerts.yml")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
