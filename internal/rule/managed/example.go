package managed

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/resource/typename"
	"plumb/internal/rule/view"
)

// An Example shows a rule on an item: what goes in, and what comes out.
type Example struct {
	Name       string
	Line       int // in the file
	Item       config.Item
	Parameters string     // InputParameters, JSON
	Beside     view.Fixed // what else there is, and when it is
	Compliance config.Compliance
	Annotation *string // nil when the example does not care
}

// examples reads the list of examples.
func (p *fileParser) examples() {
	node := p.nodes["examples"]
	if node == nil {
		return
	}
	if node.Kind != yaml.SequenceNode {
		p.fail(node.Line, "examples is a list of name, item, others, unread, now, parameters, compliance, annotation")
		return
	}
	for _, n := range node.Content {
		p.example(n)
	}
}

func (p *fileParser) example(node *yaml.Node) {
	keys := p.mapping(node, []string{"name", "item", "others", "unread", "now", "parameters", "compliance", "annotation"})
	for _, key := range []string{"name", "item", "compliance"} {
		if keys[key] == nil {
			p.fail(node.Line, "an example needs %s", key)
			return
		}
	}
	e := Example{Name: p.text(keys["name"], "name"), Line: node.Line}
	e.Compliance = config.Compliance(p.text(keys["compliance"], "compliance"))
	if !slices.Contains(outcomes(), e.Compliance) {
		p.fail(keys["compliance"].Line, "compliance %q is none of %v", e.Compliance, outcomes())
	}
	if annotation := keys["annotation"]; annotation != nil {
		e.Annotation = new(p.text(annotation, "annotation"))
	}
	e.Parameters = p.exampleParameters(keys["parameters"])
	e.Item = p.exampleItem(keys["item"])
	e.Beside = p.exampleView(keys)
	p.file.Examples = append(p.file.Examples, e)
}

func outcomes() []config.Compliance {
	return []config.Compliance{config.Compliant, config.NonCompliant, config.NotApplicable, config.InsufficientData}
}

// exampleParameters turns scalars of any kind into the texts that InputParameters
// are made of.
func (p *fileParser) exampleParameters(node *yaml.Node) string {
	if node == nil {
		return "{}"
	}
	values := map[string]string{}
	if err := node.Decode(&values); err != nil {
		p.fail(node.Line, "an example's parameters are a mapping of names to text")
		return "{}"
	}
	text, err := json.Marshal(values)
	if err != nil {
		p.fail(node.Line, "read the example's parameters: %v", err)
	}
	return string(text)
}

// exampleItem reads a part of an item in the event's spelling. What it does not
// say is filled in as for a resource that was just changed.
func (p *fileParser) exampleItem(node *yaml.Node) config.Item {
	event := map[string]any{
		"resourceType": "", "resourceId": "example", "awsAccountId": "123456789012", "awsRegion": "us-east-1",
		"configurationItemStatus": string(config.StatusOK), "configurationItemCaptureTime": "2026-01-02T03:04:05.000Z",
	}
	if len(p.file.Resources) > 0 {
		event["resourceType"] = p.file.Resources[0]
	}
	if err := node.Decode(&event); err != nil {
		p.fail(node.Line, "an example's item is a mapping, as in an event: %v", err)
		return config.Item{}
	}
	if t, ok := event["resourceType"].(string); ok && t != "" && !slices.Contains(p.file.Resources, t) { // those are checked
		if err := typename.Check(t); err != nil {
			p.fail(node.Line, "%v", err)
		}
	}
	text, err := json.Marshal(event)
	if err != nil {
		p.fail(node.Line, "an example's item must be sayable in JSON: %v", err)
		return config.Item{}
	}
	var item config.Item
	if err := json.Unmarshal(text, &item); err != nil {
		p.fail(node.Line, "read the example's item: %v", err)
	}
	return item
}

// exampleView reads what there is beside the item: other resources, types that
// nobody records, and the time.
func (p *fileParser) exampleView(keys map[string]*yaml.Node) view.Fixed {
	v := Beside()
	v.Unread = p.texts(keys["unread"], "unread")
	if node := keys["now"]; node != nil {
		at, err := time.Parse(time.RFC3339, p.text(node, "now"))
		if err != nil {
			p.fail(node.Line, "now is a time such as 2026-01-02T03:04:05Z")
		}
		v.At = at
	}
	node := keys["others"]
	if node == nil {
		return v
	}
	if node.Kind != yaml.SequenceNode {
		p.fail(node.Line, "others is a list of items, each with its resourceType")
		return v
	}
	for _, n := range node.Content {
		it := p.exampleItem(n)
		if values := p.anyMapping(n); values["resourceType"] == nil {
			p.fail(n.Line, "another item needs its resourceType")
		}
		v.Items = append(v.Items, it)
	}
	return v
}

func (p *fileParser) anyMapping(node *yaml.Node) map[string]any {
	values := map[string]any{}
	if err := node.Decode(&values); err != nil {
		p.fail(node.Line, "an item is a mapping, as in an event: %v", err)
	}
	return values
}

// Beside is what there is beside the item of an example that does not say: no
// other resource, at the time when the item was captured.
func Beside() view.Fixed { return view.Fixed{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Run judges an example's item and returns an error unless the verdict is the
// one that the example names.
func (f *File) Run(e Example) error {
	evaluator, err := f.Evaluator(e.Parameters)
	if err != nil {
		return fmt.Errorf("%s:%d: %s: %w", f.Name, e.Line, e.Name, err)
	}
	compliance, annotation, err := evaluator.Evaluate(e.Item, e.Beside)
	if compliance != e.Compliance {
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %s, where %s is expected: %w", f.Name, e.Line, e.Name, compliance, e.Compliance, err)
		}
		return fmt.Errorf("%s:%d: %s: %s, where %s is expected", f.Name, e.Line, e.Name, compliance, e.Compliance)
	}
	if e.Annotation != nil && annotation != *e.Annotation {
		return fmt.Errorf("%s:%d: %s: the annotation is %q, where %q is expected",
			f.Name, e.Line, e.Name, annotation, *e.Annotation)
	}
	return nil
}

// Failures runs all examples, those of the proactive part too, and returns how
// many there are and the errors of those that fail.
func (f *File) Failures() (examples int, failures []error) {
	for _, part := range f.Parts() {
		examples += len(part.Examples)
		for _, e := range part.Examples {
			if err := part.Run(e); err != nil {
				failures = append(failures, err)
			}
		}
	}
	return examples, failures
}

// Unshown returns the outcomes that the rule can have and no example shows.
func (f *File) Unshown() []config.Compliance {
	wanted := []config.Compliance{config.Compliant, config.NonCompliant}
	if f.applicable != nil {
		wanted = append(wanted, config.NotApplicable)
	}
	return slices.DeleteFunc(wanted, func(c config.Compliance) bool {
		return slices.ContainsFunc(f.Examples, func(e Example) bool { return e.Compliance == c })
	})
}
