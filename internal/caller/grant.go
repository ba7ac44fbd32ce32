package caller

import "context"

type grantKey struct{}

// Grant notes that a policy lets the caller of ctx use what another account has, in
// the one request that ctx belongs to.
func Grant(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, grantKey{}, account)
}

// MayUse reports whether the caller of ctx may use what an account has: its own
// account's, or what a policy granted.
func MayUse(ctx context.Context, account string) bool {
	granted, _ := ctx.Value(grantKey{}).(string)
	return account == From(ctx).Account || account == granted && account != ""
}
