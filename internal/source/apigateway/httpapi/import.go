package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/openapi"
)

// An Import is a document that says what an API is.
type Import struct {
	Body           []byte
	BasePath       string // ignore, prepend or split
	FailOnWarnings bool
}

// document reads the document.
func (in Import) document() (*openapi.Document, error) {
	doc, err := openapi.Read(in.Body)
	if err != nil {
		return nil, invalid("Invalid OpenAPI input.")
	}
	if doc.Version != 3 {
		return nil, invalid("Invalid OpenAPI input. Only OpenAPI 3.0 is supported for HTTP APIs.")
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
	d.API = apigatewayv2api.Api{ApiId: new(apigateway.NewID(10)), CreatedDate: &now, ProtocolType: apigatewayv2api.ProtocolTypeHttp}
	warnings, err := d.read(doc, in)
	if err == nil && d.API.Name == nil {
		err = invalid("API name cannot be empty")
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return d, err
	}
	a := apigateway.API{Place: p, ID: *d.API.ApiId, Kind: apigateway.HTTP, Created: now}
	err = s.db.Write(ctx, func(tx *db.Tx) error { return s.put(ctx, tx, a, d) })
	d.API.Warnings = warnings
	return d, err
}

// Reimport makes an API what a document says.
func (s *Service) Reimport(ctx context.Context, p config.Place, id string, in Import) (out Definition, err error) {
	doc, err := in.document() // before the transaction, as it takes time
	if err != nil {
		return out, err
	}
	var warnings []string
	err = s.Change(ctx, p, id, func(d *Definition) error {
		warnings, err = d.read(doc, in)
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
	doc    *openapi.Document
	was    Definition
	prefix string
	shared map[string]string // ids of integrations, by what they are
}

// read has a definition become what a document says. Ids are kept where something has the
// same name again.
func (d *Definition) read(doc *openapi.Document, in Import) (warnings []string, err error) {
	i := &importing{Definition: d, Findings: doc.Findings(), doc: doc, was: *d, shared: map[string]string{}}
	d.Routes, d.Integrations, d.Authorizers = nil, nil, nil
	if i.prefix, err = doc.Prefix(in.BasePath); err != nil {
		return nil, invalid("%v", err)
	}
	i.settings()
	i.authorizers()
	for _, o := range doc.Operations() {
		if err := i.route(o); err != nil {
			i.Wrong(fmt.Sprintf("Unable to create route for path '%s %s'", o.Verb, o.Path), err)
		}
	}
	if err := i.Err(in.FailOnWarnings); err != nil {
		return nil, invalid("%v", err)
	}
	return i.Warnings(), nil
}

// settings are what the document says of the API itself.
func (i *importing) settings() {
	i.doc.About(&i.API.Name, &i.API.Description, &i.API.Version)
	i.API.CorsConfiguration = nil
	if in := openapi.Map(i.doc.Extension("cors")); in != nil {
		c := &apigatewayv2api.Cors{AllowHeaders: listIn(in, "allowHeaders"), AllowMethods: listIn(in, "allowMethods"), AllowOrigins: listIn(in, "allowOrigins"),
			ExposeHeaders: listIn(in, "exposeHeaders")}
		if v, ok := in["allowCredentials"]; ok {
			c.AllowCredentials = new(openapi.Flag(v))
		}
		if n, err := strconv.ParseInt(openapi.Text(in["maxAge"]), 10, 32); err == nil {
			c.MaxAge = new(int32(n))
		}
		i.API.CorsConfiguration = c
	}
	if c := i.doc.Endpoint(); c["disableExecuteApiEndpoint"] != nil {
		i.API.DisableExecuteApiEndpoint = new(openapi.Flag(c["disableExecuteApiEndpoint"]))
	}
	tags, _ := i.doc.Member("tags").([]any)
	for _, item := range tags {
		tag := openapi.Map(item)
		if value, ok := tag["x-amazon-apigateway-tag-value"]; ok {
			i.API.Tags = maps.Clone(i.API.Tags)
			if i.API.Tags == nil {
				i.API.Tags = map[string]string{}
			}
			i.API.Tags[openapi.Text(tag["name"])] = openapi.Text(value)
		}
	}
}

// listIn returns a list of texts, which may stand as one text.
func listIn(in openapi.Object, name string) []string {
	if text := openapi.Text(in[name]); text != "" {
		return []string{text}
	}
	return openapi.List(in[name])
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
		a := apigatewayv2api.Authorizer{Name: &name, AuthorizerType: apigatewayv2api.AuthorizerType(strings.ToUpper(openapi.Text(in["type"]))),
			AuthorizerUri: openapi.TextIn(in, "authorizerUri"), AuthorizerCredentialsArn: openapi.TextIn(in, "authorizerCredentials"),
			AuthorizerPayloadFormatVersion: openapi.TextIn(in, "authorizerPayloadFormatVersion")}
		for source := range strings.SplitSeq(strings.Join(listIn(in, "identitySource"), ","), ",") {
			if source = strings.TrimSpace(source); source != "" {
				a.IdentitySource = append(a.IdentitySource, source)
			}
		}
		if v, ok := in["enableSimpleResponses"]; ok {
			a.EnableSimpleResponses = new(openapi.Flag(v))
		}
		if n, err := strconv.ParseInt(openapi.Text(in["authorizerResultTtlInSeconds"]), 10, 32); err == nil {
			a.AuthorizerResultTtlInSeconds = new(int32(n))
		}
		added, err := i.AddAuthorizer(a)
		if err != nil {
			i.Wrong(fmt.Sprintf("Unable to create authorizer '%s'", name), err)
			continue
		}
		for _, was := range i.was.Authorizers {
			if *was.Name == name {
				added.AuthorizerId = was.AuthorizerId
			}
		}
	}
}

// route carries an operation over, with its integration.
func (i *importing) route(o openapi.Operation) error {
	key := o.Verb + " " + i.prefix + o.Path
	if openapi.Flag(o.In["isDefaultRoute"]) || o.Path == "/$default" {
		key = Default
	}
	r := apigatewayv2api.Route{RouteKey: &key, OperationName: openapi.TextIn(o.In, "operationId"), AuthorizationType: apigatewayv2api.AuthorizationTypeNone}
	if in := openapi.Map(o.Extension("integration")); in != nil {
		id, err := i.integration(in)
		if err != nil {
			return err
		}
		r.Target = new("integrations/" + id)
	} else {
		i.Warnf("No integration found for path '%s %s'", o.Verb, o.Path)
	}
	if err := i.secure(&r, o); err != nil {
		return err
	}
	added, err := i.AddRoute(r)
	if err != nil {
		return err
	}
	for _, was := range i.was.Routes {
		if *was.RouteKey == key {
			added.RouteId = was.RouteId
		}
	}
	return nil
}

// secure says how callers of a route are known.
func (i *importing) secure(r *apigatewayv2api.Route, o openapi.Operation) error {
	schemes := i.doc.Security()
	if auth := openapi.Map(o.Extension("auth")); strings.EqualFold(openapi.Text(auth["type"]), "AWS_IAM") {
		r.AuthorizationType = apigatewayv2api.AuthorizationTypeAwsIam
	}
	for _, one := range o.Security() {
		scheme := openapi.Map(i.doc.Follow(schemes[one.Name]))
		if strings.EqualFold(openapi.Text(scheme["x-amazon-apigateway-authtype"]), "awsSigv4") {
			r.AuthorizationType = apigatewayv2api.AuthorizationTypeAwsIam
			continue
		}
		found := false
		for _, a := range i.Authorizers {
			if *a.Name == one.Name {
				found, r.AuthorizerId = true, a.AuthorizerId
				r.AuthorizationType = apigatewayv2api.AuthorizationTypeCustom
			}
		}
		if !found && one.Name != "NONE" { // by which SAM says that callers are not asked
			return invalid("Authorizer %s is not defined in the document", one.Name)
		}
	}
	return nil
}

// integration adds what is behind a route, once for all routes that share it.
func (i *importing) integration(in openapi.Object) (string, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	if id, ok := i.shared[string(text)]; ok {
		return id, nil
	}
	made := apigatewayv2api.Integration{
		IntegrationType:   apigatewayv2api.IntegrationType(strings.ToUpper(openapi.Text(in["type"]))),
		IntegrationMethod: openapi.TextIn(in, "httpMethod"), IntegrationUri: openapi.TextIn(in, "uri"), CredentialsArn: openapi.TextIn(in, "credentials"),
		ConnectionType: apigatewayv2api.ConnectionType(openapi.Text(in["connectionType"])), ConnectionId: openapi.TextIn(in, "connectionId"),
		IntegrationSubtype: openapi.TextIn(in, "integrationSubtype"), PayloadFormatVersion: openapi.TextIn(in, "payloadFormatVersion"), Description: openapi.TextIn(in, "description"),
		RequestParameters: openapi.Texts(in["requestParameters"]),
	}
	for status, v := range openapi.Map(in["responseParameters"]) {
		if made.ResponseParameters == nil {
			made.ResponseParameters = map[string]map[string]string{}
		}
		made.ResponseParameters[status] = openapi.Texts(v)
	}
	if text := openapi.Text(in["timeoutInMillis"]); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return "", invalid("Invalid number: %s", text)
		}
		made.TimeoutInMillis = new(int32(n))
	}
	if tls := openapi.Map(in["tlsConfig"]); tls != nil {
		made.TlsConfig = &apigatewayv2api.TlsConfig{ServerNameToVerify: openapi.TextIn(tls, "serverNameToVerify")}
	}
	added, err := i.AddIntegration(made)
	if err != nil {
		return "", err
	}
	i.keepID(added)
	i.shared[string(text)] = *added.IntegrationId
	return *added.IntegrationId, nil
}

// keepID gives an integration the id of the one that led to the same place.
func (i *importing) keepID(added *apigatewayv2api.Integration) {
	for _, was := range i.was.Integrations {
		_, err := i.Integration(*was.IntegrationId)
		if model.Deref(was.IntegrationUri) == model.Deref(added.IntegrationUri) && err != nil {
			added.IntegrationId = was.IntegrationId
			return
		}
	}
}
