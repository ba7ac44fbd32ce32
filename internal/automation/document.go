package automation

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
)

// A Document is an Automation runbook.
type Document struct {
	Description string
	AssumeRole  string
	Parameters  map[string]Parameter
	Steps       []Step
	Outputs     []string // step.Output
}

// A Parameter is what an execution may be given.
type Parameter struct {
	Type           string `json:"type"`
	Description    string `json:"description"`
	Default        any    `json:"default"`
	AllowedValues  []any  `json:"allowedValues"`
	AllowedPattern string `json:"allowedPattern"`
	MinChars       int    `json:"minChars"`
	MaxChars       int    `json:"maxChars"`
	MinItems       int    `json:"minItems"`
	MaxItems       int    `json:"maxItems"`
	optional       bool   // it has a default, which may be null
}

// A Step is one action.
type Step struct {
	Name        string         `json:"name"`
	Action      string         `json:"action"`
	Description string         `json:"description"`
	Inputs      map[string]any `json:"inputs"`
	Outputs     []Output       `json:"outputs"`
	OnFailure   string         `json:"onFailure"` // Abort, Continue or step:NAME
	NextStep    string         `json:"nextStep"`
	IsEnd       bool           `json:"isEnd"`
	IsCritical  *bool          `json:"isCritical"`
	MaxAttempts int            `json:"maxAttempts"`
	Timeout     int            `json:"timeoutSeconds"`
}

// An Output picks a value of what a step brought.
type Output struct {
	Name     string `json:"Name"`
	Selector string `json:"Selector"`
	Type     string `json:"Type"`
}

func (s Step) critical() bool { return s.IsCritical == nil || *s.IsCritical }

// The actions that are run here.
const (
	actionAPI      = "aws:executeAwsApi"
	actionScript   = "aws:executeScript"
	actionBranch   = "aws:branch"
	actionSleep    = "aws:sleep"
	actionAssert   = "aws:assertAwsResourceProperty"
	actionWait     = "aws:waitForAwsResourceProperty"
	actionInstance = "aws:changeInstanceState"
	actionLambda   = "aws:invokeLambdaFunction"
)

func actions() []string {
	return []string{actionAPI, actionScript, actionBranch, actionSleep, actionAssert, actionWait, actionInstance, actionLambda}
}

// MaxDocument is how many bytes a document may have.
const MaxDocument = 64 << 10

// maxSteps is how many steps a document may have.
const maxSteps = 100

var stepName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

// Parse reads a document, YAML or JSON. The error says which step or parameter is
// wrong, and why.
func Parse(text string) (*Document, error) {
	if len(text) > MaxDocument {
		return nil, fmt.Errorf("the document has %d bytes, and %d are the limit", len(text), MaxDocument)
	}
	form, err := plain(text)
	if err != nil {
		return nil, err
	}
	var raw struct {
		Schema      any                        `json:"schemaVersion"`
		Description string                     `json:"description"`
		AssumeRole  string                     `json:"assumeRole"`
		Parameters  map[string]json.RawMessage `json:"parameters"`
		Steps       []Step                     `json:"mainSteps"`
		Outputs     []any                      `json:"outputs"`
	}
	if err := json.Unmarshal(form, &raw); err != nil {
		return nil, fmt.Errorf("the document is not of schema 0.3: %w", err)
	}
	if v := fmt.Sprint(raw.Schema); v != "0.3" {
		return nil, fmt.Errorf("the schemaVersion is %q, and Automation documents have 0.3", v)
	}
	d := &Document{Description: raw.Description, AssumeRole: raw.AssumeRole, Parameters: map[string]Parameter{}, Steps: raw.Steps}
	for _, o := range raw.Outputs {
		d.Outputs = append(d.Outputs, fmt.Sprint(o))
	}
	for name, text := range raw.Parameters {
		if d.Parameters[name], err = parseParameter(name, text); err != nil {
			return nil, err
		}
	}
	for i := range d.Steps { // numbers as other JSON here has them
		d.Steps[i].Inputs, _ = normal(d.Steps[i].Inputs).(map[string]any)
	}
	return d, d.check()
}

// plain returns the JSON of YAML, of which JSON is a part.
func plain(text string) ([]byte, error) {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("the document is neither JSON nor YAML: %w", err)
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("the document is not a mapping")
	}
	form, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("the document has keys or values that JSON has not: %w", err)
	}
	return form, nil
}

// JSON returns a document's text as JSON.
func JSON(text string) (string, error) {
	form, err := plain(text)
	return string(form), err
}

// normal returns a value with the kinds of numbers that JSON has elsewhere here.
func normal(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return v
	}
	out, err := config.Decode(text)
	if err != nil {
		return v
	}
	return out
}

func parseParameter(name string, text json.RawMessage) (Parameter, error) {
	var p Parameter
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("parameter %s: %w", name, err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return p, fmt.Errorf("parameter %s: %w", name, err)
	}
	_, p.optional = keys["default"]
	p.Default = normal(p.Default)
	if !slices.Contains([]string{"String", "StringList", "Integer", "Boolean", "MapList", "StringMap"}, p.kind()) {
		return p, fmt.Errorf("parameter %s: the type %q is not one of String, StringList, Integer, Boolean, MapList, StringMap", name, p.Type)
	}
	if _, err := regexp.Compile(p.AllowedPattern); err != nil {
		return p, fmt.Errorf("parameter %s: the allowedPattern is not a regular expression: %w", name, err)
	}
	return p, nil
}

// kind returns the plain type: AWS::IAM::Role::Arn is a String.
func (p Parameter) kind() string {
	switch {
	case strings.HasPrefix(p.Type, "List<"):
		return "StringList"
	case strings.HasPrefix(p.Type, "AWS::"):
		return "String"
	default:
		return p.Type
	}
}

func (d *Document) check() error {
	if len(d.Steps) == 0 || len(d.Steps) > maxSteps {
		return fmt.Errorf("a document has 1 to %d mainSteps, and this one has %d", maxSteps, len(d.Steps))
	}
	seen := map[string]bool{}
	for i := range d.Steps {
		s := &d.Steps[i]
		if !stepName.MatchString(s.Name) {
			return fmt.Errorf("step %d: the name %q is not made of letters, digits, _ and -", i+1, s.Name)
		}
		if seen[s.Name] {
			return fmt.Errorf("step %s is there twice", s.Name)
		}
		seen[s.Name] = true
		if !slices.Contains(actions(), s.Action) {
			return fmt.Errorf("step %s: the action %q is not one that is run here: %s", s.Name, s.Action, strings.Join(actions(), ", "))
		}
		if err := s.checkNumbers(); err != nil {
			return fmt.Errorf("step %s: %w", s.Name, err)
		}
	}
	for _, s := range d.Steps {
		for what, name := range map[string]string{"nextStep": s.NextStep, "onFailure": strings.TrimPrefix(s.OnFailure, "step:")} {
			if name == "" || what == "onFailure" && !strings.HasPrefix(s.OnFailure, "step:") {
				continue
			}
			if !seen[name] {
				return fmt.Errorf("step %s: there is no step %s, which its %s names", s.Name, name, what)
			}
		}
	}
	return nil
}

func (s *Step) checkNumbers() error {
	if s.MaxAttempts < 0 || s.MaxAttempts > 10 || s.Timeout < 0 || s.Timeout > 7*24*3600 {
		return errors.New("maxAttempts is 1 to 10, and timeoutSeconds at most a week")
	}
	if s.MaxAttempts == 0 {
		s.MaxAttempts = 1
	}
	switch s.OnFailure {
	case "", "Abort", "Continue":
		return nil
	}
	if strings.HasPrefix(s.OnFailure, "step:") {
		return nil
	}
	return fmt.Errorf("onFailure is Abort, Continue or step:NAME, not %q", s.OnFailure)
}

// step returns a step by its name.
func (d *Document) step(name string) (Step, bool) {
	i := slices.IndexFunc(d.Steps, func(s Step) bool { return s.Name == name })
	if i < 0 {
		return Step{}, false
	}
	return d.Steps[i], true
}

// following returns the name of the step after one; empty if the document ends.
func (d *Document) following(s Step) string {
	if s.IsEnd {
		return ""
	}
	if s.NextStep != "" {
		return s.NextStep
	}
	i := slices.IndexFunc(d.Steps, func(o Step) bool { return o.Name == s.Name })
	if i+1 < len(d.Steps) {
		return d.Steps[i+1].Name
	}
	return ""
}

// limit returns how long a step may take.
func (s Step) limit() time.Duration {
	if s.Timeout > 0 {
		return time.Duration(s.Timeout) * time.Second
	}
	switch s.Action {
	case actionScript:
		return 10 * time.Minute
	default:
		return time.Hour
	}
}
