package iam

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerKeys(s *iamapi.Service) {
	s.CreateAccessKey(f.CreateAccessKey)
	s.ListAccessKeys(f.ListAccessKeys)
	s.UpdateAccessKey(f.UpdateAccessKey)
	s.DeleteAccessKey(f.DeleteAccessKey)
	s.GetAccessKeyLastUsed(f.GetAccessKeyLastUsed)
}

func status(active bool) iamapi.StatusType {
	if active {
		return iamapi.StatusTypeActive
	}
	return iamapi.StatusTypeInactive
}

// CreateAccessKey gives a user an access key. Its secret is answered this once.
func (f face) CreateAccessKey(ctx context.Context, in *iamapi.CreateAccessKeyInput) (*iamapi.CreateAccessKeyOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iamapi.CreateAccessKeyOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		k, e, err := f.store.CreateKey(ctx, tx, account, name)
		out.AccessKey = &iamapi.AccessKey{
			UserName: &e.Name, AccessKeyId: &k.ID, Status: status(k.Active), SecretAccessKey: &k.Secret, CreateDate: moment(k.Created),
		}
		return err
	})
}

// ListAccessKeys lists a user's access keys without their secrets.
func (f face) ListAccessKeys(ctx context.Context, in *iamapi.ListAccessKeysInput) (*iamapi.ListAccessKeysOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	l, err := f.list(ctx, "ListAccessKeys", in.Marker, in.MaxItems, name)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListAccessKeysOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.User, name)
		if err != nil {
			return err
		}
		keys, err := identity.Keys(ctx, tx, e)
		var last end
		out.AccessKeyMetadata, last = cutAll(l, keys, func(k identity.Key) string { return k.ID }, func(k identity.Key) iamapi.AccessKeyMetadata {
			return iamapi.AccessKeyMetadata{UserName: &e.Name, AccessKeyId: &k.ID, Status: status(k.Active), CreateDate: moment(k.Created)}
		})
		out.IsTruncated, out.Marker = last.truncated, last.marker
		return err
	})
}

// UpdateAccessKey lets a key be used or not.
func (f face) UpdateAccessKey(ctx context.Context, in *iamapi.UpdateAccessKeyInput) (*iamapi.UpdateAccessKeyOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.SetActive(ctx, tx, account, name, text(in.AccessKeyId), in.Status == iamapi.StatusTypeActive)
	})
}

// DeleteAccessKey removes a key.
func (f face) DeleteAccessKey(ctx context.Context, in *iamapi.DeleteAccessKeyInput) (*iamapi.DeleteAccessKeyOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.DeleteKey(ctx, tx, account, name, text(in.AccessKeyId))
	})
}

// GetAccessKeyLastUsed answers where and when a key of the account was used.
func (f face) GetAccessKeyLastUsed(
	ctx context.Context, in *iamapi.GetAccessKeyLastUsedInput,
) (*iamapi.GetAccessKeyLastUsedOutput, error) {
	out := &iamapi.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: &iamapi.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")}}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		k, err := identity.FindKey(ctx, tx, text(in.AccessKeyId))
		if err == nil && k.Account != account {
			return iamapi.NoSuchEntityException("The Access Key with id %s cannot be found.", k.ID)
		}
		if err != nil {
			return err
		}
		e, err := identity.Find(ctx, tx, account, identity.User, k.User)
		out.UserName = &e.Name
		if !k.Used.IsZero() {
			out.AccessKeyLastUsed = &iamapi.AccessKeyLastUsed{LastUsedDate: moment(k.Used), ServiceName: &k.Service, Region: &k.Region}
		}
		return err
	})
}
