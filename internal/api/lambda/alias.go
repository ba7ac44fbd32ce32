package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

func registerAliases(s *lambdaapi.Service, f face) {
	s.CreateAlias(f.CreateAlias)
	s.GetAlias(f.GetAlias)
	s.ListAliases(f.ListAliases)
	s.UpdateAlias(f.UpdateAlias)
	s.DeleteAlias(f.DeleteAlias)
}

func aliasShape(a lambda.Alias) *lambdaapi.AliasConfiguration {
	out := &lambdaapi.AliasConfiguration{
		AliasArn: new(a.ARN()), Name: new(a.Name), FunctionVersion: new(a.Version), Description: new(a.Description), RevisionId: new(a.Revision),
	}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &lambdaapi.AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return out
}

func weights(c *lambdaapi.AliasRoutingConfiguration) map[string]float64 {
	if c == nil {
		return nil
	}
	return c.AdditionalVersionWeights
}

// CreateAlias makes an alias.
func (f face) CreateAlias(ctx context.Context, in *lambdaapi.CreateAliasInput) (*lambdaapi.CreateAliasOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	a, err := f.functions.CreateAlias(ctx, lambda.Alias{
		Ref: r, Name: value(in.Name), Version: value(in.FunctionVersion), Description: value(in.Description), Weights: weights(in.RoutingConfig),
	})
	if err != nil {
		return nil, err
	}
	return aliasShape(a), nil
}

// GetAlias returns an alias.
func (f face) GetAlias(ctx context.Context, in *lambdaapi.GetAliasInput) (*lambdaapi.GetAliasOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	a, err := f.functions.GetAlias(ctx, r, value(in.Name))
	if err != nil {
		return nil, err
	}
	return aliasShape(a), nil
}

// ListAliases lists the aliases of a function.
func (f face) ListAliases(ctx context.Context, in *lambdaapi.ListAliasesInput) (*lambdaapi.ListAliasesOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	found, next, err := f.functions.Aliases(ctx, r, value(in.FunctionVersion), value(in.Marker), limit(in.MaxItems, 50))
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListAliasesOutput{Aliases: []lambdaapi.AliasConfiguration{}, NextMarker: model.Optional(next)}
	for _, a := range found {
		out.Aliases = append(out.Aliases, *aliasShape(a))
	}
	return out, nil
}

// UpdateAlias changes what is given of an alias.
func (f face) UpdateAlias(ctx context.Context, in *lambdaapi.UpdateAliasInput) (*lambdaapi.UpdateAliasOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	a, err := f.functions.UpdateAlias(ctx, r, value(in.Name), value(in.RevisionId), func(a *lambda.Alias) {
		set(&a.Version, in.FunctionVersion)
		set(&a.Description, in.Description)
		if in.RoutingConfig != nil {
			a.Weights = weights(in.RoutingConfig)
		}
	})
	if err != nil {
		return nil, err
	}
	return aliasShape(a), nil
}

// DeleteAlias removes an alias.
func (f face) DeleteAlias(ctx context.Context, in *lambdaapi.DeleteAliasInput) (*lambdaapi.DeleteAliasOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.DeleteAlias(ctx, r, value(in.Name))
}
