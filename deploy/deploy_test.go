package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"plumb/internal/settings"
)

// read decodes a YAML file.
func read(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, path, text)
}

func decode(t *testing.T, name string, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	return v
}

// at follows keys and indices through decoded YAML; nil if something is not there.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			list, _ := v.([]any)
			if p >= len(list) {
				return nil
			}
			v = list[p]
		}
	}
	return v
}

func TestComposeFileRunsTheImageReadOnlyAndOnLoopback(t *testing.T) {
	plumb := at(read(t, "compose/compose.yaml"), "services", "plumb")
	if at(plumb, "read_only") != true || at(plumb, "ports", 0) != "127.0.0.1:4577:4577" || at(plumb, "cap_drop", 0) != "ALL" {
		t.Errorf("the service is %v", plumb)
	}
	context, _ := at(plumb, "build", "context").(string)
	dockerfile, _ := at(plumb, "build", "dockerfile").(string)
	if _, err := os.Stat(filepath.Join("compose", context, dockerfile)); err != nil {
		t.Error(err)
	}
	if docker, err := exec.LookPath("docker"); err == nil {
		cmd := exec.CommandContext(t.Context(), docker, "compose", "-f", "compose/compose.yaml", "config", "--quiet")
		if exec.Command(docker, "compose", "version").Run() != nil {
			t.Skip("docker has no compose")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// knownFlags finds the flags of "plumb serve" in a text, and refuses unknown ones.
func knownFlags(t *testing.T, name, text string) {
	t.Helper()
	known := []string{}
	for _, r := range settings.Table() {
		known = append(known, "--"+r.Name, r.Env())
	}
	for _, found := range regexp.MustCompile(`--[a-z][a-z-]+|\bPLUMB_[A-Z_]+`).FindAllString(text, -1) {
		if !slices.Contains(known, found) {
			t.Errorf("%s has %s, which is no setting", name, found)
		}
	}
}

func TestUnitStartsTheServerAndIsHeldTight(t *testing.T) {
	const path = "systemd/plumb.service"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+) serve (.*)$`).FindStringSubmatch(string(text))
	if start == nil || start[1] != "/usr/bin/plumb" {
		t.Fatalf("it starts %v", start)
	}
	knownFlags(t, path, start[2])
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("this machine has no systemd-analyze")
	}
	dir := t.TempDir()
	unit := filepath.Join(dir, "plumb.service")
	// The program is not installed here.
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/bin/plumb"), []byte("/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "plumb.service") {
			t.Errorf("systemd-analyze says: %s", line)
		}
	}
	if err != nil && !strings.Contains(string(out), "plumb.service") {
		t.Logf("systemd-analyze verify: %v: %s", err, out) // of units of the machine
	}
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=40", unit).CombinedOutput()
	if err != nil && strings.Contains(string(out), "Overall exposure level") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPackagesHoldWhatIsThere(t *testing.T) {
	files := map[string]any{"packages/nfpm.yaml": at(read(t, "packages/nfpm.yaml"), "contents"),
		"packages/goreleaser.yaml": at(read(t, "packages/goreleaser.yaml"), "nfpms", 0, "contents")}
	for name, contents := range files {
		list, _ := contents.([]any)
		destinations := map[string]bool{}
		for _, c := range list {
			source, _ := at(c, "src").(string)
			destination, _ := at(c, "dst").(string)
			destinations[destination] = true
			if _, err := os.Stat(filepath.Join("..", source)); err != nil && source != "dist/plumb" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, want := range []string{"/usr/lib/systemd/system/plumb.service", "/etc/plumb/plumb.yaml", "/usr/share/man/man1/plumb.1"} {
			if !destinations[want] {
				t.Errorf("%s has no %s", name, want)
			}
		}
	}
	for key := range read(t, "packages/plumb.yaml") {
		knownFlags(t, "packages/plumb.yaml", "--"+key)
	}
}

func TestReleaseIsWellFormedToGoreleaser(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "goreleaser", "check", "packages/goreleaser.yaml")
	if _, err := exec.LookPath("goreleaser"); err != nil {
		cmd = exec.CommandContext(t.Context(), tool(t, "release"), "packages/goreleaser.yaml")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestPackageForDebianIsMade(t *testing.T) {
	file := packaged(t, "deb")
	dpkg, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip("this machine has no dpkg-deb")
	}
	out, err := exec.CommandContext(t.Context(), dpkg, "--contents", file).CombinedOutput()
	for _, want := range []string{"-rwxr-xr-x root/root", "./usr/bin/plumb", "-rw------- root/root", "./etc/plumb/plumb.yaml"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%q is not in %v\n%s", want, err, out)
		}
	}
}

func TestPackageForRPMIsMade(t *testing.T) {
	text, err := os.ReadFile(packaged(t, "rpm"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := readRPM(text)
	if err != nil {
		t.Fatal(err)
	}
	if name, version, arch := h.first(rpmName), h.first(rpmVersion), h.first(rpmArch); name != "plumb" || version != "0.1.0" || arch != "x86_64" {
		t.Errorf("it is %s %s for %s", name, version, arch)
	}
	if license := h.first(rpmLicense); license != "Apache-2.0" {
		t.Errorf("its license is %q", license)
	}
	files := h.files()
	for path, want := range map[string]rpmFile{
		"/usr/bin/plumb":                        {0o100755, 0, "root", "root"},
		"/usr/lib/systemd/system/plumb.service": {0o100644, 0, "root", "root"},
		"/etc/plumb/plumb.yaml":                 {0o100600, rpmConfig | rpmNoReplace, "root", "root"},
		"/usr/share/man/man1/plumb.1":           {0o100644, 0, "root", "root"},
		"/usr/share/doc/plumb/copyright":        {0o100644, 0, "root", "root"},
	} {
		if got, ok := files[path]; !ok || got != want {
			t.Errorf("%s is %+v, want %+v", path, got, want)
		}
	}
	if rpm, err := exec.LookPath("rpm"); err == nil {
		if out, err := exec.CommandContext(t.Context(), rpm, "--nosignature", "-qpl", packaged(t, "rpm")).CombinedOutput(); err != nil {
			t.Errorf("rpm says: %v\n%s", err, out)
		}
	}
}

// packaged makes a package of the configuration and returns its path.
func packaged(t *testing.T, kind string) string {
	t.Helper()
	root, dir := "..", t.TempDir()
	program := filepath.Join(dir, "plumb")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("packages/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "nfpm.yaml")
	if err := os.WriteFile(config, bytes.ReplaceAll(text, []byte("dist/plumb"), []byte(program)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "nfpm", "package", "--config", config, "--packager", kind, "--target", dir)
	if _, err := exec.LookPath("nfpm"); err != nil {
		cmd = exec.CommandContext(t.Context(), tool(t, "package"), kind, config, filepath.Join(dir, "plumb."+kind))
	}
	cmd.Dir, cmd.Env = root, append(os.Environ(), "VERSION=0.1.0", "ARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packages, _ := filepath.Glob(filepath.Join(dir, "*."+kind))
	if len(packages) != 1 {
		t.Fatalf("it made %v", packages)
	}
	return packages[0]
}
