package restapi

import (
	"context"
	"fmt"
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
	var changed *Definition
	var warnings []string
	err = s.Change(ctx, p, id, func(d *Definition) error {
		changed = d // which Change completes
		warnings, err = d.read(doc, in)
		return err
	})
	if err != nil {
		return out, err
	}
	out = *changed
	out.API.Warnings = warnings
	return out, nil
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
	if there := i.authorizerNamed(*a.Name); there != nil {
		a.Id = there.Id
		*there = a
		return i.CheckAuthorizer(there)
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
