package cloudfront

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/memory"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
)

// Options are what a proxy works with.
type Options struct {
	Client *http.Client                                               // for origins, whose addresses users name
	Object func(ctx context.Context, r ObjectRequest) (Object, error) // of buckets that are origins
}

// A Proxy answers requests for the names of distributions.
type Proxy struct {
	log       *slog.Logger
	s         *Distributions
	functions *lambda.Service
	o         Options
	cache     *cache
	bodies    *memory.Budget // for what is read of requests and answers before it goes on

	mu      sync.Mutex
	aliases map[string]bool
	read    time.Time // when they were
}

// NewProxy returns the proxy. Its client's answers are not cut off by a timeout of the
// client's: the origin's own holds.
func NewProxy(log *slog.Logger, s *Distributions, functions *lambda.Service, o Options) *Proxy {
	if o.Client != nil {
		client := *o.Client
		client.Timeout = 0
		o.Client = &client
	}
	return &Proxy{log: log, s: s, functions: functions, o: o, cache: newCache(), bodies: memory.New(maxRead)}
}

// hostName is the name in a Host header, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// maxRead is how many bytes are held of bodies: their beginnings, which functions see and
// the cache keeps. Strangers send and ask for them.
const maxRead = 128 << 20

// readAliases is how often the names that users gave are looked at.
const readAliases = time.Second

// Serves reports whether a request is for a distribution: by CloudFront's names, or by an
// alias.
func (p *Proxy) Serves(r *http.Request) bool {
	name := hostName(r.Host)
	if strings.HasSuffix(name, ".cloudfront.net") {
		return true
	}
	if !strings.Contains(name, ".") || strings.HasSuffix(name, ".amazonaws.com") || net.ParseIP(name) != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.read) > readAliases {
		found := map[string]bool{}
		err := p.s.Read(r.Context(), func(tx *db.Tx) error {
			return db.Each(r.Context(), tx, func(scan func(...any) error) error {
				var name string
				err := scan(&name)
				found[name] = true
				return err
			}, `SELECT name FROM cloudfront_names WHERE name NOT LIKE '%.cloudfront.net'`)
		})
		if err == nil {
			p.aliases, p.read = found, time.Now()
		}
	}
	return p.aliases[name]
}

// An exchange is one request on its way.
type exchange struct {
	d      Distribution
	b      api.DefaultCacheBehavior
	r      *http.Request
	id     string // of the request
	via    string
	prefix []byte        // the beginning of the body, where a function is to see it
	rest   bool          // and there is more of it
	share  *memory.Share // of the memory for bodies
}

// maxBody is how many bytes the body of a request may have.
const maxBody = 64 << 20

// ServeHTTP answers one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	x := &exchange{r: r, id: base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text()))[:54] + "==", via: strings.ToLower(rand.Text()) + ".cloudfront.net",
		share: p.bodies.Share()}
	defer x.share.Release()
	bad := p.find(r.Context(), x)
	if bad == nil {
		bad = p.serve(w, x)
	}
	if bad != nil {
		x.fail(w, bad)
	}
}

// find finds the distribution and the behavior.
func (p *Proxy) find(ctx context.Context, x *exchange) *problem {
	found := false
	err := p.s.Read(ctx, func(tx *db.Tx) (err error) {
		x.d, found, err = byName(ctx, tx, hostName(x.r.Host))
		return err
	})
	if err == nil && found {
		err = p.cache.apply(ctx, p.s.db, x.d)
	}
	switch {
	case err != nil:
		p.log.Error("request for a distribution failed", "err", err)
		return &problem{status: http.StatusInternalServerError, text: "Internal error."}
	case !found || !*x.d.Config.Enabled:
		return &problem{status: http.StatusForbidden, text: "Bad request. We can't connect to the server for this app or website at this time."}
	}
	if strings.Count(strings.Join(x.r.Header.Values("Via"), ","), ours) >= maxProxies {
		return &problem{status: http.StatusForbidden, text: "The request came through too many distributions. It may go round in a loop."}
	}
	x.b = behaviorOf(x.d.Config, x.r.URL.EscapedPath())
	if !slices.Contains(x.b.AllowedMethods.Items, api.Method(x.r.Method)) {
		return &problem{status: http.StatusForbidden, text: "This distribution is not configured to allow the HTTP request method that was used for this request."}
	}
	return nil
}

// behaviorOf is the first behavior whose path matches, or the default one.
func behaviorOf(c *api.DistributionConfig, path string) api.DefaultCacheBehavior {
	for _, b := range c.CacheBehaviors.Items {
		if matches("/"+strings.TrimPrefix(*b.PathPattern, "/"), path) {
			return asDefault(b)
		}
	}
	return *c.DefaultCacheBehavior
}

// viewed is the request as the viewer sent it.
func (x *exchange) viewed() request {
	h := headersOf(x.r.Header)
	h.set("Host", x.r.Host)
	if x.r.ContentLength > 0 {
		h.set("Content-Length", strconv.FormatInt(x.r.ContentLength, 10))
	}
	path := x.r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return request{ClientIP: hostName(x.r.RemoteAddr), Headers: h, Method: x.r.Method, URI: path, Query: x.r.URL.RawQuery}
}

// eventOf is what a function of an event gets.
func (x *exchange) eventOf(kind string, r request, res *response) event {
	c := cf{Request: r, Response: res}
	c.Config.Domain, c.Config.ID, c.Config.Type, c.Config.Request = x.d.Domain, x.d.ID, kind, x.id
	return event{Records: []eventRecord{{c}}}
}

// readPrefix reads as much of the body as a function may see.
func (x *exchange) readPrefix() *problem {
	wants := false
	for _, a := range x.b.LambdaFunctionAssociations.Items {
		wants = wants || model.Deref(a.IncludeBody)
	}
	if !wants || x.r.Body == nil {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(x.share.Reader(x.r.Body), originBytes+1))
	if errors.Is(err, memory.ErrNone) {
		return noMemory()
	}
	if err != nil {
		return &problem{status: http.StatusRequestEntityTooLarge, text: "The request body is too large or could not be read."}
	}
	x.prefix, x.rest = data, len(data) > originBytes
	return nil
}

// shown is the body that a function of an event sees.
func (x *exchange) shown(event string, data []byte) *body {
	b := &body{Action: "read-only", Encoding: "base64"}
	if most := limitOf(event); len(data) > most {
		data, b.Truncated = data[:most], true
	}
	b.Data = base64.StdEncoding.EncodeToString(data)
	return b
}

// serve answers a request, or says why not before anything was written.
func (p *Proxy) serve(w http.ResponseWriter, x *exchange) *problem {
	if bad := x.readPrefix(); bad != nil {
		return bad
	}
	seen := x.viewed()
	var replaced *[]byte
	if a, ok := association(x.b, viewerRequest); ok {
		e := x.eventOf(viewerRequest, seen, nil)
		if model.Deref(a.IncludeBody) {
			e.Records[0].CF.Request.Body = x.shown(viewerRequest, x.prefix)
		}
		got, bad := p.invoke(x.r.Context(), *a.LambdaFunctionARN, e)
		if bad != nil {
			return bad
		}
		if got.response != nil { // viewer-response does not see it
			x.write(w, *got.response, bytes.NewReader(got.body), "LambdaGeneratedResponse from cloudfront")
			return nil
		}
		seen = *got.request
		if replaced, bad = replacement(got.request.Body, viewerRequest); bad != nil {
			return bad
		}
		seen.Body = nil
	}
	if root := model.Deref(x.d.Config.DefaultRootObject); seen.URI == "/" && root != "" {
		seen.URI += root
	}
	rules := planOf(x.b)
	key, cacheable := rules.keyOf(x.d.ID, *x.b.TargetOriginId, seen), x.r.Method == http.MethodGet || x.r.Method == http.MethodHead
	if cacheable {
		if s, ok := p.cache.get(key, p.s.now()); ok {
			res := response{strconv.Itoa(s.status), http.StatusText(s.status), s.headers.clone()}
			res.Headers.set("Age", strconv.Itoa(int(p.s.now().Sub(s.at)/time.Second)))
			return p.respond(w, x, seen, res, bytes.NewReader(s.body), "Hit from cloudfront")
		}
	}
	return p.miss(w, x, seen, rules, key, cacheable, replaced)
}

// replacement is the body that a function put in place of a request's; nil for none.
func replacement(b *body, event string) (*[]byte, *problem) {
	if b == nil {
		return nil, nil
	}
	data, bad := b.replaced(event)
	return &data, bad
}

// miss asks the origin, by way of its functions, and keeps the answer.
func (p *Proxy) miss(w http.ResponseWriter, x *exchange, seen request, rules plan, key string, cacheable bool, replaced *[]byte) *problem {
	from := x.originOf()
	r := x.forOrigin(seen, rules, from)
	if a, ok := association(x.b, originRequest); ok {
		e := x.eventOf(originRequest, r, nil)
		if model.Deref(a.IncludeBody) {
			data := x.prefix
			if replaced != nil {
				data = *replaced
			}
			e.Records[0].CF.Request.Body = x.shown(originRequest, data)
		}
		got, bad := p.invoke(x.r.Context(), *a.LambdaFunctionARN, e)
		if bad != nil {
			return bad
		}
		if got.response != nil {
			p.store(x, seen, rules, key, cacheable, *got.response, got.body)
			return p.respond(w, x, seen, *got.response, bytes.NewReader(got.body), "LambdaGeneratedResponse from cloudfront")
		}
		r = *got.request
		again, bad := replacement(got.request.Body, originRequest)
		if bad != nil {
			return bad
		}
		if again != nil {
			replaced = again
		}
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), timeoutOf(r.Origin))
	defer cancel()
	body, size := x.body(replaced)
	res, bad := p.fetch(ctx, x, r, from, body, size)
	if bad != nil {
		return bad
	}
	defer res.body.Close()
	if a, ok := association(x.b, originResponse); ok {
		got, bad := p.invoke(x.r.Context(), *a.LambdaFunctionARN, x.eventOf(originResponse, r, &res.response))
		if bad != nil {
			return bad
		}
		res.response = *got.response
		if got.hasBody {
			res.body.Close()
			res.body = io.NopCloser(bytes.NewReader(got.body))
			delete(res.Headers, "content-encoding")
		}
	}
	whole, err := io.ReadAll(io.LimitReader(x.share.Reader(res.body), maxCached+1))
	if errors.Is(err, memory.ErrNone) {
		return noMemory()
	}
	if err != nil {
		return unreachable(err)
	}
	out := io.Reader(bytes.NewReader(whole))
	if len(whole) > maxCached {
		out = io.MultiReader(out, res.body)
	} else {
		p.store(x, seen, rules, key, cacheable, res.response, whole)
	}
	mark := "Miss from cloudfront"
	if res.code() >= 400 {
		mark = "Error from cloudfront"
	}
	return p.respond(w, x, seen, res.response, out, mark)
}

// originOf is the origin that the behavior names.
func (x *exchange) originOf() api.Origin {
	for _, o := range x.d.Config.Origins.Items {
		if *o.Id == *x.b.TargetOriginId {
			return o
		}
	}
	return api.Origin{} // checked when it was configured
}

// ours ends what Via says of a proxy of CloudFront's.
const ours = " (CloudFront)"

// maxProxies is how many distributions a request may have come through: one whose origin
// is this server could go round for ever.
const maxProxies = 4

// forOrigin is the request that the origin gets.
func (x *exchange) forOrigin(seen request, rules plan, from api.Origin) request {
	r := seen
	r.Origin, r.Headers = originOf(from), Headers{}
	for name, values := range seen.Headers {
		if rules.sends(name, seen.Method) {
			r.Headers[name] = values
		}
	}
	if rules.sendCookies {
		all := rules
		if all.cookies == "" {
			all.cookies = "all"
		}
		if c := all.cookiesOf(seen); c != "" {
			r.Headers.set("Cookie", c)
		}
	}
	if !rules.sendQuery {
		r.Query = ""
	}
	if r.Headers.get("host") == "" {
		domain := *from.DomainName
		if c := r.Origin.Custom; c != nil && c.Port != 80 && c.Port != 443 {
			domain = net.JoinHostPort(domain, strconv.Itoa(c.Port))
		}
		r.Headers.set("Host", domain)
	}
	if r.Headers.get("user-agent") == "" {
		r.Headers.set("User-Agent", "Amazon CloudFront")
	}
	forwarded := r.ClientIP
	if before := seen.Headers.get("x-forwarded-for"); before != "" {
		forwarded = before + ", " + forwarded
	}
	r.Headers.set("X-Forwarded-For", forwarded)
	via := strings.TrimPrefix(x.r.Proto, "HTTP/") + " " + x.via + ours
	if before := seen.Headers.get("via"); before != "" {
		via = before + ", " + via
	}
	r.Headers.set("Via", via)
	r.Headers.set("X-Amz-Cf-Id", x.id)
	return r
}

// body is what goes to the origin, and how long it is.
func (x *exchange) body(replaced *[]byte) (io.Reader, int64) {
	switch {
	case replaced != nil:
		return bytes.NewReader(*replaced), int64(len(*replaced))
	case x.rest:
		return io.MultiReader(bytes.NewReader(x.prefix), x.r.Body), x.r.ContentLength
	case len(x.prefix) > 0:
		return bytes.NewReader(x.prefix), int64(len(x.prefix))
	case x.r.ContentLength == 0:
		return nil, 0
	}
	return x.r.Body, x.r.ContentLength
}

// store keeps an answer, if it may be kept.
func (p *Proxy) store(x *exchange, seen request, rules plan, key string, cacheable bool, res response, whole []byte) {
	now := p.s.now()
	keep := rules.keep(res.Headers, res.code(), now)
	if !cacheable || x.r.Method != http.MethodGet || keep <= 0 || len(whole) > maxCached {
		return
	}
	p.cache.put(&stored{key: key, distribution: x.d.ID, uris: []string{x.r.URL.EscapedPath(), seen.URI}, status: res.code(), headers: res.Headers.clone(),
		body: whole, at: now, until: now.Add(keep)}, x.d.Invalidated)
}

// respond shows an answer to the function of viewer-response, and writes it.
func (p *Proxy) respond(w http.ResponseWriter, x *exchange, seen request, res response, body io.Reader, mark string) *problem {
	if a, ok := association(x.b, viewerResponse); ok && res.code() < 400 {
		got, bad := p.invoke(x.r.Context(), *a.LambdaFunctionARN, x.eventOf(viewerResponse, seen, &res))
		if bad != nil {
			return bad
		}
		res = *got.response
		if got.hasBody {
			body = bytes.NewReader(got.body)
		}
	}
	x.write(w, res, body, mark)
	return nil
}

// write writes an answer to the viewer.
func (x *exchange) write(w http.ResponseWriter, res response, body io.Reader, mark string) {
	status := res.code()
	if tag := res.Headers.get("etag"); status == http.StatusOK && tag != "" && x.r.Header.Get("If-None-Match") == tag {
		status = http.StatusNotModified
	}
	for _, name := range []string{"content-length", "transfer-encoding", "connection", "via", "x-cache"} {
		delete(res.Headers, name)
	}
	res.Headers.write(w.Header())
	x.mark(w.Header(), mark)
	if status == http.StatusNotModified || status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	if known, ok := body.(*bytes.Reader); ok {
		w.Header().Set("Content-Length", strconv.Itoa(known.Len()))
	}
	w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		out := paced{w, http.NewResponseController(w)}
		_, _ = io.Copy(out, struct{ io.Reader }{body})   // a viewer that has gone away is not our error
		_ = out.connection.SetWriteDeadline(time.Time{}) // of the connection's next answer
	}
}

// stalled is how long a viewer may take nothing of an answer: what is sent to it is
// held meanwhile, of a budget that all viewers share.
const stalled = time.Minute

// A paced writer gives up on a viewer that takes nothing.
type paced struct {
	io.Writer
	connection *http.ResponseController
}

func (p paced) Write(b []byte) (int, error) {
	_ = p.connection.SetWriteDeadline(time.Now().Add(stalled))
	return p.Writer.Write(b)
}
