package ses

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
	"plumb/internal/source/ses"
)

func (o operations) verify(ctx context.Context, identity string) (found ses.Identity, err error) {
	err = o.mail.Write(ctx, func(tx *db.Tx) (err error) {
		found, err = o.mail.Verify(ctx, tx, caller.Place(ctx), identity)
		return err
	})
	return found, err
}

// VerifyDomainIdentity makes a domain an identity.
func (o operations) VerifyDomainIdentity(ctx context.Context, in *sesapi.VerifyDomainIdentityInput) (*sesapi.VerifyDomainIdentityOutput, error) {
	found, err := o.verify(ctx, *in.Domain)
	return &sesapi.VerifyDomainIdentityOutput{VerificationToken: &found.Token}, err
}

// VerifyEmailIdentity makes an address an identity.
func (o operations) VerifyEmailIdentity(ctx context.Context, in *sesapi.VerifyEmailIdentityInput) (*sesapi.VerifyEmailIdentityOutput, error) {
	_, err := o.verify(ctx, *in.EmailAddress)
	return &sesapi.VerifyEmailIdentityOutput{}, err
}

// VerifyEmailAddress is an older name of VerifyEmailIdentity.
func (o operations) VerifyEmailAddress(ctx context.Context, in *sesapi.VerifyEmailAddressInput) (*sesapi.VerifyEmailAddressOutput, error) {
	_, err := o.verify(ctx, *in.EmailAddress)
	return &sesapi.VerifyEmailAddressOutput{}, err
}

func (o operations) deleteIdentity(ctx context.Context, identity string) error {
	return o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.DeleteIdentity(ctx, tx, caller.Place(ctx), identity) })
}

// DeleteIdentity removes an identity.
func (o operations) DeleteIdentity(ctx context.Context, in *sesapi.DeleteIdentityInput) (*sesapi.DeleteIdentityOutput, error) {
	return &sesapi.DeleteIdentityOutput{}, o.deleteIdentity(ctx, *in.Identity)
}

// DeleteVerifiedEmailAddress is an older name of DeleteIdentity.
func (o operations) DeleteVerifiedEmailAddress(
	ctx context.Context, in *sesapi.DeleteVerifiedEmailAddressInput,
) (*sesapi.DeleteVerifiedEmailAddressOutput, error) {
	return &sesapi.DeleteVerifiedEmailAddressOutput{}, o.deleteIdentity(ctx, *in.EmailAddress)
}

// GetIdentityVerificationAttributes tells of those identities that are there.
func (o operations) GetIdentityVerificationAttributes(
	ctx context.Context, in *sesapi.GetIdentityVerificationAttributesInput,
) (*sesapi.GetIdentityVerificationAttributesOutput, error) {
	if len(in.Identities) > page {
		return nil, invalid("Identities has %d members, and may have %d.", len(in.Identities), page)
	}
	out := &sesapi.GetIdentityVerificationAttributesOutput{VerificationAttributes: map[string]sesapi.IdentityVerificationAttributes{}}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		for _, name := range in.Identities {
			found, err := ses.FindIdentity(ctx, tx, caller.Place(ctx), name)
			if err != nil {
				return err
			}
			if found.Name != "" {
				out.VerificationAttributes[name] = sesapi.IdentityVerificationAttributes{VerificationStatus: sesapi.VerificationStatusSuccess, VerificationToken: &found.Token}
			}
		}
		return nil
	})
	return out, err
}

// ListIdentities lists identities by name.
func (o operations) ListIdentities(ctx context.Context, in *sesapi.ListIdentitiesInput) (*sesapi.ListIdentitiesOutput, error) {
	p, limit, kind := caller.Place(ctx), page, string(in.IdentityType)
	if n := int(model.Deref(in.MaxItems)); n > 0 {
		limit = min(n, 1000)
	}
	after, ok := o.tokens.Decode("ListIdentities", model.Deref(in.NextToken), p.Account, p.Region, kind)
	if !ok {
		return nil, invalid("Invalid NextToken.")
	}
	var list []string
	err := o.mail.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = ses.Identities(ctx, tx, p, in.IdentityType, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sesapi.ListIdentitiesOutput{Identities: append([]string{}, list[:min(limit, len(list))]...)}
	if len(list) > limit {
		out.NextToken = new(o.tokens.Encode("ListIdentities", list[limit-1], p.Account, p.Region, kind))
	}
	return out, nil
}

// ListVerifiedEmailAddresses lists the addresses among the identities.
func (o operations) ListVerifiedEmailAddresses(
	ctx context.Context, _ *sesapi.ListVerifiedEmailAddressesInput,
) (*sesapi.ListVerifiedEmailAddressesOutput, error) {
	out := &sesapi.ListVerifiedEmailAddressesOutput{VerifiedEmailAddresses: []string{}}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		list, err := ses.Identities(ctx, tx, caller.Place(ctx), sesapi.IdentityTypeEmailAddress, "", 10_000)
		out.VerifiedEmailAddresses = append(out.VerifiedEmailAddresses, list...)
		return err
	})
	return out, err
}
