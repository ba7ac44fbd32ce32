package outside

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/caller"
	"plumb/internal/config"
)

// Embedded calls the services served here without a network between: the
// recorder reads embedded buckets the way it reads outside ones. Its calls are
// signed with a key that only this process knows, so that they pass in server
// mode as well.
type Embedded struct {
	handler http.Handler // set by Handle
	url     string       // the server's own, which the resources' names are made of
	secret  string
	now     func() time.Time
	models  *awsclient.Models

	mu      sync.Mutex
	clients map[config.Place]*awsclient.Client
}

// NewEmbedded returns the caller of the services at a URL; Handle must follow.
func NewEmbedded(url string, models *awsclient.Models, now func() time.Time) *Embedded {
	return &Embedded{url: url, secret: rand.Text(), now: now, models: models, clients: map[config.Place]*awsclient.Client{}}
}

// Handle sets what answers the calls.
func (l *Embedded) Handle(h http.Handler) { l.handler = h }

// ownKey begins the access key ids of the process itself; the account follows.
const ownKey = "PLUMB"

// Client returns the client of a place.
func (l *Embedded) Client(p config.Place) *awsclient.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.clients[p]; ok {
		return c
	}
	c := awsclient.New(awsclient.Options{
		Region: p.Region, Endpoint: l.url, Transport: l, Models: l.models, Now: l.now,
		Credentials: awsclient.Static(ownKey+p.Account, l.secret, ""),
	})
	l.clients[p] = c
	return c
}

// As returns the client of somebody in a place: its calls are answered as if they
// had sent them.
func (l *Embedded) As(p config.Place, who caller.Identity) *awsclient.Client {
	text := who.PrincipalARN + " " + who.UserID
	if who.Root {
		text += " root"
	}
	name := base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(text))
	return awsclient.New(awsclient.Options{
		Region: p.Region, Endpoint: l.url, Transport: asked{l}, Models: l.models, Now: l.now,
		Credentials: awsclient.Static(ownKey+p.Account+name, l.secret, ""),
	})
}

// asked are calls that somebody asked for, which are not those of this process.
type asked struct{ *Embedded }

// RoundTrip answers a request by calling the handler.
func (a asked) RoundTrip(out *http.Request) (*http.Response, error) {
	return a.answer(out, out.Clone(out.Context()))
}

// Identity says whose one of our own keys is.
func (l *Embedded) Identity(id string) (secret string, who caller.Identity, ok bool) {
	account, ok := strings.CutPrefix(id, ownKey)
	if !ok || len(account) < 12 {
		return "", caller.Identity{}, false
	}
	if account, encoded := account[:12], account[12:]; encoded != "" {
		who, err := base32.HexEncoding.WithPadding(base32.NoPadding).DecodeString(encoded)
		principal, rest, _ := strings.Cut(string(who), " ")
		user, root, _ := strings.Cut(rest, " ")
		return l.secret, caller.Identity{Account: account, PrincipalARN: principal, UserID: user, Root: root == "root"}, err == nil
	}
	return l.secret, caller.Identity{
		Account:      account,
		Root:         true,
		PrincipalARN: "arn:aws:iam::" + account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
	}, true
}

// RoundTrip answers a request by calling the handler.
func (l *Embedded) RoundTrip(out *http.Request) (*http.Response, error) {
	return l.answer(out, out.Clone(context.WithValue(out.Context(), ownCall{}, true)))
}

func (l *Embedded) answer(out, in *http.Request) (*http.Response, error) {
	in.RequestURI = out.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Host = out.URL.Host
	if out.Host != "" {
		in.Host = out.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	a := &written{header: http.Header{}}
	if err := serve(l.handler, a, in); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(a.code()), StatusCode: a.code(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: canonical(a.header), Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: out,
	}, nil
}

// serve has a handler answer, and returns an error where it ends the connection instead, as it does for a
// client that has gone: here a caller that was cut off.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = cmp.Or(r.Context().Err(), error(http.ErrAbortHandler))
		default:
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// ownCall marks the context of a call that this process makes to itself.
type ownCall struct{}

// IsOwn reports whether a request comes from this process, and not from a client.
func IsOwn(ctx context.Context) bool { return ctx.Value(ownCall{}) != nil }

// canonical spells header names as a network would have handed them over.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		out[http.CanonicalHeaderKey(name)] = values
	}
	return out
}

// written is an answer in memory. What is read this way is small.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is what a handler sets before it writes.
func (w *written) Header() http.Header { return w.header }

// WriteHeader keeps the first final status.
func (w *written) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// Write keeps the body.
func (w *written) Write(p []byte) (int, error) { return w.body.Write(p) }

func (w *written) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
