package resource

import "go.yaml.in/yaml/v3"

// An Expression is the JMESPath of this catalogue, for other catalogues.
type Expression struct{ inner expression }

// UnmarshalYAML compiles the expression, so that a file with a mistake does not load.
func (e *Expression) UnmarshalYAML(n *yaml.Node) error { return e.inner.UnmarshalYAML(n) }

// Eval returns what stands at the expression.
func (e *Expression) Eval(doc map[string]any) (any, error) { return e.inner.eval(doc) }

// Text is the expression as it was written.
func (e *Expression) Text() string { return e.inner.text }
