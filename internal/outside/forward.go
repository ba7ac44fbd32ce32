package outside

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// forwarded marks a request that went through a Plumb, so that one whose target
// is itself says so and does not go round.
const forwarded = "X-Plumb-Forwarded"

// A Forwarder sends requests for services that are not served here on to the
// account's target: a rule's call to ec2 finds the real thing. The request loses
// its own signature and gets one of the target's credentials.
type Forwarder struct {
	log     *slog.Logger
	clients *Clients
	client  *http.Client

	// Served are the services that are served here, by their names in credential scopes: of them it is an operation that is
	// sent on.
	Served []string
}

// NewForwarder returns a forwarder that calls as these clients do.
func NewForwarder(log *slog.Logger, o *Clients) *Forwarder {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Forwarder{log: log, clients: o, client: &http.Client{Timeout: 5 * time.Minute, CheckRedirect: stay}}
}

// Serve answers a request for a service of that name.
func (f *Forwarder) Serve(w http.ResponseWriter, r *http.Request, service string) {
	if err := f.forward(w, r, service); err != nil {
		named, ok := errors.AsType[*model.Error](err)
		if !ok {
			f.log.Error("forwarding failed", "service", service, "err", err)
			named = model.ServiceUnavailable("The target of this account did not answer the request for %s.", service)
		}
		wire.WriteError(w, r, named)
	}
}

func (f *Forwarder) forward(w http.ResponseWriter, r *http.Request, service string) error {
	who := caller.From(r.Context())
	place := config.Place{Account: who.Account, Region: who.Region}
	if err := f.may(r, place, service); err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	req, err := f.request(r, place, service, body)
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		f.called(service, "NoAnswer")
		return err
	}
	f.called(service, strconv.Itoa(resp.StatusCode))
	defer resp.Body.Close()
	header := resp.Header.Clone()
	dropHops(header)
	header.Del("Set-Cookie")
	maps.Copy(w.Header(), header)
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil {
		f.log.Warn("a forwarded answer was cut off", "service", service, "err", err)
	}
	return nil
}

// called counts a request that was forwarded. Its operation is whatever a client
// calls it, and is not told.
func (f *Forwarder) called(service, code string) {
	if f.clients.Called != nil {
		f.clients.Called(service, "forwarded", code)
	}
}

// may says in an error that names the service why a request does not go on.
func (f *Forwarder) may(r *http.Request, p config.Place, service string) error {
	target := f.clients.settings.Place(p.Account, p.Region).Target
	what := "service " + service
	if slices.Contains(f.Served, service) {
		what = "operation " + cmp.Or(wire.Unserved(r), r.Method+" "+r.URL.Path) + " of " + service
	}
	switch {
	case !serviceName.MatchString(service):
		return model.NotImplementedException("The %s is not served here, and no service can be called so.", what)
	case slices.Contains(strings.Split(r.URL.Path, "/"), ".."):
		return model.ValidationException("The path %s leads upward, which is not forwarded.", r.URL.Path)
	case !f.clients.settings.Forwards():
		return model.NotImplementedException("The %s is not served here, and this server does not forward requests.", what)
	case target == "":
		return model.NotImplementedException("The %s is not served here, and the account %s in %s has no target "+
			"to forward the request to.", what, p.Account, p.Region)
	case r.Header.Get(forwarded) != "":
		return model.NotImplementedException("The %s is not served here, and the target of the account %s in %s "+
			"leads back to this server.", what, p.Account, p.Region)
	}
	return nil
}

func (f *Forwarder) request(r *http.Request, p config.Place, service string, body []byte) (*http.Request, error) {
	target := f.clients.settings.Place(p.Account, p.Region).Target
	u, region, err := base(target, service, p)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+r.URL.Path, ""
	if service == "s3" { // whose keys may hold what a path has escaped
		u.RawPath = escapeKey(u.Path)
	}
	u.RawQuery = unsignedQuery(r.URL.Query()).Encode()
	req, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	dropHops(req.Header)
	req.Header.Del("Cookie") // of this server's name, if of any
	req.Header.Set(forwarded, "1")
	req.Header.Del("Accept-Encoding") // the transport asks for and opens gzip itself
	creds, err := f.clients.creds(r.Context(), endpointKey{p, target, false})
	if err != nil {
		return nil, err
	}
	return req, awsclient.Sign(r.Context(), req, body, creds, service, region, f.clients.now())
}

// serviceName is what a service may be called: it becomes a part of a host's name.
var serviceName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// base returns where requests for a service go, and the region to sign for.
func base(target, service string, p config.Place) (*url.URL, string, error) {
	if target == settings.AWS {
		host, region := amazon(service, p)
		return &url.URL{Scheme: "https", Host: host}, region, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, "", errors.New("the target of the account is not a URL")
	}
	return u, p.Region, nil
}

// dropHops removes what belongs to one connection.
func dropHops(h http.Header) {
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect"} {
		h.Del(name)
	}
}

// unsignedQuery drops the signature of a presigned request.
func unsignedQuery(q url.Values) url.Values {
	for _, name := range []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"} {
		q.Del("X-Amz-" + name)
	}
	return q
}

// amazon returns the host of Amazon's own endpoint of a service, and the region to sign for.
func amazon(service string, p config.Place) (host, signing string) {
	region := p.Region
	switch service {
	case "iam", "organizations", "route53", "cloudfront", "support":
		if strings.HasPrefix(region, "cn-") || strings.HasPrefix(region, "us-gov-") {
			break
		}
		return service + ".amazonaws.com", "us-east-1"
	}
	suffix := ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	switch service {
	case "s3control":
		service = p.Account + ".s3-control"
	case "ses":
		service = "email"
	case "iotdata":
		service = "data-ats.iot"
	}
	return service + "." + region + suffix, region
}
