package serverless

import (
	"maps"
	"slices"
	"strings"
)

// partitioned is how the parts of HTTP APIs write AWS's partition.
const partitioned = "${AWS::Partition}"

// finishHTTP makes an HTTP API with a stage.
func (a *api) finishHTTP() error {
	properties := object{"FailOnWarnings": a.in["FailOnWarnings"]}
	stageTags := object{}
	given, ok := a.in["Tags"].(object)
	if !ok && a.in["Tags"] != nil {
		return problemf("Type of property 'Tags' is invalid.")
	}
	maps.Copy(stageTags, given)
	if a.body != nil {
		stageTags["httpapi:createdBy"] = "SAM"
		for _, step := range []func() error{a.httpInfo, a.httpAuth, a.httpCORS} {
			if err := step(); err != nil {
				return err
			}
		}
		a.bodyTags(given)
		if v, ok := a.in["DisableExecuteApiEndpoint"]; ok {
			a.body["servers"] = []any{object{"x-amazon-apigateway-endpoint-configuration": object{"disableExecuteApiEndpoint": v}}}
		}
		for _, permit := range a.permissions {
			permit()
		}
		a.condition()
		properties["Body"] = a.body
	} else {
		for _, k := range []string{"CorsConfiguration", "Auth"} {
			if a.in[k] != nil {
				return problemf("%s works only with inline OpenApi specified in 'DefinitionBody' property.", k)
			}
		}
		if at, ok := a.document.(object); ok && isFunction(at) {
			properties["Body"] = at
		} else {
			properties["BodyS3Location"] = a.document
		}
	}
	delete(a.resource, "IgnoreGlobals")
	whole := maps.Clone(a.resource)
	maps.Copy(whole, a.attributes)
	a.add(a.id, "AWS::ApiGatewayV2::Api", whole, properties)
	stage := a.in["StageName"]
	if stage == nil {
		stage = "$default"
	}
	made := object{"ApiId": ref(a.id), "StageName": stage, "AutoDeploy": true}
	for _, k := range []string{"StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} {
		made[k] = a.in[k]
	}
	if len(stageTags) > 0 {
		made["Tags"] = stageTags
	}
	id := a.stageID(stage)
	a.add(id, "AWS::ApiGatewayV2::Stage", a.attributes, made)
	a.renamed[a.id+".Stage"] = id
	return nil
}

// httpInfo names the API in its document.
func (a *api) httpInfo() error {
	info, err := child(a.body, "info")
	if err != nil {
		return err
	}
	if v := a.in["Name"]; v != nil {
		info["title"] = v
	}
	if v := a.in["Description"]; v != nil {
		info["description"] = v
	}
	return nil
}

// bodyTags writes the tags into the document.
func (a *api) bodyTags(given object) {
	list, _ := a.body["tags"].([]any)
	for _, k := range slices.Sorted(maps.Keys(given)) {
		list = append(list, object{"name": k, "x-amazon-apigateway-tag-value": given[k]})
	}
	a.body["tags"] = append(list, object{"name": "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM"})
}

// errCredentials refuses CORS with credentials for every origin.
const errCredentials = problem(`Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is "'*'" or not set.`)

// httpCORS says what pages of others may do.
func (a *api) httpCORS() error {
	switch c := a.in["CorsConfiguration"].(type) {
	case nil:
	case bool:
		if c {
			a.body["x-amazon-apigateway-cors"] = object{"allowOrigins": []any{"*"}}
		}
	case object:
		if isFunction(c) {
			a.body["x-amazon-apigateway-cors"] = c
			return nil
		}
		origins, _ := c["AllowOrigins"].([]any)
		if c["AllowCredentials"] == true && (len(origins) == 0 || slices.Contains(origins, any("*"))) {
			return errCredentials
		}
		out := object{}
		for _, k := range []string{"AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge"} {
			if v := c[k]; v != nil {
				out[strings.ToLower(k[:1])+k[1:]] = v
			}
		}
		if v := c["AllowCredentials"]; v == true {
			out["allowCredentials"] = v
		}
		a.body["x-amazon-apigateway-cors"] = out
	default:
		return problemf("Invalid value for 'CorsConfiguration' property.")
	}
	return nil
}

// httpAuth writes the authorizers, and which callers each route admits.
func (a *api) httpAuth() error {
	auth, ok := a.in["Auth"].(object)
	if !ok && a.in["Auth"] != nil {
		return problemf("Type of property 'Auth' is invalid.")
	}
	for _, k := range slices.Sorted(maps.Keys(auth)) {
		if !slices.Contains([]string{"DefaultAuthorizer", "Authorizers", "EnableIamAuthorizer"}, k) {
			return problemf("property Auth.%s not defined for resource of type %s", k, httpType)
		}
	}
	authorizers, _ := auth["Authorizers"].(object)
	for _, name := range slices.Sorted(maps.Keys(authorizers)) {
		if err := a.httpAuthorizer(name, authorizers[name]); err != nil {
			return err
		}
	}
	if auth["EnableIamAuthorizer"] == true {
		schemes, err := a.part("", "securitySchemes")
		if err != nil {
			return err
		}
		schemes[iam] = object{"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
	}
	standard, _ := auth["DefaultAuthorizer"].(string)
	if standard == "" {
		return nil
	}
	if authorizers[standard] == nil && !(standard == iam && auth["EnableIamAuthorizer"] == true) {
		return problemf("Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", standard)
	}
	paths, _ := a.body["paths"].(object)
	for _, item := range paths {
		m, _ := item.(object)
		for method, operation := range methodsOf(m) {
			if operation["security"] == nil && method != "options" {
				operation["security"] = []any{object{standard: []any{}}}
			}
		}
	}
	return nil
}

// httpAuthorizer writes an authorizer that is a function.
func (a *api) httpAuthorizer(name string, v any) error {
	in, ok := v.(object)
	function := in["FunctionArn"]
	switch {
	case !ok:
		return problemf("Authorizer %s must be a dictionary.", name)
	case in["JwtConfiguration"] != nil:
		return problemf("Authorizer %s: JWT authorizers are not supported here.", name)
	case function == nil:
		return problemf("%s Lambda Authorizer must define 'FunctionArn'.", name)
	case in["AuthorizerPayloadFormatVersion"] == nil:
		return problemf("%s Lambda Authorizer must define 'AuthorizerPayloadFormatVersion'.", name)
	}
	made := object{"type": "request", "authorizerUri": invocation(a.transform.partition(), function), "authorizerPayloadFormatVersion": in["AuthorizerPayloadFormatVersion"]}
	identity, _ := in["Identity"].(object)
	var sources []any
	for _, s := range [][2]string{{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."}, {"StageVariables", "$stageVariables."}, {"Context", "$context."}} {
		list, _ := identity[s[0]].([]any)
		for _, item := range list {
			sources = append(sources, s[1]+textOrEmpty(item))
		}
	}
	if len(sources) > 0 {
		made["identitySource"] = sources
	}
	if v := identity["ReauthorizeEvery"]; v != nil {
		made["authorizerResultTtlInSeconds"] = v
	}
	if v := in["EnableSimpleResponses"]; v != nil {
		made["enableSimpleResponses"] = v
	}
	if role := in["FunctionInvokeRole"]; role != nil {
		made["authorizerCredentials"] = role
	}
	schemes, err := a.part("", "securitySchemes")
	if err != nil {
		return err
	}
	schemes[name] = object{"type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authorizer": made}
	if in["EnableFunctionDefaultPermissions"] == true {
		a.authorizerPermission(name, function, partitioned)
	}
	return nil
}
