package core

import (
	"context"
	"fmt"

	"plumb/internal/aggregation"
	"plumb/internal/config"
)

// outsideOptions are what aggregators need to read accounts whose AWS Config is
// elsewhere, as the settings say.
func (m *Machine) outsideOptions() aggregation.OutsideOptions {
	s := m.options.Settings
	regions := map[string][]string{}
	for _, a := range s.Accounts {
		if a.Endpoints.Config == "" {
			continue
		}
		named := regions[a.Account]
		if a.Region != "" {
			named = append(named, a.Region)
		}
		regions[a.Account] = named // the account counts though no region is named
	}
	return aggregation.OutsideOptions{
		DB: m.DB, Jobs: m.Jobs, Regions: regions, Every: s.Poll,
		Elsewhere: func(p config.Place) bool { return m.Outside.Replaces(p, "config") },
		Call: func(ctx context.Context, p config.Place, operation string, in map[string]any) (map[string]any, error) {
			return m.callOutside(ctx, p, "config", operation, in)
		},
	}
}

// callOutside calls an outside service that the settings name for a place.
func (m *Machine) callOutside(ctx context.Context, p config.Place, service, operation string, in map[string]any) (map[string]any, error) {
	client, err := m.Outside.Service(ctx, p, service)
	if err != nil {
		return nil, err
	}
	if client == nil {
		return nil, fmt.Errorf("the settings do not say where the service %s of %s is", service, p)
	}
	return client.Call(ctx, service, operation, in)
}
