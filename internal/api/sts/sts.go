// Package sts is the face of the embedded STS: who a caller is, and temporary
// credentials, which package credential keeps.
//
// In development mode every role can be assumed, whether it exists or not. Where
// policies are enforced, a role of the embedded IAM is asked whom it trusts, and the
// account itself alone assumes what is no role here.
package sts

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/authorization"
	"plumb/internal/caller"
	"plumb/internal/credential"
	"plumb/internal/model"
	"plumb/internal/model/stsapi"
	"plumb/internal/policy"
	"plumb/internal/wire"
)

// Options say how freely credentials are given.
type Options struct {
	Development bool         // roles of other accounts can be assumed too
	Keys        wire.Secrets // knows the owners of all access keys
	// Roles knows the roles of the embedded IAM; nil knows none. Enforce has it ask their
	// trust policies.
	Roles   *authorization.Authorizer
	Enforce bool
}

// New returns STS with its operations bound to a store.
func New(log *slog.Logger, store *credential.Store, o Options) *model.Registry {
	s := stsapi.NewService()
	register(s, face{log, store, o})
	return s.Registry()
}

// register is STS's table of contents. Federation is not built.
func register(s *stsapi.Service, f face) {
	s.GetCallerIdentity(f.GetCallerIdentity)
	s.GetAccessKeyInfo(f.GetAccessKeyInfo)
	s.AssumeRole(f.AssumeRole)
	s.GetSessionToken(f.GetSessionToken)
}

type face struct {
	log   *slog.Logger
	store *credential.Store
	o     Options
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// GetCallerIdentity answers who signed the request.
func (f face) GetCallerIdentity(ctx context.Context, _ *stsapi.GetCallerIdentityInput) (*stsapi.GetCallerIdentityOutput, error) {
	c := caller.From(ctx)
	return &stsapi.GetCallerIdentityOutput{Account: &c.Account, Arn: &c.PrincipalARN, UserId: &c.UserID}, nil
}

// GetAccessKeyInfo answers whose account an access key is of.
func (f face) GetAccessKeyInfo(ctx context.Context, in *stsapi.GetAccessKeyInfoInput) (*stsapi.GetAccessKeyInfoOutput, error) {
	id := deref(in.AccessKeyId)
	if f.o.Development && arn.IsAccount(id) {
		return &stsapi.GetAccessKeyInfoOutput{Account: &id}, nil
	}
	_, who, err := f.o.Keys(ctx, id)
	switch {
	case errors.Is(err, caller.ErrUnknownKey), errors.Is(err, caller.ErrExpired):
		return nil, invalid("Invalid Access Key: %s", id)
	case err != nil:
		return nil, err
	}
	return &stsapi.GetAccessKeyInfoOutput{Account: &who.Account}, nil
}

// invalid is STS's answer to values that the model cannot check.
func invalid(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "ValidationError", Status: 400}, format, args...)
}

func denied(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "AccessDenied", Status: 403}, format, args...)
}

func shape(c credential.Credential) *stsapi.Credentials {
	return &stsapi.Credentials{AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.Secret, SessionToken: &c.SessionToken, Expiration: new(c.Expires.Truncate(time.Second))}
}

var validRole = regexp.MustCompile(`^role/([\x21-\x7e]+/)*[\w+=,.@-]{1,64}$`)

// AssumeRole gives the credentials of a role's session.
func (f face) AssumeRole(ctx context.Context, in *stsapi.AssumeRoleInput) (*stsapi.AssumeRoleOutput, error) {
	role := deref(in.RoleArn)
	a, err := arn.Parse(role)
	if err != nil || a.Service != "iam" || a.Region != "" || !arn.IsAccount(a.Account) || !validRole.MatchString(a.Resource) {
		return nil, invalid("%s is invalid", role)
	}
	if p := deref(in.Policy); p != "" {
		if !strings.HasPrefix(strings.TrimSpace(p), "{") || !json.Valid([]byte(p)) {
			return nil, stsapi.MalformedPolicyDocumentException("This policy contains invalid Json")
		}
		if _, err := policy.Parse(p); err != nil {
			return nil, stsapi.MalformedPolicyDocumentException("Syntax errors in policy.")
		}
	}
	d := time.Hour
	if in.DurationSeconds != nil {
		d = time.Duration(*in.DurationSeconds) * time.Second
	}
	who := caller.From(ctx)
	c, err := f.assume(ctx, a, in, d)
	if errors.Is(err, credential.ErrForeignRole) {
		return nil, denied("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.PrincipalARN, role)
	}
	if err != nil {
		return nil, err
	}
	return &stsapi.AssumeRoleOutput{
		Credentials: shape(c), AssumedRoleUser: &stsapi.AssumedRoleUser{Arn: &c.PrincipalARN, AssumedRoleId: &c.UserID},
		SourceIdentity: in.SourceIdentity, PackedPolicySize: packed(in),
	}, nil
}

// assume gives the credentials if the role lets the caller in, or, where nobody knows
// the role, if it is of the caller's account.
func (f face) assume(ctx context.Context, a arn.ARN, in *stsapi.AssumeRoleInput, d time.Duration) (credential.Credential, error) {
	as := authorization.Assumption{Role: a, Session: deref(in.RoleSessionName), Duration: d, ExternalID: deref(in.ExternalId)}
	as.Given.SourceIdentity, as.Given.Tags = deref(in.SourceIdentity), map[string]string{}
	for _, t := range in.Tags {
		as.Given.Tags[deref(t.Key)] = deref(t.Value)
	}
	if p := deref(in.Policy); p != "" {
		as.Given.Policies = []string{p}
	}
	for _, p := range in.PolicyArns {
		as.PolicyARNs = append(as.PolicyARNs, deref(p.Arn))
	}
	r, known := credential.Role{ARN: a.String(), Session: as.Session, Given: as.Given}, false
	if f.o.Roles != nil {
		var err error
		if r, known, err = f.o.Roles.Assume(ctx, as, f.o.Enforce); err != nil {
			return credential.Credential{}, err
		}
	}
	if known {
		return f.store.Open(ctx, a, r, d)
	}
	return f.store.Assume(ctx, caller.From(ctx).Account, r, d)
}

// packed is how much of the room for session policies is used, in percent; AWS
// answers it only when there are some.
func packed(in *stsapi.AssumeRoleInput) *int32 {
	if in.Policy == nil && len(in.PolicyArns) == 0 && len(in.Tags) == 0 {
		return nil
	}
	size := len(deref(in.Policy)) + 100*(len(in.PolicyArns)+len(in.Tags))
	return new(int32(min(100, max(1, size*100/4096))))
}

// GetSessionToken gives temporary credentials for whoever the caller is.
func (f face) GetSessionToken(ctx context.Context, in *stsapi.GetSessionTokenInput) (*stsapi.GetSessionTokenOutput, error) {
	who := caller.From(ctx)
	if strings.Contains(who.PrincipalARN, ":assumed-role/") {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	d := 12 * time.Hour
	if in.DurationSeconds != nil {
		d = time.Duration(*in.DurationSeconds) * time.Second
	}
	c, err := f.store.For(ctx, who, d)
	if err != nil {
		return nil, err
	}
	return &stsapi.GetSessionTokenOutput{Credentials: shape(c)}, nil
}
