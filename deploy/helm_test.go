package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"
)

const chart = "helm/plumb"

// render renders the chart's objects by their kind, with helm where it is there. Else
// Go's templates do, with those of helm's functions that the chart uses.
func render(t *testing.T, values map[string]any) (map[string]any, error) {
	t.Helper()
	text, err := []byte(nil), error(nil)
	if helm, missing := exec.LookPath("helm"); missing == nil {
		text, err = renderByHelm(t, helm, values)
	} else {
		text, err = renderHere(t, values)
	}
	if err != nil {
		return nil, err
	}
	objects := map[string]any{}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o map[string]any
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if kind, _ := o["kind"].(string); kind != "" {
			objects[kind] = o
		}
	}
}

func renderByHelm(t *testing.T, helm string, values map[string]any) ([]byte, error) {
	t.Helper()
	given, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, given, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), helm, "template", "test", chart, "--namespace", "ours", "--kube-version", "1.30.0", "--values", file)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		err = errors.New(errOut.String())
	}
	return out, err
}

func renderHere(t *testing.T, values map[string]any) ([]byte, error) {
	t.Helper()
	described := read(t, chart+"/Chart.yaml")
	data := map[string]any{
		"Values": merged(read(t, chart+"/values.yaml"), values), "Release": map[string]any{"Name": "test", "Namespace": "ours", "Service": "Helm"},
		"Chart": map[string]any{"Name": described["name"], "AppVersion": described["appVersion"]},
	}
	files, err := filepath.Glob(chart + "/templates/*")
	if err != nil {
		t.Fatal(err)
	}
	all := template.New("").Option("missingkey=zero")
	all.Funcs(helmFunctions(all))
	if _, err := all.ParseFiles(files...); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, f := range files {
		var one bytes.Buffer
		if err := all.ExecuteTemplate(&one, filepath.Base(f), data); err != nil {
			return nil, err
		}
		if filepath.Ext(f) == ".yaml" {
			fmt.Fprintf(&out, "---\n%s\n", one.Bytes())
		}
	}
	return out.Bytes(), nil
}

func merged(base, over map[string]any) map[string]any {
	base = maps.Clone(base)
	for k, v := range over {
		inner, ok := v.(map[string]any)
		below, same := base[k].(map[string]any)
		if ok && same {
			v = merged(below, inner)
		}
		base[k] = v
	}
	return base
}

// helmFunctions are those of Sprig and of helm that the chart uses.
func helmFunctions(all *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b strings.Builder
			err := all.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"fail":  func(s string) (string, error) { return "", errors.New(s) },
		"int":   func(v any) int { n, _ := v.(int); return n },
		"quote": func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"default": func(d, v any) any {
			if v == nil || v == "" {
				return d
			}
			return v
		},
		"trunc":      func(n int, s string) string { return s[:min(n, len(s))] },
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"nindent": func(n int, s string) string {
			pad := "\n" + strings.Repeat(" ", n)
			return pad + strings.ReplaceAll(s, "\n", pad)
		},
		"toYaml": func(v any) (string, error) {
			text, err := yaml.Marshal(v)
			return strings.TrimSuffix(string(text), "\n"), err
		},
	}
}

func TestChartRunsAServerThatMayDoLittle(t *testing.T) {
	objects, err := render(t, map[string]any{"existingSecret": "plumb-settings", "env": map[string]any{"PLUMB_REGION": "eu-west-1"}})
	if err != nil {
		t.Fatal(err)
	}
	pod := at(objects["StatefulSet"], "spec", "template", "spec")
	container := at(pod, "containers", 0)
	for want, got := range map[string]any{
		"true: non-root":      at(pod, "securityContext", "runAsNonRoot"),
		"true: read-only":     at(container, "securityContext", "readOnlyRootFilesystem"),
		"false: escalation":   at(container, "securityContext", "allowPrivilegeEscalation"),
		"ALL: capabilities":   at(container, "securityContext", "capabilities", "drop", 0),
		"false: token":        at(pod, "automountServiceAccountToken"),
		"plumb:0.1.0: image":  at(container, "image"),
		"--behind-proxy: arg": at(container, "command", 2),
		"http: port":          at(objects["Service"], "spec", "ports", 0, "targetPort"),
	} {
		if value, what, _ := strings.Cut(want, ": "); fmt.Sprint(got) != value {
			t.Errorf("%s is %v, want %s", what, got, value)
		}
	}
	variables := map[string]any{}
	list, _ := at(container, "env").([]any)
	for _, v := range list {
		name, _ := at(v, "name").(string)
		knownFlags(t, "the chart", name)
		variables[name] = at(v, "value")
	}
	if variables["PLUMB_MODE"] != "server" || variables["PLUMB_REGION"] != "eu-west-1" || variables["PLUMB_HOSTS"] != "[test-plumb, test-plumb.ours, test-plumb.ours.svc]" {
		t.Errorf("the variables are %v", variables)
	}
	selector, labels := at(objects["Service"], "spec", "selector"), at(objects["StatefulSet"], "spec", "template", "metadata", "labels")
	for k, v := range selector.(map[string]any) {
		if at(labels, k) != v {
			t.Errorf("the service looks for %s=%v, and pods have %v", k, v, labels)
		}
	}
	if at(objects["StatefulSet"], "spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage") != "10Gi" {
		t.Errorf("%v", objects["StatefulSet"])
	}
}

func TestChartRefusesWhatCannotRun(t *testing.T) {
	for want, values := range map[string]map[string]any{
		"server mode needs existingSecret":     {},
		"several replicas need existingSecret": {"mode": "development", "replicas": 2},
		"":                                     {"mode": "development", "persistence": map[string]any{"enabled": false}},
	} {
		objects, err := render(t, values)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %q", values, err, want)
			}
			continue
		}
		if err != nil || at(objects["StatefulSet"], "spec", "template", "spec", "containers", 0, "command", 2) != "--open-to-anyone" {
			t.Errorf("%v, %v", objects, err)
		}
	}
}

func TestChartIsWellFormedToHelm(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "helm", "lint", "--strict", chart, "--set", "existingSecret=s")
	if _, err := exec.LookPath("helm"); err != nil {
		cmd = exec.CommandContext(t.Context(), tool(t, "chart"), chart)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
