package restapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/openapi"
	"plumb/internal/template"
)

// An Import is a document that says what an API is.
type Import struct {
	Body           []byte
	Merge          bool // what is there and not in the document stays
	FailOnWarnings bool
	Parameters     map[string]string // basepath, endpointConfigurationTypes
}

// document reads the document.
func (in Import) document() (*openapi.Document, error) {
	doc, err := openapi.Read(in.Body)
	if err != nil {
		return nil, invalid("Invalid OpenAPI input.")
	}
	return doc, nil
}

// Import makes an API of a document.
func (s *Service) Import(ctx context.Context, p config.Place, in Import) (d Definition, err error) {
	doc, err := in.document()
	if err != nil {
		return d, err
	}
	now := s.now().UTC().Truncate(time.Second)
	root := apigateway.NewID(10)
	d = Definition{
		API:       apigatewayapi.RestApi{Id: new(apigateway.NewID(10)), CreatedDate: &now, RootResourceId: &root},
		Resources: []apigatewayapi.Resource{{Id: &root, Path: new("/")}}, Models: usualModels(),
	}
	warnings, err := d.read(doc, in)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return d, err
	}
	a := apigateway.API{Place: p, ID: *d.API.Id, Kind: apigateway.REST, Created: now}
	err = s.db.Write(ctx, func(tx *db.Tx) error { return put(ctx, tx, a, d) })
	d.API.Warnings = warnings
	return d, err
}

// Reimport makes an API what a document says, or adds what it says.
func (s *Service) Reimport(ctx context.Context, p config.Place, id string, in Import) (out Definition, err error) {
	doc, err := in.document() // before the transaction, as it takes time
	if err != nil {
		return out, err
	}
	var warnings []string
	err = s.Change(ctx, p, id, func(d *Definition) error {
		if warnings, err = d.read(doc, in); err == nil {
			err = d.check()
		}
		out = *d
		return err
	})
	out.API.Warnings = warnings
	return out, err
}

// An importing is a document that is carried over to a definition.
type importing struct {
	*Definition
	openapi.Findings
	doc        *openapi.Document
	was        Definition
	prefix     string            // of all paths
	validators map[string]string // ids by name
}

// read carries a document over to a definition.
func (d *Definition) read(doc *openapi.Document, in Import) (warnings []string, err error) {
	i := &importing{Definition: d, Findings: doc.Findings(), doc: doc, was: *d, validators: map[string]string{}}
	if !in.Merge {
		i.clear()
	}
	if err := i.options(in.Parameters); err != nil {
		return nil, err
	}
	for _, step := range []func(){i.settings, i.models, i.authorizers, i.requestValidators, i.responses, i.paths} {
		step()
	}
	if err := i.Err(in.FailOnWarnings); err != nil {
		return nil, invalid("%v", err)
	}
	return i.Warnings(), nil
}

// clear begins anew. Ids are kept where something has the same name again, so an API that is
// imported twice stays the same.
func (i *importing) clear() {
	api := i.API
	i.API = apigatewayapi.RestApi{Id: api.Id, Name: api.Name, CreatedDate: api.CreatedDate, RootResourceId: api.RootResourceId, Tags: api.Tags,
		EndpointConfiguration: api.EndpointConfiguration, DisableExecuteApiEndpoint: api.DisableExecuteApiEndpoint, Policy: api.Policy}
	i.Resources = []apigatewayapi.Resource{{Id: api.RootResourceId, Path: new("/")}}
	i.Authorizers, i.Validators, i.Models, i.Responses = nil, nil, usualModels(), nil
}

// options are the parameters of the import.
func (i *importing) options(parameters map[string]string) (err error) {
	if i.prefix, err = i.doc.Prefix(parameters["basepath"]); err != nil {
		return invalid("%v", err)
	}
	if kinds := parameters["endpointConfigurationTypes"]; kinds != "" {
		i.API.EndpointConfiguration = &apigatewayapi.EndpointConfiguration{}
		for kind := range strings.SplitSeq(kinds, ",") {
			if !slices.Contains([]string{"EDGE", "REGIONAL", "PRIVATE"}, kind) {
				return invalid("Invalid endpoint configuration type specified: %s", kind)
			}
			i.API.EndpointConfiguration.Types = append(i.API.EndpointConfiguration.Types, apigatewayapi.EndpointType(kind))
		}
	}
	return nil
}

// settings are what the document says of the API itself.
func (i *importing) settings() {
	i.doc.About(&i.API.Name, &i.API.Description, &i.API.Version)
	if list := openapi.List(i.doc.Extension("binary-media-types")); list != nil {
		for _, kind := range list {
			if !slices.Contains(i.API.BinaryMediaTypes, kind) {
				i.API.BinaryMediaTypes = append(i.API.BinaryMediaTypes, kind)
			}
		}
	}
	if n, err := strconv.ParseInt(openapi.Text(i.doc.Extension("minimum-compression-size")), 10, 32); err == nil {
		i.API.MinimumCompressionSize = new(int32(n))
	}
	if source := openapi.Text(i.doc.Extension("api-key-source")); source != "" {
		i.API.ApiKeySource = apigatewayapi.ApiKeySourceType(strings.ToUpper(source))
	}
	if policy := i.doc.Extension("policy"); policy != nil {
		i.API.Policy = new(documentText(policy))
	}
	if c := i.doc.Endpoint(); c != nil {
		if v, ok := c["disableExecuteApiEndpoint"]; ok {
			i.API.DisableExecuteApiEndpoint = new(openapi.Flag(v))
		}
		if ids := openapi.List(c["vpcEndpointIds"]); ids != nil {
			if i.API.EndpointConfiguration == nil {
				i.API.EndpointConfiguration = &apigatewayapi.EndpointConfiguration{Types: []apigatewayapi.EndpointType{apigatewayapi.EndpointTypePrivate}}
			}
			i.API.EndpointConfiguration.VpcEndpointIds = ids
		}
	}
}

// models are the schemas of the document.
func (i *importing) models() {
	schemas := i.doc.Part("definitions", "schemas")
	if len(schemas) > maxModels { // before each name is looked for
		i.tooManyModels()
		return
	}
	for _, name := range openapi.Keys(schemas) { // first all names: they refer to each other
		if _, err := i.Model(name); err == nil {
			continue
		}
		m := apigatewayapi.Model{Id: new(apigateway.NewID(6)), Name: &name, ContentType: new("application/json")}
		if was, err := i.was.Model(name); err == nil {
			m.Id = was.Id
		}
		i.Models = append(i.Models, m)
	}
	if len(i.Models) > maxModels {
		i.tooManyModels()
		return
	}
	for _, name := range openapi.Keys(schemas) {
		m, err := i.Model(name)
		if err != nil {
			continue
		}
		if about := openapi.Text(openapi.Map(schemas[name])["description"]); about != "" {
			m.Description = &about
		}
		m.Schema = new(documentText(i.schema(schemas[name])))
		if err := i.CheckModel(m); err != nil {
			i.Wrong(fmt.Sprintf("Unable to create model for '%s'", name), err)
		}
	}
}

func (i *importing) tooManyModels() {
	i.Errorf("Maximum number of Models for this API has been reached: %d.", maxModels)
}

// schema returns a schema whose references lead to the models of the API.
func (i *importing) schema(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for n, item := range v {
			out[n] = i.schema(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			if name := modelOf(item); k == "$ref" && name != "" {
				out[k] = "https://apigateway.amazonaws.com/restapis/" + *i.API.Id + "/models/" + name
				continue
			}
			out[k] = i.schema(item)
		}
		return out
	}
	return v
}

// modelOf returns the name of the schema that a reference leads to.
func modelOf(ref any) string {
	text, _ := ref.(string)
	for _, before := range []string{"#/definitions/", "#/components/schemas/"} {
		if name, ok := strings.CutPrefix(text, before); ok {
			return name
		}
	}
	return ""
}

// authorizers are those among the ways in which callers may be known.
func (i *importing) authorizers() {
	all := i.doc.Security()
	for _, name := range openapi.Keys(all) {
		scheme := openapi.Map(i.doc.Follow(all[name]))
		in := openapi.Map(scheme["x-amazon-apigateway-authorizer"])
		if in == nil {
			continue
		}
		a := apigatewayapi.Authorizer{Name: &name, Type: apigatewayapi.AuthorizerType(strings.ToUpper(openapi.Text(in["type"]))),
			AuthorizerUri: openapi.TextIn(in, "authorizerUri"), AuthorizerCredentials: openapi.TextIn(in, "authorizerCredentials"),
			IdentitySource: openapi.TextIn(in, "identitySource"), IdentityValidationExpression: openapi.TextIn(in, "identityValidationExpression"),
			ProviderARNs: openapi.List(in["providerARNs"])}
		if n, err := strconv.ParseInt(openapi.Text(in["authorizerResultTtlInSeconds"]), 10, 32); err == nil {
			a.AuthorizerResultTtlInSeconds = new(int32(n))
		}
		if a.IdentitySource == nil && a.Type == apigatewayapi.AuthorizerTypeToken && openapi.Text(scheme["in"]) == "header" {
			a.IdentitySource = new("method.request.header." + openapi.Text(scheme["name"]))
		}
		if err := i.putAuthorizer(a); err != nil {
			i.Wrong(fmt.Sprintf("Unable to put authorizer '%s'", name), err)
		}
	}
}

// putAuthorizer adds an authorizer, or replaces the one of its name.
func (i *importing) putAuthorizer(a apigatewayapi.Authorizer) error {
	for n := range i.Authorizers {
		if model.Deref(i.Authorizers[n].Name) == *a.Name {
			a.Id = i.Authorizers[n].Id
			i.Authorizers[n] = a
			return i.CheckAuthorizer(&i.Authorizers[n])
		}
	}
	added, err := i.AddAuthorizer(a)
	if was := i.was.authorizerNamed(*a.Name); err == nil && was != nil {
		added.Id = was.Id
	}
	return err
}

func (d *Definition) authorizerNamed(name string) *apigatewayapi.Authorizer {
	for n := range d.Authorizers {
		if model.Deref(d.Authorizers[n].Name) == name {
			return &d.Authorizers[n]
		}
	}
	return nil
}

// requestValidators are what bodies and parameters are held against, by name.
func (i *importing) requestValidators() {
	for _, v := range i.Validators {
		i.validators[model.Deref(v.Name)] = *v.Id
	}
	all := openapi.Map(i.doc.Extension("request-validators"))
	for _, name := range openapi.Keys(all) {
		in := openapi.Map(all[name])
		v := apigatewayapi.RequestValidator{Name: &name, ValidateRequestBody: new(openapi.Flag(in["validateRequestBody"])),
			ValidateRequestParameters: new(openapi.Flag(in["validateRequestParameters"]))}
		if id, ok := i.validators[name]; ok {
			if there, err := i.Validator(id); err == nil {
				there.ValidateRequestBody, there.ValidateRequestParameters = v.ValidateRequestBody, v.ValidateRequestParameters
			}
			continue
		}
		if _, err := i.AddValidator(v); err != nil {
			i.Wrong(fmt.Sprintf("Unable to create request validator '%s'", name), err)
			continue
		}
		i.validators[name] = i.keepValidatorID(name)
	}
}

// keepValidatorID gives a request validator that was added last the id of the one that had its
// name.
func (i *importing) keepValidatorID(name string) string {
	last := &i.Validators[len(i.Validators)-1]
	for _, was := range i.was.Validators {
		if model.Deref(was.Name) == name {
			last.Id = was.Id
			break
		}
	}
	return *last.Id
}

// responses are API Gateway's own answers.
func (i *importing) responses() {
	all := openapi.Map(i.doc.Extension("gateway-responses"))
	for _, kind := range openapi.Keys(all) {
		in := openapi.Map(all[kind])
		_, err := i.PutResponse(apigatewayapi.GatewayResponse{ResponseType: apigatewayapi.GatewayResponseType(kind), StatusCode: openapi.TextIn(in, "statusCode"),
			ResponseParameters: openapi.Texts(in["responseParameters"]), ResponseTemplates: openapi.Texts(in["responseTemplates"])})
		if err != nil {
			i.Wrong(fmt.Sprintf("Unable to put gateway response '%s'", kind), err)
		}
	}
}

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

// documentText returns a value as a document holds it: as JSON, unless it is a text.
func documentText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	text, err := template.JSON(v)
	if err != nil {
		return ""
	}
	return text
}
