package managed

import (
	"strings"
	"testing"

	"plumb/internal/config"
)

const goodFile = `identifier: PORT_CLOSED
description: The port is closed.
resources: [A::B::C]
trigger: change
parameters:
  port: {type: int, optional: true, default: 22}
check: |
  has(configuration.ports) &&
  !(parameters.port in configuration.ports)
annotation: Port ${parameters.port} is open, of ${size(list(configuration.ports))}.
examples:
  - name: closed
    item: {configuration: {ports: [80]}}
    compliance: COMPLIANT
  - name: open
    item: {configuration: {ports: [22, 80]}}
    compliance: NON_COMPLIANT
    annotation: Port 22 is open, of 2.
  - name: another port
    item: {configuration: {ports: [22]}}
    parameters: {port: 443}
    compliance: COMPLIANT
`

func TestFileRunsItsExamples(t *testing.T) {
	f, err := loaded(t).ParseFile("rule.yaml", []byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Examples {
		if err := f.Run(e); err != nil {
			t.Error(err)
		}
	}
	if len(f.Examples) != 3 || f.Examples[1].Line != 15 || len(f.Unshown()) != 0 {
		t.Errorf("%d examples, the second in line %d, unshown %v", len(f.Examples), f.Examples[1].Line, f.Unshown())
	}
}

func TestWrongExampleSaysWhatCameOut(t *testing.T) {
	for edit, want := range map[[2]string]string{
		{"ports: [80]", "ports: [22]"}:   "rule.yaml:12: closed: NON_COMPLIANT, where COMPLIANT is expected",
		{"of 2.\n", "of 3.\n"}:           `rule.yaml:15: open: the annotation is "Port 22 is open, of 2.", where "Port 22 is open, of 3." is expected`,
		{"port: 443", "port: https"}:     "rule.yaml:19: another port: The value https of the input parameter port is not of type int",
		{"{port: 443}", "{prot: '443'}"}: `rule.yaml:19: another port: Unknown parameters provided in the inputParameters: {"prot":"443"}`,
	} {
		f, err := loaded(t).ParseFile("rule.yaml", []byte(strings.Replace(goodFile, edit[0], edit[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range f.Examples {
			if err := f.Run(e); err != nil {
				got = append(got, err.Error())
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, where %q is expected", edit[1], got, want)
		}
	}
}

func TestErrorsOfAFileSayLineAndWhatToDo(t *testing.T) {
	for edit, want := range map[[2]string]string{
		{"check: |", "chek: |"}:                                 `rule.yaml:7: unknown key "chek"; the keys are identifier, description`,
		{"trigger: change", "trigger: hourly"}:                  `rule.yaml:4: the trigger "hourly" is none of change, periodic, both, new`,
		{"[A::B::C]", "[bucket]"}:                               `rule.yaml:3: "bucket" is not a resource type such as AWS::S3::Bucket`,
		{"[A::B::C]", "A::B::C"}:                                `rule.yaml:3: resources is a list of resource types`,
		{"type: int", "type: number"}:                           `rule.yaml:6: parameter port: the parameter type "number" is none of String, CSV`,
		{"default: 22", "default: ssh"}:                         `rule.yaml:6: the default "ssh" of parameter port is not of type int`,
		{"!(parameters.port in", "!(parameters.prt in"}:         `rule.yaml:9: check, column 13: undeclared reference to 'parameters.prt' (did you mean 'parameters.port'?); declare it`,
		{"configuration.ports)\n", "configuration.ports\n"}:     "rule.yaml:9: check, column",
		{"has(configuration.ports) &&", "has(config.ports) &&"}: "rule.yaml:8: check, column 5: undeclared reference to 'config'",
		{"check: |\n  has(configuration.ports) &&\n  !(parameters.port in configuration.ports)", "check: size(list(configuration.ports))"}: "rule.yaml:7: check: the expression is a int, where a bool is wanted",
		{"annotation: Port ${parameters.port}", "annotation: Port ${parameters.port"}:                                                      "rule.yaml:10: annotation",
		{"compliance: COMPLIANT", "compliance: FINE"}:                                                                                      `rule.yaml:14: compliance "FINE" is none of`,
		{"    compliance: COMPLIANT\n", ""}:                                                                                                "rule.yaml:12: an example needs compliance",
		{"identifier: PORT_CLOSED\n", ""}:                                                                                                  "rule.yaml:1: the key identifier is missing",
		{"trigger: change", "trigger: change\ntrigger: both"}:                                                                              "rule.yaml:5: the key trigger is there twice",
		{"description: The", "description: a: The"}:                                                                                        "rule.yaml:2: mapping values are not allowed in this context; quote text",
		{"item: {configuration: {ports: [80]}}", "item: 7"}:                                                                                "rule.yaml:13: an example's item is a mapping, as in an event",
	} {
		content := strings.Replace(goodFile, edit[0], edit[1], 1)
		if content == goodFile {
			t.Fatalf("%q is not in the file", edit[0])
		}
		_, err := loaded(t).ParseFile("rule.yaml", []byte(content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, where %q is expected", edit[1], err, want)
		}
	}
}

func TestEmptyAndDoubleFilesAreRefused(t *testing.T) {
	for content, want := range map[string]string{
		"":                            "the file is empty",
		"- a\n":                       "a rule is a mapping",
		goodFile + "---\n" + goodFile: "a file holds one rule",
	} {
		_, err := loaded(t).ParseFile("rule.yaml", []byte(content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, where %q is expected", err, want)
		}
	}
}

func TestLongAnnotationIsCut(t *testing.T) {
	content := strings.Replace(goodFile, "Port ${parameters.port}", strings.Repeat("é", 300), 1)
	f, err := loaded(t).ParseFile("rule.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Evaluator("")
	if err != nil {
		t.Fatal(err)
	}
	_, annotation, err := e.Evaluate(f.Examples[1].Item, Beside())
	if n := len([]rune(annotation)); n != config.MaxAnnotation || err != nil {
		t.Errorf("%d characters, %v", n, err)
	}
}
