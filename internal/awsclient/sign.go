package awsclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Sign signs an outgoing request as the holder of the credentials: a request that is forwarded loses its signature and
// gets ours. The request is sent as it is then; changing it breaks the signature.
func Sign(
	ctx context.Context, req *http.Request, body []byte, creds Credentials, service, region string, now time.Time,
) error {
	for _, h := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		req.Header.Del(h)
	}
	return sign(ctx, req, body, creds, service, region, now)
}

func sign(
	ctx context.Context, req *http.Request, body []byte, creds Credentials, service, region string, now time.Time,
) error {
	keys, err := creds(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoKeys, err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", hash)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = service == "s3" // S3 signs the path as it is sent, others escape it once more
	})
	sdk := aws.Credentials{AccessKeyID: keys.ID, SecretAccessKey: keys.Secret, SessionToken: keys.Token}
	if err := signer.SignHTTP(ctx, sdk, req, hash, service, region, now); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}
