// Package serverless is the transform AWS::Serverless-2016-10-31: it makes plain
// CloudFormation of a template of the Serverless Application Model. Functions
// become a function, its role and what its events need, under the logical ids
// that AWS gives them, so that a stack can be moved between AWS and Plumb.
//
// It works on the values of a template, as JSON has them, and knows the types
// AWS::Serverless::Function, LayerVersion, Api and HttpApi. The others are refused by
// name: what they become, stacks do not make. It is deterministic: the same template and
// parameters are the same resources. It keeps nothing.
//
//	out, err := serverless.Transform(root, serverless.Values{"AWS::Region": "us-east-1"})
package serverless

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Name is how a template asks for the transform.
const Name = "AWS::Serverless-2016-10-31"

// prefix begins the types that are transformed.
const prefix = "AWS::Serverless::"

// Values are what parameters and pseudo parameters are, as far as it is known.
// What is asked for and not here stays a reference.
type Values map[string]string

// A Problem is one thing that is wrong with a resource, or with all of the
// template where Resource is empty.
type Problem struct{ Resource, Message string }

// An Error is what is wrong with a template.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	all := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		if all[i] = p.Message; p.Resource != "" {
			all[i] = fmt.Sprintf("Resource with id [%s] is invalid. %s", p.Resource, p.Message)
		}
	}
	return fmt.Sprintf("Invalid Serverless Application Specification document. Number of errors found: %d. %s", len(all), strings.Join(all, " "))
}

// An object is a mapping of a template.
type object = map[string]any

// What is made of a template is bounded: a little text must not become a lot.
const (
	maxResources = 500     // of a stack
	maxCopied    = 4 << 20 // bytes, of globals and of the values of parameters
	maxName      = 255     // of logical ids, conditions and policies of deletion
)

// transform is one run.
type transform struct {
	values     Values
	globals    map[string]object // by the resource's type
	resources  object            // of the template, with what was made
	renamed    map[string]string // what "Function.Alias" and its like are called now
	apis       map[string]*api   // of the template, and those that functions imply
	conditions object            // that are added
	copied     int               // bytes, up to maxCopied
	authored   bool              // see Authored
}

// errTooLarge is why a transform is given up.
const errTooLarge = problem("What the template becomes is too large.")

// spend counts bytes that are copied, and reports whether there may be so many.
func (t *transform) spend(n int) bool {
	t.copied += n
	return t.copied <= maxCopied
}

// Transform returns a template without types of AWS::Serverless. It uses the parts
// of root, which must not be used any more. The error is an *Error.
func Transform(root map[string]any, values Values) (map[string]any, error) {
	return (&transform{}).all(root, values)
}

// Authored is Transform for a template as its author has it, before it is packaged: code
// may lie in a folder, whose path is what the function's Code or the layer's Content is
// then. APIs, and the types and events that Transform refuses, are left as they are.
func Authored(root map[string]any, values Values) (map[string]any, error) {
	return (&transform{authored: true}).all(root, values)
}

func (t *transform) all(root map[string]any, values Values) (map[string]any, error) {
	resources, ok := root["Resources"].(object)
	if !ok {
		return nil, &Error{[]Problem{{Message: "'Resources' section is required"}}}
	}
	t.values, t.resources, t.renamed = withDefaults(root, values), resources, map[string]string{}
	t.apis, t.conditions = map[string]*api{}, object{}
	if err := t.readGlobals(root["Globals"]); err != nil {
		return nil, err
	}
	var problems []Problem
	for _, id := range t.order() {
		r, _ := resources[id].(object)
		kind, _ := r["Type"].(string)
		if !strings.HasPrefix(kind, prefix) || t.authored && !slices.Contains(transformed(), kind) {
			continue
		}
		err := t.one(id, kind, r)
		if err == nil && (t.copied > maxCopied || len(resources) > maxResources) {
			err = errTooLarge
		}
		if err != nil {
			problems = append(problems, Problem{id, err.Error()})
		}
		if err == errTooLarge {
			break
		}
	}
	if len(problems) == 0 {
		problems = t.finishAPIs()
	}
	if len(problems) > 0 {
		return nil, &Error{problems}
	}
	if len(t.conditions) > 0 {
		conditions, err := child(root, "Conditions")
		if err != nil {
			return nil, &Error{[]Problem{{Message: err.Error()}}}
		}
		maps.Copy(conditions, t.conditions)
	}
	delete(root, "Transform")
	delete(root, "Globals")
	for _, section := range []string{"Resources", "Outputs", "Conditions"} {
		if v, ok := root[section]; ok {
			root[section] = t.rename(v)
		}
	}
	return root, nil
}

// order returns the ids of the resources: APIs first, as functions add to them.
func (t *transform) order() []string {
	ids := slices.Sorted(maps.Keys(t.resources))
	isAPI := func(id string) bool {
		kind := fieldOf(t.resources[id], "Type")
		return kind == restType || kind == httpType
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		switch {
		case isAPI(a) == isAPI(b):
			return 0
		case isAPI(a):
			return -1
		}
		return 1
	})
	return ids
}

// transformed are the types of which something else is made in a template as its author has
// it.
func transformed() []string { return []string{prefix + "Function", prefix + "LayerVersion"} }

// withDefaults adds the defaults of parameters that have no value.
func withDefaults(root object, given Values) Values {
	all := Values{}
	parameters, _ := root["Parameters"].(object)
	for name, v := range parameters {
		p, _ := v.(object)
		if text, ok := textOf(p["Default"]); ok {
			all[name] = text
		}
	}
	maps.Copy(all, given)
	return all
}

// propertiesOf returns the properties of a resource, with those of Globals.
func (t *transform) propertiesOf(id string, r object) (object, error) {
	kind, _ := r["Type"].(string)
	if len(id) > maxName || len(kind) > maxName {
		return nil, problemf("Names have at most %d characters.", maxName)
	}
	for k := range inherited(r) {
		if len(textOrEmpty(r[k])) > maxName || r[k] != nil && textOrEmpty(r[k]) == "" {
			return nil, problemf("%s is the name of one, of at most %d characters.", k, maxName)
		}
	}
	properties, ok := r["Properties"].(object)
	if !ok && r["Properties"] != nil {
		return nil, problemf("Properties should be a map.")
	}
	return t.merged(kind, properties, r["IgnoreGlobals"])
}

// one transforms one resource, or begins with it.
func (t *transform) one(id, kind string, r object) error {
	if kind == restType || kind == httpType {
		return t.beginAPI(id, r)
	}
	properties, err := t.propertiesOf(id, r)
	if err != nil {
		return err
	}
	delete(r, "IgnoreGlobals")
	switch kind {
	case prefix + "Function":
		return t.function(id, r, properties)
	case prefix + "LayerVersion":
		return t.layer(id, r, properties)
	}
	return problemf("The type %s is not supported: stacks do not make what it becomes.", kind)
}

// globalProperties are what Globals may say of a function.
func globalProperties() []string {
	return []string{
		"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "Tags", "PropagateTags",
		"Tracing", "KmsKeyArn", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Layers", "DeploymentPreference", "RolePath",
		"PermissionsBoundary", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig", "AssumeRolePolicyDocument", "EventInvokeConfig",
		"FileSystemConfigs", "CodeSigningConfigArn", "Architectures", "SnapStart", "EphemeralStorage", "FunctionUrlConfig",
		"RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn",
	}
}

// globalsOf are what Globals may say of a type; nil of those that are not transformed.
func globalsOf(section string) []string {
	var known, refused []string
	switch section {
	case "Function":
		return globalProperties()
	case "Api":
		known, refused = restProperties()
	case "HttpApi":
		known, refused = httpProperties()
	default:
		return nil
	}
	all := slices.DeleteFunc(append(known, refused...), func(k string) bool { return k == "DefinitionBody" || k == "Mode" || k == "Policy" })
	return all
}

// readGlobals reads the section Globals. Those of types that are not transformed
// are let be: a template may have none of them.
func (t *transform) readGlobals(v any) error {
	t.globals = map[string]object{}
	if v == nil {
		return nil
	}
	wrong := func(format string, args ...any) error {
		return &Error{[]Problem{{Message: "'Globals' section is invalid. " + fmt.Sprintf(format, args...)}}}
	}
	all, ok := v.(object)
	if !ok {
		return wrong("It must be a non-empty dictionary")
	}
	known := []string{"Api", "CapacityProvider", "Function", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine", "WebSocketApi"}
	for _, section := range slices.Sorted(maps.Keys(all)) {
		properties, ok := all[section].(object)
		switch {
		case !slices.Contains(known, section):
			return wrong("'%s' is not supported. Must be one of the following values - ['%s']", section, strings.Join(known, "', '"))
		case !ok:
			return wrong("Value of %s must be a dictionary", section)
		}
		allowed := globalsOf(section)
		if allowed == nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			if !slices.Contains(allowed, key) {
				return wrong("'%s' is not a supported property of '%s'. Must be one of the following values - ['%s']", key, section,
					strings.Join(allowed, "', '"))
			}
		}
		t.globals[prefix+section] = properties
	}
	return nil
}

// merged joins the properties of a resource with those of Globals.
func (t *transform) merged(kind string, properties object, ignore any) (object, error) {
	global := maps.Clone(t.globals[kind])
	switch ignore := ignore.(type) {
	case nil:
	case string:
		if ignore != "*" {
			return nil, problemf("'IgnoreGlobals' is a list of properties, or '*'.")
		}
		global = nil
	case []any:
		for _, item := range ignore {
			name, _ := item.(string)
			if _, ok := global[name]; !ok {
				return nil, problemf("'IgnoreGlobals' has the item '%v', which 'Globals' does not have.", item)
			}
			delete(global, name)
		}
	default:
		return nil, problemf("'IgnoreGlobals' is a list of properties, or '*'.")
	}
	if !t.spend(weight(global)) {
		return nil, errTooLarge
	}
	out, _ := merge(clone(global), properties).(object)
	if out == nil {
		out = object{}
	}
	return out, nil
}

// merge joins a global value with the one of a resource: mappings by their keys,
// lists one after the other. Everything else is the resource's.
func merge(global, local any) any {
	switch g := global.(type) {
	case object:
		l, ok := local.(object)
		if !ok || isFunction(g) || isFunction(l) {
			break
		}
		for k, v := range l {
			if there, ok := g[k]; ok {
				v = merge(there, v)
			}
			g[k] = v
		}
		return g
	case []any:
		if l, ok := local.([]any); ok {
			return append(g, l...)
		}
	}
	return local
}

// add puts a resource into the template.
func (t *transform) add(id, kind string, attributes, properties object) object {
	r := maps.Clone(attributes)
	if r == nil {
		r = object{}
	}
	for k, v := range properties {
		if v == nil {
			delete(properties, k)
		}
	}
	r["Type"], r["Properties"] = kind, properties
	t.resources[id] = r
	return r
}

// rename has references to what functions make lead to it.
func (t *transform) rename(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = t.rename(v[i])
		}
	case object:
		for k, item := range v {
			switch k {
			case "Ref":
				if id, ok := t.renamed[textOrEmpty(item)]; ok {
					v[k] = id
					continue
				}
			case "Fn::GetAtt":
				t.renameAttribute(item)
				continue
			case "Fn::Sub":
				if text, ok := item.(string); ok {
					v[k] = t.renameText(text)
					continue
				}
				if list, ok := item.([]any); ok && len(list) == 2 {
					if text, ok := list[0].(string); ok {
						list[0] = t.renameText(text)
					}
				}
			case "DependsOn":
				v[k] = t.renameNames(item)
				continue
			}
			v[k] = t.rename(item)
		}
	}
	return v
}

// renameAttribute changes the resource of Fn::GetAtt, which may be
// ["Function.Alias", "Name"] or ["Function", "Alias.Name"].
func (t *transform) renameAttribute(v any) {
	list, ok := v.([]any)
	if !ok || len(list) != 2 {
		return
	}
	id, attribute := textOrEmpty(list[0]), textOrEmpty(list[1])
	if to, ok := t.renamed[id]; ok {
		list[0] = to
		return
	}
	part, rest, dotted := strings.Cut(attribute, ".")
	if to, ok := t.renamed[id+"."+part]; ok && dotted {
		list[0], list[1] = to, rest
	}
}

func (t *transform) renameNames(v any) any {
	if to, ok := t.renamed[textOrEmpty(v)]; ok {
		return to
	}
	list, _ := v.([]any)
	for i, item := range list {
		list[i] = t.renameNames(item)
	}
	return v
}

// renameText changes the names in a text of Fn::Sub.
func (t *transform) renameText(text string) string {
	return reference.ReplaceAllStringFunc(text, func(s string) string {
		parts := strings.Split(s[2:len(s)-1], ".")
		for n := min(len(parts), 2); n > 0; n-- {
			if to, ok := t.renamed[strings.Join(parts[:n], ".")]; ok {
				return "${" + strings.Join(append([]string{to}, parts[n:]...), ".") + "}"
			}
		}
		return s
	})
}
