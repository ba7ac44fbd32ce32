package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEnvGoesThereAndBackInEachShell(t *testing.T) {
	for shell, words := range map[string][2]string{
		"cli":        {"export %s=", "unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID"},
		"fish":       {"set -gx %s '", "set -e AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID"},
		"powershell": {"$env:%s = '", "Remove-Item Env:AWS_ENDPOINT_URL, Env:AWS_ACCESS_KEY_ID"},
	} {
		_, set, _ := plumb(t, "env", shell)
		code, back, errOut := plumb(t, "env", shell, "--unset")
		if code != 0 || !strings.HasPrefix(back, words[1]) {
			t.Errorf("%s: code %d: %s%s", shell, code, back, errOut)
		}
		for _, name := range variables {
			if !strings.Contains(set, strings.Replace(words[0], "%s", name, 1)) || !strings.Contains(back, name) {
				t.Errorf("%s: %s is not set and taken away:\n%s%s", shell, name, set, back)
			}
		}
	}
	_, set, _ := plumb(t, "env")
	_, back, _ := plumb(t, "env", "--unset")
	got, err := exec.CommandContext(t.Context(), "sh", "-c", `eval "$0"; eval "$1"; env | grep -c "^AWS_ENDPOINT_URL="`, set, back).Output()
	if strings.TrimSpace(string(got)) != "0" {
		t.Errorf("the shell still has %q, %v", got, err)
	}
	if code, _, errOut := plumb(t, "env", "terraform", "--unset"); code != 1 || !strings.Contains(errOut, "sets no variables") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

// terraformPlan runs terraform in a folder with a configuration and returns the
// details of what it complains of.
func terraformPlan(t *testing.T, dir, configuration string) (details []string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(configuration), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := terraform(t, dir, "plan", "-json", "-input=false")
	for line := range strings.Lines(string(out)) {
		var l struct {
			Type       string
			Diagnostic struct{ Summary, Detail string }
		}
		if json.Unmarshal([]byte(line), &l) == nil && l.Type == "diagnostic" {
			details = append(details, l.Diagnostic.Summary+": "+l.Diagnostic.Detail)
		}
	}
	if err != nil && len(details) == 0 {
		t.Fatalf("terraform plan: %v\n%s", err, out)
	}
	return details
}

func terraform(t *testing.T, dir string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "rc"), "CHECKPOINT_DISABLE=1")
	return cmd.Output()
}

// The provider says which services it knows, and which names are of one service.
func TestTerraformRedirectsEveryServiceOfTheProvider(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("takes a minute: set PLUMB_TEST_REAL")
	}
	plugins := os.Getenv("PLUMB_TERRAFORM_PLUGINS")
	if _, err := exec.LookPath("terraform"); err != nil || plugins == "" {
		t.Skip("no terraform, or PLUMB_TERRAFORM_PLUGINS names no folder with its provider for AWS")
	}
	dir := t.TempDir()
	rc := "provider_installation {\n  filesystem_mirror {\n    path = \"" + plugins + "\"\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "rc"), []byte(rc), 0o644); err != nil {
		t.Fatal(err)
	}
	const use = "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\ndata \"aws_region\" \"r\" {}\n"
	_, block, _ := plumb(t, "env", "terraform", "--endpoint", "http://127.0.0.1:9")
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(use+block), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := terraform(t, dir, "init", "-input=false"); err != nil {
		t.Fatalf("terraform init: %v\n%s", err, out)
	}
	if details := terraformPlan(t, dir, use+block); len(details) > 0 {
		t.Errorf("the provider complains: %q", details)
	}
	all := providersEndpoints(t, dir)
	var lines strings.Builder
	for _, name := range all {
		lines.WriteString("    " + name + " = \"http://127.0.0.1:9\"\n")
	}
	every := regexp.MustCompile(`(?s)  endpoints \{\n.*?\n  \}`).ReplaceAllLiteralString(block, "  endpoints {\n"+lines.String()+"  }")
	ours := terraformNames()
	for _, detail := range terraformPlan(t, dir, use+every) {
		var group []string
		for _, m := range regexp.MustCompile(`endpoints\[0\]\.(\w+)`).FindAllStringSubmatch(detail, -1) {
			group = append(group, m[1])
		}
		if len(group) > 0 && !slices.ContainsFunc(group, func(n string) bool { return slices.Contains(ours, n) }) {
			t.Errorf("none of %v is redirected", group)
		}
		all = slices.DeleteFunc(all, func(n string) bool { return slices.Contains(group, n) })
	}
	for _, name := range all {
		if !slices.Contains(ours, name) {
			t.Errorf("%s is not redirected", name)
		}
	}
}

func providersEndpoints(t *testing.T, dir string) []string {
	t.Helper()
	out, err := terraform(t, dir, "providers", "schema", "-json")
	if err != nil {
		t.Fatalf("terraform providers schema: %v", err)
	}
	type block struct {
		Attributes map[string]json.RawMessage `json:"attributes"`
		BlockTypes map[string]struct {
			Block struct {
				Attributes map[string]json.RawMessage `json:"attributes"`
			} `json:"block"`
		} `json:"block_types"`
	}
	var schema struct {
		Providers map[string]struct {
			Provider struct {
				Block block `json:"block"`
			} `json:"provider"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal(out, &schema); err != nil {
		t.Fatal(err)
	}
	for _, p := range schema.Providers {
		if names := slices.Sorted(maps.Keys(p.Provider.Block.BlockTypes["endpoints"].Block.Attributes)); len(names) > 0 {
			return names
		}
	}
	t.Fatal("the provider has no endpoints block")
	return nil
}
