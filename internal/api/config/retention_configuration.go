package config

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type retentionConfigurations struct{ Options }

func (r retentionConfigurations) register(s *configapi.Service) {
	s.PutRetentionConfiguration(r.PutRetentionConfiguration)
	s.DescribeRetentionConfigurations(r.DescribeRetentionConfigurations)
	s.DeleteRetentionConfiguration(r.DeleteRetentionConfiguration)
}

// PutRetentionConfiguration says how long the place keeps items. There is one
// object, always named default, so putting it again changes it.
func (r retentionConfigurations) PutRetentionConfiguration(
	ctx context.Context, in *configapi.PutRetentionConfigurationInput,
) (*configapi.PutRetentionConfigurationOutput, error) {
	c := config.RetentionConfiguration{Place: caller.Place(ctx), Name: config.RetentionName, Days: int(*in.RetentionPeriodInDays)}
	err := r.DB.Write(ctx, func(tx *db.Tx) error { return store.PutRetention(ctx, tx, c) })
	if err != nil {
		return nil, fmt.Errorf("put retention configuration: %w", err)
	}
	return &configapi.PutRetentionConfigurationOutput{RetentionConfiguration: retentionShape(c)}, nil
}

func retentionShape(c config.RetentionConfiguration) *configapi.RetentionConfiguration {
	return &configapi.RetentionConfiguration{Name: &c.Name, RetentionPeriodInDays: new(int32(c.Days))}
}

// namedRetention returns the place's retention configuration if it has that name,
// any if the name is empty.
func namedRetention(ctx context.Context, tx *db.Tx, name string) (config.RetentionConfiguration, error) {
	c, err := store.Retention(ctx, tx, caller.Place(ctx))
	if name != "" && (errors.Is(err, store.ErrNotFound) || err == nil && c.Name != name) {
		err = configapi.NoSuchRetentionConfigurationException("Cannot find retention configuration with the specified name '%s'.", name)
	}
	return c, err
}

// DescribeRetentionConfigurations returns the place's configuration. Where none
// was put the list is empty: the default is not shown. A place has at most one,
// so no token is ever given, and none is valid.
func (r retentionConfigurations) DescribeRetentionConfigurations(
	ctx context.Context, in *configapi.DescribeRetentionConfigurationsInput,
) (*configapi.DescribeRetentionConfigurationsOutput, error) {
	if text(in.NextToken) != "" {
		return nil, invalidNextToken()
	}
	name := ""
	if len(in.RetentionConfigurationNames) > 0 {
		name = in.RetentionConfigurationNames[0]
	}
	out := &configapi.DescribeRetentionConfigurationsOutput{RetentionConfigurations: []configapi.RetentionConfiguration{}}
	err := r.DB.Read(ctx, func(tx *db.Tx) error {
		c, err := namedRetention(ctx, tx, name)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			out.RetentionConfigurations = append(out.RetentionConfigurations, *retentionShape(c))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe retention configurations: %w", err)
	}
	return out, nil
}

// DeleteRetentionConfiguration has the place keep items for the default time.
func (r retentionConfigurations) DeleteRetentionConfiguration(
	ctx context.Context, in *configapi.DeleteRetentionConfigurationInput,
) (*configapi.DeleteRetentionConfigurationOutput, error) {
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := namedRetention(ctx, tx, *in.RetentionConfigurationName); err != nil {
			return err
		}
		return store.DeleteRetention(ctx, tx, caller.Place(ctx))
	})
	if err != nil {
		return nil, fmt.Errorf("delete retention configuration: %w", err)
	}
	return &configapi.DeleteRetentionConfigurationOutput{}, nil
}
