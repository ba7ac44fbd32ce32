package serverless

import (
	"maps"
	"slices"
	"strings"
)

// The types that APIs are written as.
const (
	restType = prefix + "Api"
	httpType = prefix + "HttpApi"
)

// An api is one of the template, or one that functions imply.
type api struct {
	*transform
	id          string
	http        bool
	implied     bool
	resource    object // as it was written
	in          object // properties
	attributes  object // of what is made of it
	body        object // its document; nil where that is elsewhere
	document    any    // where it is, or what makes it
	paths       map[string]*path
	permissions []func() // made once all routes are known
}

// A path is one of an API that functions are behind.
type path struct {
	conditions []string // of the functions
	always     bool     // one has none
	methods    map[string]string
}

// implied are the APIs of functions that name none.
func implied(http bool) string {
	if http {
		return "ServerlessHttpApi"
	}
	return "ServerlessRestApi"
}

// restProperties are those that a REST API may have. The ones of the second list are
// refused: what they become is not there.
func restProperties() (known, refused []string) {
	return []string{
		"Name", "Description", "StageName", "DefinitionBody", "DefinitionUri", "OpenApiVersion", "CacheClusterEnabled", "CacheClusterSize", "Variables",
		"EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "Auth", "GatewayResponses", "AccessLogSetting",
		"TracingEnabled", "Models", "Tags", "PropagateTags", "FailOnWarnings", "DisableExecuteApiEndpoint", "Mode", "ApiKeySourceType", "AlwaysDeploy",
		"MergeDefinitions",
	}, []string{"Domain", "CanarySetting", "Policy", "SecurityPolicy", "EndpointAccessMode"}
}

func httpProperties() (known, refused []string) {
	return []string{
		"Name", "Description", "StageName", "DefinitionBody", "DefinitionUri", "Auth", "CorsConfiguration", "AccessLogSettings", "DefaultRouteSettings",
		"RouteSettings", "StageVariables", "Tags", "PropagateTags", "FailOnWarnings", "DisableExecuteApiEndpoint",
	}, []string{"Domain"}
}

// beginAPI reads an API, so that functions can add to it.
func (t *transform) beginAPI(id string, r object) error {
	a := &api{transform: t, id: id, http: r["Type"] == httpType, resource: r, attributes: inherited(r), paths: map[string]*path{}}
	properties, err := t.propertiesOf(id, r)
	if err != nil {
		return err
	}
	a.in = properties
	known, refused := restProperties()
	if a.http {
		known, refused = httpProperties()
	}
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		switch {
		case slices.Contains(refused, k):
			return problemf("'%s' is not supported: stacks do not make what it becomes.", k)
		case !slices.Contains(known, k):
			return problemf("property %s not defined for resource of type %s", k, r["Type"])
		}
	}
	if !a.http && properties["StageName"] == nil {
		return problemf("Missing required property 'StageName'.")
	}
	if err := a.definition(); err != nil {
		return err
	}
	t.apis[id] = a
	return nil
}

// impliedAPI returns the API of functions that name none.
func (t *transform) impliedAPI(http bool) (*api, error) {
	id, kind, properties := implied(http), restType, object{"StageName": "Prod"}
	if http {
		kind, properties = httpType, object{}
	}
	if a, ok := t.apis[id]; ok {
		return a, nil
	}
	if _, ok := t.resources[id]; ok {
		return nil, problemf("The logical id %s is that of the API of functions that name none.", id)
	}
	r := object{"Type": kind, "Properties": properties}
	if err := t.beginAPI(id, r); err != nil {
		return nil, err
	}
	t.apis[id].implied = true
	return t.apis[id], nil
}

// definition finds the document of an API, or begins one.
func (a *api) definition() error {
	body, uri := a.in["DefinitionBody"], a.in["DefinitionUri"]
	switch {
	case body != nil && uri != nil:
		return problemf("Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
	case uri != nil:
		at, err := a.location(uri, "DefinitionUri")
		if err != nil {
			return err
		}
		if m, ok := at.(object); ok && m["S3Bucket"] != nil {
			out := object{"Bucket": m["S3Bucket"], "Key": m["S3Key"]}
			if v := m["S3ObjectVersion"]; v != nil {
				out["Version"] = v
			}
			at = out
		}
		a.document = at
		return nil
	case body == nil:
		a.body = object{"info": object{"version": "1.0", "title": ref("AWS::StackName")}, "paths": object{}, "swagger": "2.0"}
		if a.http {
			delete(a.body, "swagger")
			a.body["openapi"] = "3.0.1"
		}
		return a.openAPIVersion()
	}
	m, ok := body.(object)
	if !ok {
		return problemf("'DefinitionBody' must be a map.")
	}
	if isFunction(m) {
		a.document = m
		return nil
	}
	if !a.spend(weight(m)) {
		return errTooLarge
	}
	a.body = m
	if m["paths"] == nil {
		m["paths"] = object{}
	}
	if _, ok := m["paths"].(object); !ok || a.http && m["swagger"] != nil {
		return problemf("Unable to add events to the API: its 'DefinitionBody' is no valid document of OpenAPI.")
	}
	return a.openAPIVersion()
}

// version3 reports whether the document is one of OpenAPI 3.
func (a *api) version3() bool { return a.body["openapi"] != nil }

// anyMethod stands for all methods.
const anyMethod = "x-amazon-apigateway-any-method"

// addMethod puts a function behind a method of a path.
func (a *api) addMethod(f *function, at, method string, operation object) error {
	if strings.EqualFold(method, "any") {
		method = anyMethod
	}
	method = strings.ToLower(method)
	p := a.paths[at]
	if p == nil {
		p = &path{methods: map[string]string{}}
		a.paths[at] = p
	}
	if other, ok := p.methods[method]; ok && other != "" {
		return problemf("API method \"%s\" defined multiple times for path \"%s\".", method, at)
	}
	condition := textOrEmpty(f.attributes["Condition"])
	p.methods[method] = f.id
	if condition == "" {
		p.always = true
	} else if !slices.Contains(p.conditions, condition) {
		p.conditions = append(p.conditions, condition)
	}
	paths := a.body["paths"].(object)
	item, err := child(paths, at)
	if err != nil {
		return err
	}
	if !a.spend(weight(operation)) {
		return errTooLarge
	}
	if there, ok := item[method].(object); ok && there["x-amazon-apigateway-integration"] != nil {
		return problemf("API method \"%s\" defined multiple times for path \"%s\".", method, at)
	} else if ok {
		for k, v := range operation {
			there[k] = v
		}
		operation = there
	}
	if condition != "" {
		item[method] = either(condition, operation)
	} else {
		item[method] = operation
	}
	return nil
}

// either is a value on a condition.
func either(condition string, v any) object {
	return object{"Fn::If": []any{condition, v, ref("AWS::NoValue")}}
}

// methodsOf returns the operations of a path, with their conditions off.
func methodsOf(item object) map[string]object {
	out := map[string]object{}
	for method, v := range item {
		m, ok := v.(object)
		if branches, conditional := m["Fn::If"].([]any); ok && conditional && len(branches) == 3 {
			m, ok = branches[1].(object)
		}
		if ok && (method == anyMethod || slices.Contains(verbs(), method)) {
			out[method] = m
		}
	}
	return out
}

func verbs() []string { return []string{"delete", "get", "head", "options", "patch", "post", "put"} }

// finishAPIs makes what the APIs of the template become.
func (t *transform) finishAPIs() (problems []Problem) {
	for _, id := range slices.Sorted(maps.Keys(t.apis)) {
		a := t.apis[id]
		err := a.finish()
		if err == nil && t.copied > maxCopied {
			err = errTooLarge
		}
		if err != nil {
			problems = append(problems, Problem{id, err.Error()})
		}
	}
	return problems
}

func (a *api) finish() error {
	if a.body == nil && a.document == nil {
		return nil
	}
	if a.http {
		return a.finishHTTP()
	}
	return a.finishREST()
}

// condition puts the paths of functions that may not be there on a condition, and the whole
// API if it is implied by them.
func (a *api) condition() {
	var all []string
	always := false
	paths, _ := a.body["paths"].(object)
	for _, at := range slices.Sorted(maps.Keys(a.paths)) {
		p := a.paths[at]
		if p.always || len(p.conditions) == 0 {
			always = true
			continue
		}
		for _, c := range p.conditions {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
		name := a.id + conditionName(at) + "PathCondition"
		if _, taken := a.conditions[name]; taken {
			name = a.id + conditionName(at) + hash(at) + "PathCondition"
		}
		paths[at] = either(a.anyOf(name, p.conditions), paths[at])
	}
	if a.implied && !always && len(all) > 0 {
		a.attributes = object{"Condition": a.anyOf(a.id+"Condition", all)}
	}
}

// conditionName is a path as a part of a condition's name.
func conditionName(at string) string {
	var b strings.Builder
	for _, c := range strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB").Replace(at) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// anyOf returns the name of a condition that holds if one of some does.
func (a *api) anyOf(name string, conditions []string) string {
	slices.Sort(conditions)
	if len(conditions) == 1 {
		return conditions[0]
	}
	or := []any{}
	for _, c := range conditions {
		or = append(or, object{"Condition": c})
	}
	// CloudFormation joins up to ten.
	for n := 1; len(or) > 10; n++ {
		part := name + itoa(n)
		a.conditions[part] = object{"Fn::Or": slices.Clone(or[:10])}
		or = append(or[10:], object{"Condition": part})
	}
	a.conditions[name] = object{"Fn::Or": or}
	return name
}

// stageID is the logical id of a stage.
func (a *api) stageID(stage any) string {
	name, _ := stage.(string)
	switch {
	case name == "$default":
		return a.id + "ApiGatewayDefaultStage"
	case alphanumeric(name):
		return a.id + name + "Stage"
	}
	return a.id + "Stage" + hash(name)
}

func alphanumeric(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// authorizerPermission lets the API ask a function that is an authorizer.
func (a *api) authorizerPermission(name string, function any, partition string) {
	a.add(a.id+name+"AuthorizerPermission", "AWS::Lambda::Permission", a.attributes, object{
		"Action": "lambda:InvokeFunction", "FunctionName": function, "Principal": "apigateway.amazonaws.com",
		"SourceArn": object{"Fn::Sub": []any{
			"arn:" + partition + ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", object{"__ApiId__": ref(a.id)},
		}},
	})
}

// invocation is the URI by which an API invokes a function, and what its name is in the
// text.
func invocation(partition string, function any) object {
	return object{"Fn::Sub": []any{
		"arn:" + partition + ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations", object{"__FunctionArn__": function},
	}}
}
