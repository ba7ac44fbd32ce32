package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type connectors struct{ Options }

func (c connectors) register(s *configapi.Service) {
	s.PutConnector(c.PutConnector)
	s.GetConnector(c.GetConnector)
	s.ListConnectors(c.ListConnectors)
	s.DeleteConnector(c.DeleteConnector)
}

const (
	maxConnectors  = 50 // of a place
	connectorPage  = 20
	maxIdentifier  = 256
	azureConnector = "azure-" // begins the name that a connector gets
)

// PutConnector makes a connector to a provider. One that is there cannot be
// changed.
func (c connectors) PutConnector(ctx context.Context, in *configapi.PutConnectorInput) (*configapi.PutConnectorOutput, error) {
	azure := in.ConnectorConfiguration.Azure
	if azure == nil {
		return nil, model.ValidationException("The connectorConfiguration must have the configuration of one provider: azure.")
	}
	for member, v := range map[string]string{"tenantIdentifier": text(azure.TenantIdentifier), "clientIdentifier": text(azure.ClientIdentifier)} {
		if strings.TrimSpace(v) == "" || len(v) > maxIdentifier {
			return nil, model.ValidationException("The %s of the azure configuration must have 1 to %d characters.", member, maxIdentifier)
		}
	}
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	made := config.Connector{
		Place: caller.Place(ctx), Name: azureConnector + newID(12), Tenant: *azure.TenantIdentifier, Client: *azure.ClientIdentifier, Created: c.Now(),
	}
	made.ARN = store.ConnectorARN(made.Place, made.Name)
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.LockConnectors(ctx, tx, made.Place); err != nil {
			return err
		}
		all, err := store.Connectors(ctx, tx, made.Place, "", maxConnectors)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.Tenant == made.Tenant && o.Client == made.Client {
				return configapi.ConflictException("The connector %s has that tenant and client already. Connectors cannot be updated.", o.ARN)
			}
		}
		if len(all) == maxConnectors {
			return configapi.MaxNumberOfConnectorsExceededException("The account already has %d connectors in this region.", maxConnectors)
		}
		if err := store.AddConnector(ctx, tx, made); err != nil {
			return err
		}
		return store.PutTags(ctx, tx, made.Place, made.ARN, labels)
	})
	if err != nil {
		return nil, fmt.Errorf("put connector: %w", err)
	}
	return &configapi.PutConnectorOutput{Arn: &made.ARN}, nil
}

// connectorNamed returns a connector or ResourceNotFoundException.
func connectorNamed(ctx context.Context, tx *db.Tx, p config.Place, arn string) (config.Connector, error) {
	c, err := store.Connector(ctx, tx, p, arn)
	if errors.Is(err, store.ErrNotFound) {
		return c, configapi.ResourceNotFoundException("The connector '%s' does not exist.", arn)
	}
	return c, err
}

// GetConnector returns a connector.
func (c connectors) GetConnector(ctx context.Context, in *configapi.GetConnectorInput) (*configapi.GetConnectorOutput, error) {
	var found config.Connector
	err := c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = connectorNamed(ctx, tx, caller.Place(ctx), *in.Arn)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get connector: %w", err)
	}
	return &configapi.GetConnectorOutput{Connector: &configapi.Connector{
		Name: &found.Name, Arn: &found.ARN, CreatedTime: &found.Created,
		ConnectorConfiguration: &configapi.ConnectorConfiguration{
			Azure: &configapi.AzureConnectorConfiguration{TenantIdentifier: &found.Tenant, ClientIdentifier: &found.Client},
		},
	}}, nil
}

// ListConnectors lists the connectors of the place by name.
func (c connectors) ListConnectors(ctx context.Context, in *configapi.ListConnectorsInput) (*configapi.ListConnectorsOutput, error) {
	n := limit(in.MaxResults, connectorPage)
	if n < 1 || n > 100 {
		return nil, model.ValidationException("The maxResults %d is not between 0 and 100.", n)
	}
	filters := []string{caller.Place(ctx).String(), fmt.Sprint(in.Filters)}
	after, ok := c.Tokens.Decode("ListConnectors", text(in.NextToken), filters...)
	if !ok {
		return nil, model.ValidationException("The nextToken provided is invalid")
	}
	out := &configapi.ListConnectorsOutput{ConnectorSummaries: []configapi.ConnectorSummary{}}
	if slices.ContainsFunc(in.Filters, func(f configapi.ConnectorFilter) bool {
		return !slices.Contains(f.FilterValues, string(configapi.ProviderAzure))
	}) {
		return out, nil
	}
	var found []config.Connector
	err := c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Connectors(ctx, tx, caller.Place(ctx), after, n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list connectors: %w", err)
	}
	if len(found) > n {
		found = found[:n]
		out.NextToken = new(c.Tokens.Encode("ListConnectors", found[n-1].Name, filters...))
	}
	for _, f := range found {
		out.ConnectorSummaries = append(out.ConnectorSummaries, configapi.ConnectorSummary{
			Arn: &f.ARN, Name: &f.Name, Provider: configapi.ProviderAzure, TenantIdentifier: &f.Tenant, CreatedTime: &f.Created,
		})
	}
	return out, nil
}

// DeleteConnector forgets a connector that no recorder uses.
func (c connectors) DeleteConnector(ctx context.Context, in *configapi.DeleteConnectorInput) (*configapi.DeleteConnectorOutput, error) {
	p := caller.Place(ctx)
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.LockConnectors(ctx, tx, p); err != nil {
			return err
		}
		found, err := connectorNamed(ctx, tx, p, *in.Arn)
		if err != nil {
			return err
		}
		all, err := store.Recorders(ctx, tx, p)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(r config.Recorder) bool { return r.Connector == *in.Arn }); i >= 0 {
			return configapi.ConflictException("The connector '%s' is used by the configuration recorder %s.", *in.Arn, all[i].Name)
		}
		if err := store.DeleteTags(ctx, tx, p, *in.Arn, nil); err != nil {
			return err
		}
		return store.DeleteConnector(ctx, tx, found)
	})
	if err != nil {
		return nil, fmt.Errorf("delete connector: %w", err)
	}
	return &configapi.DeleteConnectorOutput{}, nil
}
