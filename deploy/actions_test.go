package deploy_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An action is an action.yml whose steps run as GitHub's runner runs them.
type action struct {
	*testing.T
	dir     string // of the action
	work    string // where the job works
	temp    string
	env     []string // of later steps
	outputs map[string]string
	text    string // what the steps printed
}

func newAction(t *testing.T, name string) *action {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("actions", name))
	if err != nil {
		t.Fatal(err)
	}
	return &action{T: t, dir: dir, work: t.TempDir(), temp: t.TempDir(), outputs: map[string]string{}}
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z_.]+) *\}\}`)

// run runs every step; the error is that of the first one that fails.
func (a *action) run(inputs map[string]string) error {
	a.Helper()
	described := read(a.T, filepath.Join(a.dir, "action.yml"))
	values := map[string]string{"github.action_path": a.dir}
	for name, in := range at(described, "inputs").(map[string]any) {
		values["inputs."+name] = fmt.Sprint(at(in, "default"))
	}
	for name, value := range inputs {
		if at(described, "inputs", name) == nil {
			a.Fatalf("there is no input %s", name)
		}
		values["inputs."+name] = value
	}
	expand := func(text any) string {
		return expression.ReplaceAllStringFunc(fmt.Sprint(text), func(s string) string {
			v, ok := values[expression.FindStringSubmatch(s)[1]]
			if !ok {
				a.Errorf("%s is nothing", s)
			}
			return v
		})
	}
	steps, _ := at(described, "runs", "steps").([]any)
	for _, step := range steps {
		script, _ := at(step, "run").(string)
		if script == "" || at(step, "shell") != "bash" || strings.Contains(script, "${{") {
			a.Fatalf("the step %v runs no script, or one into which others can write", step)
		}
		env := []string{}
		variables, _ := at(step, "env").(map[string]any)
		for k, v := range variables {
			env = append(env, k+"="+expand(v))
		}
		if err := a.step(script, env); err != nil {
			return err
		}
		for k, v := range a.lines("output") {
			values[fmt.Sprintf("steps.%v.outputs.%s", at(step, "id"), k)] = v
		}
	}
	for name, o := range at(described, "outputs").(map[string]any) {
		a.outputs[name] = expand(at(o, "value"))
	}
	return nil
}

// step runs a script as the runner does, with files for what it tells later steps.
func (a *action) step(script string, env []string) error {
	a.Helper()
	for _, name := range []string{"output", "path", "env"} {
		if err := os.WriteFile(filepath.Join(a.temp, name), nil, 0o600); err != nil {
			a.Fatal(err)
		}
	}
	cmd := exec.CommandContext(a.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = a.work
	cmd.Env = append(append(os.Environ(), "GITHUB_ACTIONS=true", "RUNNER_TEMP="+a.temp, "GITHUB_OUTPUT="+filepath.Join(a.temp, "output"),
		"GITHUB_PATH="+filepath.Join(a.temp, "path"), "GITHUB_ENV="+filepath.Join(a.temp, "env")), append(a.env, env...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	a.text += out.String()
	for k, v := range a.lines("env") {
		a.env = append(a.env, k+"="+v)
	}
	return err
}

// lines reads NAME=VALUE lines of a file that steps write.
func (a *action) lines(name string) map[string]string {
	a.Helper()
	text, err := os.ReadFile(filepath.Join(a.temp, name))
	if err != nil {
		a.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			all[k] = v
		}
	}
	return all
}

func needBash(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("this machine has no bash")
	}
}

func TestActionStartsAServerForLaterSteps(t *testing.T) {
	needBash(t)
	a := newAction(t, "start")
	err := a.run(map[string]string{"plumb": program(t), "region": "eu-west-1", "arguments": "--log-level debug --poll 1h"})
	t.Cleanup(func() { end(t, a.temp) })
	if err != nil {
		t.Fatalf("%v\n%s", err, a.text)
	}
	answer, err := http.Get(a.outputs["url"] + "/readyz")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	for _, want := range []string{"AWS_ENDPOINT_URL=" + a.outputs["url"], "AWS_REGION=eu-west-1", "PLUMB_PROGRAM=" + program(t)} {
		if !strings.Contains(strings.Join(a.env, "\n")+"\n", want+"\n") {
			t.Errorf("%s is not in %v", want, a.env)
		}
	}
}

// end ends the server whose data is below a folder: a runner does it with the job.
func end(t *testing.T, folder string) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Error(err)
	}
	for _, p := range processes {
		text, err := os.ReadFile(p)
		if err != nil || !bytes.Contains(text, []byte(filepath.Join(folder, "plumb-data"))) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(p)))
		if err != nil {
			t.Error(err)
			continue
		}
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Kill()
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestActionSaysWhyAServerDidNotStart(t *testing.T) {
	needBash(t)
	a := newAction(t, "start")
	err := a.run(map[string]string{"plumb": program(t), "arguments": "--nothing"})
	if err == nil || !strings.Contains(a.text, "unknown flag: --nothing") || !strings.Contains(a.text, "::error::plumb did not start") {
		t.Errorf("%v\n%s", err, a.text)
	}
}

func TestActionTestsRulesAndEvaluatesPlans(t *testing.T) {
	needBash(t)
	files := map[string]string{
		"rules/owned.guard":     "rule owned when resourceType == \"AWS::S3::Bucket\" {\n  tags.owner exists\n}\n",
		"rules/plumb-test.yaml": "types: [AWS::S3::Bucket]\ntests:\n  - {name: owned, item: {tags: {owner: ops}}, compliance: COMPLIANT}\n",
		"template.yaml":         "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n",
	}
	write := func(a *action) {
		for name, text := range files {
			path := filepath.Join(a.work, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := newAction(t, "check")
	write(a)
	if err := a.run(map[string]string{"plumb": program(t), "rules": "rules\n"}); err != nil {
		t.Errorf("rules that are right: %v\n%s", err, a.text)
	}
	a = newAction(t, "check")
	write(a)
	err := a.run(map[string]string{"plumb": program(t), "rules": "\nrules\n", "plans": "template.yaml", "evaluate": "rules/owned.guard"})
	if err == nil || !strings.Contains(a.text, "::error file=template.yaml,line=2") {
		t.Errorf("a plan that is wrong: %v\n%s", err, a.text)
	}
	for _, name := range []string{"rules.sarif", "rules.xml", "plans.sarif", "plans.xml"} {
		if _, err := os.Stat(filepath.Join(a.work, "plumb-reports", name)); err != nil {
			t.Error(err)
		}
	}
	a = newAction(t, "check")
	if err := a.run(map[string]string{"plumb": program(t)}); err == nil || !strings.Contains(a.text, "::error::give rules to test") {
		t.Errorf("nothing to do: %v\n%s", err, a.text)
	}
}

// TestWorkflowOfThePageRuns runs the steps of docs/how-to/in-ci.md that are ours, as
// they stand there, over what a newcomer has: new rules and a plan.
func TestWorkflowOfThePageRuns(t *testing.T) {
	needBash(t)
	page, err := os.ReadFile("../docs/how-to/in-ci.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	jobs, _ := at(decode(t, "the page", []byte(text)), "jobs").(map[string]any)
	ran := 0
	for _, job := range jobs {
		steps, _ := at(job, "steps").([]any)
		for _, step := range steps {
			uses, _ := at(step, "uses").(string)
			path, ours := strings.CutPrefix(uses, "PLUMB/deploy/actions/")
			if !ours {
				continue
			}
			name, _, _ := strings.Cut(path, "@")
			a := newAction(t, name)
			t.Cleanup(func() { end(t, a.temp) })
			a.newcomer(program(t))
			inputs := map[string]string{"plumb": program(t)}
			given, _ := at(step, "with").(map[string]any)
			for k, v := range given {
				inputs[k] = fmt.Sprint(v)
			}
			if err := a.run(inputs); err != nil {
				t.Errorf("%s: %v\n%s", uses, err, a.text)
			}
			ran++
		}
	}
	if ran != 2 {
		t.Errorf("%d steps of the page ran", ran)
	}
}

// newcomer writes rules, as "plumb rule new" makes them, and a plan that they like.
func (a *action) newcomer(plumb string) {
	a.Helper()
	for folder, language := range map[string]string{"rules/by-policy": "guard", "rules/by-rule-file": "cel", "policies": "guard"} {
		cmd := exec.CommandContext(a.Context(), plumb, "rule", "new", folder, "--language", language)
		cmd.Dir = a.work
		if out, err := cmd.CombinedOutput(); err != nil {
			a.Fatalf("%v: %s", err, out)
		}
	}
	const plan = `{"format_version": "1.2", "planned_values": {"root_module": {"resources": [
  {"address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket", "name": "logs", "values": {"bucket": "logs", "tags": {"owner": "ops"}, "tags_all": {"owner": "ops"}}},
  {"address": "aws_s3_bucket_versioning.logs", "mode": "managed", "type": "aws_s3_bucket_versioning", "name": "logs", "values": {"bucket": "logs", "versioning_configuration": [{"status": "Enabled"}]}}
]}}, "resource_changes": []}`
	if err := os.WriteFile(filepath.Join(a.work, "plan.json"), []byte(plan), 0o600); err != nil {
		a.Fatal(err)
	}
}
