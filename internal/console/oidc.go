package console

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"plumb/internal/audit"
	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

const (
	oidcCookie   = "plumb_console_login"
	oidcPath     = "login/oidc"
	callbackPath = "login/callback"
	oidcLasts    = 10 * time.Minute // from the click to the provider's answer
	oidcTimeout  = 15 * time.Second // for each call to the provider
	oidcFailed   = 5 * time.Second  // how long a failure of the provider is remembered
	maxAttempt   = 3000             // bytes of an attempt: browsers keep cookies of 4096
)

// A loginProvider is the OpenID Connect provider of the settings. It is asked for its
// configuration by the first who logs in, and again a while after it failed.
type loginProvider struct {
	mu     sync.Mutex
	known  *oidc.Provider
	failed error
	until  time.Time // that failed is the answer
}

// client calls the provider, which the operator names, not a visitor.
var client = &http.Client{Timeout: oidcTimeout}

func (l *loginProvider) get(issuer string) (*oidc.Provider, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.known != nil:
		return l.known, nil
	case time.Now().Before(l.until): // who waited for the lock does not wait as long again
		return nil, l.failed
	}
	// Its keys are read later, in a context that must not end with a request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.Background(), client), issuer)
	if err != nil {
		l.failed, l.until = err, time.Now().Add(oidcFailed)
		return nil, err
	}
	l.known = p
	return p, nil
}

// A loginAttempt is what the browser keeps while somebody is at the provider.
type loginAttempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	To       string `json:"to"`
}

// cookie is the attempt as the browser keeps it. A page too far to be kept is left out.
func (a loginAttempt) cookie() (string, error) {
	text, err := json.Marshal(a)
	value := url.QueryEscape(string(text))
	if err == nil && len(value) > maxAttempt && a.To != Root {
		a.To = Root
		return a.cookie()
	}
	return value, err
}

// oauth is how the provider is asked. Many refuse a scope that they do not know, so the
// claim is a scope only where the provider says that it is one.
func (c *Console) oauth(p *oidc.Provider) *oauth2.Config {
	o := c.Settings.OIDC
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	var says struct {
		Scopes []string `json:"scopes_supported"`
	}
	_ = p.Claims(&says) // a list that is none names nothing
	if slices.Contains(says.Scopes, o.Claim) && !slices.Contains(scopes, o.Claim) {
		scopes = append(scopes, o.Claim)
	}
	return &oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Endpoint: p.Endpoint(), Scopes: scopes,
		RedirectURL: c.Address() + callbackPath}
}

// startOIDC sends somebody to the provider.
func (c *Console) startOIDC(w http.ResponseWriter, v *visit) error {
	p, err := c.provider.get(c.Settings.OIDC.Issuer)
	if err != nil {
		c.Log.Error("the login's provider did not answer", "issuer", c.Settings.OIDC.Issuer, "err", err)
		return &refusal{http.StatusBadGateway, "The login's provider did not answer. The server's log says why."}
	}
	to := v.q.Get("to")
	if !ours(to) {
		to = Root
	}
	a := loginAttempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to}
	value, err := a.cookie()
	if err != nil {
		return err
	}
	c.setAttempt(w, value, int(oidcLasts.Seconds()))
	at := c.oauth(p).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	http.Redirect(w, v.r, at, http.StatusFound)
	return nil
}

// setAttempt keeps an attempt in the browser. The provider's page leads back here, so the
// cookie is sent with links of others; it lets nobody do anything.
func (c *Console) setAttempt(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: oidcCookie, Value: value, Path: Root + "login", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.secureCookies()})
}

// endOIDC takes the provider's answer, and begins a session for whom it names.
func (c *Console) endOIDC(w http.ResponseWriter, v *visit) error {
	c.setAttempt(w, "", -1)
	a, err := readAttempt(v)
	if err != nil {
		return err
	}
	// What was not begun in a browser is refused above and counts for nobody: behind a proxy
	// all have one address, and strangers would use up everybody's tries.
	from := sources(v.r.RemoteAddr, "oidc "+a.State, c.proxied())
	if !c.attempts.allow(time.Now(), from) {
		return &refusal{http.StatusTooManyRequests, "Too many tries to log in. Wait a minute."}
	}
	if text := v.q.Get("error"); text != "" {
		return c.refuseOIDC(w, v, "", "The provider let nobody in: "+short(cmp.Or(v.q.Get("error_description"), text), 200), "error", text)
	}
	name, values, err := c.claims(v, a)
	if err != nil {
		return c.refuseOIDC(w, v, name, "The provider's answer was not one that this server takes. Its log says why.", "err", err)
	}
	accounts := c.Settings.OIDC.Accounts(values)
	if len(accounts) == 0 {
		return c.refuseOIDC(w, v, name, name+" is known to the provider, and no account is granted to "+name+" here.", "subject", name)
	}
	grants, err := json.Marshal(values)
	if err != nil {
		return err
	}
	s := store.ConsoleSession{Subject: name, Grants: string(grants), Account: accounts[0]}
	if err := c.begin(w, v, s); err != nil {
		return err
	}
	c.attempts.forgive(from)
	v.subject = name
	v.audit(audit.ConsoleSignIn, "ConsoleLogin", "", &settings.AccessKey{Account: accounts[0], User: name}, "")
	// A browser does not send the session's cookie while it follows the provider's link, so a page of ours leads on.
	w.Header().Set("Refresh", "0; url="+a.To)
	return c.write(w, v, &page{Title: "Logged in", Template: "logged-in", Data: a.To})
}

func readAttempt(v *visit) (a loginAttempt, err error) {
	const stale = "This login was not begun in this browser, or too long ago. Log in again."
	cookie, err := v.r.Cookie(oidcCookie)
	if err != nil {
		return a, &refusal{http.StatusForbidden, stale}
	}
	text, err := url.QueryUnescape(cookie.Value)
	if err != nil || json.Unmarshal([]byte(text), &a) != nil || a.State == "" || a.Nonce == "" || a.Verifier == "" ||
		subtle.ConstantTimeCompare([]byte(a.State), []byte(v.q.Get("state"))) != 1 {
		return a, &refusal{http.StatusForbidden, stale}
	}
	if !ours(a.To) {
		a.To = Root
	}
	return a, nil
}

// refuseOIDC shows the login again and says why.
func (c *Console) refuseOIDC(w http.ResponseWriter, v *visit, name, text, key string, value any) error {
	c.Log.Warn("a login at the console failed", "from", v.r.RemoteAddr, key, value)
	v.audit(audit.ConsoleSignIn, "ConsoleLogin", name, nil, "Failed authentication")
	return c.showLogin(w, v, text)
}

// claims redeems the code of the provider's answer, and returns whom its ID token names
// with the values of the claim.
func (c *Console) claims(v *visit, a loginAttempt) (name string, values []string, err error) {
	p, err := c.provider.get(c.Settings.OIDC.Issuer)
	if err != nil {
		return "", nil, err
	}
	ctx := oidc.ClientContext(v.ctx, client)
	token, err := c.oauth(p).Exchange(ctx, v.q.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", nil, fmt.Errorf("redeem the code: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: c.Settings.OIDC.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return "", nil, errors.New("the ID token is for another login")
	}
	var all map[string]any
	if err := id.Claims(&all); err != nil {
		return "", nil, err
	}
	name = id.Subject
	verified, _ := all["email_verified"].(bool)
	if email, _ := all["email"].(string); email != "" && verified {
		name = email
	}
	if c.Settings.OIDC.Claim == "email" && !verified {
		return name, nil, nil
	}
	switch value := all[c.Settings.OIDC.Claim].(type) {
	case string:
		values = []string{value}
	case []any:
		for _, one := range value {
			if s, ok := one.(string); ok {
				values = append(values, s)
			}
		}
	}
	// Only what the settings know is kept: a token may name thousands of groups.
	values = slices.DeleteFunc(values, func(s string) bool { return len(c.Settings.OIDC.Accounts([]string{s})) == 0 })
	return strings.ToValidUTF8(name[:min(len(name), 200)], ""), values, nil
}

// resume takes up a session that was begun so, as long as the settings grant it.
func (c *Console) resume(v *visit, s store.ConsoleSession) {
	var values []string
	if c.Settings.OIDC.Issuer == "" || json.Unmarshal([]byte(s.Grants), &values) != nil {
		return
	}
	v.accounts = c.Settings.OIDC.Accounts(values)
	account := s.Account
	if !slices.Contains(v.accounts, account) {
		if len(v.accounts) == 0 {
			return
		}
		account = v.accounts[0]
	}
	v.subject, v.key = s.Subject, &settings.AccessKey{Account: account, User: s.Subject}
}

// chooseAccount shows another of the accounts that somebody may see.
func (c *Console) chooseAccount(w http.ResponseWriter, v *visit) error {
	account := v.r.PostForm.Get("account")
	if !slices.Contains(v.accounts, account) {
		return &refusal{http.StatusForbidden, "That account is not granted to you."}
	}
	err := v.DB.Write(v.ctx, func(tx *db.Tx) error { return store.ChooseConsoleAccount(v.ctx, tx, digest(v.session), account) })
	if err != nil {
		return err
	}
	http.Redirect(w, v.r, Root, http.StatusSeeOther)
	return nil
}
