package iam

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerAccount(s *iamapi.Service) {
	s.CreateAccountAlias(f.CreateAccountAlias)
	s.ListAccountAliases(f.ListAccountAliases)
	s.DeleteAccountAlias(f.DeleteAccountAlias)
	s.UpdateAccountPasswordPolicy(f.UpdateAccountPasswordPolicy)
	s.GetAccountPasswordPolicy(f.GetAccountPasswordPolicy)
	s.DeleteAccountPasswordPolicy(f.DeleteAccountPasswordPolicy)
	s.GetAccountSummary(f.GetAccountSummary)
	s.ListServerCertificates(f.ListServerCertificates)
	s.ListOpenIDConnectProviders(f.ListOpenIDConnectProviders)
	s.ListSAMLProviders(f.ListSAMLProviders)
}

// CreateAccountAlias gives the account another name.
func (f face) CreateAccountAlias(ctx context.Context, in *iamapi.CreateAccountAliasInput) (*iamapi.CreateAccountAliasOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.SetAlias(ctx, tx, account, text(in.AccountAlias))
	})
}

// ListAccountAliases lists the account's other name, of which there is at most one.
func (f face) ListAccountAliases(ctx context.Context, _ *iamapi.ListAccountAliasesInput) (*iamapi.ListAccountAliasesOutput, error) {
	out := &iamapi.ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(false)}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		alias, err := identity.Alias(ctx, tx, account)
		if alias != "" {
			out.AccountAliases = append(out.AccountAliases, alias)
		}
		return err
	})
}

// DeleteAccountAlias takes it away.
func (f face) DeleteAccountAlias(ctx context.Context, in *iamapi.DeleteAccountAliasInput) (*iamapi.DeleteAccountAliasOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.DropAlias(ctx, tx, account, text(in.AccountAlias))
	})
}

func isTrue(b *bool) bool { return b != nil && *b }

func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

func optionalNumber(n int) *int32 {
	if n == 0 {
		return nil
	}
	return new(int32(n))
}

// minPassword is how long passwords are at least if nobody says.
const minPassword = 6

// UpdateAccountPasswordPolicy replaces the password policy: what is left out goes
// back to what it is by default.
func (f face) UpdateAccountPasswordPolicy(
	ctx context.Context, in *iamapi.UpdateAccountPasswordPolicyInput,
) (*iamapi.UpdateAccountPasswordPolicyOutput, error) {
	p := identity.PasswordPolicy{
		MinimumLength: minPassword, Symbols: isTrue(in.RequireSymbols), Numbers: isTrue(in.RequireNumbers), Uppercase: isTrue(in.RequireUppercaseCharacters),
		Lowercase: isTrue(in.RequireLowercaseCharacters), UsersMayChange: isTrue(in.AllowUsersToChangePassword), MaxAge: number(in.MaxPasswordAge),
		ReusePrevention: number(in.PasswordReusePrevention), HardExpiry: in.HardExpiry,
	}
	if in.MinimumPasswordLength != nil {
		p.MinimumLength = int(*in.MinimumPasswordLength)
	}
	return nil, f.write(ctx, func(tx *db.Tx, account string) error { return f.store.SetPasswords(ctx, tx, account, p) })
}

// GetAccountPasswordPolicy answers it.
func (f face) GetAccountPasswordPolicy(
	ctx context.Context, _ *iamapi.GetAccountPasswordPolicyInput,
) (*iamapi.GetAccountPasswordPolicyOutput, error) {
	out := &iamapi.GetAccountPasswordPolicyOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		p, err := identity.Passwords(ctx, tx, account)
		out.PasswordPolicy = &iamapi.PasswordPolicy{
			MinimumPasswordLength: new(int32(p.MinimumLength)), RequireSymbols: &p.Symbols, RequireNumbers: &p.Numbers,
			RequireUppercaseCharacters: &p.Uppercase, RequireLowercaseCharacters: &p.Lowercase, AllowUsersToChangePassword: &p.UsersMayChange,
			ExpirePasswords: new(p.MaxAge > 0), MaxPasswordAge: optionalNumber(p.MaxAge), PasswordReusePrevention: optionalNumber(p.ReusePrevention),
			HardExpiry: p.HardExpiry,
		}
		return err
	})
}

// DeleteAccountPasswordPolicy removes it.
func (f face) DeleteAccountPasswordPolicy(
	ctx context.Context, _ *iamapi.DeleteAccountPasswordPolicyInput,
) (*iamapi.DeleteAccountPasswordPolicyOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error { return f.store.DropPasswords(ctx, tx, account) })
}

// GetAccountSummary answers how much of everything the account has and may have.
func (f face) GetAccountSummary(ctx context.Context, _ *iamapi.GetAccountSummaryInput) (*iamapi.GetAccountSummaryOutput, error) {
	out := &iamapi.GetAccountSummaryOutput{SummaryMap: map[string]int32{}}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		all, err := identity.Summary(ctx, tx, account)
		for name, n := range all {
			out.SummaryMap[name] = int32(n)
		}
		return err
	})
}

// ListServerCertificates lists none: there are none.
func (f face) ListServerCertificates(
	context.Context, *iamapi.ListServerCertificatesInput,
) (*iamapi.ListServerCertificatesOutput, error) {
	return &iamapi.ListServerCertificatesOutput{ServerCertificateMetadataList: []iamapi.ServerCertificateMetadata{}, IsTruncated: new(false)}, nil
}

// ListOpenIDConnectProviders lists none: there are none.
func (f face) ListOpenIDConnectProviders(
	context.Context, *iamapi.ListOpenIDConnectProvidersInput,
) (*iamapi.ListOpenIDConnectProvidersOutput, error) {
	return &iamapi.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []iamapi.OpenIDConnectProviderListEntry{}}, nil
}

// ListSAMLProviders lists none: there are none.
func (f face) ListSAMLProviders(context.Context, *iamapi.ListSAMLProvidersInput) (*iamapi.ListSAMLProvidersOutput, error) {
	return &iamapi.ListSAMLProvidersOutput{SAMLProviderList: []iamapi.SAMLProviderListEntry{}}, nil
}
