package outside

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/settings"
)

// Clients are those of outside services: which endpoint an account's calls go
// to, and as whom. They are kept, and so are credentials: keys are asked for once.
type Clients struct {
	settings settings.Settings
	models   *awsclient.Models
	now      func() time.Time

	// Called is called, if it is set, with each call to a target or an outside
	// service and its code: OK, or the error's.
	Called func(service, operation, code string)

	mu          sync.Mutex
	clients     map[endpointKey]*awsclient.Client
	credentials map[endpointKey]awsclient.Credentials
	dropped     map[endpointKey]time.Time // when credentials that were not taken were last let go
}

// renewal is how often credentials that are not taken are read again.
const renewal = time.Minute

// An endpointKey names an endpoint as a place calls it.
type endpointKey struct {
	config.Place
	endpoint string
	once     bool // its client tries each call once
}

// NewClients returns the clients that the settings name.
func NewClients(s settings.Settings, m *awsclient.Models) *Clients {
	return &Clients{
		settings: s, models: m, now: time.Now,
		clients: map[endpointKey]*awsclient.Client{}, credentials: map[endpointKey]awsclient.Credentials{},
		dropped: map[endpointKey]time.Time{},
	}
}

// Target returns the client that reads a place's resources, or nil where the
// embedded services are what there is.
func (o *Clients) Target(ctx context.Context, p config.Place) (*awsclient.Client, error) {
	return o.client(ctx, endpointKey{p, o.settings.Place(p.Account, p.Region).Target, false})
}

// Service returns the client of an outside service that takes the place of the
// embedded one, or nil.
func (o *Clients) Service(ctx context.Context, p config.Place, name string) (*awsclient.Client, error) {
	return o.client(ctx, endpointKey{p, o.settings.Place(p.Account, p.Region).Endpoints.For(name), false})
}

// Once is Service for callers with retries of their own: a call is tried once.
func (o *Clients) Once(ctx context.Context, p config.Place, name string) (*awsclient.Client, error) {
	return o.client(ctx, endpointKey{p, o.settings.Place(p.Account, p.Region).Endpoints.For(name), true})
}

// Replaces reports whether an outside service takes the place of the embedded one.
func (o *Clients) Replaces(p config.Place, name string) bool {
	return o.settings.Place(p.Account, p.Region).Endpoints.For(name) != ""
}

func (o *Clients) client(ctx context.Context, w endpointKey) (*awsclient.Client, error) {
	p, endpoint := w.Place, w.endpoint
	if endpoint == "" {
		return nil, nil
	}
	creds, err := o.creds(ctx, endpointKey{p, endpoint, false})
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c, ok := o.clients[w]; ok {
		return c, nil
	}
	opts := awsclient.Options{Region: p.Region, Credentials: creds, Models: o.models, Now: o.now, Refused: func() { o.refused(endpointKey{p, endpoint, false}) }, Called: o.Called}
	if w.once {
		opts.Attempts = 1
	}
	if endpoint != settings.AWS {
		opts.Endpoint = endpoint
	}
	c := awsclient.New(opts)
	o.clients[w] = c
	return c, nil
}

// refused lets go of credentials that were not taken, so that the next call reads
// them again: a profile's file may have been renewed.
func (o *Clients) refused(w endpointKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := o.now(); now.Sub(o.dropped[w]) >= renewal {
		o.dropped[w] = now
		delete(o.clients, w)
		delete(o.clients, endpointKey{w.Place, w.endpoint, true})
		delete(o.credentials, w)
	}
}

// creds returns as whom a place's calls to an endpoint are signed.
func (o *Clients) creds(ctx context.Context, w endpointKey) (awsclient.Credentials, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c, ok := o.credentials[w]; ok {
		return c, nil
	}
	c, err := findCredentials(ctx, o.settings.Place(w.Account, w.Region), w.endpoint)
	if err != nil {
		return nil, fmt.Errorf("credentials for %s: %w", w.Place, err)
	}
	o.credentials[w] = c
	return c, nil
}

func findCredentials(ctx context.Context, a settings.Account, endpoint string) (awsclient.Credentials, error) {
	source := awsclient.Source{
		Profile: a.Profile, RoleARN: a.Role, ExternalID: a.ExternalID.Reveal(), SessionName: "plumb", Region: a.Region,
	}
	if endpoint != settings.AWS {
		source.STSEndpoint = endpoint
	}
	switch {
	case a.AccessKeyID != "":
		source.Base = awsclient.Static(a.AccessKeyID, a.SecretAccessKey.Reveal(), a.SessionToken.Reveal())
	case a.Profile == "" && onThisMachine(endpoint):
		// A test double takes any key, and the person's own must not be sent to it. Those that keep accounts apart
		// take the key of twelve digits for the account.
		source.Base = awsclient.Static(a.Account, "plumb", "")
	}
	if source.Base != nil && source.RoleARN == "" {
		return source.Base, nil
	}
	return awsclient.Chain(ctx, source)
}

// onThisMachine reports whether an endpoint is on loopback.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
