package restapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/openapi"
)

// paths are the resources with their methods.
func (i *importing) paths() {
	ids := map[string]string{}
	for _, r := range i.Resources {
		ids[*r.Path] = *r.Id
	}
	for _, path := range i.doc.Paths() {
		if err := i.resource(ids, i.prefix+path); err != nil {
			i.Wrong(fmt.Sprintf("Unable to create resource at path '%s'", i.prefix+path), err)
		}
	}
	for _, o := range i.doc.Operations() {
		path := strings.TrimSuffix(i.prefix+o.Path, "/")
		if path == "" {
			path = "/"
		}
		if id, ok := ids[path]; ok {
			i.method(id, path, o)
		}
	}
}

// resource adds a path with those above it.
func (i *importing) resource(ids map[string]string, path string) error {
	at, parent := "", ids["/"]
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		at += "/" + part
		if id, ok := ids[at]; ok {
			parent = id
			continue
		}
		r, err := i.AddResource(parent, part)
		if err != nil {
			return err
		}
		for _, was := range i.was.Resources {
			if *was.Path == at {
				i.Resources[len(i.Resources)-1].Id, r.Id = was.Id, was.Id
			}
		}
		ids[at], parent = *r.Id, *r.Id
	}
	return nil
}

// method carries an operation over.
func (i *importing) method(resource, path string, o openapi.Operation) {
	m := apigatewayapi.Method{AuthorizationType: new("NONE"), OperationName: openapi.TextIn(o.In, "operationId")}
	if validator := openapi.Text(o.Extension("request-validator")); validator != "" {
		m.RequestValidatorId = i.validator(validator, path, o.Verb)
	} else if validator := openapi.Text(i.doc.Extension("request-validator")); validator != "" {
		m.RequestValidatorId = i.validator(validator, path, o.Verb)
	}
	i.secure(&m, o)
	i.takes(&m, o)
	i.answers(&m, o)
	if err := i.PutMethod(resource, o.Verb, m); err != nil {
		i.Wrong(fmt.Sprintf("Unable to put method '%s' on resource at path '%s'", o.Verb, path), err)
		return
	}
	in := openapi.Map(o.Extension("integration"))
	if in == nil {
		return
	}
	integration, err := integrationOf(in, resource)
	if err == nil {
		m.MethodIntegration = &integration
		for status := range integration.IntegrationResponses {
			if _, ok := m.MethodResponses[status]; !ok {
				m.MethodResponses[status] = apigatewayapi.MethodResponse{StatusCode: new(status)}
			}
		}
		err = i.PutMethod(resource, o.Verb, m)
	}
	if err != nil {
		i.Wrong(fmt.Sprintf("Unable to put integration on '%s' for resource at path '%s'", o.Verb, path), err)
	}
}

func (i *importing) validator(name, path, verb string) *string {
	id, ok := i.validators[name]
	if !ok {
		i.Errorf("Unable to put method '%s' on resource at path '%s': Invalid Request Validator identifier specified", verb, path)
		return nil
	}
	return &id
}

// secure says how callers of a method are known.
func (i *importing) secure(m *apigatewayapi.Method, o openapi.Operation) {
	if auth := openapi.Map(o.Extension("auth")); strings.EqualFold(openapi.Text(auth["type"]), "AWS_IAM") {
		m.AuthorizationType = new("AWS_IAM")
	}
	schemes := i.doc.Security()
	for _, r := range o.Security() {
		scheme := openapi.Map(i.doc.Follow(schemes[r.Name]))
		a := i.authorizerNamed(r.Name)
		switch {
		case strings.EqualFold(openapi.Text(scheme["x-amazon-apigateway-authtype"]), "awsSigv4"):
			m.AuthorizationType = new("AWS_IAM")
		case a != nil && a.Type == apigatewayapi.AuthorizerTypeCognitoUserPools:
			m.AuthorizationType, m.AuthorizerId, m.AuthorizationScopes = new("COGNITO_USER_POOLS"), a.Id, r.Scopes
		case a != nil:
			m.AuthorizationType, m.AuthorizerId = new("CUSTOM"), a.Id
		case openapi.Text(scheme["type"]) == "apiKey" && strings.EqualFold(openapi.Text(scheme["name"]), "x-api-key"):
			m.ApiKeyRequired = new(true)
		}
	}
}

// takes says which parameters and bodies a method knows.
func (i *importing) takes(m *apigatewayapi.Method, o openapi.Operation) {
	places := map[string]string{"query": "querystring", "header": "header", "path": "path"}
	for _, p := range o.Parameters() {
		where := openapi.Text(p["in"])
		if place, ok := places[where]; ok {
			if m.RequestParameters == nil {
				m.RequestParameters = map[string]bool{}
			}
			m.RequestParameters["method.request."+place+"."+openapi.Text(p["name"])] = openapi.Flag(p["required"])
		}
		if where == "body" {
			m.RequestModels = i.modelsOf(p["schema"], i.mediaTypes(o, "consumes"))
		}
	}
	content := openapi.Map(openapi.Map(i.doc.Follow(o.In["requestBody"]))["content"])
	for kind, v := range content {
		for k, name := range i.modelsOf(openapi.Map(v)["schema"], []string{kind}) {
			if m.RequestModels == nil {
				m.RequestModels = map[string]string{}
			}
			m.RequestModels[k] = name
		}
	}
}

// mediaTypes are those that an operation takes or answers.
func (i *importing) mediaTypes(o openapi.Operation, member string) []string {
	if list := openapi.List(o.In[member]); len(list) > 0 {
		return list
	}
	if list := openapi.List(i.doc.Member(member)); len(list) > 0 {
		return list
	}
	return []string{"application/json"}
}

// modelsOf names the model of a schema for some media types.
func (i *importing) modelsOf(schema any, kinds []string) map[string]string {
	name := modelOf(openapi.Map(schema)["$ref"])
	if name == "" {
		return nil
	}
	if _, err := i.Model(name); err != nil {
		i.Warnf("Reference to model '%s' not found. Ignoring.", name)
		return nil
	}
	out := map[string]string{}
	for _, kind := range kinds {
		out[kind] = name
	}
	return out
}

// answers says with which statuses a method answers.
func (i *importing) answers(m *apigatewayapi.Method, o openapi.Operation) {
	m.MethodResponses = map[string]apigatewayapi.MethodResponse{}
	all := openapi.Map(o.In["responses"])
	for _, status := range openapi.Keys(all) {
		if !statusCode.MatchString(status) {
			continue
		}
		in := openapi.Map(i.doc.Follow(all[status]))
		r := apigatewayapi.MethodResponse{StatusCode: &status, ResponseModels: i.modelsOf(in["schema"], i.mediaTypes(o, "produces"))}
		for kind, v := range openapi.Map(in["content"]) {
			for k, name := range i.modelsOf(openapi.Map(v)["schema"], []string{kind}) {
				if r.ResponseModels == nil {
					r.ResponseModels = map[string]string{}
				}
				r.ResponseModels[k] = name
			}
		}
		for name := range openapi.Map(in["headers"]) {
			if r.ResponseParameters == nil {
				r.ResponseParameters = map[string]bool{}
			}
			r.ResponseParameters["method.response.header."+name] = false
		}
		m.MethodResponses[status] = r
	}
}

// integrationOf reads what is behind a method.
func integrationOf(in openapi.Object, resource string) (apigatewayapi.Integration, error) {
	out := apigatewayapi.Integration{
		Type:       apigatewayapi.IntegrationType(strings.ToUpper(openapi.Text(in["type"]))),
		HttpMethod: openapi.TextIn(in, "httpMethod"), Uri: openapi.TextIn(in, "uri"), Credentials: openapi.TextIn(in, "credentials"),
		ConnectionType: apigatewayapi.ConnectionType(openapi.Text(in["connectionType"])), ConnectionId: openapi.TextIn(in, "connectionId"),
		RequestParameters: openapi.Texts(in["requestParameters"]), RequestTemplates: openapi.Texts(in["requestTemplates"]),
		CacheNamespace: &resource, CacheKeyParameters: append([]string{}, openapi.List(in["cacheKeyParameters"])...),
	}
	if !slices.Contains([]string{"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}, string(out.Type)) {
		return out, invalid("Invalid integration type specified: %s", out.Type)
	}
	if text := openapi.Text(in["contentHandling"]); text != "" {
		return out, invalid("ContentHandling is not supported here.")
	}
	if text := openapi.Text(in["passthroughBehavior"]); text != "" {
		out.PassthroughBehavior = new(strings.ToUpper(text))
	}
	if text := openapi.Text(in["cacheNamespace"]); text != "" {
		out.CacheNamespace = &text
	}
	if text := openapi.Text(in["timeoutInMillis"]); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return out, invalid("Invalid number: %s", text)
		}
		out.TimeoutInMillis = new(int32(n))
	}
	if out.HttpMethod != nil {
		out.HttpMethod = new(strings.ToUpper(*out.HttpMethod))
	}
	if tls := openapi.Map(in["tlsConfig"]); tls != nil {
		out.TlsConfig = &apigatewayapi.TlsConfig{InsecureSkipVerification: new(openapi.Flag(tls["insecureSkipVerification"]))}
	}
	return out, integrationResponses(&out, openapi.Map(in["responses"]))
}

// integrationResponses are by pattern in a document, and by status in an API.
func integrationResponses(out *apigatewayapi.Integration, all openapi.Object) error {
	for _, pattern := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return strings.Compare(strings.Replace(a, "default", "", 1), strings.Replace(b, "default", "", 1))
	}) {
		in := openapi.Map(all[pattern])
		r := apigatewayapi.IntegrationResponse{StatusCode: openapi.TextIn(in, "statusCode"), ResponseParameters: openapi.Texts(in["responseParameters"]),
			ResponseTemplates: openapi.Texts(in["responseTemplates"]), ContentHandling: apigatewayapi.ContentHandlingStrategy(openapi.Text(in["contentHandling"]))}
		if pattern != "default" {
			r.SelectionPattern = &pattern
		}
		if r.StatusCode == nil || !statusCode.MatchString(*r.StatusCode) {
			return invalid("Invalid status code specified: %s", model.Deref(r.StatusCode))
		}
		if err := CheckResponse(r); err != nil {
			return err
		}
		if out.IntegrationResponses == nil {
			out.IntegrationResponses = map[string]apigatewayapi.IntegrationResponse{}
		}
		out.IntegrationResponses[*r.StatusCode] = r
	}
	return nil
}
