package serverless

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// apiEvents are the events that requests to APIs are.
func apiEvents() map[string]eventType {
	return map[string]eventType{
		"Api": {
			required: []string{"Path", "Method"}, optional: []string{"RestApiId", "Auth", "RequestModel", "RequestParameters", "TimeoutInMillis"},
			make: event.rest,
		},
		"HttpApi": {optional: []string{"Path", "Method", "ApiId", "Auth", "TimeoutInMillis", "PayloadFormatVersion", "RouteSettings"}, make: event.web},
	}
}

// invoked is the URI by which an API of the event's function invokes it.
func (e event) invoked(partition string) any {
	name := "${" + e.function.id + ".Arn}"
	if e.alias != "" {
		name = "${" + e.alias + "}"
	}
	uri := object{"Fn::Sub": "arn:" + partition + ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" + name + "/invocations"}
	if condition := textOrEmpty(e.attributes["Condition"]); condition != "" {
		return either(condition, uri)
	}
	return uri
}

// target returns the API of an event, or nil if that is no one of SAM's, and a reference to
// it.
func (e event) target(property string, web bool) (a *api, at any, err error) {
	given := e.in[property]
	if given == nil {
		if a, err = e.impliedAPI(web); err != nil {
			return nil, nil, err
		}
		return a, ref(a.id), nil
	}
	id := resourceOf(given)
	if fieldOf(given, "Ref") == nil {
		kind := restType
		if web {
			kind = httpType
		}
		return nil, nil, problemf("%s must be a valid reference to an '%s' resource in same template.", property, kind)
	}
	if a = e.apis[id]; a != nil && a.http != web {
		return nil, nil, problemf("%s is an API of another kind.", id)
	}
	return a, given, nil
}

var variable = regexp.MustCompile(`\{[a-zA-Z0-9._-]+\+?\}`)

// called lets an API invoke the function for a method of a path.
func (e event) called(suffix, partition, method, at string, api any) {
	if strings.EqualFold(method, "any") {
		method = "*"
	}
	if at != "/" {
		at = strings.TrimSuffix(at, "/")
	}
	source := "${__ApiId__}/${__Stage__}/" + strings.ToUpper(method) + "/" + strings.TrimPrefix(variable.ReplaceAllString(at, "*"), "/")
	if at == "$default" {
		source = "${__ApiId__}/${__Stage__}/*"
	}
	e.id += "Permission" + suffix
	e.add(e.id, "AWS::Lambda::Permission", e.attributes, object{
		"Action": "lambda:InvokeFunction", "FunctionName": e.name, "Principal": "apigateway.amazonaws.com",
		"SourceArn": object{"Fn::Sub": []any{
			"arn:" + partition + ":execute-api:${AWS::Region}:${AWS::AccountId}:" + source, object{"__ApiId__": api, "__Stage__": "*"},
		}},
	})
}

// rest puts the function behind a method of a REST API.
func (e event) rest() error {
	at, method := textOrEmpty(e.in["Path"]), textOrEmpty(e.in["Method"])
	if at == "" || method == "" {
		return problemf("'Path' and 'Method' are texts.")
	}
	a, id, err := e.target("RestApiId", false)
	if err != nil {
		return err
	}
	suffix := "Stage"
	if a != nil {
		if name, ok := a.in["StageName"].(string); ok && alphanumeric(name) {
			suffix = name
		} else if ok {
			suffix = hash(name)
		}
	}
	e.called(suffix, e.partition(), method, at, id)
	if a == nil || a.body == nil {
		return nil
	}
	integration := object{"type": "aws_proxy", "httpMethod": "POST", "uri": e.invoked(e.partition())}
	if v := e.in["TimeoutInMillis"]; v != nil {
		integration["timeoutInMillis"] = v
	}
	operation := object{"x-amazon-apigateway-integration": integration, "responses": object{}}
	for _, step := range []func(*api, object) error{e.restSecurity, e.restParameters, e.restModel} {
		if err := step(a, operation); err != nil {
			return err
		}
	}
	return a.addMethod(e.function, at, method, operation)
}

// secured says which authorizer a method asks. It returns its name, or nothing.
func (e event) secured(a *api, operation object, known ...string) (string, error) {
	auth, ok := e.in["Auth"].(object)
	if !ok && e.in["Auth"] != nil {
		return "", problemf("Type of property 'Auth' is invalid.")
	}
	for _, k := range slices.Sorted(maps.Keys(auth)) {
		if !slices.Contains(known, k) {
			return "", problemf("'Auth.%s' is not supported: stacks do not make what it becomes.", k)
		}
	}
	name := textOrEmpty(auth["Authorizer"])
	if name == "" {
		return "", nil
	}
	where := "on API method [" + textOrEmpty(e.in["Method"]) + "] for path [" + textOrEmpty(e.in["Path"]) + "] because "
	of, _ := a.in["Auth"].(object)
	authorizers, _ := of["Authorizers"].(object)
	switch {
	case name == "NONE" && of["DefaultAuthorizer"] == nil:
		return "", problemf("Unable to set Authorizer %s'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", where)
	case name == "NONE", name == iam && (!a.http || of["EnableIamAuthorizer"] == true):
	case len(authorizers) == 0:
		return "", problemf("Unable to set Authorizer [%s] %sthe related API does not define any Authorizers.", name, where)
	case authorizers[name] == nil:
		return "", problemf("Unable to set Authorizer [%s] %sit wasn't defined in the API's Authorizers.", name, where)
	}
	operation["security"] = []any{object{name: []any{}}}
	return name, nil
}

func (e event) restSecurity(a *api, operation object) error {
	name, err := e.secured(a, operation, "Authorizer", "InvokeRole", "AuthorizationScopes")
	if err != nil || name != iam {
		return err
	}
	role := fieldOf(e.in["Auth"], "InvokeRole")
	if role == nil {
		role = fieldOf(a.in["Auth"], "InvokeRole")
	}
	a.asCaller(operation, role, name)
	return nil
}

var parameterName = regexp.MustCompile(`^method\.request\.(querystring|path|header)\.(.+)$`)

// restParameters are those of requests.
func (e event) restParameters(_ *api, operation object) error {
	if e.in["RequestParameters"] == nil {
		return nil
	}
	list, ok := e.in["RequestParameters"].([]any)
	if !ok {
		return problemf("Invalid value for 'RequestParameters' property.")
	}
	places := map[string]string{"querystring": "query", "path": "path", "header": "header"}
	var out, cached []any
	for _, item := range list {
		name, settings := textOrEmpty(item), object{}
		if m, ok := item.(object); ok && len(m) == 1 {
			for k, v := range m {
				name = k
				settings, _ = v.(object)
			}
		}
		m := parameterName.FindStringSubmatch(name)
		if m == nil {
			return problemf("Invalid value for 'RequestParameters' property. Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.")
		}
		out = append(out, object{"name": m[2], "in": places[m[1]], "required": settings["Required"] == true, "type": "string"})
		if settings["Caching"] == true {
			cached = append(cached, name)
		}
	}
	operation["parameters"] = out
	if integration, ok := operation["x-amazon-apigateway-integration"].(object); ok && cached != nil {
		integration["cacheKeyParameters"] = cached
	}
	return nil
}

// restModel says what bodies are like.
func (e event) restModel(a *api, operation object) error {
	if e.in["RequestModel"] == nil {
		return nil
	}
	in, _ := e.in["RequestModel"].(object)
	name := textOrEmpty(in["Model"])
	models, _ := a.in["Models"].(object)
	switch {
	case name == "":
		return problemf("Property 'RequestModel.Model' is required.")
	case models[name] == nil:
		return problemf("Unable to set RequestModel [%s] on API method [%s] for path [%s] because it wasn't defined in the API's Models.", name,
			textOrEmpty(e.in["Method"]), textOrEmpty(e.in["Path"]))
	}
	model := strings.ToLower(name)
	if a.version3() {
		body := object{"content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/" + model}}}}
		if v, ok := in["Required"].(bool); ok {
			body["required"] = v
		}
		operation["requestBody"] = body
	} else {
		parameter := object{"in": "body", "name": model, "schema": object{"$ref": "#/definitions/" + model}}
		if v, ok := in["Required"].(bool); ok {
			parameter["required"] = v
		}
		list, _ := operation["parameters"].([]any)
		operation["parameters"] = append(list, parameter)
	}
	bodies, parameters := in["ValidateBody"] == true, in["ValidateParameters"] == true
	if in["ValidateBody"] == nil && in["ValidateParameters"] == nil {
		return nil
	}
	validator := map[[2]bool]string{{true, true}: "full", {true, false}: "body-only", {false, true}: "params-only", {false, false}: "no-validation"}[[2]bool{bodies, parameters}]
	all, err := child(a.body, "x-amazon-apigateway-request-validators")
	if err != nil {
		return err
	}
	all[validator] = object{"validateRequestBody": bodies, "validateRequestParameters": parameters}
	operation["x-amazon-apigateway-request-validator"] = validator
	return nil
}

// web puts the function behind a route of an HTTP API.
func (e event) web() error {
	at, method := textOrEmpty(e.in["Path"]), textOrEmpty(e.in["Method"])
	switch {
	case e.in["Path"] == nil && e.in["Method"] == nil:
		at, method = "$default", "any"
	case at == "":
		return problemf("Property 'Path' is required.")
	case method == "":
		return problemf("Property 'Method' is required.")
	}
	a, id, err := e.target("ApiId", true)
	if err != nil {
		return err
	}
	if a == nil || a.body == nil {
		e.called("", partitioned, method, at, id)
		return nil
	}
	a.permissions = append(a.permissions, func() {
		// The default route's permission is for all of the API.
		if paths, _ := a.body["paths"].(object); at == "$default" || paths["$default"] == nil {
			e.called("", partitioned, method, at, id)
		}
	})
	format := e.in["PayloadFormatVersion"]
	if format == nil {
		format = "2.0"
	}
	integration := object{"type": "aws_proxy", "httpMethod": "POST", "uri": e.invoked(partitioned), "payloadFormatVersion": format}
	if v := e.in["TimeoutInMillis"]; v != nil {
		integration["timeoutInMillis"] = v
	}
	operation := object{"x-amazon-apigateway-integration": integration, "responses": object{}}
	key := strings.ToUpper(method) + " " + at
	if at == "$default" {
		operation["isDefaultRoute"], key = true, at
	}
	var parameters []any
	for _, name := range variable.FindAllString(at, -1) {
		parameters = append(parameters, object{"name": name[1 : len(name)-1], "in": "path", "required": true})
	}
	if parameters != nil {
		operation["parameters"] = parameters
	}
	if _, err := e.secured(a, operation, "Authorizer", "InvokeRole", "AuthorizationScopes"); err != nil {
		return err
	}
	if role := fieldOf(e.in["Auth"], "InvokeRole"); role != nil {
		integration["credentials"] = role
	}
	if settings := e.in["RouteSettings"]; settings != nil {
		all, err := child(a.in, "RouteSettings")
		if err != nil {
			return err
		}
		all[key] = settings
	}
	return a.addMethod(e.function, at, method, operation)
}
