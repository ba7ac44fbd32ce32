package template

import (
	"slices"
	"strings"
)

// check finds what is wrong with the expressions of a template whose sections
// were read.
func (t *Template) check(p *problems) {
	for _, name := range sortedKeys(t.conditions) {
		c := checker{t: t, problems: p, condition: true}
		c.boolean(t.conditions[name])
	}
	t.checkConditionCycles(p)
	for _, r := range t.resources {
		t.checkResource(r, p)
	}
	t.checkResourceCycles(p)
	for _, o := range t.outputs {
		c := checker{t: t, problems: p}
		c.named(o.condition, o.at)
		c.expression(o.value)
		if o.export != nil {
			c.expression(o.export)
		}
	}
}

func (t *Template) checkResource(r *resource, p *problems) {
	c := checker{t: t, problems: p}
	c.named(r.condition, r.at)
	for _, d := range r.dependsOn {
		if t.byID[d.name] == nil {
			p.add(d.at, "Unresolved resource dependencies [%s] in the Resources block of the template.", d.name)
		}
	}
	if r.properties != nil {
		c.expression(r.properties)
	}
	for _, key := range sortedKeys(r.attributes) {
		c.expression(r.attributes[key])
	}
	r.uses = append(c.uses, r.dependsOn...)
}

// A checker walks the expressions of one place in a template.
type checker struct {
	t *Template
	*problems
	condition bool        // in a condition, which knows no resources
	uses      []reference // of resources
}

// named checks the name of a condition; an empty one is none.
func (c *checker) named(condition string, at *node) {
	if condition != "" && c.t.conditions[condition] == nil {
		c.add(at, "Unresolved condition dependency %s in the template.", condition)
	}
}

// boolean checks a condition: a call of a function that is true or false.
func (c *checker) boolean(n *node) {
	name, argument, call := n.function()
	if n.kind == mapping && len(n.keys) == 1 && n.keys[0] == "Condition" {
		s, _ := n.items[0].text()
		if s == "" {
			c.add(n, "The name of a condition is wanted.")
		}
		c.named(s, n)
		return
	}
	if !call || !isBoolean(name) {
		c.add(n, "A condition must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition, found %s.", n.describe())
		return
	}
	low, high := 2, 10
	switch name {
	case "Fn::Not":
		low, high = 1, 1
	case "Fn::Equals":
		low, high = 2, 2
	}
	for _, item := range c.list(n, name, argument, low, high) {
		if name == "Fn::Equals" {
			c.expression(item)
		} else {
			c.boolean(item)
		}
	}
}

func isBoolean(name string) bool {
	return slices.Contains([]string{"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}, name)
}

// list returns the arguments of a function that takes that many of them, or none
// and a problem.
func (c *checker) list(at *node, name string, argument *node, low, high int) []*node {
	if argument.kind == sequence && len(argument.items) >= low && len(argument.items) <= high {
		return argument.items
	}
	switch {
	case low == high && low == 1:
		c.add(at, "%s requires a list argument with one element.", name)
	case low == high:
		c.add(at, "%s requires a list argument with %d elements.", name, low)
	default:
		c.add(at, "%s requires a list argument with %d to %d elements.", name, low, high)
	}
	return nil
}

// expression checks a value and what is in it.
func (c *checker) expression(n *node) {
	name, argument, call := n.function()
	switch {
	case call:
		c.call(n, name, argument)
	case n.kind == scalar:
		if n.value == nil {
			c.add(n, "Null values are not allowed in templates.")
		}
	default:
		for _, k := range n.keys {
			if isFunction(k) {
				c.add(n, "%s must be the only key of its mapping.", k)
				return
			}
		}
		for _, item := range n.items {
			c.expression(item)
		}
	}
}

func (c *checker) call(n *node, name string, argument *node) {
	switch name {
	case "Ref":
		c.ref(n, argument)
	case "Fn::GetAtt":
		c.getAtt(n, argument)
	case "Fn::Sub":
		c.sub(n, argument)
	case "Fn::Join", "Fn::Split":
		if list := c.list(n, name, argument, 2, 2); list != nil {
			if _, ok := list[0].text(); !ok {
				c.add(list[0], "The delimiter of %s must be a string.", name)
			}
			c.operand(list[1], name, name == "Fn::Join")
		}
	case "Fn::Select":
		if list := c.list(n, name, argument, 2, 2); list != nil {
			c.expression(list[0])
			c.operand(list[1], name, true)
		}
	case "Fn::If":
		c.choice(n, argument)
	case "Fn::FindInMap":
		c.findInMap(n, argument)
	case "Fn::Base64":
		c.expression(argument)
	case "Fn::ImportValue", "Fn::GetAZs":
		if !c.t.options.Stack {
			c.refuse(n, name)
			return
		}
		c.lookup(n, name, argument)
	default:
		c.refuse(n, name)
	}
}

// lookup checks the argument of a function whose value is not in the template.
func (c *checker) lookup(n *node, name string, argument *node) {
	before := len(c.uses)
	c.expression(argument)
	switch {
	case c.condition:
		c.add(n, "%s cannot be used in conditions.", name)
	case len(c.uses) > before:
		c.add(n, "Template error: the attribute in %s must not depend on any resources, imported values, or Fn::GetAZs", name)
	}
}

func (c *checker) refuse(n *node, name string) {
	switch {
	case isBoolean(name):
		c.add(n, "%s is for conditions only; use Fn::If with the name of one.", name)
	case name == "Fn::ImportValue":
		c.add(n, "Fn::ImportValue is not supported: there are no exports to import.")
	default:
		c.add(n, "%s is not a function that is supported.", name)
	}
}

// operand checks what has to be a list, or a text: it, or a function that gives
// it.
func (c *checker) operand(n *node, name string, isList bool) {
	_, _, call := n.function()
	switch {
	case isList && !call && n.kind != sequence:
		c.add(n, "%s requires a list of values, found %s.", name, n.describe())
	case !isList && !call && n.kind != scalar:
		c.add(n, "%s requires a string, found %s.", name, n.describe())
	default:
		c.expression(n)
	}
}

// ref checks the name of a parameter, a pseudo parameter or a resource.
func (c *checker) ref(n, argument *node) {
	name, ok := argument.text()
	if !ok {
		c.add(n, "Every Ref object must have a single String value.")
		return
	}
	c.reference(n, name)
}

func (c *checker) reference(n *node, name string) {
	switch {
	case isPseudo(name), c.t.parameter(name) != nil:
	case c.t.byID[name] == nil:
		c.add(n, "Unresolved resource dependencies [%s] in the template: no parameter or resource has that name.", name)
	case c.condition:
		c.add(n, "Conditions can only reference parameters, not the resource %s.", name)
	default:
		c.uses = append(c.uses, reference{name, n})
	}
}

// getAtt checks the resource of an attribute; which attributes it has is known
// when it is made.
func (c *checker) getAtt(n, argument *node) {
	id, attribute, ok := attributeOf(argument)
	if !ok {
		c.add(n, "Fn::GetAtt requires the name of a resource and that of an attribute.")
		return
	}
	c.attribute(n, id)
	if attribute != nil {
		c.expression(attribute)
	}
}

func (c *checker) attribute(n *node, id string) {
	switch {
	case c.condition:
		c.add(n, "Conditions can only reference parameters, not attributes of the resource %s.", id)
	case c.t.byID[id] == nil:
		c.add(n, "Instance of Fn::GetAtt references undefined resource %s.", id)
	default:
		c.uses = append(c.uses, reference{id, n})
	}
}

// attributeOf returns what Fn::GetAtt asks for: of a list of two, or of
// Resource.Attribute.
func attributeOf(argument *node) (id string, attribute *node, ok bool) {
	if s, isText := argument.text(); isText {
		argument = dotted(argument, s)
	}
	if argument.kind != sequence || len(argument.items) != 2 {
		return "", nil, false
	}
	id, ok = argument.items[0].text()
	return id, argument.items[1], ok
}

func (c *checker) choice(n, argument *node) {
	if c.condition {
		c.add(n, "Fn::If cannot be used in conditions.")
		return
	}
	list := c.list(n, "Fn::If", argument, 3, 3)
	if list == nil {
		return
	}
	name, ok := list[0].text()
	if !ok || name == "" {
		c.add(n, "The first element of Fn::If must be the name of a condition.")
	}
	c.named(name, n)
	c.expression(list[1])
	c.expression(list[2])
}

func (c *checker) findInMap(n, argument *node) {
	list := c.list(n, "Fn::FindInMap", argument, 3, 3)
	if list == nil {
		return
	}
	if name, ok := list[0].text(); ok && c.t.mappings[name] == nil {
		c.add(n, "Mapping named '%s' is not present in the 'Mappings' section of the template.", name)
	}
	for _, item := range list {
		c.expression(item)
	}
}

// sub checks the names in a text.
func (c *checker) sub(n, argument *node) {
	text, variables, ok := subArguments(argument)
	if !ok {
		c.add(n, "Fn::Sub requires a string, or a list of a string and a mapping of names to values.")
		return
	}
	if variables != nil {
		for _, item := range variables.items {
			c.expression(item)
		}
	}
	parts, odd := splitSub(text)
	if odd != "" {
		c.add(n, "Variable names in Fn::Sub must contain only letters, digits, underscores, periods and colons, found %q.", odd)
		return
	}
	for _, part := range parts {
		if part.name == "" || variables != nil && variables.get(part.name) != nil {
			continue
		}
		if id, _, dot := strings.Cut(part.name, "."); dot {
			c.attribute(n, id)
		} else {
			c.reference(n, part.name)
		}
	}
}

// pseudoParameters are those that CloudFormation has.
func pseudoParameters() []string {
	return []string{
		"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
		"AWS::StackName", "AWS::URLSuffix",
	}
}

func isPseudo(name string) bool { return slices.Contains(pseudoParameters(), name) }

func (t *Template) parameter(name string) *Parameter {
	for i := range t.parameters {
		if t.parameters[i].Name == name {
			return &t.parameters[i]
		}
	}
	return nil
}
