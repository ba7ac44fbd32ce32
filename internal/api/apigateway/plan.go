package apigateway

import (
	"context"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
	"plumb/internal/source/apigateway/usage"
)

// CreateUsagePlan makes a usage plan.
func (o operations) CreateUsagePlan(ctx context.Context, in *apigatewayapi.CreateUsagePlanInput) (*apigatewayapi.CreateUsagePlanOutput, error) {
	u, err := o.apis.Plans.CreatePlan(ctx, caller.Place(ctx), apigatewayapi.UsagePlan{
		Name: in.Name, Description: in.Description, ApiStages: append([]apigatewayapi.ApiStage{}, in.ApiStages...), Throttle: in.Throttle, Quota: in.Quota, Tags: in.Tags,
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateUsagePlanOutput(u)), nil
}

// GetUsagePlan tells of a usage plan.
func (o operations) GetUsagePlan(ctx context.Context, in *apigatewayapi.GetUsagePlanInput) (*apigatewayapi.GetUsagePlanOutput, error) {
	u, err := o.apis.Plans.Plan(ctx, caller.Place(ctx), *in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetUsagePlanOutput(u)), nil
}

// GetUsagePlans lists usage plans, or those that have a key.
func (o operations) GetUsagePlans(ctx context.Context, in *apigatewayapi.GetUsagePlansInput) (*apigatewayapi.GetUsagePlansOutput, error) {
	all, err := o.apis.Plans.All(ctx, caller.Place(ctx), model.Deref(in.KeyId))
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetUsagePlans", model.Deref(in.KeyId), all, in.Limit, in.Position)
	return &apigatewayapi.GetUsagePlansOutput{Items: list, Position: next}, err
}

// UpdateUsagePlan changes a usage plan.
func (o operations) UpdateUsagePlan(ctx context.Context, in *apigatewayapi.UpdateUsagePlanInput) (*apigatewayapi.UpdateUsagePlanOutput, error) {
	u, err := o.apis.Plans.ChangePlan(ctx, caller.Place(ctx), *in.UsagePlanId, func(u *apigatewayapi.UsagePlan) error {
		for _, op := range in.PatchOperations {
			if err := patchPlan(u, op); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateUsagePlanOutput(u)), nil
}

// patchPlan does one operation. Stages are added and removed as texts: API:STAGE.
func patchPlan(u *apigatewayapi.UsagePlan, op apigatewayapi.PatchOperation) error {
	rest, ofStages := strings.CutPrefix(model.Deref(op.Path), "/apiStages")
	if !ofStages {
		return restapi.Patch(u, []apigatewayapi.PatchOperation{op}, "name", "description", "productCode", "throttle", "quota")
	}
	name, method, ofThrottle := strings.Cut(strings.TrimPrefix(rest, "/"), "/throttle")
	if rest == "" {
		name = model.Deref(op.Value)
	}
	api, stage, ok := strings.Cut(name, ":")
	if !ok {
		return invalid("Invalid API Stage %s. It is written API:STAGE.", name)
	}
	i := slices.IndexFunc(u.ApiStages, func(s apigatewayapi.ApiStage) bool {
		return model.Deref(s.ApiId) == api && model.Deref(s.Stage) == stage
	})
	switch {
	case ofThrottle && i >= 0:
		return patchThrottle(&u.ApiStages[i], method, op)
	case rest == "" && op.Op == apigatewayapi.OpAdd && i < 0:
		u.ApiStages = append(u.ApiStages, apigatewayapi.ApiStage{ApiId: &api, Stage: &stage})
		return nil
	case rest == "" && op.Op == apigatewayapi.OpAdd:
		return apigatewayapi.ConflictException("The usage plan has the API Stage %s already.", name)
	case i < 0:
		return apigatewayapi.NotFoundException("API Stage not found: %s", name)
	case rest == "" && op.Op == apigatewayapi.OpRemove:
		u.ApiStages = slices.Delete(u.ApiStages, i, i+1)
		return nil
	}
	return invalid("Invalid patch path '%s' specified for op '%s'", model.Deref(op.Path), op.Op)
}

// patchThrottle changes what a stage says of a method: /PATH/VERB, /PATH/VERB/rateLimit, or
// of all of them. The slashes of a path are written ~1.
func patchThrottle(s *apigatewayapi.ApiStage, method string, op apigatewayapi.PatchOperation) error {
	if method == "" && op.Op == apigatewayapi.OpRemove {
		s.Throttle = nil
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(method, "/"), "/")
	last := parts[len(parts)-1]
	member := last == "rateLimit" || last == "burstLimit"
	if member {
		parts = parts[:len(parts)-1]
	}
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.Join(parts, "/"))
	if !strings.HasPrefix(key, "/") {
		key = "/" + key
	}
	path := "/throttle/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	if member {
		path += "/" + last
	}
	op.Path = &path
	return restapi.Patch(s, []apigatewayapi.PatchOperation{op}, "throttle")
}

// DeleteUsagePlan removes a usage plan that has no stages.
func (o operations) DeleteUsagePlan(ctx context.Context, in *apigatewayapi.DeleteUsagePlanInput) (*apigatewayapi.DeleteUsagePlanOutput, error) {
	return nil, o.apis.Plans.DeletePlan(ctx, caller.Place(ctx), *in.UsagePlanId)
}

// keyType is the one that keys of usage plans have.
const keyType = "API_KEY"

func planKey(k apigatewayapi.ApiKey) apigatewayapi.UsagePlanKey {
	return apigatewayapi.UsagePlanKey{Id: k.Id, Type: new(keyType), Value: k.Value, Name: k.Name}
}

// CreateUsagePlanKey puts a key into a usage plan.
func (o operations) CreateUsagePlanKey(ctx context.Context, in *apigatewayapi.CreateUsagePlanKeyInput) (*apigatewayapi.CreateUsagePlanKeyOutput, error) {
	if *in.KeyType != keyType {
		return nil, invalid("Usage plan key type must be %s", keyType)
	}
	k, err := o.apis.Plans.AddKey(ctx, caller.Place(ctx), *in.UsagePlanId, *in.KeyId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateUsagePlanKeyOutput(planKey(k))), nil
}

// GetUsagePlanKey tells of a key of a usage plan.
func (o operations) GetUsagePlanKey(ctx context.Context, in *apigatewayapi.GetUsagePlanKeyInput) (*apigatewayapi.GetUsagePlanKeyOutput, error) {
	k, err := o.apis.Plans.PlanKey(ctx, caller.Place(ctx), *in.UsagePlanId, *in.KeyId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetUsagePlanKeyOutput(planKey(k))), nil
}

// GetUsagePlanKeys lists the keys of a usage plan.
func (o operations) GetUsagePlanKeys(ctx context.Context, in *apigatewayapi.GetUsagePlanKeysInput) (*apigatewayapi.GetUsagePlanKeysOutput, error) {
	limit, about := pageSize(in.Limit), *in.UsagePlanId+" "+model.Deref(in.NameQuery)
	after, ok := o.tokens.Decode("GetUsagePlanKeys", model.Deref(in.Position), about)
	if !ok {
		return nil, invalid("Invalid position parameter")
	}
	list, err := o.apis.Plans.PlanKeys(ctx, caller.Place(ctx), *in.UsagePlanId, model.Deref(in.NameQuery), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &apigatewayapi.GetUsagePlanKeysOutput{Items: []apigatewayapi.UsagePlanKey{}}
	if len(list) > limit {
		list = list[:limit]
		out.Position = new(o.tokens.Encode("GetUsagePlanKeys", *list[limit-1].Id, about))
	}
	for _, k := range list {
		out.Items = append(out.Items, planKey(k))
	}
	return out, nil
}

// DeleteUsagePlanKey takes a key out of a usage plan.
func (o operations) DeleteUsagePlanKey(ctx context.Context, in *apigatewayapi.DeleteUsagePlanKeyInput) (*apigatewayapi.DeleteUsagePlanKeyOutput, error) {
	return nil, o.apis.Plans.RemoveKey(ctx, caller.Place(ctx), *in.UsagePlanId, *in.KeyId)
}

// GetUsage tells what the keys of a usage plan used on each day.
func (o operations) GetUsage(ctx context.Context, in *apigatewayapi.GetUsageInput) (*apigatewayapi.GetUsageOutput, error) {
	key := model.Deref(in.KeyId)
	about := strings.Join([]string{*in.UsagePlanId, key, *in.StartDate, *in.EndDate}, " ")
	after, ok := o.tokens.Decode("GetUsage", model.Deref(in.Position), about)
	if !ok {
		return nil, invalid("Invalid position parameter")
	}
	items, next, err := o.apis.Plans.Usage(ctx, caller.Place(ctx), usage.Query{
		Plan: *in.UsagePlanId, Key: key, First: *in.StartDate, Last: *in.EndDate, After: after, Limit: pageSize(in.Limit)})
	if err != nil {
		return nil, err
	}
	out := &apigatewayapi.GetUsageOutput{UsagePlanId: in.UsagePlanId, StartDate: in.StartDate, EndDate: in.EndDate, Items: items}
	if next != "" {
		out.Position = new(o.tokens.Encode("GetUsage", next, about))
	}
	return out, nil
}
