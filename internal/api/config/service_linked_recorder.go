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

type serviceLinkedRecorders struct{ Options }

func (c serviceLinkedRecorders) register(s *configapi.Service) {
	s.PutServiceLinkedConfigurationRecorder(c.PutServiceLinkedConfigurationRecorder)
	s.PutThirdPartyServiceLinkedConfigurationRecorder(c.PutThirdPartyServiceLinkedConfigurationRecorder)
	s.DeleteServiceLinkedConfigurationRecorder(c.DeleteServiceLinkedConfigurationRecorder)
}

// serviceRecorderName returns the name that a service's recorder has; empty for
// a principal that has none.
func serviceRecorderName(principal string) string {
	switch principal {
	case "observabilityadmin.amazonaws.com":
		return reservedPrefix + "ObservabilityAdmin"
	case "telemetry-enablement.observabilityadmin.amazonaws.com":
		return reservedPrefix + "ObservabilityAdmin_TelemetryEnablement"
	case "securityhubv2.amazonaws.com":
		return reservedPrefix + "SecurityHubAssets"
	case "securityhub.amazonaws.com":
		return reservedPrefix + "SecurityHubCSPM"
	default:
		return ""
	}
}

func serviceLinkedName(name string) bool {
	return slices.ContainsFunc([]string{
		"observabilityadmin.amazonaws.com", "telemetry-enablement.observabilityadmin.amazonaws.com",
		"securityhubv2.amazonaws.com", "securityhub.amazonaws.com",
	}, func(p string) bool { return serviceRecorderName(p) == name })
}

// PutServiceLinkedConfigurationRecorder creates a service's recorder, which is
// recording from then on. Its scope is internal: it cuts no items of its own.
func (c serviceLinkedRecorders) PutServiceLinkedConfigurationRecorder(
	ctx context.Context, in *configapi.PutServiceLinkedConfigurationRecorderInput,
) (*configapi.PutServiceLinkedConfigurationRecorderOutput, error) {
	p, principal := caller.Place(ctx), *in.ServicePrincipal
	name := serviceRecorderName(principal)
	if name == "" {
		return nil, noServicePrincipal(principal)
	}
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	rec := c.newServiceRecorder(p, name, principal)
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		if _, found, err := serviceRecorder(ctx, tx, p, principal); err != nil || found {
			if found {
				return configapi.ConflictException("The service principal %s already has the service-linked configuration recorder %s.", principal, name)
			}
			return err
		}
		return c.addServiceRecorder(ctx, tx, rec, labels)
	})
	if err != nil {
		return nil, fmt.Errorf("put service-linked recorder: %w", err)
	}
	return &configapi.PutServiceLinkedConfigurationRecorderOutput{Arn: &rec.ARN, Name: &rec.Name}, nil
}

func noServicePrincipal(principal string) error {
	return model.ValidationException("The service principal %s is not one that has a service-linked configuration recorder.", principal)
}

func (c serviceLinkedRecorders) newServiceRecorder(p config.Place, name, principal string) config.Recorder {
	return config.Recorder{
		Place: p, Name: name, Principal: principal,
		ARN:     arn.New("config", p.Region, p.Account, "configuration-recorder/"+name+"/"+newID(16)).String(),
		RoleARN: arn.New("iam", "", p.Account, "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig").String(),
		Group:   config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll},
		Mode:    config.RecordingMode{Frequency: config.Continuous},
	}
}

// addServiceRecorder keeps a new recorder, which is recording from then on.
func (c serviceLinkedRecorders) addServiceRecorder(ctx context.Context, tx *db.Tx, rec config.Recorder, labels map[string]string) error {
	if err := store.PutRecorder(ctx, tx, rec); err != nil {
		return err
	}
	if err := store.PutTags(ctx, tx, rec.Place, rec.ARN, labels); err != nil {
		return err
	}
	now := c.Now()
	return store.SetRecorderStatus(ctx, tx, rec, config.RecorderStatus{
		Recording: true, LastStatus: config.StatusSuccess, Start: now, Changed: now, Generation: now.UnixMicro(),
	})
}

// DeleteServiceLinkedConfigurationRecorder forgets a service's recorder, named by
// its ARN or by the principal, of which a third-party one is not found.
func (c serviceLinkedRecorders) DeleteServiceLinkedConfigurationRecorder(
	ctx context.Context, in *configapi.DeleteServiceLinkedConfigurationRecorderInput,
) (*configapi.DeleteServiceLinkedConfigurationRecorderOutput, error) {
	if in.Arn == nil && in.ServicePrincipal == nil || in.Arn != nil && in.ServicePrincipal != nil {
		return nil, model.ValidationException("Either the Arn or the ServicePrincipal of the configuration recorder must be specified.")
	}
	var rec config.Recorder
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		found := false
		var err error
		if in.Arn != nil {
			rec, found, err = recorderByARN(ctx, tx, caller.Place(ctx), *in.Arn)
		} else {
			rec, found, err = serviceRecorder(ctx, tx, caller.Place(ctx), text(in.ServicePrincipal))
		}
		if err != nil {
			return err
		}
		if !found {
			return configapi.NoSuchConfigurationRecorderException("Cannot find a service-linked configuration recorder of '%s'.", text(in.Arn)+text(in.ServicePrincipal))
		}
		if err := store.DeleteTags(ctx, tx, rec.Place, rec.ARN, nil); err != nil {
			return err
		}
		return store.DeleteRecorder(ctx, tx, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("delete service-linked recorder: %w", err)
	}
	return &configapi.DeleteServiceLinkedConfigurationRecorderOutput{Arn: &rec.ARN, Name: &rec.Name}, nil
}

func serviceRecorder(ctx context.Context, tx *db.Tx, p config.Place, principal string) (config.Recorder, bool, error) {
	return recorderThat(ctx, tx, p, func(r config.Recorder) bool { return r.Principal == principal && r.Connector == "" })
}

func recorderByARN(ctx context.Context, tx *db.Tx, p config.Place, arn string) (config.Recorder, bool, error) {
	return recorderThat(ctx, tx, p, func(r config.Recorder) bool { return r.ARN == arn })
}

// recorderThat returns a service's recorder that is wanted.
func recorderThat(ctx context.Context, tx *db.Tx, p config.Place, wanted func(config.Recorder) bool) (config.Recorder, bool, error) {
	all, err := store.Recorders(ctx, tx, p)
	if err != nil {
		return config.Recorder{}, false, err
	}
	i := slices.IndexFunc(all, func(r config.Recorder) bool { return r.Principal != "" && wanted(r) })
	if i < 0 {
		return config.Recorder{}, false, nil
	}
	return all[i], true, nil
}
