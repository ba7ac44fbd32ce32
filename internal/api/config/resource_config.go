package config

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

type resourceConfigs struct{ Options }

func (r resourceConfigs) register(s *configapi.Service) {
	s.PutResourceConfig(r.PutResourceConfig)
	s.DeleteResourceConfig(r.DeleteResourceConfig)
}

// maxConfiguration is the largest configuration that can be pushed, in bytes.
const maxConfiguration = 64 * 1024

// PutResourceConfig records what its caller says of a resource that no collector
// reads. It is recorded and evaluated when the call returns. In development mode
// types of AWS are taken too, so that authors of rules can push fixtures.
func (r resourceConfigs) PutResourceConfig(
	ctx context.Context, in *configapi.PutResourceConfigInput,
) (*configapi.PutResourceConfigOutput, error) {
	it, err := r.pushed(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := r.needRunning(ctx); err != nil {
		return nil, err
	}
	if err := r.record(ctx, recorder.Observation{Item: it, Pushed: true}); err != nil {
		return nil, fmt.Errorf("put resource config: %w", err)
	}
	return &configapi.PutResourceConfigOutput{}, nil
}

// record records one resource. If others keep writing it, the caller is asked to
// try again, as SDKs do by themselves.
func (r resourceConfigs) record(ctx context.Context, o recorder.Observation) error {
	err := r.Recorder.Record(ctx, o.Item.Place, []recorder.Observation{o})
	if errors.Is(err, recorder.ErrBusy) {
		return model.ThrottlingException("Rate exceeded: too many callers write the resource %s.", o.Item.ID)
	}
	return err
}

// pushed returns the item that a caller describes. For a type of AWS the
// configuration may be a whole item in the event form, so that a fixture says
// what it needs: supplementary configuration, relationships, a name.
func (r resourceConfigs) pushed(ctx context.Context, in *configapi.PutResourceConfigInput) (config.Item, error) {
	p, resourceType := caller.Place(ctx), *in.ResourceType
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: p, Type: resourceType, ID: *in.ResourceId},
		Name:        text(in.ResourceName), Tags: in.Tags, Supplementary: map[string]any{},
	}
	if err := r.checkPushedType(resourceType); err != nil {
		return it, err
	}
	if len(*in.Configuration) > maxConfiguration {
		return it, model.ValidationException("The configuration has %d bytes. It must have %d or less", len(*in.Configuration), maxConfiguration)
	}
	v, err := config.Decode([]byte(*in.Configuration))
	body, isObject := v.(map[string]any)
	if err != nil || !isObject {
		return it, model.ValidationException("The configuration is not a JSON object")
	}
	it.Configuration = body
	if strings.HasPrefix(resourceType, "AWS::") {
		return r.fixture(it, []byte(*in.Configuration), body)
	}
	return it, nil
}

// fixture takes a whole item where the configuration is one.
func (r resourceConfigs) fixture(it config.Item, textOf []byte, body map[string]any) (config.Item, error) {
	if _, ok := body["configuration"].(map[string]any); !ok {
		return it, nil
	}
	var whole config.Item
	if err := whole.UnmarshalJSON(textOf); err != nil {
		return it, model.ValidationException("The configuration is not a configuration item: %s", err)
	}
	whole.ResourceKey = it.ResourceKey
	if it.Name != "" {
		whole.Name = it.Name
	}
	if len(it.Tags) > 0 {
		whole.Tags = it.Tags
	}
	return whole, nil
}

// pushedType is what CloudFormation registers, and what the reads take.
var pushedType = regexp.MustCompile(`^[a-zA-Z0-9]{2,64}(::[a-zA-Z0-9]{2,64}){2}(::MODULE)?$`)

func (r resourceConfigs) checkPushedType(t string) error {
	if !pushedType.MatchString(t) {
		return model.ValidationException("1 validation error detected: Value '%s' at 'resourceType' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: %s", t, strings.Trim(pushedType.String(), "^$"))
	}
	organization, _, _ := strings.Cut(t, "::")
	switch strings.ToLower(organization) {
	case "amzn", "amazon", "alexa", "custom":
		return model.ValidationException("You cannot use the organization name '%s' with custom resource types.", organization)
	case "aws":
		if !r.Development || t == config.TypeResourceCompliance || t == config.TypePackCompliance || t == config.TypeRecorder {
			return model.ValidationException("You cannot use the organization name '%s' with custom resource types.", organization)
		}
	}
	return nil
}

func (r resourceConfigs) needRunning(ctx context.Context) error {
	return r.DB.Read(ctx, func(tx *db.Tx) error {
		_, status, err := store.Recorder(ctx, tx, caller.Place(ctx))
		if errors.Is(err, store.ErrNotFound) || err == nil && !status.Recording {
			return configapi.NoRunningConfigurationRecorderException("There is no configuration recorder running.")
		}
		return err
	})
}

// DeleteResourceConfig records that a pushed resource is gone.
func (r resourceConfigs) DeleteResourceConfig(
	ctx context.Context, in *configapi.DeleteResourceConfigInput,
) (*configapi.DeleteResourceConfigOutput, error) {
	key := config.ResourceKey{Place: caller.Place(ctx), Type: *in.ResourceType, ID: *in.ResourceId}
	if err := r.checkPushedType(key.Type); err != nil {
		return nil, err
	}
	if err := r.needRunning(ctx); err != nil {
		return nil, err
	}
	err := r.DB.Read(ctx, func(tx *db.Tx) error {
		it, err := store.CurrentItem(ctx, tx, key)
		if errors.Is(err, store.ErrNotFound) || err == nil && it.Status.Gone() {
			return model.ValidationException("The resource %s of type %s does not exist.", key.ID, key.Type)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.record(ctx, recorder.Observation{Item: config.Item{ResourceKey: key}, Gone: true, Pushed: true}); err != nil {
		return nil, fmt.Errorf("delete resource config: %w", err)
	}
	return &configapi.DeleteResourceConfigOutput{}, nil
}
