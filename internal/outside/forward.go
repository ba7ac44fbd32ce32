package outside

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
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
}

// NewForwarder returns a forwarder that calls as these clients do.
func NewForwarder(log *slog.Logger, o *Clients) *Forwarder {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Forwarder{log, o, &http.Client{Timeout: 5 * time.Minute, CheckRedirect: stay}}
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
		return err
	}
	defer resp.Body.Close()
	header := resp.Header.Clone()
	dropHops(header)
	maps.Copy(w.Header(), header)
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil {
		f.log.Warn("a forwarded answer was cut off", "service", service, "err", err)
	}
	return nil
}

// may says in an error that names the service why a request does not go on.
func (f *Forwarder) may(r *http.Request, p config.Place, service string) error {
	target := f.clients.settings.Place(p.Account, p.Region).Target
	switch {
	case !f.clients.settings.Forwards():
		return model.NotImplementedException("The service %s is not served here, and this server does not forward requests.", service)
	case target == "":
		return model.NotImplementedException("The service %s is not served here, and the account %s in %s has no target "+
			"to forward the request to.", service, p.Account, p.Region)
	case r.Header.Get(forwarded) != "":
		return model.NotImplementedException("The service %s is not served here, and the target of the account %s in %s "+
			"leads back to this server.", service, p.Account, p.Region)
	}
	return nil
}

func (f *Forwarder) request(r *http.Request, p config.Place, service string, body []byte) (*http.Request, error) {
	target := f.clients.settings.Place(p.Account, p.Region).Target
	base, region := target, p.Region
	if base == settings.AWS {
		base, region = amazon(service, p)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + r.URL.Path
	u.RawPath = ""
	u.RawQuery = unsignedQuery(r.URL.Query()).Encode()
	req, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	dropHops(req.Header)
	req.Header.Set(forwarded, "1")
	req.Header.Del("Accept-Encoding") // the transport asks for and opens gzip itself
	creds, err := f.clients.creds(r.Context(), endpointKey{p, target})
	if err != nil {
		return nil, err
	}
	return req, awsclient.Sign(r.Context(), req, body, creds, service, region, f.clients.now())
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

// amazon returns Amazon's own endpoint of a service, and the region to sign for.
func amazon(service string, p config.Place) (endpoint, signing string) {
	region := p.Region
	switch service {
	case "iam", "organizations", "route53", "cloudfront", "support":
		if strings.HasPrefix(region, "cn-") || strings.HasPrefix(region, "us-gov-") {
			break
		}
		return "https://" + service + ".amazonaws.com", "us-east-1"
	}
	suffix := ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	if service == "s3control" {
		service = p.Account + ".s3-control"
	}
	return "https://" + service + "." + region + suffix, region
}
