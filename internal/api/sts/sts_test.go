package sts_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"plumb/internal/api/sts"
	"plumb/internal/caller"
	"plumb/internal/clock"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/model"
	"plumb/internal/wire"
)

type server struct {
	*testing.T
	ctx   context.Context
	url   string
	clock *clock.Clock
}

// suite runs a test against a server that verifies signatures.
func suite(t *testing.T, f func(s *server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := &server{T: t, ctx: t.Context(), clock: &clock.Clock{}}
		store := credential.New(d, s.clock.Now, true)
		keys := func(ctx context.Context, id string) (string, caller.Identity, error) {
			if id == "AKIAROOT" {
				return "secret", caller.Identity{Account: "111111111111"}, nil
			}
			return store.Lookup(ctx, id)
		}
		log := slog.New(slog.NewTextHandler(t.Output(), nil))
		web := httptest.NewServer(wire.New(log, wire.Options{Services: []*model.Registry{sts.New(log, store, sts.Options{Keys: keys})}, Verify: true, Secrets: keys}))
		t.Cleanup(web.Close)
		s.url = web.URL
		f(s)
	})
}

func (s *server) as(id, secret, token string) *sdk.Client {
	return sdk.New(sdk.Options{BaseEndpoint: &s.url, Region: "us-east-1", RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)})
}

func (s *server) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *server) fails(err error, code string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		s.Errorf("got error %v, want %s", err, code)
	}
}

func (s *server) equal(got, want any) {
	s.Helper()
	if got != want {
		s.Errorf("got %v, want %v", got, want)
	}
}

func TestAnAssumedRoleIsWhoItsCredentialsSay(t *testing.T) {
	suite(t, func(s *server) {
		root := s.as("AKIAROOT", "secret", "")
		out, err := root.AssumeRole(s.ctx, &sdk.AssumeRoleInput{RoleArn: new("arn:aws:iam::111111111111:role/team/app"), RoleSessionName: new("me@work"), DurationSeconds: new(int32(900))})
		s.must(err)
		s.equal(*out.AssumedRoleUser.Arn, "arn:aws:sts::111111111111:assumed-role/app/me@work")
		c := out.Credentials
		app := s.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
		who, err := app.GetCallerIdentity(s.ctx, nil)
		s.must(err)
		s.equal(*who.Arn, *out.AssumedRoleUser.Arn)
		s.equal(*who.UserId, *out.AssumedRoleUser.AssumedRoleId)
		s.equal(*who.Account, "111111111111")
		key, err := root.GetAccessKeyInfo(s.ctx, &sdk.GetAccessKeyInfoInput{AccessKeyId: c.AccessKeyId})
		s.must(err)
		s.equal(*key.Account, "111111111111")
		_, err = app.GetSessionToken(s.ctx, nil)
		s.fails(err, "AccessDenied")
		_, err = s.as(*c.AccessKeyId, *c.SecretAccessKey, "").GetCallerIdentity(s.ctx, nil)
		s.fails(err, "InvalidClientTokenId")
		s.clock.Advance(15*time.Minute + time.Second)
		_, err = app.GetCallerIdentity(s.ctx, nil)
		s.fails(err, "ExpiredToken")
	})
}

func TestRolesThatCannotBeAssumed(t *testing.T) {
	suite(t, func(s *server) {
		root := s.as("AKIAROOT", "secret", "")
		assume := func(role string) error {
			_, err := root.AssumeRole(s.ctx, &sdk.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("session")})
			return err
		}
		s.fails(assume("arn:aws:iam::222222222222:role/app"), "AccessDenied")
		s.fails(assume("arn:aws:iam::111111111111:user/somebody"), "ValidationError")
		s.fails(assume("something that is no ARN at all"), "ValidationError")
		_, err := root.AssumeRole(s.ctx, &sdk.AssumeRoleInput{RoleArn: new("arn:aws:iam::111111111111:role/app"), RoleSessionName: new("s!")})
		s.fails(err, "ValidationError")
		_, err = root.GetAccessKeyInfo(s.ctx, &sdk.GetAccessKeyInfoInput{AccessKeyId: new("ASIAUNKNOWNUNKNOWN")})
		s.fails(err, "ValidationError")
	})
}

func TestSessionTokensKeepTheCaller(t *testing.T) {
	suite(t, func(s *server) {
		out, err := s.as("AKIAROOT", "secret", "").GetSessionToken(s.ctx, nil)
		s.must(err)
		c := out.Credentials
		who, err := s.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetCallerIdentity(s.ctx, nil)
		s.must(err)
		s.equal(*who.Arn, "arn:aws:iam::111111111111:root")
	})
}
