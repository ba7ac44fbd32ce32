package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// CreateApiKey makes a key. Stages name it by a usage plan only.
func (o operations) CreateApiKey(ctx context.Context, in *apigatewayapi.CreateApiKeyInput) (*apigatewayapi.CreateApiKeyOutput, error) {
	if len(in.StageKeys) > 0 {
		return nil, invalid("Stage keys are not supported here: put the key into a usage plan.")
	}
	k, err := o.apis.Plans.CreateKey(ctx, caller.Place(ctx), apigatewayapi.ApiKey{
		Name: in.Name, Description: in.Description, Enabled: in.Enabled, Value: in.Value, CustomerId: in.CustomerId, Tags: in.Tags,
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateApiKeyOutput(k)), nil
}

// GetApiKey tells of a key, and its value if that is asked for.
func (o operations) GetApiKey(ctx context.Context, in *apigatewayapi.GetApiKeyInput) (*apigatewayapi.GetApiKeyOutput, error) {
	k, err := o.apis.Plans.Key(ctx, caller.Place(ctx), *in.ApiKey)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetApiKeyOutput(withValue(k, in.IncludeValue))), nil
}

func withValue(k apigatewayapi.ApiKey, include *bool) apigatewayapi.ApiKey {
	if !model.Deref(include) {
		k.Value = nil
	}
	return k
}

// GetApiKeys lists keys: those of a customer, or whose name begins as is asked for.
func (o operations) GetApiKeys(ctx context.Context, in *apigatewayapi.GetApiKeysInput) (*apigatewayapi.GetApiKeysOutput, error) {
	limit, about := pageSize(in.Limit), model.Deref(in.NameQuery)+" "+model.Deref(in.CustomerId)
	after, ok := o.tokens.Decode("GetApiKeys", model.Deref(in.Position), about)
	if !ok {
		return nil, invalid("Invalid position parameter")
	}
	list, err := o.apis.Plans.Keys(ctx, caller.Place(ctx), model.Deref(in.NameQuery), model.Deref(in.CustomerId), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &apigatewayapi.GetApiKeysOutput{Items: []apigatewayapi.ApiKey{}}
	if len(list) > limit {
		list = list[:limit]
		out.Position = new(o.tokens.Encode("GetApiKeys", *list[limit-1].Id, about))
	}
	for _, k := range list {
		out.Items = append(out.Items, withValue(k, in.IncludeValues))
	}
	return out, nil
}

// UpdateApiKey changes a key.
func (o operations) UpdateApiKey(ctx context.Context, in *apigatewayapi.UpdateApiKeyInput) (*apigatewayapi.UpdateApiKeyOutput, error) {
	k, err := o.apis.Plans.ChangeKey(ctx, caller.Place(ctx), *in.ApiKey, func(k *apigatewayapi.ApiKey) error {
		return restapi.Patch(k, in.PatchOperations, "name", "description", "enabled", "customerId")
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateApiKeyOutput(withValue(k, nil))), nil
}

// DeleteApiKey removes a key.
func (o operations) DeleteApiKey(ctx context.Context, in *apigatewayapi.DeleteApiKeyInput) (*apigatewayapi.DeleteApiKeyOutput, error) {
	return nil, o.apis.Plans.DeleteKey(ctx, caller.Place(ctx), *in.ApiKey)
}
