package kind

import (
	"context"

	"plumb/internal/arn"
)

// httpTypes are those of API Gateway's HTTP APIs.
func httpTypes() map[string]Type {
	const service = "ApiGatewayV2"
	return map[string]Type{
		"AWS::ApiGatewayV2::Api": {
			Service: service, Fixed: []string{"ProtocolType"}, Create: createHTTPAPI, Update: updateHTTPAPI, Delete: deleteOf("apigatewayv2", "DeleteApi", "apiId"),
		},
		"AWS::ApiGatewayV2::Integration": partOfAPI("Integration", "IntegrationId", "ApiId"),
		"AWS::ApiGatewayV2::Route":       partOfAPI("Route", "RouteId", "ApiId"),
		"AWS::ApiGatewayV2::Authorizer":  partOfAPI("Authorizer", "AuthorizerId", "ApiId"),
		"AWS::ApiGatewayV2::Deployment":  partOfAPI("Deployment", "DeploymentId", "ApiId", "StageName"),
		"AWS::ApiGatewayV2::Stage": {
			Service: service, Fixed: []string{"ApiId", "StageName"}, Create: createHTTPStage, Update: updateHTTPStage,
			Delete: deleteOf("apigatewayv2", "DeleteStage", "stageName", "ApiId"),
		},
	}
}

// partOfAPI is a type whose properties are the input of operations that are named after it.
func partOfAPI(noun, id string, fixed ...string) Type {
	return Type{
		Service: "ApiGatewayV2", Fixed: fixed,
		Create: func(ctx context.Context, r *Request) error {
			out, err := r.send(ctx, "apigatewayv2", "Create"+noun, responseParameters(r.Properties))
			if key := uniqueOf(noun); key != "" && r.conflicts(err) {
				out, err = r.orFound(ctx, err, r.httpParts("Get"+noun+"s"), func(item map[string]any) bool { return at(item, key) == r.text(key) })
			}
			if err != nil {
				return err
			}
			r.Physical = at(out, id)
			r.Attributes = map[string]any{id: r.Physical}
			return nil
		},
		Update: func(ctx context.Context, r *Request) error {
			in := r.cleared(responseParameters(r.Properties))
			for _, p := range fixed {
				if p != "ApiId" {
					delete(in, p)
				}
			}
			in[id] = r.Physical
			_, err := r.send(ctx, "apigatewayv2", "Update"+noun, in)
			return err
		},
		Delete: deleteOf("apigatewayv2", "Delete"+noun, id, "ApiId"),
	}
}

// uniqueOf is the property by which a part of an API is the only one; empty if there is none.
func uniqueOf(noun string) string {
	return map[string]string{"Route": "RouteKey", "Authorizer": "Name"}[noun]
}

// cleared adds to the input of an update what takes away properties that are no longer
// there: what an update does not name stays.
func (r *Request) cleared(in map[string]any) map[string]any {
	out := without(in)
	for property, none := range map[string]any{
		"Description": "", "OperationName": "", "Version": "", "AuthorizationType": "NONE", "AuthorizerResultTtlInSeconds": 0, "AutoDeploy": false,
		"DisableExecuteApiEndpoint": false, "EnableSimpleResponses": false,
	} {
		if _, had := r.Old[property]; had && out[property] == nil {
			out[property] = none
		}
	}
	for _, property := range []string{"StageVariables", "RequestParameters"} {
		if r.text("RouteKey") != "" {
			break // a route's parameters are no texts
		}
		before, after := textMap(r.Old[property]), textMap(out[property])
		all := map[string]any{}
		for k := range before {
			all[k] = "" // by which it is removed
		}
		for k, v := range after {
			all[k] = v
		}
		if len(all) > 0 {
			out[property] = all
		}
	}
	return out
}

// responseParameters puts the lists of what is changed in answers into the mappings that
// the API takes.
func responseParameters(properties map[string]any) map[string]any {
	out := without(properties)
	byStatus, ok := out["ResponseParameters"].(map[string]any)
	if !ok {
		return out
	}
	all := map[string]any{}
	for status, v := range byStatus {
		list, ok := field(v, "ResponseParameters").([]any)
		if !ok {
			all[status] = v
			continue
		}
		changes := map[string]any{}
		for _, item := range list {
			changes[at(item, "Destination")] = field(item, "Source")
		}
		all[status] = changes
	}
	out["ResponseParameters"] = all
	return out
}

// ofDocument are properties of an API that are about its document.
func ofDocument() []string { return []string{"Body", "BodyS3Location", "BasePath", "FailOnWarnings"} }

func createHTTPAPI(ctx context.Context, r *Request) error {
	body, err := r.body(ctx)
	if err != nil {
		return err
	}
	in := without(r.Properties, ofDocument()...)
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagMap(tags)
	}
	var out map[string]any
	if body != nil && r.text("Name") == "" {
		out, err = r.send(ctx, "apigatewayv2", "ImportApi", r.document(body))
	} else {
		if body != nil && r.text("ProtocolType") == "" {
			in["ProtocolType"] = "HTTP"
		}
		out, err = r.send(ctx, "apigatewayv2", "CreateApi", in)
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "ApiId")
	r.Attributes = map[string]any{"ApiId": r.Physical, "ApiEndpoint": at(out, "ApiEndpoint")}
	if body == nil {
		return nil
	}
	if r.text("Name") != "" {
		if err := r.putHTTPBody(ctx, body); err != nil {
			return err
		}
	}
	if err := r.settleHTTPAPI(ctx); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigatewayv2", r.httpARN())
}

func (r *Request) httpARN() string {
	return arn.New("apigateway", r.Place.Region, "", "/apis/"+r.Physical).String()
}

// document is the input of an import.
func (r *Request) document(body []byte) map[string]any {
	in := map[string]any{"body": string(body)}
	set(in, "basepath", r.Properties, "BasePath")
	set(in, "failOnWarnings", r.Properties, "FailOnWarnings")
	return in
}

func (r *Request) putHTTPBody(ctx context.Context, body []byte) error {
	in := r.document(body)
	in["ApiId"] = r.Physical
	_, err := r.send(ctx, "apigatewayv2", "ReimportApi", in)
	return err
}

// settleHTTPAPI has an API become what the properties besides its document say.
func (r *Request) settleHTTPAPI(ctx context.Context) error {
	in := r.cleared(without(r.Properties, append(ofDocument(), "ProtocolType", "Tags")...))
	in["ApiId"] = r.Physical
	_, err := r.send(ctx, "apigatewayv2", "UpdateApi", in)
	return err
}

func updateHTTPAPI(ctx context.Context, r *Request) error {
	put := false
	if r.changed(ofDocument()...) {
		body, err := r.body(ctx)
		if err != nil {
			return err
		}
		if put = body != nil; put {
			if err := r.putHTTPBody(ctx, body); err != nil {
				return err
			}
		}
	}
	if _, had := r.Old["CorsConfiguration"]; had && !put && r.Properties["CorsConfiguration"] == nil {
		if _, err := r.send(ctx, "apigatewayv2", "DeleteCorsConfiguration", map[string]any{"ApiId": r.Physical}); err != nil {
			return err
		}
	}
	if err := r.settleHTTPAPI(ctx); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigatewayv2", r.httpARN())
}

func createHTTPStage(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagMap(tags)
	}
	if _, err := r.send(ctx, "apigatewayv2", "CreateStage", in); err != nil && !r.conflicts(err) {
		return err
	}
	r.Physical = r.text("StageName")
	return nil
}

func updateHTTPStage(ctx context.Context, r *Request) error {
	if _, err := r.send(ctx, "apigatewayv2", "UpdateStage", r.cleared(without(r.Properties, "Tags"))); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigatewayv2", arn.New("apigateway", r.Place.Region, "", "/apis/"+r.text("ApiId")+"/stages/"+r.Physical).String())
}
