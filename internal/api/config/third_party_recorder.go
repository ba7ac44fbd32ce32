package config

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// PutThirdPartyServiceLinkedConfigurationRecorder creates a service's recorder of
// what a connector leads to, or changes the scope of the one that is there.
func (c serviceLinkedRecorders) PutThirdPartyServiceLinkedConfigurationRecorder(
	ctx context.Context, in *configapi.PutThirdPartyServiceLinkedConfigurationRecorderInput,
) (*configapi.PutThirdPartyServiceLinkedConfigurationRecorderOutput, error) {
	p, principal := caller.Place(ctx), *in.ServicePrincipal
	if serviceRecorderName(principal) == "" {
		return nil, noServicePrincipal(principal)
	}
	scope, err := thirdPartyScope(in.ScopeConfiguration)
	if err != nil {
		return nil, err
	}
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	var rec config.Recorder
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.LockConnectors(ctx, tx, p); err != nil {
			return err
		}
		connector, err := connectorNamed(ctx, tx, p, *in.ConnectorArn)
		if err != nil {
			return err
		}
		all, err := store.Recorders(ctx, tx, p)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(r config.Recorder) bool { return r.Principal == principal && r.Connector == *in.ConnectorArn }); i >= 0 {
			rec = all[i]
			rec.ThirdParty = scope
			return store.PutRecorder(ctx, tx, rec)
		}
		name := serviceRecorderName(principal) + "_" + connector.Name
		rec = c.newServiceRecorder(p, name, principal)
		rec.Connector, rec.ThirdParty = *in.ConnectorArn, scope
		rec.RoleARN = arn.New("iam", "", p.Account, "role/aws-service-role/third-party.config.amazonaws.com/AWSServiceRoleForConfigThirdParty").String()
		return c.addServiceRecorder(ctx, tx, rec, labels)
	})
	if err != nil {
		return nil, fmt.Errorf("put third-party recorder: %w", err)
	}
	return &configapi.PutThirdPartyServiceLinkedConfigurationRecorderOutput{Arn: &rec.ARN, Name: &rec.Name}, nil
}

func thirdPartyScope(in *configapi.ScopeConfiguration) (*config.ThirdPartyScope, error) {
	s := &config.ThirdPartyScope{Type: text(in.ScopeType), Values: in.ScopeValues, AllRegions: *in.AllRegions, Regions: in.IncludedRegions}
	switch {
	case s.Type != "tenant" && s.Type != "subscription":
		return nil, model.ValidationException("The scopeType '%s' is not valid. Valid values are tenant and subscription.", s.Type)
	case s.Type == "subscription" && len(s.Values) == 0:
		return nil, model.ValidationException("The scopeValues must name the subscriptions when the scopeType is subscription.")
	case s.AllRegions && len(s.Regions) > 0:
		return nil, model.ValidationException("The includedRegions must be empty when allRegions is true.")
	case !s.AllRegions && len(s.Regions) == 0:
		return nil, model.ValidationException("The includedRegions must name regions when allRegions is false.")
	}
	return s, nil
}

func thirdPartyShape(s *config.ThirdPartyScope) *configapi.ScopeConfiguration {
	if s == nil {
		return nil
	}
	return &configapi.ScopeConfiguration{ScopeType: &s.Type, ScopeValues: s.Values, AllRegions: &s.AllRegions, IncludedRegions: s.Regions}
}
