package awsclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumb/internal/awsclient"
)

func TestARoleIsAssumedWithTheKeysThatWereFound(t *testing.T) {
	var asked string
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b) + r.Header.Get("Authorization")
		_, _ = io.WriteString(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>`+
			`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`+
			`</Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	defer sts.Close()
	creds, err := awsclient.Chain(t.Context(), awsclient.Source{
		Base: awsclient.Static("AKIABASE", "secret", ""), RoleARN: "arn:aws:iam::111122223333:role/reader",
		ExternalID: "x1", Region: "eu-west-1", STSEndpoint: sts.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := creds(t.Context())
	if err != nil || keys != (awsclient.Keys{ID: "ASIA", Secret: "s", Token: "t"}) {
		t.Errorf("%+v, %v", keys, err)
	}
	for _, part := range []string{"ExternalId=x1", "RoleSessionName=plumb", "Credential=AKIABASE/"} {
		if !strings.Contains(asked, part) {
			t.Errorf("%s is not in %s", part, asked)
		}
	}
}

func TestTheEnvironmentHasCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	creds, err := awsclient.Chain(t.Context(), awsclient.Source{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := creds(t.Context()); err != nil || keys.ID != "AKIAENV" {
		t.Errorf("%+v, %v", keys, err)
	}
}

func TestAProfileThatIsNotThereIsAnError(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
	if _, err := awsclient.Chain(t.Context(), awsclient.Source{Profile: "nobody"}); err == nil {
		t.Error("no error")
	}
}
