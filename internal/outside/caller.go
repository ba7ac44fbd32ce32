package outside

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/awsclient"
	"plumb/internal/caller"
	"plumb/internal/config"
)

// A Caller calls an operation of any service for a place: of the outside service
// that the settings name, of the place's target, or of the one embedded here.
type Caller struct {
	clients  *Clients
	embedded *Embedded
}

// NewCaller returns a caller that calls as these do.
func NewCaller(c *Clients, e *Embedded) *Caller { return &Caller{c, e} }

// Call makes one call. What the service refuses is an error in the words of AWS's
// own clients.
func (c *Caller) Call(ctx context.Context, p config.Place, service, operation string, in map[string]any) (map[string]any, error) {
	client, err := c.client(ctx, p, service)
	if err != nil {
		return nil, err
	}
	out, err := client.Call(ctx, service, operation, in)
	if e, ok := errors.AsType[*awsclient.Error](err); ok {
		return nil, fmt.Errorf("an error occurred (%s) when calling the %s operation: %w", e.Code, operation, e)
	}
	return out, err
}

// CallAs makes one call as a principal of the place would: an outside service that
// the settings name answers it, or this server, which may have it answered by the
// place's target. What the service refuses is an *awsclient.Error.
func (c *Caller) CallAs(ctx context.Context, p config.Place, who caller.Identity, service, operation string, in map[string]any) (map[string]any, error) {
	client, err := c.clients.Service(ctx, p, service)
	if client == nil && err == nil {
		client = c.embedded.As(p, who)
	}
	if err != nil {
		return nil, err
	}
	return client.Call(ctx, service, operation, in)
}

func (c *Caller) client(ctx context.Context, p config.Place, service string) (*awsclient.Client, error) {
	client, err := c.clients.Service(ctx, p, service)
	if client == nil && err == nil {
		client, err = c.clients.Target(ctx, p)
	}
	if client == nil && err == nil {
		client = c.embedded.Client(p)
	}
	return client, err
}
