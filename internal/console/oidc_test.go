package console_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// A provider is an OpenID Connect provider on loopback, where everybody is the same.
type provider struct {
	*httptest.Server
	key    *rsa.PrivateKey
	scopes []string // that it supports

	mu     sync.Mutex
	asked  url.Values     // of the last login
	claims map[string]any // beside those that a token must have
	signer *rsa.PrivateKey
	failed string // what the token endpoint complained of
}

func newProvider(t *testing.T, claims map[string]any) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, signer: key, claims: claims}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "scopes_supported": p.scopes, "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = r.URL.Query()
		back := p.asked.Get("redirect_uri") + "?" + url.Values{"code": {"the-code"}, "state": {p.asked.Get("state")}}.Encode()
		if strings.Contains(r.Header.Get("User-Agent"), "Chrome") {
			w.Header().Set("Content-Type", "text/html") // a page of another site, whose link leads back
			w.Write([]byte(`<main><a href="` + strings.ReplaceAll(back, "&", "&amp;") + `">I am Ann</a></main>`))
			return
		}
		http.Redirect(w, r, back, http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// token gives an ID token to who shows the code and the verifier of its challenge.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if r.FormValue("code") != "the-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.asked.Get("code_challenge") || id != "plumb" || secret != "client-secret" {
		p.failed = "the code, the verifier or the client is wrong"
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "plumb", "sub": "ann-1", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": p.asked.Get("nonce")}
	for k, v := range p.claims {
		claims[k] = v
	}
	part := func(v any) string {
		text, _ := json.Marshal(v) // texts cannot fail
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]any{"alg": "RS256", "kid": "1"}) + "." + part(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, p.signer, crypto.SHA256, digest[:])
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": signed + "." + base64.RawURLEncoding.EncodeToString(signature)})
}

// loginBy has the console log people in by a provider.
func loginBy(p *provider, change ...func(*settings.Settings)) func(*settings.Settings) {
	return func(s *settings.Settings) {
		serverMode(s)
		s.OIDC.Issuer, s.OIDC.ClientID, s.OIDC.ClientSecret = p.URL, "plumb", "client-secret"
		s.OIDC.Grants = []settings.Grant{{Value: "team-one", Account: "111111111111"}, {Value: "team-two", Account: "222222222222"}}
		for _, f := range change {
			f(s)
		}
	}
}

func TestWhoTheProviderNamesSeesTheAccountsOfTheirGroupsAlone(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": []string{"others", "team-two"}, "email": "ann@example.com", "email_verified": true})
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		one, two := p.As("111111111111", p.Region()).Signing("AKIAONE", "one-secret"), p.As("222222222222", p.Region()).Signing("AKIATWO", "two-secret")
		for who, name := range map[*apptest.Plumb]string{one: "of-one", two: "of-two"} {
			bucket(t, who, name, "", nil)
			record(t, who)
		}
		b := newBrowser(t, p)
		b.get("inventory").has(t, "Log in with 127.0.0.1", "login/oidc?to=")
		s := b.page("login/oidc?to=" + url.QueryEscape("/_plumb/ui/find?q=of-two"))
		s.has(t, "Go on to the console", "/_plumb/ui/find?q=of-two")
		if to := s.Header.Get("Refresh"); to != "0; url=/_plumb/ui/find?q=of-two" {
			t.Errorf("the page leads to %q", to)
		}
		b.page("find?q=of-two").has(t, ">of-two</a>", "ann@example.com · 222222222222", "read-only")
		b.page("find?q=of-one").lacks(t, ">of-one</a>")
		if s := b.get("rules?account=111111111111"); strings.Contains(s.Text, "of-one") {
			t.Error("another account's page")
		}
		token := b.page("").token(t)
		if s := b.post("account", url.Values{"csrf": {token}, "account": {"111111111111"}}); s.Status != http.StatusForbidden {
			t.Errorf("an account that is not granted: %d", s.Status)
		}
		if s := b.post("evaluate", url.Values{"csrf": {token}, "rule": {"x"}}); s.Status != http.StatusForbidden {
			t.Errorf("a change: %d", s.Status)
		}
		b.post("logout", url.Values{"csrf": {token}})
		if s := b.get(""); !strings.HasSuffix(s.URL.Path, "/login") {
			t.Errorf("after the logout: %s", s.URL)
		}
	}, loginBy(o))
}

func TestWhoMaySeeSeveralAccountsChoosesAmongThem(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": []string{"team-one", "team-two"}})
	p := apptest.Start(t, loginBy(o))
	b := newBrowser(t, p)
	b.page("login/oidc")
	b.page("").has(t, "ann-1 · 111111111111")
	b.post("account", url.Values{"csrf": {b.page("").token(t)}, "account": {"222222222222"}}).has(t, "ann-1 · 222222222222")
}

func TestOnlyAnAnswerToThisLoginLetsSomebodyIn(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		change func(*provider)
		set    func(*settings.Settings)
		want   string
	}{
		"no group is granted":      {claims: map[string]any{"groups": "others"}, want: "no account is granted to ann-1"},
		"a token of another login": {claims: map[string]any{"groups": "team-one", "nonce": "other"}, want: "was not one that this server takes"},
		"for another client":       {claims: map[string]any{"groups": "team-one", "aud": "other"}, want: "was not one that this server takes"},
		"of another issuer":        {claims: map[string]any{"groups": "team-one", "iss": "https://other.example"}, want: "was not one that this server takes"},
		"too old":                  {claims: map[string]any{"groups": "team-one", "exp": time.Now().Add(-time.Hour).Unix()}, want: "was not one that this server takes"},
		"an address that nobody verified": {claims: map[string]any{"email": "team-one", "email_verified": false},
			set: func(s *settings.Settings) { s.OIDC.Claim = "email" }, want: "no account is granted"},
		"another key signed": {claims: map[string]any{"groups": "team-one"}, change: func(o *provider) {
			o.signer, _ = rsa.GenerateKey(rand.Reader, 2048)
		}, want: "was not one that this server takes"},
	} {
		o := newProvider(t, c.claims)
		if c.change != nil {
			c.change(o)
		}
		if c.set == nil {
			c.set = func(*settings.Settings) {}
		}
		b := newBrowser(t, apptest.Start(t, loginBy(o, c.set)))
		s := b.get("login/oidc")
		if s.Status != http.StatusForbidden || !strings.Contains(s.Text, c.want) {
			t.Errorf("%s: %d %s", name, s.Status, text(s.Text))
		}
		if s := b.get(""); !strings.HasSuffix(s.URL.Path, "/login") {
			t.Errorf("%s: let in, at %s", name, s.URL)
		}
	}
}

func TestAnswerThatNobodyAskedForIsRefused(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": "team-one"})
	p := apptest.Start(t, loginBy(o))
	b := newBrowser(t, p)
	if s := b.get("login/callback?code=the-code&state=x"); s.Status != http.StatusForbidden {
		t.Errorf("without a login: %d", s.Status)
	}
	b.page("login/oidc")
	other := newBrowser(t, p) // somebody who was sent the link of another one's login
	if s := other.get("login/callback?code=the-code&state=" + o.asked.Get("state")); s.Status != http.StatusForbidden {
		t.Errorf("in another browser: %d", s.Status)
	}
	if s := other.get("login/callback?error=access_denied&state=" + o.asked.Get("state")); s.Status != http.StatusForbidden {
		t.Errorf("an error: %d", s.Status)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example"} {
		b.page("login/oidc?to="+url.QueryEscape(to)).lacks(t, "evil.example")
	}
	o.Close()
	late := newBrowser(t, apptest.Start(t, loginBy(o)))
	if s := late.get("login/oidc"); s.Status != http.StatusBadGateway {
		t.Errorf("without the provider: %d", s.Status)
	}
	if s := late.login("AKIAONE", "one-secret", ""); s.Status != http.StatusOK {
		t.Errorf("by access key, without the provider: %d", s.Status)
	}
}

func TestStrangersUseUpNobodysTriesToLogIn(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": "team-one"})
	p := apptest.Start(t, loginBy(o))
	stranger := newBrowser(t, p)
	for range 25 {
		if s := stranger.get("login/callback?code=x&state=x"); s.Status != http.StatusForbidden {
			t.Fatalf("without a login: %d", s.Status)
		}
	}
	b := newBrowser(t, p)
	b.page("login/oidc").has(t, "Go on to the console")
	long := "/_plumb/ui/find?q=" + strings.Repeat("%26", 1500) // more than a cookie holds
	if s := newBrowser(t, p).page("login/oidc?to=" + url.QueryEscape(long)); s.Header.Get("Refresh") != "0; url=/_plumb/ui/" {
		t.Errorf("from a page with a long address it leads to %q", s.Header.Get("Refresh"))
	}
}

func TestClaimIsAScopeWhereTheProviderSaysSo(t *testing.T) {
	for claim, c := range map[string]struct {
		scopes []string
		want   string
	}{
		"groups": {[]string{"openid", "email"}, "openid profile email"},
		"roles":  {[]string{"openid", "roles"}, "openid profile email roles"},
		"email":  {[]string{"openid", "email"}, "openid profile email"},
	} {
		o := newProvider(t, map[string]any{claim: "team-one", "email_verified": true})
		o.scopes = c.scopes
		newBrowser(t, apptest.Start(t, loginBy(o, func(s *settings.Settings) { s.OIDC.Claim = claim }))).page("login/oidc")
		if got := o.asked.Get("scope"); got != c.want {
			t.Errorf("the claim %s: asked for %q, want %q", claim, got, c.want)
		}
	}
}

func TestGrantThatIsTakenAwayEndsItsSessions(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": "team-one"})
	grants := []settings.Grant{{Value: "team-one", Account: "111111111111"}, {Value: "x", Account: "222222222222"}}
	p := apptest.Start(t, loginBy(o, func(s *settings.Settings) { s.OIDC.Grants = grants }))
	b := newBrowser(t, p)
	b.page("login/oidc")
	b.page("").has(t, "111111111111")
	grants[0].Value = "nobody" // the settings' own list
	if s := b.get(""); !strings.HasSuffix(s.URL.Path, "/login") {
		t.Errorf("without the grant: %s", s.URL)
	}
}

func TestSomebodyLogsInByTheProviderInABrowser(t *testing.T) {
	o := newProvider(t, map[string]any{"groups": "team-one"})
	p := apptest.Start(t, loginBy(o))
	who := newPerson(t, p)
	who.open("inventory")
	who.sees("Log in with 127.0.0.1")
	who.follow("Log in with 127.0.0.1")
	who.sees("I am Ann")
	who.follow("I am Ann")
	who.sees("Inventory", "Nothing is recorded.")
}
