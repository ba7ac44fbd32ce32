package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func packCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := newPackCommand()
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceUsage, command.SilenceErrors = true, true
	err := command.Execute()
	return out.String(), err
}

func packFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const somePack = `Parameters:
  Tags: {Type: CSV}
Resources:
  Volumes:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: volumes
      Source: {Owner: AWS, SourceIdentifier: ENCRYPTED_VOLUMES}
  Tagged:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: tagged
      InputParameters: {tag1Key: team, tag1Value: !Ref Tags}
      Source: {Owner: AWS, SourceIdentifier: REQUIRED_TAGS}
  Audited:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}
`

func TestPackTestListsRulesAndTheirEvaluators(t *testing.T) {
	file := packFile(t, "pack.yaml", somePack)
	out, err := packCommand(t, "test", file, "--parameter", "Tags=a,b")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"volumes  ENCRYPTED_VOLUMES         managed\n", "Audited  AWS_CONFIG_PROCESS_CHECK  put\n",
		"ok   " + file + ": 3 rules, 0 without an evaluator, 0 remediations\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestPackTestNamesTheLineOfWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		somePack: ": Parameters: [Tags] must have values\n",
		strings.Replace(somePack, "!Ref Tags", "!Ref Nobody", 1):                                                     ":13: Resources.Tagged.Properties.InputParameters.tag1Value: Unresolved resource dependencies [Nobody]",
		strings.Replace(strings.Replace(somePack, "{Type: CSV}", "{Type: CSV, Default: a}", 1), "tag1Key", "tag", 1): ": rule tagged: Unknown parameters provided in the inputParameters",
	} {
		file := packFile(t, "pack.yaml", text)
		out, err := packCommand(t, "test", file)
		if e := (exitError{}); !errors.As(err, &e) || e.code != 1 {
			t.Errorf("the error is %v", err)
		}
		if !strings.Contains(out, file+want) || !strings.Contains(out, "FAIL "+file) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestPackTableCountsTheRulesOfAFolder(t *testing.T) {
	file := packFile(t, "some.yml", somePack)
	out, err := packCommand(t, "table", filepath.Dir(file))
	if err != nil || !strings.Contains(out, "| some (.yml) | 3 | 3 | 0 |\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := packCommand(t, "table", t.TempDir()); err == nil {
		t.Error("a folder without templates has a table")
	}
}
