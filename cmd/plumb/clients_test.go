package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// owned are files of a rule and of two buckets, for tests in other languages.
var owned = map[string]string{
	"owned/rule.guard":      "rule owned when resourceType == \"AWS::S3::Bucket\" {\n  tags.owner exists\n}\n",
	"owned/plumb-test.yaml": "types: [AWS::S3::Bucket]\ntests:\n  - {name: owned, item: {tags: {owner: ops}}, compliance: COMPLIANT}\n",
	"lost.json":             `{"resourceType": "AWS::S3::Bucket", "resourceId": "lost", "configuration": {"name": "lost"}}`,
	"logs.yaml":             "resourceType: AWS::S3::Bucket\nresourceId: logs\nconfiguration: {name: logs}\ntags: {owner: ops}\n",
}

const pythonStory = `import datetime
import pytest
from pytest_plumb import Plumb, PlumbError

BUCKET = "AWS::S3::Bucket"

def test_rule_judges_fixtures(plumb):
    plumb.record()
    plumb.record()
    [rule] = plumb.put("owned")
    assert plumb.fixture("lost.json", "logs.yaml") == [BUCKET + "/lost", BUCKET + "/logs"]
    plumb.item({"resourceType": BUCKET, "resourceId": "dict", "configuration": {}, "tags": {"owner": "me"}})
    plumb.drain()
    assert plumb.compliance(rule, BUCKET, "lost") == "NON_COMPLIANT"
    assert plumb.compliance(rule, BUCKET, "logs") == plumb.compliance(rule, BUCKET, "dict") == "COMPLIANT"
    assert plumb.compliance(rule, BUCKET, "nothing") is None
    plumb.remove(BUCKET, "lost")
    plumb.evaluate(rule)
    assert plumb.compliance(rule, BUCKET, "lost") != "NON_COMPLIANT"

def test_nothing_is_left_of_the_test_before(plumb):
    assert plumb.config("DescribeConfigRules") == {"ConfigRules": []}

def test_clock_is_moved(plumb):
    at = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    plumb.freeze(at)
    plumb.advance(days=1, seconds=1.5)
    assert plumb.now == at + datetime.timedelta(days=1, seconds=1.5)
    plumb.unfreeze()
    assert plumb.now > at

def test_refusals_are_errors(plumb):
    with pytest.raises(PlumbError, match="NoSuchConfigRuleException"):
        plumb.config("DescribeConfigRules", ConfigRuleNames=["none"])
    with pytest.raises(PlumbError, match="nothing.json"):
        plumb.fixture("nothing.json")
    with pytest.raises(PlumbError, match="none"):
        plumb.verdicts("none")
    with pytest.raises(PlumbError, match="did not start.*--nothing"):
        Plumb.start("--nothing")

def test_client_of_boto3(plumb):
    pytest.importorskip("boto3")
    assert plumb.client("config").describe_config_rules()["ConfigRules"] == []

def test_own_server_in_another_region():
    with Plumb.start(region="eu-west-1", account="210987654321") as plumb:
        plumb.record()
        plumb.put("owned")
        assert ":eu-west-1:210987654321:" in plumb.config("DescribeConfigRules")["ConfigRules"][0]["ConfigRuleArn"]
`

// pythonWithPytest returns a Python that has pytest, and pip to install with.
func pythonWithPytest(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import pytest").Run() == nil {
			return python
		}
	}
	t.Skip("this machine has no Python with pytest")
	return ""
}

// asProgram writes a program plumb that is this one, and returns its path.
func asProgram(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the test needs a shell")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plumb")
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asPlumb, self)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// runs runs a command in a folder and returns what it printed; it must end well.
func runs(t *testing.T, dir string, env []string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

func TestPytestUsesThePluginFromItsWheel(t *testing.T) {
	python := pythonWithPytest(t)
	program, client, site := asProgram(t), abs(t, "../../clients/python"), t.TempDir()
	wheels := t.TempDir()
	wheel := filepath.Join(wheels, strings.TrimSpace(runs(t, client, nil, python, "-B", "build_wheel.py", wheels)))
	// As pip does; Debian's Python may have none.
	runs(t, wheels, nil, python, "-c", "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])", wheel, site)
	dir := inFolder(t, owned)
	if err := os.WriteFile("test_owned.py", []byte(pythonStory), 0o600); err != nil {
		t.Fatal(err)
	}
	path := site
	if more := os.Getenv("PYTHONPATH"); more != "" {
		path += string(os.PathListSeparator) + more
	}
	out := runs(t, dir, []string{"PYTHONPATH=" + path, "PYTHONDONTWRITEBYTECODE=1"}, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--plumb", program)
	if !strings.Contains(out, "6 passed") && !strings.Contains(out, "5 passed, 1 skipped") {
		t.Error(out)
	}
}

func TestPipBuildsTheSameWheel(t *testing.T) {
	if exec.Command("python3", "-m", "pip", "--version").Run() != nil {
		t.Skip("this machine has no pip")
	}
	client, byPip, byHand := abs(t, "../../clients/python"), t.TempDir(), t.TempDir()
	runs(t, byPip, []string{"PYTHONDONTWRITEBYTECODE=1"}, "python3", "-m", "pip", "wheel", "--no-deps", "--no-index", "--disable-pip-version-check", "--wheel-dir", byPip, client)
	name := strings.TrimSpace(runs(t, client, nil, "python3", "-B", "build_wheel.py", byHand))
	one, err := os.ReadFile(filepath.Join(byPip, name))
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.ReadFile(filepath.Join(byHand, name)); err != nil || string(one) != string(other) {
		t.Errorf("the two wheels differ: %v", err)
	}
}

const nodeStory = `import test from "node:test";
import assert from "node:assert";
import { Plumb, PlumbError } from "plumb-test";

const bucket = "AWS::S3::Bucket";

test("rule judges fixtures", async (t) => {
  const plumb = await Plumb.start(t);
  await plumb.record();
  await plumb.record();
  const [rule] = await plumb.put("owned");
  assert.deepEqual(await plumb.fixture("lost.json", "logs.yaml"), [bucket + "/lost", bucket + "/logs"]);
  await plumb.item({ resourceType: bucket, resourceId: "object", configuration: {}, tags: { owner: "me" } });
  await plumb.drain();
  assert.equal(await plumb.compliance(rule, bucket, "lost"), "NON_COMPLIANT");
  assert.equal(await plumb.compliance(rule, bucket, "object"), "COMPLIANT");
  assert.equal(await plumb.compliance(rule, bucket, "nothing"), undefined);
  await plumb.remove(bucket, "lost");
  await plumb.evaluate(rule);
  assert.notEqual(await plumb.compliance(rule, bucket, "lost"), "NON_COMPLIANT");
  await plumb.reset();
  assert.deepEqual(await plumb.config("DescribeConfigRules"), { ConfigRules: [] });
});

test("the clock is moved", async (t) => {
  const plumb = await Plumb.start(t, { region: "eu-west-1", account: "210987654321" });
  await plumb.freeze(new Date("2030-01-02T03:04:05Z"));
  await plumb.advance(86_400_000);
  assert.equal((await plumb.now()).toISOString(), "2030-01-03T03:04:05.000Z");
  await plumb.unfreeze();
  await plumb.record();
  await plumb.put("owned");
  const { ConfigRules: [rule] } = await plumb.config("DescribeConfigRules");
  assert.match(rule.ConfigRuleArn, /:eu-west-1:210987654321:/);
  assert.equal(plumb.environ.AWS_ENDPOINT_URL, plumb.url);
});

test("refusals are errors", async () => {
  const plumb = await Plumb.start();
  try {
    await assert.rejects(plumb.config("DescribeConfigRules", { ConfigRuleNames: ["none"] }), /NoSuchConfigRuleException/);
    await assert.rejects(plumb.fixture("nothing.json"), /nothing.json/);
    await assert.rejects(plumb.verdicts("none"), PlumbError);
  } finally {
    await plumb.stop();
  }
  await assert.rejects(Plumb.start({ arguments: ["--nothing"] }), /did not start.*--nothing/s);
});
`

func TestNodesTestRunnerUsesTheHelperFromItsTarball(t *testing.T) {
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("this machine has no %s", name)
		}
	}
	program, client := asProgram(t), abs(t, "../../clients/node")
	dir := inFolder(t, owned)
	if err := os.WriteFile("owned.test.mjs", []byte(nodeStory), 0o600); err != nil {
		t.Fatal(err)
	}
	quiet := []string{"npm_config_update_notifier=false", "npm_config_cache=" + t.TempDir()}
	name := strings.TrimSpace(runs(t, dir, quiet, "npm", "pack", "--silent", client))
	runs(t, dir, quiet, "npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", "./"+name)
	out := runs(t, dir, []string{"PLUMB_PROGRAM=" + program}, "node", "--test")
	if !strings.Contains(out, "pass 3") {
		t.Error(out)
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
