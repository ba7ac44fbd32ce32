package awsclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Keys are what a request is signed with. Token is empty for long-lived keys.
type Keys struct{ ID, Secret, Token string }

// Credentials hand out keys when they are needed, and new ones when those have run out.
type Credentials func(ctx context.Context) (Keys, error)

// errNoKeys is that there are no keys to sign with.
var errNoKeys = errors.New("no credentials")

// refusals are the codes of services that do not take the keys, because they have run out or were replaced.
var refusals = []string{
	"AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
	"SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException",
}

// isRefusal reports whether an error says that other credentials are needed.
func isRefusal(err error) bool {
	return errors.Is(err, errNoKeys) || slices.Contains(refusals, Code(err))
}

// Static returns credentials that are always the same keys.
func Static(id, secret, token string) Credentials {
	return func(context.Context) (Keys, error) { return Keys{id, secret, token}, nil }
}

// A Source says where keys come from. The zero value is the SDK's chain: environment, shared files, container, instance.
type Source struct {
	Profile     string      // of the shared files
	Base        Credentials // instead of the chain
	RoleARN     string      // assumed with the keys found
	ExternalID  string
	SessionName string // of the assumed role; empty: plumb
	Region      string // of STS
	STSEndpoint string // empty: AWS's own
}

// Chain finds credentials as the AWS CLI does and assumes the role, if one is named. The keys are read when first used,
// kept, and renewed shortly before they end.
func Chain(ctx context.Context, s Source) (Credentials, error) {
	var opts []func(*sdkconfig.LoadOptions) error
	if s.Profile != "" {
		opts = append(opts, sdkconfig.WithSharedConfigProfile(s.Profile))
	}
	if s.Region != "" {
		opts = append(opts, sdkconfig.WithRegion(s.Region))
	}
	if s.Base != nil {
		opts = append(opts, sdkconfig.WithCredentialsProvider(provider(s.Base)))
	}
	cfg, err := sdkconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w", err)
	}
	if s.RoleARN == "" {
		return fromSDK(cfg.Credentials), nil
	}
	return fromSDK(aws.NewCredentialsCache(assume(cfg, s))), nil
}

func assume(cfg aws.Config, s Source) aws.CredentialsProvider {
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		if s.STSEndpoint != "" {
			o.BaseEndpoint = &s.STSEndpoint
		}
		if o.Region == "" {
			o.Region = "us-east-1"
		}
	})
	return stscreds.NewAssumeRoleProvider(client, s.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = orElse(s.SessionName, "plumb")
		if s.ExternalID != "" {
			o.ExternalID = &s.ExternalID
		}
	})
}

func fromSDK(p aws.CredentialsProvider) Credentials {
	return func(ctx context.Context) (Keys, error) {
		c, err := p.Retrieve(ctx)
		return Keys{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}, err
	}
}

func provider(c Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		k, err := c(ctx)
		return aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token}, err
	})
}
