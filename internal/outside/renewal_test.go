package outside

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/settings"
	"plumb/models"
)

// An SSO tool writes a session token into the profile's file again and again. The server reads it without a restart, and
// not at every call that fails.
func TestRenewedCredentialsOfAProfileAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	profile := func(id string) {
		text := fmt.Sprintf("[work]\naws_access_key_id = %s\naws_secret_access_key = s\naws_session_token = t\n", id)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	valid := "AKIDONE"
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), valid+"/") {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"__type": "com.amazonaws#ExpiredToken", "message": "the token has expired"}`)
			return
		}
		io.WriteString(w, `{"QueueUrls": []}`)
	}))
	t.Cleanup(target.Close)

	s := settings.Settings{Accounts: []settings.Account{{Account: "123456789012", Target: target.URL, Profile: "work"}}}
	clients := NewClients(s, awsclient.NewModels(models.FS))
	now := time.Now()
	clients.now = func() time.Time { return now }
	call := func() string {
		c, err := clients.Target(t.Context(), config.Place{Account: "123456789012", Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Call(t.Context(), "sqs", "ListQueues", nil)
		return awsclient.Code(err)
	}
	expect := func(what, code string) {
		t.Helper()
		if got := call(); got != code {
			t.Errorf("%s: %q, want %q", what, got, code)
		}
	}

	profile("AKIDONE")
	expect("the first token", "")
	valid = "AKIDTWO"
	expect("the token has expired", "ExpiredToken")
	profile("AKIDTWO")
	expect("it was let go of before the file was renewed", "")
	valid = "AKIDTHREE"
	profile("AKIDTHREE")
	expect("a second failure within the minute", "ExpiredToken")
	expect("a third", "ExpiredToken")
	now = now.Add(renewal)
	expect("the minute is over, and this failure lets go", "ExpiredToken")
	expect("the renewed token", "")
}
