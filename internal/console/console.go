package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"plumb/internal/core"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// Root is the folder that all pages are in.
const Root = "/_plumb/ui/"

// Options are what a Console is made of. All but Functions are required.
type Options struct {
	Log      *slog.Logger
	Settings settings.Settings
	Machine  func() *core.Machine // the present one: a reset replaces it
	Endpoint func() string        // where AWS clients reach the server
	Address  func() string        // where browsers find the console, with Root
	Version  string
	// Functions are asked at the rule bench; nil: it has rules of this process only.
	Functions Functions
}

// A Console answers browsers. It is safe for concurrent use.
type Console struct {
	Options
	views    []view
	assets   *assets
	pages    func() (*templates, error)
	attempts attempts // to log in
	provider loginProvider
	trying   sync.Mutex // one rule is tried at a time
	stopping chan struct{}
	streams  atomic.Int64 // live pages
	stop     sync.Once
	requests requests // that were answered last, in development mode
}

// A view is a page with its own entry in the list of pages, unless it has no label.
type view struct {
	path  string // under Root
	label string
	show  func(v *visit) (*page, error)
	only  settings.Mode // empty for both
}

// An action changes something, and says where to go on.
type action struct {
	path string
	do   func(v *visit) (to string, err error)
}

// New returns a console. Nothing is read or parsed before the first request.
func New(o Options) *Console {
	c := &Console{Options: o, assets: newAssets(), stopping: make(chan struct{})}
	c.pages = sync.OnceValues(c.parse)
	c.views = slices.DeleteFunc(views(), func(v view) bool { return v.only != "" && v.only != o.Settings.Mode })
	return c
}

// Close ends what goes on for as long as somebody looks.
func (c *Console) Close() {
	c.stop.Do(func() {
		close(c.stopping)
		if c.Functions == nil {
			return
		}
		if err := c.Functions.Close(); err != nil {
			c.Log.Warn("the throw-away server of the rule bench was not closed", "err", err)
		}
	})
}

// development reports whether whoever comes may do everything.
func (c *Console) development() bool { return c.Settings.Mode == settings.Development }

// ServeHTTP answers a request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	path, ok := strings.CutPrefix(r.URL.Path, Root)
	switch {
	case r.URL.Path == "/" || r.URL.Path+"/" == Root:
		http.Redirect(w, r, Root, http.StatusFound)
	case !ok:
		http.Error(w, "The pages are at "+Root, http.StatusNotFound)
	case strings.HasPrefix(path, assetPath):
		c.assets.serve(w, r, strings.TrimPrefix(path, assetPath))
	default:
		c.answer(w, r, path)
	}
}

// secure has a browser show a page for what it is, alone, and run nothing but our own
// files.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

func (c *Console) answer(w http.ResponseWriter, r *http.Request, path string) {
	v, err := c.visit(w, r)
	if err != nil {
		c.fail(w, r, v, err)
		return
	}
	switch {
	case r.Method == http.MethodPost:
		err = c.act(w, v, path)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD, POST")
		err = &refusal{http.StatusMethodNotAllowed, "Pages are read with GET."}
	case path == oidcPath && c.Settings.OIDC.Issuer != "":
		err = c.startOIDC(w, v)
	case path == callbackPath && c.Settings.OIDC.Issuer != "":
		err = c.endOIDC(w, v)
	case path == "login" && !c.development():
		err = c.showLogin(w, v, "")
	case v.key == nil && !c.development():
		http.Redirect(w, r, v.toLogin(), http.StatusSeeOther)
	case path == "events":
		err = c.events(w, v)
	default:
		err = c.show(w, v, path)
	}
	if err != nil {
		c.fail(w, r, v, err)
	}
}

func (c *Console) show(w http.ResponseWriter, v *visit, path string) error {
	i := slices.IndexFunc(c.views, func(view view) bool { return view.path == path })
	if i < 0 {
		return &refusal{http.StatusNotFound, "There is no such page."}
	}
	p, err := c.views[i].show(v)
	if err != nil {
		return err
	}
	p.path = path
	return c.write(w, v, p)
}

// A refusal is what somebody did wrong.
type refusal struct {
	status int
	text   string
}

// Error returns the text.
func (r *refusal) Error() string { return r.text }

func wrong(text string) error { return &refusal{http.StatusBadRequest, text} }

func missing(text string) error { return &refusal{http.StatusNotFound, text} }

// fail shows an error. What we did wrong is logged, and not told.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	var told *refusal
	switch {
	case errors.As(err, &told):
	case errors.Is(err, store.ErrNotFound):
		told = &refusal{http.StatusNotFound, "There is nothing of that name, or it is not yours to see."}
	case errors.Is(err, context.Canceled):
		return
	case errors.Is(err, context.DeadlineExceeded):
		told = &refusal{http.StatusServiceUnavailable, "This took too long. Narrow it, for example by type or account."}
	default:
		c.Log.Error("a page of the console failed", "path", r.URL.Path, "err", err)
		told = &refusal{http.StatusInternalServerError, "The server failed at this. Its log says why."}
	}
	if v == nil {
		http.Error(w, told.text, told.status)
		return
	}
	p := &page{Title: http.StatusText(told.status), Template: "error", Data: told.text, status: told.status}
	if err := c.write(w, v, p); err != nil {
		http.Error(w, told.text, told.status)
	}
}
