package cognitoidentity

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/cognito"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cognitoidentityapi"
)

// CreateIdentityPool makes a pool.
func (o operations) CreateIdentityPool(ctx context.Context, in *api.CreateIdentityPoolInput) (*api.CreateIdentityPoolOutput, error) {
	p := cognito.Pool{Place: caller.Place(ctx), Definition: definition(&api.IdentityPool{
		IdentityPoolName: in.IdentityPoolName, AllowUnauthenticatedIdentities: in.AllowUnauthenticatedIdentities, AllowClassicFlow: in.AllowClassicFlow,
		SupportedLoginProviders: in.SupportedLoginProviders, DeveloperProviderName: in.DeveloperProviderName, IdentityPoolTags: in.IdentityPoolTags,
		OpenIdConnectProviderARNs: in.OpenIdConnectProviderARNs, CognitoIdentityProviders: in.CognitoIdentityProviders, SamlProviderARNs: in.SamlProviderARNs,
	})}
	err := o.pools.Write(ctx, func(tx *db.Tx) (err error) {
		p, err = o.pools.CreatePool(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return poolShape(p), nil
}

func definition(in *api.IdentityPool) cognito.Definition {
	d := cognito.Definition{
		Name: *in.IdentityPoolName, Unauthenticated: model.Deref(in.AllowUnauthenticatedIdentities), Classic: model.Deref(in.AllowClassicFlow),
		Providers: in.SupportedLoginProviders, Developer: model.Deref(in.DeveloperProviderName), OpenID: in.OpenIdConnectProviderARNs,
		SAML: in.SamlProviderARNs, Tags: in.IdentityPoolTags,
	}
	for _, u := range in.CognitoIdentityProviders {
		d.UserPools = append(d.UserPools, cognito.UserPool{Provider: model.Deref(u.ProviderName), Client: model.Deref(u.ClientId), Checked: model.Deref(u.ServerSideTokenCheck)})
	}
	return d
}

func poolShape(p cognito.Pool) *api.IdentityPool {
	out := &api.IdentityPool{
		IdentityPoolId: &p.ID, IdentityPoolName: &p.Name, AllowUnauthenticatedIdentities: &p.Unauthenticated, AllowClassicFlow: &p.Classic,
		SupportedLoginProviders: p.Providers, OpenIdConnectProviderARNs: p.OpenID, SamlProviderARNs: p.SAML, IdentityPoolTags: p.Tags,
	}
	if p.Developer != "" {
		out.DeveloperProviderName = &p.Developer
	}
	for _, u := range p.UserPools {
		out.CognitoIdentityProviders = append(out.CognitoIdentityProviders, api.CognitoIdentityProvider{
			ProviderName: &u.Provider, ClientId: &u.Client, ServerSideTokenCheck: &u.Checked,
		})
	}
	return out
}

// find reads a pool of the caller's place.
func (o operations) find(ctx context.Context, id string) (p cognito.Pool, err error) {
	err = o.pools.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = cognito.OwnPool(ctx, tx, caller.Place(ctx), id)
		return err
	})
	return p, err
}

// change changes a pool of the caller's place.
func (o operations) change(ctx context.Context, id string, how func(p *cognito.Pool) error) (p cognito.Pool, err error) {
	err = o.pools.Write(ctx, func(tx *db.Tx) (err error) {
		if p, err = cognito.OwnPool(ctx, tx, caller.Place(ctx), id); err != nil {
			return err
		}
		if err := how(&p); err != nil {
			return err
		}
		return o.pools.PutPool(ctx, tx, p)
	})
	return p, err
}

// DescribeIdentityPool tells of a pool.
func (o operations) DescribeIdentityPool(ctx context.Context, in *api.DescribeIdentityPoolInput) (*api.DescribeIdentityPoolOutput, error) {
	p, err := o.find(ctx, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	return poolShape(p), nil
}

// UpdateIdentityPool replaces the definition of a pool; its roles stay.
func (o operations) UpdateIdentityPool(ctx context.Context, in *api.UpdateIdentityPoolInput) (*api.UpdateIdentityPoolOutput, error) {
	p, err := o.change(ctx, *in.IdentityPoolId, func(p *cognito.Pool) error {
		roles := p.Roles
		p.Definition = definition(in)
		p.Roles = roles
		return nil
	})
	if err != nil {
		return nil, err
	}
	return poolShape(p), nil
}

// DeleteIdentityPool deletes a pool with its identities.
func (o operations) DeleteIdentityPool(ctx context.Context, in *api.DeleteIdentityPoolInput) (*api.DeleteIdentityPoolOutput, error) {
	err := o.pools.Write(ctx, func(tx *db.Tx) error {
		p, err := cognito.OwnPool(ctx, tx, caller.Place(ctx), *in.IdentityPoolId)
		if err != nil {
			return err
		}
		return o.pools.DeletePool(ctx, tx, p.ID)
	})
	return &api.DeleteIdentityPoolOutput{}, err
}

// ListIdentityPools lists pools by their ids.
func (o operations) ListIdentityPools(ctx context.Context, in *api.ListIdentityPoolsInput) (*api.ListIdentityPoolsOutput, error) {
	limit := int(*in.MaxResults)
	after, ok := o.o.Tokens.Decode("ListIdentityPools", model.Deref(in.NextToken))
	if !ok {
		return nil, badToken()
	}
	var list []cognito.Pool
	err := o.pools.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = cognito.Pools(ctx, tx, caller.Place(ctx), after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListIdentityPoolsOutput{IdentityPools: []api.IdentityPoolShortDescription{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.o.Tokens.Encode("ListIdentityPools", list[limit-1].ID))
	}
	for _, p := range list {
		out.IdentityPools = append(out.IdentityPools, api.IdentityPoolShortDescription{IdentityPoolId: &p.ID, IdentityPoolName: &p.Name})
	}
	return out, nil
}

// SetIdentityPoolRoles says whose credentials the identities of a pool get.
func (o operations) SetIdentityPoolRoles(ctx context.Context, in *api.SetIdentityPoolRolesInput) (*api.SetIdentityPoolRolesOutput, error) {
	if len(in.RoleMappings) > 0 {
		return nil, api.InvalidParameterException("RoleMappings are not served here.")
	}
	_, err := o.change(ctx, *in.IdentityPoolId, func(p *cognito.Pool) error {
		p.Roles = in.Roles
		return checkRoles(p.Account, in.Roles)
	})
	return &api.SetIdentityPoolRolesOutput{}, err
}

// GetIdentityPoolRoles answers whose credentials the identities of a pool get.
func (o operations) GetIdentityPoolRoles(ctx context.Context, in *api.GetIdentityPoolRolesInput) (*api.GetIdentityPoolRolesOutput, error) {
	p, err := o.find(ctx, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	return &api.GetIdentityPoolRolesOutput{IdentityPoolId: &p.ID, Roles: p.Roles}, nil
}
