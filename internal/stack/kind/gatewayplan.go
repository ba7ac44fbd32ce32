package kind

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
)

// planTypes are those of who may use API Gateway's REST APIs, and how much.
func planTypes() map[string]Type {
	const service = "ApiGateway"
	return map[string]Type{
		"AWS::ApiGateway::Account": {Service: service, Naming: Naming{Max: 128}, Create: noteGatewayAccount, Update: noteGatewayAccount, Delete: keepGatewayAccount},
		"AWS::ApiGateway::ApiKey": {
			Service: service, Naming: Naming{Property: "Name", Max: 128}, Fixed: []string{"Name", "Value", "GenerateDistinctId"},
			Create: createAPIKey, Update: updateAPIKey, Delete: deleteOf("apigateway", "DeleteApiKey", "apiKey"),
		},
		"AWS::ApiGateway::UsagePlan": {
			Service: service, Naming: Naming{Property: "UsagePlanName", Max: 128}, Create: createUsagePlan, Update: updateUsagePlan, Delete: deleteUsagePlan,
		},
		"AWS::ApiGateway::UsagePlanKey": {Service: service, Create: createUsagePlanKey, Delete: deleteUsagePlanKey},
	}
}

// noteGatewayAccount answers for the settings of an account: the role in which API Gateway
// would write logs, which nothing here needs.
func noteGatewayAccount(_ context.Context, r *Request) error {
	if err := r.only("CloudWatchRoleArn"); err != nil {
		return err
	}
	if r.Physical == "" {
		r.Physical = r.Name
	}
	r.Attributes = map[string]any{"Id": r.Physical}
	return nil
}

func keepGatewayAccount(context.Context, *Request) error { return nil }

func createAPIKey(ctx context.Context, r *Request) error {
	in := without(r.Properties, "Tags")
	in["Name"] = r.name("Name")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["tags"] = tagMap(tags)
	}
	out, err := r.send(ctx, "apigateway", "CreateApiKey", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"APIKeyId": r.Physical}
	return nil
}

func updateAPIKey(ctx context.Context, r *Request) error {
	if len(texts(r.Properties["StageKeys"])) > 0 {
		return refuse(InvalidRequest, "Stage keys are not supported here: put the key into a usage plan.")
	}
	var p patch
	p.set(r, "CustomerId", "/customerId")
	p.set(r, "Description", "/description")
	if r.changed("Enabled") {
		enabled := r.text("Enabled")
		if enabled == "" {
			enabled = "false"
		}
		p.add("replace", "/enabled", enabled)
	}
	if err := p.send(ctx, r, "UpdateApiKey", map[string]any{"apiKey": r.Physical}); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigateway", arn.New("apigateway", r.Place.Region, "", "/apikeys/"+r.Physical).String())
}

func createUsagePlan(ctx context.Context, r *Request) error {
	in := without(r.Properties, "UsagePlanName", "Tags")
	in["name"] = r.name("UsagePlanName")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["tags"] = tagMap(tags)
	}
	out, err := r.send(ctx, "apigateway", "CreateUsagePlan", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"Id": r.Physical}
	return nil
}

func updateUsagePlan(ctx context.Context, r *Request) error {
	var p patch
	if r.changed("UsagePlanName") {
		p.add("replace", "/name", r.name("UsagePlanName"))
	}
	p.set(r, "Description", "/description")
	p.setLimits(r, "Throttle", "/throttle")
	p.setLimits(r, "Quota", "/quota")
	if r.changed("ApiStages") {
		list, _ := r.Properties["ApiStages"].([]any)
		if err := r.setPlanStages(ctx, &p, list); err != nil {
			return err
		}
	}
	if err := p.send(ctx, r, "UpdateUsagePlan", r.plan()); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigateway", arn.New("apigateway", r.Place.Region, "", "/usageplans/"+r.Physical).String())
}

func (r *Request) plan() map[string]any { return map[string]any{"usagePlanId": r.Physical} }

// setLimits has limits become those of a property.
func (p *patch) setLimits(r *Request, property, path string) {
	if r.changed(property) {
		p.add("remove", path, nil)
		p.addLimits(r.Properties[property], path)
	}
}

func (p *patch) addLimits(v any, path string) {
	limits, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		p.add("replace", path+"/"+strings.ToLower(name[:1])+name[1:], limits[name])
	}
}

// setPlanStages has the stages of a plan become those of a list. It asks which ones the plan
// has: an update that failed may have changed some.
func (r *Request) setPlanStages(ctx context.Context, p *patch, list []any) error {
	out, err := r.send(ctx, "apigateway", "GetUsagePlan", r.plan())
	if err != nil {
		return err
	}
	there, wanted := map[string]bool{}, map[string]map[string]any{}
	stages, _ := out["apiStages"].([]any)
	for _, st := range stages {
		there[at(st, "apiId")+":"+at(st, "stage")] = true
	}
	for _, item := range list {
		st, ok := item.(map[string]any)
		if !ok {
			return wrongType([]string{"ApiStages"}, "JSONObject", item)
		}
		wanted[textOf(st["ApiId"])+":"+textOf(st["Stage"])] = st
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if wanted[name] == nil {
			p.add("remove", "/apiStages", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if !there[name] {
			p.add("add", "/apiStages", name)
		}
		p.add("remove", "/apiStages/"+name+"/throttle", nil)
		methods, _ := wanted[name]["Throttle"].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			i := strings.LastIndexByte(method, '/')
			if i < 0 {
				return refuse(InvalidRequest, "Invalid method %s in the throttle of API stage %s. It is written /PATH/VERB.", method, name)
			}
			p.addLimits(methods[method], "/apiStages/"+name+"/throttle/"+pointed(method[:i])+method[i:])
		}
	}
	return nil
}

// deleteUsagePlan takes the stages out of a plan first: one that has any stays.
func deleteUsagePlan(ctx context.Context, r *Request) error {
	var p patch
	if err := r.setPlanStages(ctx, &p, nil); err != nil {
		return absent(err)
	}
	if err := p.send(ctx, r, "UpdateUsagePlan", r.plan()); err != nil {
		return absent(err)
	}
	_, err := r.send(ctx, "apigateway", "DeleteUsagePlan", r.plan())
	return absent(err)
}

func createUsagePlanKey(ctx context.Context, r *Request) error {
	if _, err := r.send(ctx, "apigateway", "CreateUsagePlanKey", r.Properties); err != nil && !r.conflicts(err) {
		return err
	}
	r.Physical = r.text("KeyId") + ":" + r.text("UsagePlanId")
	r.Attributes = map[string]any{"Id": r.Physical}
	return nil
}

func deleteUsagePlanKey(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "apigateway", "DeleteUsagePlanKey", map[string]any{"usagePlanId": r.text("UsagePlanId"), "keyId": r.text("KeyId")})
	return absent(err)
}
