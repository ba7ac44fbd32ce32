package wire_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/wire"
)

// What the AWS CLI's codecommit credential-helper answered for plumb.example.com:4577 and the path v1/repos/work in eu-west-1,
// with the key AKIDEXAMPLE, its secret "secret" and the token "tok/en=".
const (
	gitUser     = "AKIDEXAMPLE%tok/en="
	gitPassword = "20261130T065543Ze27be94958ed21d1d7cbe8dab1b43a742c8b3bf639abc471748f0e995a0510b4"
)

func TestPasswordsOfAWSsCredentialHelperForGitHold(t *testing.T) {
	at := time.Date(2026, 11, 30, 6, 55, 43, 0, time.UTC)
	for name, c := range map[string]struct {
		user, password, host, path string
		later                      time.Duration
		region                     string
		code                       string
	}{
		"as it was made":       {},
		"nearly at its end":    {later: 15 * time.Minute},
		"after its end":        {later: 15*time.Minute + time.Second, code: "InvalidSignatureException"},
		"long before its time": {later: -6 * time.Minute, code: "InvalidSignatureException"},
		"for another host":     {host: "evil.example.com:4577", code: "InvalidSignatureException"},
		"for another path":     {path: "/v1/repos/other", code: "InvalidSignatureException"},
		"for another region":   {region: "us-west-2", code: "InvalidSignatureException"},
		"without its token":    {user: "AKIDEXAMPLE", code: "UnrecognizedClientException"},
		"of nobody known":      {user: "AKIDOTHER", code: "UnrecognizedClientException"},
		"no signature":         {password: "20261130T065543Z", code: "InvalidSignatureException"},
		"no time":              {password: gitPassword[16:], code: "InvalidSignatureException"},
		"none":                 {password: "none", code: "MissingAuthenticationToken"},
	} {
		h := wire.New(slog.New(slog.DiscardHandler), wire.Options{Verify: true, DefaultRegion: "us-east-1", Now: func() time.Time { return at.Add(c.later) },
			Secrets: func(_ context.Context, id string) (string, caller.Identity, error) {
				if id != "AKIDEXAMPLE" {
					return "", caller.Identity{}, caller.ErrUnknownKey
				}
				return "secret", caller.Identity{Account: "111122223333", SessionToken: "tok/en="}, nil
			}})
		or := func(v, otherwise string) string {
			if v == "" {
				return otherwise
			}
			return v
		}
		r := httptest.NewRequest("GET", "/v1/repos/work/info/refs", nil)
		r.Host = or(c.host, "plumb.example.com:4577")
		if c.password != "none" {
			r.SetBasicAuth(or(c.user, gitUser), or(c.password, gitPassword))
		}
		who, err := h.IdentifyGit(r, or(c.path, "/v1/repos/work"), func(_ context.Context, account string) ([]string, error) {
			if account != "111122223333" {
				t.Errorf("%s: regions of %s are asked for", name, account)
			}
			return []string{"us-west-1", or(c.region, "eu-west-1")}, nil
		})
		if c.code == "" && (err != nil || who.Region != "eu-west-1" || who.Account != "111122223333" || !who.Verified) {
			t.Errorf("%s: %v, %v", name, who, err)
		}
		if c.code != "" && (!model.IsCode(err, c.code) || who.Verified) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}
