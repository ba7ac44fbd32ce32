package config

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type serviceLinkedRecorders struct{ Options }

func (c serviceLinkedRecorders) register(s *configapi.Service) {
	s.PutServiceLinkedConfigurationRecorder(c.PutServiceLinkedConfigurationRecorder)
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
	p, principal := place(ctx), *in.ServicePrincipal
	name := serviceRecorderName(principal)
	if name == "" {
		return nil, model.ValidationException("The service principal %s is not one that has a service-linked configuration recorder.", principal)
	}
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	rec := config.Recorder{
		Place: p, Name: name, Principal: principal,
		ARN:     arn.New("config", p.Region, p.Account, "configuration-recorder/"+name+"/"+newID(16)).String(),
		RoleARN: arn.New("iam", "", p.Account, "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig").String(),
		Group:   config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll},
		Mode:    config.RecordingMode{Frequency: config.Continuous},
	}
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		if _, found, err := serviceRecorder(ctx, tx, p, principal); err != nil || found {
			if found {
				return configapi.ConflictException("The service principal %s already has the service-linked configuration recorder %s.", principal, name)
			}
			return err
		}
		if err := store.PutRecorder(ctx, tx, rec); err != nil {
			return err
		}
		if err := store.PutTags(ctx, tx, p, rec.ARN, labels); err != nil {
			return err
		}
		now := c.Now()
		return store.SetRecorderStatus(ctx, tx, rec, config.RecorderStatus{
			Recording: true, LastStatus: config.StatusSuccess, Start: now, Changed: now, Generation: now.UnixMicro(),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("put service-linked recorder: %w", err)
	}
	return &configapi.PutServiceLinkedConfigurationRecorderOutput{Arn: &rec.ARN, Name: &rec.Name}, nil
}

// DeleteServiceLinkedConfigurationRecorder forgets a service's recorder.
func (c serviceLinkedRecorders) DeleteServiceLinkedConfigurationRecorder(
	ctx context.Context, in *configapi.DeleteServiceLinkedConfigurationRecorderInput,
) (*configapi.DeleteServiceLinkedConfigurationRecorderOutput, error) {
	var rec config.Recorder
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		found := false
		var err error
		rec, found, err = serviceRecorder(ctx, tx, place(ctx), text(in.ServicePrincipal))
		if err != nil {
			return err
		}
		if !found {
			return configapi.NoSuchConfigurationRecorderException("Cannot find a service-linked configuration recorder of the service principal '%s'.", text(in.ServicePrincipal))
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
	all, err := store.Recorders(ctx, tx, p)
	if err != nil {
		return config.Recorder{}, false, err
	}
	i := slices.IndexFunc(all, func(r config.Recorder) bool { return r.Principal == principal && principal != "" })
	if i < 0 {
		return config.Recorder{}, false, nil
	}
	return all[i], true, nil
}
