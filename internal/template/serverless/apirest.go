package serverless

import (
	"maps"
	"slices"
	"strings"
)

// finishREST makes a REST API with a deployment and a stage.
func (a *api) finishREST() error {
	properties := object{"Name": a.in["Name"], "Description": a.in["Description"], "MinimumCompressionSize": a.in["MinimumCompressionSize"],
		"FailOnWarnings": a.in["FailOnWarnings"], "Mode": a.in["Mode"],
		"ApiKeySourceType": a.in["ApiKeySourceType"], "BinaryMediaTypes": a.in["BinaryMediaTypes"]}
	a.endpoint(properties)
	if a.body == nil {
		for _, k := range []string{"Cors", "Auth", "GatewayResponses", "Models"} {
			if a.in[k] != nil {
				return problemf("%s works only with inline Swagger specified in 'DefinitionBody' property.", k)
			}
		}
	} else {
		for _, step := range []func() error{a.restAuth, a.cors, a.gatewayResponses, a.restModels, a.restSettings} {
			if err := step(); err != nil {
				return err
			}
		}
		a.condition()
	}
	tags, err := a.restTags()
	if err != nil {
		return err
	}
	if a.in["PropagateTags"] == true {
		properties["Tags"] = tags
	}
	sum := ""
	if a.body != nil {
		properties["Body"] = a.body
		sum = digest(a.body)
	} else if at, ok := a.document.(object); ok && isFunction(at) {
		properties["Body"] = at
		sum = digest(at)
	} else {
		properties["BodyS3Location"] = a.document
		sum = digest(a.document)
	}
	r := a.resource
	delete(r, "IgnoreGlobals")
	whole := maps.Clone(r)
	maps.Copy(whole, a.attributes)
	a.add(a.id, "AWS::ApiGateway::RestApi", whole, properties)
	return a.restStage(sum, tags)
}

// restStage makes the deployment, whose logical id changes with the document, and the stage
// that shows it.
func (a *api) restStage(sum string, tags []any) error {
	deployment := a.id + "Deployment" + sum[:10]
	made := object{"RestApiId": ref(a.id), "Description": "RestApi deployment id: " + sum, "StageName": "Stage"}
	if a.in["OpenApiVersion"] != nil {
		delete(made, "StageName")
	}
	a.add(deployment, "AWS::ApiGateway::Deployment", a.attributes, made)
	stage := a.stageID(a.in["StageName"])
	properties := object{"RestApiId": ref(a.id), "DeploymentId": ref(deployment), "AccessLogSetting": a.in["AccessLogSetting"]}
	for _, k := range []string{"StageName", "Variables", "CacheClusterEnabled", "CacheClusterSize", "TracingEnabled", "MethodSettings"} {
		properties[k] = a.in[k]
	}
	if len(tags) > 0 {
		properties["Tags"] = tags
	}
	a.add(stage, "AWS::ApiGateway::Stage", a.attributes, properties)
	a.renamed[a.id+".Stage"], a.renamed[a.id+".Deployment"] = stage, deployment
	return nil
}

func (a *api) restTags() ([]any, error) { return tags(a.in["Tags"], false) }

// endpoint says where the API is reached.
func (a *api) endpoint(properties object) {
	switch c := a.in["EndpointConfiguration"].(type) {
	case nil:
	case object:
		if isFunction(c) {
			properties["EndpointConfiguration"] = object{"Types": []any{c}}
			properties["Parameters"] = object{"endpointConfigurationTypes": c}
			return
		}
		out := object{"Types": []any{c["Type"]}}
		for k, member := range map[string]string{"VPCEndpointIds": "VpcEndpointIds", "IpAddressType": "IpAddressType"} {
			if v := c[k]; v != nil {
				out[member] = v
			}
		}
		properties["EndpointConfiguration"], properties["Parameters"] = out, object{"endpointConfigurationTypes": c["Type"]}
	default:
		properties["EndpointConfiguration"], properties["Parameters"] = object{"Types": []any{c}}, object{"endpointConfigurationTypes": c}
	}
}

// openAPIVersion makes the document one of OpenAPI 3 where the template asks for that.
func (a *api) openAPIVersion() error {
	v, ok := a.in["OpenApiVersion"]
	if !ok {
		return nil
	}
	text, ok := textOf(v)
	if !ok || !strings.HasPrefix(text, "3.0") && text != "2.0" {
		return problemf("Invalid value for 'OpenApiVersion' property. It must be of the format X.Y.Z: 2.0 or 3.0.x.")
	}
	if text != "2.0" && a.body["swagger"] != nil {
		delete(a.body, "swagger")
		a.body["openapi"] = text
	}
	return nil
}

// part returns a section of the document, by its name in Swagger and among components.
func (a *api) part(swagger, components string) (object, error) {
	if !a.version3() {
		return child(a.body, swagger)
	}
	all, err := child(a.body, "components")
	if err != nil {
		return nil, err
	}
	return child(all, components)
}

// restAuth writes the authorizers, and which callers each method admits.
func (a *api) restAuth() error {
	auth, ok := a.in["Auth"].(object)
	if !ok && a.in["Auth"] != nil {
		return problemf("Type of property 'Auth' is invalid.")
	}
	for _, k := range slices.Sorted(maps.Keys(auth)) {
		if !slices.Contains([]string{"DefaultAuthorizer", "Authorizers", "AddDefaultAuthorizerToCorsPreflight", "InvokeRole", "AddApiKeyRequiredToCorsPreflight"}, k) {
			return problemf("'Auth.%s' is not supported: stacks do not make what it becomes.", k)
		}
	}
	authorizers, _ := auth["Authorizers"].(object)
	for _, name := range slices.Sorted(maps.Keys(authorizers)) {
		if err := a.restAuthorizer(name, authorizers[name]); err != nil {
			return err
		}
	}
	standard, _ := auth["DefaultAuthorizer"].(string)
	if standard != "" && standard != iam && authorizers[standard] == nil {
		return problemf("Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", standard)
	}
	paths, _ := a.body["paths"].(object)
	signed := false
	for _, at := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[at].(object)
		for method, operation := range methodsOf(item) {
			if operation["security"] == nil && standard != "" && method != "options" {
				operation["security"] = []any{object{standard: []any{}}}
				a.asCaller(operation, auth["InvokeRole"], standard)
			}
			signed = signed || asks(operation, iam)
		}
	}
	if !signed {
		return nil
	}
	schemes, err := a.part("securityDefinitions", "securitySchemes")
	if err != nil {
		return err
	}
	schemes[iam] = object{"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
	return nil
}

// iam is the authorizer of signed requests.
const iam = "AWS_IAM"

// asks reports whether an operation asks an authorizer.
func asks(operation object, name string) bool {
	list, _ := operation["security"].([]any)
	return slices.ContainsFunc(list, func(v any) bool {
		m, _ := v.(object)
		_, ok := m[name]
		return ok
	})
}

// asCaller has a function invoked with the caller's credentials, or with those of a role.
func (a *api) asCaller(operation object, role any, authorizer string) {
	integration, ok := operation["x-amazon-apigateway-integration"].(object)
	if !ok || authorizer != iam || integration["credentials"] != nil {
		return
	}
	switch role {
	case "NONE":
	case nil, "CALLER_CREDENTIALS":
		integration["credentials"] = "arn:" + a.transform.partition() + ":iam::*:user/*"
	default:
		integration["credentials"] = role
	}
}

// restAuthorizer writes an authorizer that is a function.
func (a *api) restAuthorizer(name string, v any) error {
	in, ok := v.(object)
	function := in["FunctionArn"]
	switch {
	case !ok:
		return problemf("Authorizer %s must be a dictionary.", name)
	case in["UserPoolArn"] != nil:
		return problemf("Authorizer %s: Cognito user pools are not supported here.", name)
	case function == nil:
		return problemf("%s Authorizer is missing 'FunctionArn'.", name)
	}
	identity, _ := in["Identity"].(object)
	made := object{"type": "token", "authorizerUri": invocation(a.transform.partition(), function)}
	scheme := object{"type": "apiKey", "in": "header", "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": made}
	if in["FunctionPayloadType"] == "REQUEST" {
		scheme["name"], made["type"] = "Unused", "request"
		var sources []string
		for _, s := range [][2]string{{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."}, {"StageVariables", "stageVariables."}, {"Context", "context."}} {
			list, _ := identity[s[0]].([]any)
			for _, item := range list {
				sources = append(sources, s[1]+textOrEmpty(item))
			}
		}
		if ttl, given := textOf(identity["ReauthorizeEvery"]); len(sources) == 0 && (!given || ttl != "0") {
			return problemf("%s Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context.", name)
		}
		if len(sources) > 0 {
			made["identitySource"] = strings.Join(sources, ", ")
		}
	} else {
		scheme["name"] = "Authorization"
		if header := identity["Header"]; header != nil {
			scheme["name"] = header
		}
		if v := identity["ValidationExpression"]; v != nil {
			made["identityValidationExpression"] = v
		}
	}
	if v := identity["ReauthorizeEvery"]; v != nil {
		made["authorizerResultTtlInSeconds"] = v
	}
	if role := in["FunctionInvokeRole"]; role != nil && role != "NONE" {
		made["authorizerCredentials"] = role
	}
	schemes, err := a.part("securityDefinitions", "securitySchemes")
	if err != nil {
		return err
	}
	schemes[name] = scheme
	if in["DisableFunctionDefaultPermissions"] != true {
		a.authorizerPermission(name, function, a.transform.partition())
	}
	return nil
}

// cors answers what browsers ask before they call a method.
func (a *api) cors() error {
	if a.in["Cors"] == nil {
		return nil
	}
	in, ok := a.in["Cors"].(object)
	if text, is := a.in["Cors"].(string); is || ok && isFunction(in) {
		if in, ok = (object{"AllowOrigin": a.in["Cors"]}), true; is {
			in["AllowOrigin"] = text
		}
	}
	if !ok {
		return problemf("Invalid value for 'Cors' property.")
	}
	if in["AllowCredentials"] == true && (in["AllowOrigin"] == nil || in["AllowOrigin"] == "'*'") {
		return errCredentials
	}
	auth, _ := a.in["Auth"].(object)
	standard, _ := auth["DefaultAuthorizer"].(string)
	paths, _ := a.body["paths"].(object)
	for _, at := range slices.Sorted(maps.Keys(paths)) {
		item, ok := paths[at].(object)
		if !ok || item["options"] != nil {
			continue
		}
		operation := preflight(in, item)
		if standard != "" && auth["AddDefaultAuthorizerToCorsPreflight"] != false {
			operation["security"] = []any{object{standard: []any{}}}
		}
		if !a.spend(weight(operation)) {
			return errTooLarge
		}
		item["options"] = operation
	}
	return nil
}

// preflight is the method that answers browsers.
func preflight(in, item object) object {
	parameters, headers := object{}, object{}
	header := func(name string, value any, kind string) {
		if value != nil {
			parameters["method.response.header."+name], headers[name] = value, object{"type": kind}
		}
	}
	origin := in["AllowOrigin"]
	if origin == nil {
		origin = "'*'"
	}
	methods := in["AllowMethods"]
	if methods == nil {
		var list []string
		for method := range methodsOf(item) {
			if list = append(list, strings.ToUpper(method)); method == anyMethod {
				list = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
				break
			}
		}
		if !slices.Contains(list, "OPTIONS") {
			list = append(list, "OPTIONS")
		}
		slices.Sort(list)
		methods = "'" + strings.Join(list, ",") + "'"
	}
	header("Access-Control-Allow-Origin", origin, "string")
	header("Access-Control-Allow-Headers", in["AllowHeaders"], "string")
	header("Access-Control-Allow-Methods", methods, "string")
	header("Access-Control-Max-Age", in["MaxAge"], "integer")
	if in["AllowCredentials"] == true {
		header("Access-Control-Allow-Credentials", "'true'", "string")
	}
	return object{
		"summary": "CORS support", "consumes": []any{"application/json"}, "produces": []any{"application/json"},
		"x-amazon-apigateway-integration": object{
			"type": "mock", "requestTemplates": object{"application/json": "{\n  \"statusCode\" : 200\n}\n"},
			"responses": object{"default": object{"statusCode": "200", "responseParameters": parameters, "responseTemplates": object{"application/json": "{}\n"}}},
		},
		"responses": object{"200": object{"description": "Default response for CORS method", "headers": headers}},
	}
}

// gatewayResponses writes API Gateway's own answers.
func (a *api) gatewayResponses() error {
	if a.in["GatewayResponses"] == nil {
		return nil
	}
	all, ok := a.in["GatewayResponses"].(object)
	if !ok {
		return problemf("Invalid type for field 'GatewayResponses'. Expected a dictionary.")
	}
	out, err := child(a.body, "x-amazon-apigateway-gateway-responses")
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		in, ok := all[kind].(object)
		if !ok {
			return problemf("Invalid property type '%s' for GatewayResponses. Expected a dictionary.", kind)
		}
		made := object{}
		if v := in["StatusCode"]; v != nil {
			if text, ok := textOf(v); ok {
				v = text
			}
			made["statusCode"] = v
		}
		if v := in["ResponseTemplates"]; v != nil {
			made["responseTemplates"] = v
		}
		given, _ := in["ResponseParameters"].(object)
		parameters := object{}
		for member, place := range map[string]string{"Headers": "header", "Paths": "path", "QueryStrings": "querystring"} {
			m, _ := given[member].(object)
			for k, v := range m {
				parameters["gatewayresponse."+place+"."+k] = v
			}
		}
		if len(parameters) > 0 {
			made["responseParameters"] = parameters
		}
		out[kind] = made
	}
	return nil
}

// restModels writes the schemas of bodies.
func (a *api) restModels() error {
	if a.in["Models"] == nil {
		return nil
	}
	all, ok := a.in["Models"].(object)
	if !ok {
		return problemf("Invalid value for 'Models' property.")
	}
	schemas, err := a.part("definitions", "schemas")
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		lower := strings.ToLower(name)
		if other, ok := names[lower]; ok {
			return problemf("The models %s and %s have the same name: names of models are in lower case.", other, name)
		}
		names[lower], schemas[lower] = name, all[name]
	}
	return nil
}

// restSettings are what a document says of the API itself.
func (a *api) restSettings() error {
	if list, ok := a.in["BinaryMediaTypes"].([]any); ok {
		out := []any{}
		for _, item := range list {
			if text, ok := item.(string); ok {
				item = strings.ReplaceAll(text, "~1", "/")
			}
			out = append(out, item)
		}
		a.body["x-amazon-apigateway-binary-media-types"] = out
	}
	if v, ok := a.in["DisableExecuteApiEndpoint"]; ok && !a.version3() {
		a.body["x-amazon-apigateway-endpoint-configuration"] = object{"disableExecuteApiEndpoint": v}
	} else if ok {
		a.body["servers"] = []any{object{"x-amazon-apigateway-endpoint-configuration": object{"disableExecuteApiEndpoint": v}}}
	}
	return nil
}
