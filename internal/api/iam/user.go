package iam

import (
	"context"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model"
	"plumb/internal/model/iamapi"
)

func (f face) registerUsers(s *iamapi.Service) {
	s.CreateUser(f.CreateUser)
	s.GetUser(f.GetUser)
	s.ListUsers(f.ListUsers)
	s.UpdateUser(f.UpdateUser)
	s.DeleteUser(f.DeleteUser)
	s.PutUserPermissionsBoundary(f.PutUserPermissionsBoundary)
	s.DeleteUserPermissionsBoundary(f.DeleteUserPermissionsBoundary)

	s.CreateLoginProfile(f.CreateLoginProfile)
	s.GetLoginProfile(f.GetLoginProfile)
	s.UpdateLoginProfile(f.UpdateLoginProfile)
	s.DeleteLoginProfile(f.DeleteLoginProfile)

	s.ListMFADevices(f.ListMFADevices)
	s.ListSSHPublicKeys(f.ListSSHPublicKeys)
	s.ListSigningCertificates(f.ListSigningCertificates)
	s.ListServiceSpecificCredentials(f.ListServiceSpecificCredentials)
	s.ListVirtualMFADevices(f.ListVirtualMFADevices)
}

func isMissing(err error) bool { return model.IsCode(err, "NoSuchEntity") }

// CreateUser makes a user.
func (f face) CreateUser(ctx context.Context, in *iamapi.CreateUserInput) (*iamapi.CreateUserOutput, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &iamapi.CreateUserOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.Create(ctx, tx, identity.Entity{
			Account: account, Kind: identity.User, Name: text(in.UserName), Path: text(in.Path), Boundary: text(in.PermissionsBoundary), Tags: tags,
		})
		out.User = wholeUser(e)
		return err
	})
}

// GetUser answers a user, the caller if none is named.
func (f face) GetUser(ctx context.Context, in *iamapi.GetUserInput) (*iamapi.GetUserOutput, error) {
	who := caller.From(ctx)
	root := "arn:aws:iam::" + who.Account + ":root"
	if in.UserName == nil && who.PrincipalARN == root {
		return &iamapi.GetUserOutput{User: &iamapi.User{Path: new("/"), UserId: &who.Account, Arn: &root, CreateDate: new(time.Unix(0, 0))}}, nil
	}
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetUserOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.User, name)
		out.User = wholeUser(e)
		return err
	})
}

// ListUsers lists users by name.
func (f face) ListUsers(ctx context.Context, in *iamapi.ListUsersInput) (*iamapi.ListUsersOutput, error) {
	l, err := f.list(ctx, "ListUsers", in.Marker, in.MaxItems, text(in.PathPrefix))
	if err != nil {
		return nil, err
	}
	found, err := f.entities(ctx, l, identity.User, text(in.PathPrefix))
	out := &iamapi.ListUsersOutput{}
	var e end
	out.Users, e = cut(l, found, entityName, userShape)
	out.IsTruncated, out.Marker = e.truncated, e.marker
	return out, err
}

// UpdateUser renames or moves a user.
func (f face) UpdateUser(ctx context.Context, in *iamapi.UpdateUserInput) (*iamapi.UpdateUserOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Rename(ctx, tx, account, identity.User, text(in.UserName), text(in.NewUserName), text(in.NewPath))
	})
}

// DeleteUser removes a user on whom nothing hangs.
func (f face) DeleteUser(ctx context.Context, in *iamapi.DeleteUserInput) (*iamapi.DeleteUserOutput, error) {
	return nil, f.remove(ctx, identity.User, in.UserName)
}

// PutUserPermissionsBoundary bounds a user by a managed policy.
func (f face) PutUserPermissionsBoundary(
	ctx context.Context, in *iamapi.PutUserPermissionsBoundaryInput,
) (*iamapi.PutUserPermissionsBoundaryOutput, error) {
	return nil, f.bound(ctx, identity.User, in.UserName, in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundary ends that.
func (f face) DeleteUserPermissionsBoundary(
	ctx context.Context, in *iamapi.DeleteUserPermissionsBoundaryInput,
) (*iamapi.DeleteUserPermissionsBoundaryOutput, error) {
	return nil, f.bound(ctx, identity.User, in.UserName, nil)
}

func noLogin(name string) error {
	return iamapi.NoSuchEntityException("Login Profile for User %s cannot be found.", name)
}

// CreateLoginProfile lets a user use a console. The password is not kept.
func (f face) CreateLoginProfile(ctx context.Context, in *iamapi.CreateLoginProfileInput) (*iamapi.CreateLoginProfileOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	e, err := f.change(ctx, identity.User, &name, func(e *identity.Entity) error {
		if e.Login != nil {
			return iamapi.EntityAlreadyExistsException("Login Profile for user %s already exists.", name)
		}
		e.Login = &identity.Login{Created: f.store.Now(), Reset: in.PasswordResetRequired != nil && *in.PasswordResetRequired}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iamapi.CreateLoginProfileOutput{LoginProfile: loginShape(e)}, nil
}

func loginShape(e identity.Entity) *iamapi.LoginProfile {
	return &iamapi.LoginProfile{UserName: &e.Name, CreateDate: moment(e.Login.Created), PasswordResetRequired: &e.Login.Reset}
}

// GetLoginProfile answers since when a user may use a console.
func (f face) GetLoginProfile(ctx context.Context, in *iamapi.GetLoginProfileInput) (*iamapi.GetLoginProfileOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetLoginProfileOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.User, name)
		if err == nil && e.Login == nil {
			err = noLogin(name)
		}
		if err == nil {
			out.LoginProfile = loginShape(e)
		}
		return err
	})
}

// UpdateLoginProfile says whether a new password is due.
func (f face) UpdateLoginProfile(ctx context.Context, in *iamapi.UpdateLoginProfileInput) (*iamapi.UpdateLoginProfileOutput, error) {
	_, err := f.change(ctx, identity.User, in.UserName, func(e *identity.Entity) error {
		if e.Login == nil {
			return noLogin(e.Name)
		}
		if in.PasswordResetRequired != nil {
			e.Login.Reset = *in.PasswordResetRequired
		}
		return nil
	})
	return nil, err
}

// DeleteLoginProfile takes a user's right to use a console away.
func (f face) DeleteLoginProfile(ctx context.Context, in *iamapi.DeleteLoginProfileInput) (*iamapi.DeleteLoginProfileOutput, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	_, err = f.change(ctx, identity.User, &name, func(e *identity.Entity) error {
		if e.Login == nil {
			return noLogin(name)
		}
		e.Login = nil
		return nil
	})
	return nil, err
}

// exists returns NoSuchEntity for a user who is named and not there.
func (f face) exists(ctx context.Context, name *string) error {
	if name == nil {
		return nil
	}
	return f.read(ctx, func(tx *db.Tx, account string) error {
		_, err := identity.Find(ctx, tx, account, identity.User, *name)
		return err
	})
}

// ListMFADevices lists none: there are none.
func (f face) ListMFADevices(ctx context.Context, in *iamapi.ListMFADevicesInput) (*iamapi.ListMFADevicesOutput, error) {
	return &iamapi.ListMFADevicesOutput{MFADevices: []iamapi.MFADevice{}, IsTruncated: new(false)}, f.exists(ctx, in.UserName)
}

// ListSSHPublicKeys lists none: there are none.
func (f face) ListSSHPublicKeys(ctx context.Context, in *iamapi.ListSSHPublicKeysInput) (*iamapi.ListSSHPublicKeysOutput, error) {
	return &iamapi.ListSSHPublicKeysOutput{SSHPublicKeys: []iamapi.SSHPublicKeyMetadata{}, IsTruncated: new(false)}, f.exists(ctx, in.UserName)
}

// ListSigningCertificates lists none: there are none.
func (f face) ListSigningCertificates(
	ctx context.Context, in *iamapi.ListSigningCertificatesInput,
) (*iamapi.ListSigningCertificatesOutput, error) {
	return &iamapi.ListSigningCertificatesOutput{Certificates: []iamapi.SigningCertificate{}, IsTruncated: new(false)}, f.exists(ctx, in.UserName)
}

// ListServiceSpecificCredentials lists none: there are none.
func (f face) ListServiceSpecificCredentials(
	ctx context.Context, in *iamapi.ListServiceSpecificCredentialsInput,
) (*iamapi.ListServiceSpecificCredentialsOutput, error) {
	return &iamapi.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: []iamapi.ServiceSpecificCredentialMetadata{}}, f.exists(ctx, in.UserName)
}

// ListVirtualMFADevices lists none: there are none.
func (f face) ListVirtualMFADevices(
	context.Context, *iamapi.ListVirtualMFADevicesInput,
) (*iamapi.ListVirtualMFADevicesOutput, error) {
	return &iamapi.ListVirtualMFADevicesOutput{VirtualMFADevices: []iamapi.VirtualMFADevice{}, IsTruncated: new(false)}, nil
}
