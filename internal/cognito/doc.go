// Package cognito is the embedded Cognito's identity pools: pools, their identities, and
// the roles whose credentials identities get. Tokens of login providers are not verified,
// so only development mode takes them. User pools are not here.
//
//	s := cognito.New(d, now)
//	p, err := s.CreatePool(ctx, tx, cognito.Pool{...})
//	id, err := s.Identify(ctx, tx, p, logins)
//
// It keeps cognito_pool, cognito_identity and cognito_login.
package cognito
