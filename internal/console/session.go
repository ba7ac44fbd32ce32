package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

const (
	cookieName     = "plumb_console"
	sessionLasts   = 12 * time.Hour
	maxForm        = 1 << 20
	minSessionText = 40
)

// identify reads what the browser has. In server mode that is a session of the store;
// in development mode nothing but what forms are tied to.
func (c *Console) identify(w http.ResponseWriter, v *visit) error {
	if cookie, err := v.r.Cookie(cookieName); err == nil && len(cookie.Value) >= minSessionText && len(cookie.Value) < 200 {
		v.session = cookie.Value
	}
	if c.development() {
		if v.session == "" {
			v.session = rand.Text() + rand.Text()
			c.setCookie(w, v.session)
		}
		return nil
	}
	if v.session == "" {
		return nil
	}
	var kept store.ConsoleSession
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		kept, err = store.ConsoleSessionByID(ctx, tx, digest(v.session), v.now)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		v.session = ""
		return nil
	}
	if err != nil {
		return err
	}
	if kept.Subject != "" {
		c.resume(v, kept)
		return nil
	}
	v.key = c.accessKey(kept.AccessKey) // nil when the settings have it no more
	return nil
}

func (c *Console) accessKey(id string) *settings.AccessKey {
	i := slices.IndexFunc(c.Settings.AccessKeys, func(k settings.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Settings.AccessKeys[i]
}

func (c *Console) setCookie(w http.ResponseWriter, value string) {
	cookie := &http.Cookie{
		Name: cookieName, Value: value, Path: Root, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secureCookies(),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// proxied reports whether all callers have the address of a proxy, which does not say
// whose requests it passes on.
func (c *Console) proxied() bool { return c.Settings.BehindProxy && len(c.Settings.Proxies) == 0 }

// secureCookies reports whether browsers reach the console by TLS.
func (c *Console) secureCookies() bool { return c.Settings.TLS() || c.Settings.BehindProxy }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// csrf is what every form carries: only who has the cookie can make it, and no page
// of somebody else can read it.
func (v *visit) csrf() string {
	if v.session == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(v.session))
	mac.Write([]byte("forms of the console"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// act does what a form asks for.
func (c *Console) act(w http.ResponseWriter, v *visit, path string) error {
	v.r.Body = http.MaxBytesReader(w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return wrong("The form could not be read.")
	}
	if !sayable(v.r.PostForm) {
		return wrong("The form has characters that no text here can have.")
	}
	if path == "login" && !c.development() {
		return c.login(w, v)
	}
	if v.session == "" || subtle.ConstantTimeCompare([]byte(v.r.PostForm.Get("csrf")), []byte(v.csrf())) != 1 {
		return &refusal{http.StatusForbidden, "The form is not one that this server gave you, or it is too old. Go back and reload the page."}
	}
	if path == "logout" && v.key != nil {
		return c.logout(w, v)
	}
	if path == "account" && v.key != nil {
		return c.chooseAccount(w, v)
	}
	if !c.development() {
		return &refusal{http.StatusForbidden, "In server mode the console changes nothing. Use the AWS CLI, which asks who you are and what you may."}
	}
	all := actions()
	i := slices.IndexFunc(all, func(a action) bool { return a.path == path })
	if i < 0 {
		return missing("There is no such action.")
	}
	to, err := all[i].do(v)
	if err != nil {
		return err
	}
	v.audit(audit.ConsoleAction, path, "", nil, "")
	if to == "" {
		to = v.back()
	}
	http.Redirect(w, v.r, to, http.StatusSeeOther)
	return nil
}

// back is the page that a form was on.
func (v *visit) back() string {
	if to := v.r.PostForm.Get("back"); ours(to) {
		return to
	}
	return Root
}

// ours reports whether an address is one of our pages.
func ours(to string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, Root) && !strings.ContainsAny(to, "\\\r\n")
}

func (v *visit) toLogin() string {
	return Root + "login?" + url.Values{"to": {v.r.URL.RequestURI()}}.Encode()
}

// A loginForm asks who somebody is. OIDC leads to the provider; it is empty if there is
// none.
type loginForm struct{ To, Failed, Action, OIDC, Provider string }

func (c *Console) showLogin(w http.ResponseWriter, v *visit, failed string) error {
	to := v.r.FormValue("to")
	if !ours(to) {
		to = Root
	}
	p := &page{Title: "Log in", Template: "login", Data: loginForm{To: to, Failed: failed, Action: Root + "login"}}
	if issuer, err := url.Parse(c.Settings.OIDC.Issuer); err == nil && issuer.Host != "" {
		p.Data = loginForm{to, failed, Root + "login", address(oidcPath, url.Values{"to": {to}}), issuer.Hostname()}
	}
	if failed != "" {
		p.status = http.StatusForbidden
	}
	return c.write(w, v, p)
}

// login begins a session for a visitor that knows the secret of an access key. No session is
// taken over from before, so nobody can prepare one for somebody else.
func (c *Console) login(w http.ResponseWriter, v *visit) error {
	from := sources(v.r.RemoteAddr, strings.TrimSpace(v.r.PostForm.Get("id")), c.proxied())
	if !c.attempts.allow(time.Now(), from) {
		return &refusal{http.StatusTooManyRequests, "Too many tries to log in. Wait a minute."}
	}
	key := c.accessKey(strings.TrimSpace(v.r.PostForm.Get("id")))
	known := settings.AccessKey{Secret: settings.Secret(rand.Text())}
	if key != nil {
		known = *key
	}
	given, want := sha256.Sum256([]byte(v.r.PostForm.Get("secret"))), sha256.Sum256([]byte(known.Secret.Reveal()))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 || key == nil {
		c.Log.Warn("a login at the console failed", "from", v.r.RemoteAddr)
		v.audit(audit.ConsoleSignIn, "ConsoleLogin", v.r.PostForm.Get("id"), key, "Failed authentication")
		return c.showLogin(w, v, "No access key has that id and secret.")
	}
	if err := c.begin(w, v, store.ConsoleSession{AccessKey: key.ID}); err != nil {
		return err
	}
	c.attempts.forgive(from)
	v.audit(audit.ConsoleSignIn, "ConsoleLogin", key.ID, key, "")
	to := v.r.PostForm.Get("to")
	if !ours(to) {
		to = Root
	}
	http.Redirect(w, v.r, to, http.StatusSeeOther)
	return nil
}

// begin begins a session. None is taken over from before.
func (c *Console) begin(w http.ResponseWriter, v *visit, s store.ConsoleSession) error {
	value := rand.Text() + rand.Text()
	s.ID, s.Expires = digest(value), v.now.Add(sessionLasts)
	err := v.DB.Write(v.ctx, func(tx *db.Tx) error { return store.PutConsoleSession(v.ctx, tx, s, v.now) })
	if err == nil {
		c.setCookie(w, value)
	}
	return err
}

func (c *Console) logout(w http.ResponseWriter, v *visit) error {
	err := v.DB.Write(v.ctx, func(tx *db.Tx) error { return store.DeleteConsoleSession(v.ctx, tx, digest(v.session)) })
	if err != nil {
		return err
	}
	v.audit(audit.ConsoleSignIn, "ConsoleLogout", v.key.ID, v.key, "")
	c.setCookie(w, "")
	http.Redirect(w, v.r, Root+"login", http.StatusSeeOther)
	return nil
}
