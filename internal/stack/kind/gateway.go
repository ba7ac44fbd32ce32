package kind

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/template"
)

// restTypes are those of API Gateway's REST APIs.
func restTypes() map[string]Type {
	const service = "ApiGateway"
	return map[string]Type{
		"AWS::ApiGateway::RestApi": {
			Service: service, Create: createRestAPI, Update: updateRestAPI, Delete: deleteOf("apigateway", "DeleteRestApi", "restApiId"),
		},
		"AWS::ApiGateway::Resource": {
			Service: service, Fixed: []string{"RestApiId", "ParentId", "PathPart"}, Create: createGatewayResource,
			Delete: deleteOf("apigateway", "DeleteResource", "resourceId", "RestApiId"),
		},
		"AWS::ApiGateway::Method": {
			Service: service, Naming: Naming{Max: 128}, Fixed: []string{"RestApiId", "ResourceId", "HttpMethod"}, Create: createMethod, Update: updateMethod, Delete: deleteMethod,
		},
		"AWS::ApiGateway::Model": {
			Service: service, Naming: Naming{Max: 128}, Fixed: []string{"RestApiId", "Name", "ContentType"}, Create: createModel, Update: updateModel,
			Delete: deleteOf("apigateway", "DeleteModel", "modelName", "RestApiId"),
		},
		"AWS::ApiGateway::RequestValidator": {
			Service: service, Fixed: []string{"RestApiId", "Name"}, Create: createValidator, Update: updateValidator,
			Delete: deleteOf("apigateway", "DeleteRequestValidator", "requestValidatorId", "RestApiId"),
		},
		"AWS::ApiGateway::Authorizer": {
			Service: service, Fixed: []string{"RestApiId"}, Create: createRestAuthorizer, Update: updateRestAuthorizer,
			Delete: deleteOf("apigateway", "DeleteAuthorizer", "authorizerId", "RestApiId"),
		},
		"AWS::ApiGateway::GatewayResponse": {
			Service: service, Naming: Naming{Max: 128}, Fixed: []string{"RestApiId", "ResponseType"}, Create: putGatewayResponse, Update: putGatewayResponse,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "apigateway", "DeleteGatewayResponse", map[string]any{"restApiId": r.text("RestApiId"), "responseType": r.text("ResponseType")})
				return absent(err)
			},
		},
		"AWS::ApiGateway::Deployment": {
			Service: service, Fixed: []string{"RestApiId", "DeploymentCanarySettings"}, Create: createRestDeployment, Update: updateRestDeployment, Delete: deleteRestDeployment,
		},
		"AWS::ApiGateway::Stage": {
			Service: service, Fixed: []string{"RestApiId", "StageName"}, Create: createRestStage, Update: updateRestStage,
			Delete: deleteOf("apigateway", "DeleteStage", "stageName", "RestApiId"),
		},
	}
}

// deleteOf deletes a resource by its physical id, and by properties that say what it is in.
func deleteOf(service, operation, member string, properties ...string) func(context.Context, *Request) error {
	return func(ctx context.Context, r *Request) error {
		in := map[string]any{member: r.Physical}
		for _, p := range properties {
			set(in, p, r.Properties, p)
		}
		_, err := r.send(ctx, service, operation, in)
		return absent(err)
	}
}

// A patch is what API Gateway's updates consist of.
type patch []any

func (p *patch) add(op, path string, value any) {
	o := map[string]any{"op": op, "path": path}
	if value != nil {
		o["value"] = value
	}
	*p = append(*p, o)
}

// pointed writes a name as a part of a path.
func pointed(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// set has a path become what a property is now.
func (p *patch) set(r *Request, property, path string) {
	if !r.changed(property) {
		return
	}
	if v, ok := r.Properties[property]; ok {
		p.add("replace", path, v)
	} else {
		p.add("remove", path, nil)
	}
}

// setMap has a mapping of texts become what a property is now.
func (p *patch) setMap(r *Request, property, path string) {
	before, after := textMap(r.Old[property]), textMap(r.Properties[property])
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[k]; !ok {
			p.add("remove", path+"/"+pointed(k), nil)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if v, ok := before[k]; !ok || v != after[k] {
			p.add("replace", path+"/"+pointed(k), after[k])
		}
	}
}

func textMap(v any) map[string]string {
	m, _ := v.(map[string]any)
	out := make(map[string]string, len(m))
	for k, item := range m {
		out[k] = textOf(item)
	}
	return out
}

// setList has a list of texts become what a property is now.
func (p *patch) setList(before, after any, path string) {
	was, is := texts(before), texts(after)
	for _, v := range is {
		if !slices.Contains(was, v) {
			p.add("add", path+"/"+pointed(v), nil)
		}
	}
	for _, v := range was {
		if !slices.Contains(is, v) {
			p.add("remove", path+"/"+pointed(v), nil)
		}
	}
}

// send carries the patch out, if it says anything.
func (p patch) send(ctx context.Context, r *Request, operation string, target map[string]any) error {
	if len(p) == 0 {
		return nil
	}
	in := maps.Clone(target)
	in["patchOperations"] = []any(p)
	_, err := r.send(ctx, "apigateway", operation, in)
	return err
}

// body is the document that a property holds, or an object; nil if there is none.
func (r *Request) body(ctx context.Context) ([]byte, error) {
	if v, ok := r.Properties["Body"]; ok {
		if text, ok := v.(string); ok {
			return []byte(text), nil
		}
		text, err := template.JSON(v)
		return []byte(text), err
	}
	at, ok := r.Properties["BodyS3Location"].(map[string]any)
	if !ok {
		return nil, nil
	}
	in := map[string]any{}
	for member, property := range map[string]string{"Bucket": "Bucket", "Key": "Key", "VersionId": "Version"} {
		set(in, member, at, property)
	}
	out, err := r.send(ctx, "s3", "GetObject", in)
	if err != nil {
		return nil, err
	}
	body, _ := out["Body"].([]byte)
	return body, nil
}

func createRestAPI(ctx context.Context, r *Request) error {
	if err := r.only("ApiKeySourceType", "BinaryMediaTypes", "Body", "BodyS3Location", "CloneFrom", "Description", "DisableExecuteApiEndpoint",
		"EndpointConfiguration", "FailOnWarnings", "MinimumCompressionSize", "Mode", "Name", "Parameters", "Policy", "Tags"); err != nil {
		return err
	}
	body, err := r.body(ctx)
	if err != nil {
		return err
	}
	var out map[string]any
	if body != nil && r.text("Name") == "" {
		in := map[string]any{"body": body}
		set(in, "failOnWarnings", r.Properties, "FailOnWarnings")
		set(in, "parameters", r.Properties, "Parameters")
		out, err = r.send(ctx, "apigateway", "ImportRestApi", in)
	} else {
		in := map[string]any{}
		set(in, "name", r.Properties, "Name")
		set(in, "cloneFrom", r.Properties, "CloneFrom")
		out, err = r.send(ctx, "apigateway", "CreateRestApi", in)
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"RestApiId": r.Physical, "RootResourceId": at(out, "rootResourceId")}
	if body != nil && r.text("Name") != "" {
		if _, err := r.putRestBody(ctx, body); err != nil {
			return err
		}
	}
	return r.settleRestAPI(ctx)
}

// putRestBody imports a document into the API that is there, and returns the API.
func (r *Request) putRestBody(ctx context.Context, body []byte) (map[string]any, error) {
	in := map[string]any{"restApiId": r.Physical, "mode": "overwrite", "body": body}
	set(in, "mode", r.Properties, "Mode")
	set(in, "failOnWarnings", r.Properties, "FailOnWarnings")
	set(in, "parameters", r.Properties, "Parameters")
	return r.send(ctx, "apigateway", "PutRestApi", in)
}

func updateRestAPI(ctx context.Context, r *Request) error {
	if r.changed("Body", "BodyS3Location", "Parameters", "Mode") {
		body, err := r.body(ctx)
		if err != nil {
			return err
		}
		if body != nil {
			now, err := r.putRestBody(ctx, body)
			if err != nil {
				return err
			}
			r.Old = r.afterBody(now)
		}
	}
	return r.settleRestAPI(ctx)
}

// afterBody are the properties that an API has once its document was put: it may say other
// things, and what it leaves out may be gone.
func (r *Request) afterBody(now map[string]any) map[string]any {
	old := without(r.Old, "Name", "Description", "Policy", "ApiKeySourceType", "MinimumCompressionSize")
	if _, ok := r.Properties["DisableExecuteApiEndpoint"]; ok {
		delete(old, "DisableExecuteApiEndpoint")
	}
	if types := field(now["endpointConfiguration"], "types"); types != nil {
		old["EndpointConfiguration"] = map[string]any{"Types": types}
	}
	ours := append(texts(mediaTypes(r.Old)), texts(mediaTypes(r.Properties))...)
	there := []any{}
	for _, v := range texts(now["binaryMediaTypes"]) {
		if slices.Contains(ours, v) { // others are the document's
			there = append(there, v)
		}
	}
	old["BinaryMediaTypes"] = there
	return old
}

// settleRestAPI has an API become what the properties besides its document say.
func (r *Request) settleRestAPI(ctx context.Context) error {
	var p patch
	for property, path := range map[string]string{
		"Name": "/name", "Description": "/description", "Policy": "/policy", "ApiKeySourceType": "/apiKeySource",
		"MinimumCompressionSize": "/minimumCompressionSize", "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
	} {
		p.set(r, property, path)
	}
	slices.SortFunc(p, func(a, b any) int { return strings.Compare(at(a, "path"), at(b, "path")) })
	p.setList(mediaTypes(r.Old), mediaTypes(r.Properties), "/binaryMediaTypes")
	kinds := texts(field(r.Properties["EndpointConfiguration"], "Types"))
	if r.changed("EndpointConfiguration") && len(kinds) > 0 {
		was := "EDGE"
		if before := texts(field(r.Old["EndpointConfiguration"], "Types")); len(before) > 0 {
			was = before[0]
		} else if given := textOf(field(r.Properties["Parameters"], "endpointConfigurationTypes")); given != "" {
			was = given
		}
		if was != kinds[0] {
			p.add("replace", "/endpointConfiguration/types/"+was, kinds[0])
		}
	}
	if err := p.send(ctx, r, "UpdateRestApi", map[string]any{"restApiId": r.Physical}); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigateway", arn.New("apigateway", r.Place.Region, "", "/restapis/"+r.Physical).String())
}

// mediaTypes are those of binary bodies. Templates may write image~1png.
func mediaTypes(properties map[string]any) any {
	var out []any
	for _, v := range texts(properties["BinaryMediaTypes"]) {
		out = append(out, strings.ReplaceAll(v, "~1", "/"))
	}
	return out
}

func field(v any, name string) any {
	m, _ := v.(map[string]any)
	return m[name]
}

// retagByMap makes a resource's tags those of its property, where the service takes them as
// a mapping.
func (r *Request) retagByMap(ctx context.Context, service, resource string) error {
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, service, "UntagResource", map[string]any{"ResourceArn": resource, "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(wanted, old) {
		return nil
	}
	_, err := r.send(ctx, service, "TagResource", map[string]any{"ResourceArn": resource, "Tags": tagMap(wanted)})
	return err
}

func createGatewayResource(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "apigateway", "CreateResource", r.Properties)
	if r.conflicts(err) {
		out, err = r.orFound(ctx, err, r.restParts("GetResources"), func(item map[string]any) bool {
			return at(item, "parentId") == r.text("ParentId") && at(item, "pathPart") == r.text("PathPart")
		})
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"ResourceId": r.Physical}
	return nil
}

// method names the method of a request.
func (r *Request) method() map[string]any {
	in := map[string]any{}
	for _, p := range []string{"RestApiId", "ResourceId", "HttpMethod"} {
		set(in, p, r.Properties, p)
	}
	return in
}

func createMethod(ctx context.Context, r *Request) error {
	in := without(r.Properties, "Integration", "MethodResponses")
	if r.text("AuthorizationType") == "" {
		in["AuthorizationType"] = "NONE"
	}
	_, err := r.send(ctx, "apigateway", "PutMethod", in)
	if r.conflicts(err) {
		if _, err = r.send(ctx, "apigateway", "DeleteMethod", r.method()); err == nil {
			_, err = r.send(ctx, "apigateway", "PutMethod", in)
		}
	}
	if err != nil {
		return err
	}
	if r.Physical == "" {
		r.Physical = r.Name
	}
	return r.putIntegration(ctx)
}

// putIntegration gives a new method its responses and what is behind it.
func (r *Request) putIntegration(ctx context.Context) error {
	responses, _ := r.Properties["MethodResponses"].([]any)
	for _, response := range responses {
		if err := r.sendMore(ctx, "PutMethodResponse", response); err != nil {
			return err
		}
	}
	integration, ok := r.Properties["Integration"].(map[string]any)
	if !ok {
		return nil
	}
	if err := r.sendMore(ctx, "PutIntegration", without(integration, "IntegrationResponses")); err != nil {
		return err
	}
	responses, _ = integration["IntegrationResponses"].([]any)
	for _, response := range responses {
		if err := r.sendMore(ctx, "PutIntegrationResponse", response); err != nil {
			return err
		}
	}
	return nil
}

// sendMore calls an operation about the method.
func (r *Request) sendMore(ctx context.Context, operation string, more any) error {
	in := r.method()
	m, ok := more.(map[string]any)
	if !ok {
		return wrongType(nil, "JSONObject", more)
	}
	maps.Copy(in, m)
	_, err := r.send(ctx, "apigateway", operation, in)
	return err
}

// updateMethod makes the method anew: what is deployed does not change by it.
func updateMethod(ctx context.Context, r *Request) error {
	if err := deleteMethod(ctx, r); err != nil {
		return err
	}
	return createMethod(ctx, r)
}

func deleteMethod(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "apigateway", "DeleteMethod", r.method())
	return absent(err)
}

func createModel(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	if r.text("Name") == "" {
		in["Name"] = strings.ReplaceAll(r.Name, "-", "") // names of models are letters and digits
	}
	if r.text("ContentType") == "" {
		in["ContentType"] = "application/json"
	}
	if _, err := r.send(ctx, "apigateway", "CreateModel", in); err != nil && !r.conflicts(err) {
		return err
	}
	r.Physical = textOf(in["Name"])
	return nil
}

func updateModel(ctx context.Context, r *Request) error {
	var p patch
	p.set(r, "Description", "/description")
	p.set(r, "Schema", "/schema")
	return p.send(ctx, r, "UpdateModel", map[string]any{"restApiId": r.text("RestApiId"), "modelName": r.Physical})
}

func createValidator(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "apigateway", "CreateRequestValidator", r.Properties)
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"RequestValidatorId": r.Physical}
	return nil
}

func updateValidator(ctx context.Context, r *Request) error {
	var p patch
	for _, property := range []string{"ValidateRequestBody", "ValidateRequestParameters"} {
		if r.changed(property) {
			value := r.text(property)
			if value == "" {
				value = "false"
			}
			p.add("replace", "/v"+property[1:], value)
		}
	}
	return p.send(ctx, r, "UpdateRequestValidator", map[string]any{"restApiId": r.text("RestApiId"), "requestValidatorId": r.Physical})
}

func createRestAuthorizer(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "apigateway", "CreateAuthorizer", r.Properties)
	if r.Again && nameTaken(err) {
		out, err = r.orFound(ctx, err, r.restParts("GetAuthorizers"), func(item map[string]any) bool { return at(item, "name") == r.text("Name") })
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"AuthorizerId": r.Physical}
	return nil
}

func updateRestAuthorizer(ctx context.Context, r *Request) error {
	var p patch
	for _, property := range []string{
		"Name", "Type", "AuthorizerUri", "AuthorizerCredentials", "IdentitySource", "IdentityValidationExpression", "AuthorizerResultTtlInSeconds", "AuthType",
	} {
		p.set(r, property, "/"+strings.ToLower(property[:1])+property[1:])
	}
	return p.send(ctx, r, "UpdateAuthorizer", map[string]any{"restApiId": r.text("RestApiId"), "authorizerId": r.Physical})
}

func putGatewayResponse(ctx context.Context, r *Request) error {
	if _, err := r.send(ctx, "apigateway", "PutGatewayResponse", r.Properties); err != nil {
		return err
	}
	if r.Physical == "" {
		r.Physical = r.Name
	}
	r.Attributes = map[string]any{"Id": r.Physical}
	return nil
}
