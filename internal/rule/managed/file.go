package managed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/resource/typename"
)

// A File is a rule: what it looks at, its check, and the examples that show it.
type File struct {
	Name        string // of the file, for errors
	Identifier  string
	Description string
	Sources     []string // what AWS published, with its date, for each statement that decides something
	Note        string   // what AWS's documents leave open, and what the rule does
	Resources   []string
	Trigger     Trigger
	Parameters  []Parameter
	Empty       config.Compliance // the verdict on an item without a configuration
	Examples    []Example
	Proactive   *File // how the properties of a CloudFormation resource are judged; nil if the file does not say

	Check, Applicable string // their texts

	Finds []string // types that the rule looks through beside the item's

	applicable cel.Program // nil when the rule applies to every item of its types
	check      cel.Program
	annotation template
}

// fileKeys are the keys of a rule's file in their usual order.
func fileKeys() []string {
	return []string{
		"identifier", "description", "sources", "note", "resources", "trigger", "parameters",
		"applicable", "check", "annotation", "empty", "examples", "proactive",
	}
}

// ParseFile reads and compiles a rule's file. The error holds everything that is
// wrong with it, a line each, as NAME:LINE: what to do.
func (c *Catalogue) ParseFile(name string, content []byte) (*File, error) {
	env, err := c.env()
	if err != nil {
		return nil, err
	}
	p := &fileParser{file: &File{Name: name}, nodes: map[string]*yaml.Node{}}
	if p.split(content); p.ok() {
		p.words()
		p.parameters()
		p.expressions(env)
		p.empty()
		p.examples()
		p.proactive(env)
	}
	if !p.ok() {
		return nil, errors.Join(p.errs...)
	}
	return p.file, nil
}

// A fileParser collects errors, so that an author sees all of them at once.
type fileParser struct {
	file  *File
	nodes map[string]*yaml.Node // by top-level key
	errs  []error
}

func (p *fileParser) ok() bool { return len(p.errs) == 0 }

func (p *fileParser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.file.Name, line, fmt.Sprintf(format, args...)))
}

// split reads the YAML and sorts its top-level nodes by key.
func (p *fileParser) split(content []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			p.fail(1, "the file is empty; begin with identifier, description, resources, trigger and check")
			return
		}
		p.errs = append(p.errs, yamlError(p.file.Name, err))
		return
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		p.fail(1, "a file holds one rule; put what follows --- into a file of its own")
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		p.fail(root.Line, "a rule is a mapping of %s", strings.Join(fileKeys(), ", "))
		return
	}
	p.nodes = p.mapping(root, fileKeys())
	for _, key := range []string{"identifier", "description", "resources", "trigger", "check"} {
		if p.nodes[key] == nil {
			p.fail(root.Line, "the key %s is missing", key)
		}
	}
}

// yamlError turns "yaml: line 3: text" into "NAME:3: text".
func yamlError(name string, err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		line, what, _ := strings.Cut(rest, ": ")
		return fmt.Errorf("%s:%s: %s; quote text that holds a colon or begins with a sign", name, line, what)
	}
	return fmt.Errorf("%s: %s", name, message)
}

// mapping returns a node's values by key and refuses keys that are not allowed
// or are there twice.
func (p *fileParser) mapping(node *yaml.Node, allowed []string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if node.Kind != yaml.MappingNode {
		p.fail(node.Line, "a mapping is wanted, with the keys %s", strings.Join(allowed, ", "))
		return values
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case !slices.Contains(allowed, key.Value):
			p.fail(key.Line, "unknown key %q; the keys are %s", key.Value, strings.Join(allowed, ", "))
		case values[key.Value] != nil:
			p.fail(key.Line, "the key %s is there twice", key.Value)
		default:
			values[key.Value] = value
		}
	}
	return values
}

// text returns a scalar's text; "" for an absent node.
func (p *fileParser) text(node *yaml.Node, key string) string {
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode {
		p.fail(node.Line, "%s is text", key)
		return ""
	}
	return node.Value
}

// texts reads a list of texts; nil for an absent node.
func (p *fileParser) texts(node *yaml.Node, key string) []string {
	if node == nil {
		return nil
	}
	var list []string
	if err := node.Decode(&list); err != nil || node.Kind != yaml.SequenceNode {
		p.fail(node.Line, "%s is a list of texts", key)
	}
	return list
}

// empty reads the verdict on an item without a configuration.
func (p *fileParser) empty() {
	node := p.nodes["empty"]
	if node == nil {
		return
	}
	p.file.Empty = config.Compliance(p.text(node, "empty"))
	if !slices.Contains(outcomes(), p.file.Empty) {
		p.fail(node.Line, "empty is %q, which is none of %v", p.file.Empty, outcomes())
	}
}

// words reads the keys that are plain text.
func (p *fileParser) words() {
	f := p.file
	f.Identifier = p.text(p.nodes["identifier"], "identifier")
	f.Description = p.text(p.nodes["description"], "description")
	f.Note = p.text(p.nodes["note"], "note")
	f.Check, f.Applicable = p.text(p.nodes["check"], "check"), p.text(p.nodes["applicable"], "applicable")
	f.Sources = p.texts(p.nodes["sources"], "sources")
	if trigger := p.nodes["trigger"]; trigger != nil {
		var err error
		if f.Trigger, err = parseTrigger(p.text(trigger, "trigger")); err != nil {
			p.fail(trigger.Line, "%v", err)
		}
	}
	resources := p.nodes["resources"]
	if resources.Kind != yaml.SequenceNode || len(resources.Content) == 0 {
		p.fail(resources.Line, "resources is a list of resource types, such as [AWS::S3::Bucket]")
		return
	}
	for _, r := range resources.Content {
		if strings.Count(r.Value, "::") != 2 {
			p.fail(r.Line, "%q is not a resource type such as AWS::S3::Bucket", r.Value)
		} else if err := typename.Check(r.Value); err != nil {
			p.fail(r.Line, "%v", err)
		}
		f.Resources = append(f.Resources, r.Value)
	}
}

// parameters reads NAME: {type: int, optional: true, default: 3}.
func (p *fileParser) parameters() {
	node := p.nodes["parameters"]
	if node == nil {
		return
	}
	if node.Kind != yaml.MappingNode {
		p.fail(node.Line, "parameters is a mapping such as `port: {type: int, optional: true}`")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		p.parameter(node.Content[i], node.Content[i+1])
	}
}

func (p *fileParser) parameter(name, spec *yaml.Node) {
	keys := p.mapping(spec, append([]string{"type", "optional", "default", "description", "raw", "ignored"}, domainKeys...))
	parameter := Parameter{
		Name: name.Value, Kind: p.text(keys["type"], "type"), Default: p.text(keys["default"], "default"),
		Optional: p.flag(keys["optional"], "optional"), Raw: p.flag(keys["raw"], "raw"), Ignored: p.flag(keys["ignored"], "ignored"), Domain: p.domain(keys),
	}
	if err := checkKind(parameter.Kind); err != nil {
		p.fail(spec.Line, "parameter %s: %v", name.Value, err)
	} else if _, err := parameter.value(parameter.Default); err != nil && parameter.Default != "" {
		p.fail(spec.Line, "the default %q of parameter %s is not of type %s", parameter.Default, name.Value, parameter.Kind)
	}
	if wrong := parameter.Domain.check(parameter.Default); wrong != "" {
		p.fail(spec.Line, "the default %q of parameter %s is not in its domain: %s", parameter.Default, name.Value, wrong)
	}
	p.file.Parameters = append(p.file.Parameters, parameter)
}

// flag reads true or false; false for an absent node.
func (p *fileParser) flag(node *yaml.Node, key string) (on bool) {
	if node == nil {
		return false
	}
	if err := node.Decode(&on); err != nil {
		p.fail(node.Line, "%s is true or false", key)
	}
	return on
}
