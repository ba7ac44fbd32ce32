// Package cognitoidentity is the API of the embedded Cognito's identity pools: it checks
// what a request means, asks package cognito, and answers in AWS's shapes. GetId and
// GetCredentialsForIdentity need no signature. It keeps nothing.
package cognitoidentity

import (
	"context"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/cognito"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cognitoidentityapi"
	"plumb/internal/wire"
)

// Unsigned are the operations that nobody has to sign.
var Unsigned = []string{"GetId", "GetCredentialsForIdentity"}

// sessionLength is how long the credentials of an identity last.
const sessionLength = time.Hour

// Options are what the API needs beside the pools.
type Options struct {
	Credentials *credential.Store
	Tokens      wire.Tokens
	Logins      bool // tokens of login providers are taken, though nobody verifies them
}

// New returns the service with its operations bound to the pools.
func New(s *cognito.Store, o Options) *model.Registry {
	service := api.NewService()
	register(service, operations{s, o})
	return service.Registry()
}

// register is the table of contents.
func register(s *api.Service, o operations) {
	s.CreateIdentityPool(o.CreateIdentityPool)
	s.DescribeIdentityPool(o.DescribeIdentityPool)
	s.UpdateIdentityPool(o.UpdateIdentityPool)
	s.DeleteIdentityPool(o.DeleteIdentityPool)
	s.ListIdentityPools(o.ListIdentityPools)
	s.SetIdentityPoolRoles(o.SetIdentityPoolRoles)
	s.GetIdentityPoolRoles(o.GetIdentityPoolRoles)

	s.GetId(o.GetId)
	s.GetCredentialsForIdentity(o.GetCredentialsForIdentity)
	s.DescribeIdentity(o.DescribeIdentity)
	s.ListIdentities(o.ListIdentities)
	s.DeleteIdentities(o.DeleteIdentities)
}

type operations struct {
	pools *cognito.Store
	o     Options
}

// GetId answers the caller's identity, and makes it if there is none.
func (o operations) GetId(ctx context.Context, in *api.GetIdInput) (*api.GetIdOutput, error) {
	if err := o.takes(in.Logins); err != nil {
		return nil, err
	}
	var i cognito.Identity
	err := o.pools.Write(ctx, func(tx *db.Tx) error {
		p, err := cognito.FindPool(ctx, tx, *in.IdentityPoolId)
		if err != nil {
			return err
		}
		if in.AccountId != nil && *in.AccountId != p.Account {
			return cognito.NoPool(p.ID)
		}
		i, err = o.pools.Identify(ctx, tx, p, in.Logins)
		return err
	})
	return &api.GetIdOutput{IdentityId: &i.ID}, err
}

// takes refuses logins where nobody could verify them.
func (o operations) takes(logins map[string]string) error {
	if len(logins) > 0 && !o.o.Logins {
		return api.NotAuthorizedException("Invalid login token. Tokens of login providers cannot be verified by this server.")
	}
	return nil
}

// GetCredentialsForIdentity gives an identity the credentials of its pool's role.
func (o operations) GetCredentialsForIdentity(ctx context.Context, in *api.GetCredentialsForIdentityInput) (*api.GetCredentialsForIdentityOutput, error) {
	if err := o.takes(in.Logins); err != nil {
		return nil, err
	}
	if in.CustomRoleArn != nil {
		return nil, api.InvalidParameterException("CustomRoleArn is for tokens with several roles, which are not served here.")
	}
	var p cognito.Pool
	var i cognito.Identity
	role := "unauthenticated"
	err := o.pools.Read(ctx, func(tx *db.Tx) (err error) {
		if i, err = cognito.Find(ctx, tx, *in.IdentityId); err != nil {
			return err
		}
		if p, err = cognito.FindPool(ctx, tx, i.Pool); err != nil {
			return err
		}
		if len(i.Logins) == 0 && len(in.Logins) == 0 {
			if !p.Unauthenticated {
				return api.NotAuthorizedException("Unauthenticated access is not supported for this identity pool.")
			}
			return nil
		}
		role = "authenticated"
		known, err := cognito.Is(ctx, tx, i, in.Logins)
		if err == nil && !known {
			return api.NotAuthorizedException("Access to Identity '%s' is forbidden.", i.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.Roles[role] == "" {
		return nil, api.InvalidIdentityPoolConfigurationException("Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	c, err := o.o.Credentials.Assume(ctx, p.Account, credential.Role{
		ARN: p.Roles[role], Session: "CognitoIdentityCredentials", Given: caller.Session{Cognito: i.ID},
	}, sessionLength)
	if err != nil {
		return nil, err
	}
	return &api.GetCredentialsForIdentityOutput{IdentityId: &i.ID, Credentials: &api.Credentials{
		AccessKeyId: &c.AccessKeyID, SecretKey: &c.Secret, SessionToken: &c.SessionToken, Expiration: &c.Expires,
	}}, nil
}

// own reads an identity of the caller's place.
func own(ctx context.Context, tx *db.Tx, id string) (cognito.Identity, error) {
	i, err := cognito.Find(ctx, tx, id)
	if err != nil {
		return i, err
	}
	if _, err := cognito.OwnPool(ctx, tx, caller.Place(ctx), i.Pool); err != nil {
		return cognito.Identity{}, cognito.NoIdentity(id)
	}
	return i, nil
}

// DescribeIdentity tells of an identity.
func (o operations) DescribeIdentity(ctx context.Context, in *api.DescribeIdentityInput) (*api.DescribeIdentityOutput, error) {
	var i cognito.Identity
	err := o.pools.Read(ctx, func(tx *db.Tx) (err error) {
		i, err = own(ctx, tx, *in.IdentityId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(described(i)), nil
}

func described(i cognito.Identity) api.IdentityDescription {
	return api.IdentityDescription{IdentityId: &i.ID, Logins: i.Logins, CreationDate: &i.Created, LastModifiedDate: &i.Created}
}

// ListIdentities lists the identities of a pool.
func (o operations) ListIdentities(ctx context.Context, in *api.ListIdentitiesInput) (*api.ListIdentitiesOutput, error) {
	pool, limit := *in.IdentityPoolId, int(*in.MaxResults)
	after, ok := o.o.Tokens.Decode("ListIdentities", model.Deref(in.NextToken), pool)
	if !ok {
		return nil, badToken()
	}
	var list []cognito.Identity
	err := o.pools.Read(ctx, func(tx *db.Tx) (err error) {
		if _, err := cognito.OwnPool(ctx, tx, caller.Place(ctx), pool); err != nil {
			return err
		}
		list, err = cognito.Identities(ctx, tx, pool, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListIdentitiesOutput{IdentityPoolId: &pool, Identities: []api.IdentityDescription{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.o.Tokens.Encode("ListIdentities", list[limit-1].ID, pool))
	}
	for _, i := range list {
		out.Identities = append(out.Identities, described(i))
	}
	return out, nil
}

// DeleteIdentities deletes identities with what is kept for them.
func (o operations) DeleteIdentities(ctx context.Context, in *api.DeleteIdentitiesInput) (*api.DeleteIdentitiesOutput, error) {
	out := &api.DeleteIdentitiesOutput{UnprocessedIdentityIds: []api.UnprocessedIdentityId{}}
	err := o.pools.Write(ctx, func(tx *db.Tx) error {
		for _, id := range in.IdentityIdsToDelete {
			i, err := own(ctx, tx, id)
			switch {
			case model.IsCode(err, "ResourceNotFoundException"):
				out.UnprocessedIdentityIds = append(out.UnprocessedIdentityIds, api.UnprocessedIdentityId{IdentityId: &id, ErrorCode: api.ErrorCodeAccessDenied})
				continue
			case err != nil:
				return err
			}
			if err := o.pools.Delete(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func badToken() error { return api.InvalidParameterException("Invalid NextToken.") }

// checkRoles refuses what is no role of the pool's account.
func checkRoles(account string, roles map[string]string) error {
	for kind, role := range roles {
		a, err := arn.Parse(role)
		if kind != "authenticated" && kind != "unauthenticated" || err != nil || a.Service != "iam" || a.Account != account {
			return api.InvalidParameterException("Roles are those of the account, by authenticated and unauthenticated; %s is not for %q.", role, kind)
		}
	}
	return nil
}
