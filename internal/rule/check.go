package rule

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/policy"
	"plumb/internal/store"
)

// check checks the meaning of a definition as far as it needs no look at the
// store, with AWS's texts.
func (e *Engine) check(r config.Rule) error {
	refuse := configapi.InvalidParameterValueException
	switch {
	case r.Name == "" && r.ID == "" && r.ARN == "":
		return refuse("One or more identifiers needs to be provided. Provide Name or Id or Arn")
	case r.Name != "" && strings.TrimSpace(r.Name) == "":
		return refuse("The ConfigRule name '%s' is not valid, blank string.", r.Name)
	}
	if err := checkParameters(r); err != nil {
		return err
	}
	if err := checkScope(r.Scope); err != nil {
		return err
	}
	if err := e.checkSource(r); err != nil {
		return err
	}
	return e.checkModes(r)
}

func checkParameters(r config.Rule) error {
	if r.InputParameters == "" {
		return nil
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(r.InputParameters), &v); err != nil {
		return configapi.InvalidParameterValueException("Invalid json %s passed in the InputParameters field", r.InputParameters)
	}
	return nil
}

func checkScope(s *config.Scope) error {
	refuse := configapi.InvalidParameterValueException
	switch {
	case s == nil:
		return nil
	case s.TagKey != nil && (len(s.Types) > 0 || s.ID != nil):
		return refuse("Scope cannot be applied to both resource and tag")
	case s.ID != nil && len(s.Types) != 1:
		return refuse("A single resourceType should be provided when resourceId is provided in scope")
	case s.TagValue != nil && s.TagKey == nil:
		return refuse("Tag key should not be empty when tag value is provided in scope")
	default:
		return nil
	}
}

func (e *Engine) checkSource(r config.Rule) error {
	refuse := configapi.InvalidParameterValueException
	switch r.Source.Owner {
	case config.OwnerAWS:
		if len(r.Source.Details) > 0 {
			return refuse("SourceDetails should be null/empty if the owner is AWS. SourceDetails should be provided if the owner is CUSTOM_LAMBDA")
		}
		return e.checkIdentifier(r)
	case config.OwnerLambda:
		if len(r.Source.Details) == 0 {
			return refuse("SourceDetails should be null/empty if the owner is AWS. SourceDetails should be provided if the owner is CUSTOM_LAMBDA")
		}
		if r.Source.Identifier == "" {
			return refuse("The sourceIdentifier is required when the owner is CUSTOM_LAMBDA: the ARN of the function")
		}
		return checkDetails(r.Source.Details)
	default:
		return e.checkPolicy(r)
	}
}

func checkDetails(details []config.SourceDetail) error {
	for _, d := range details {
		onChange := d.MessageType == config.MessageChange || d.MessageType == config.MessageOversized
		if d.MessageType == "" {
			return configapi.InvalidParameterValueException("The MessageType of each of the SourceDetails should be provided")
		}
		if onChange && d.Frequency != "" {
			return configapi.InvalidParameterValueException("A maximum execution frequency is not allowed if MessageType is " +
				"ConfigurationItemChangeNotification or OversizedConfigurationItemChangeNotification")
		}
	}
	return nil
}

func (e *Engine) checkPolicy(r config.Rule) error {
	refuse := configapi.InvalidParameterValueException
	if r.Source.Policy == nil {
		return refuse("CustomPolicyDetails should be provided if the owner is CUSTOM_POLICY")
	}
	for _, d := range r.Source.Details {
		if d.MessageType != config.MessageChange && d.MessageType != config.MessageOversized {
			return refuse("The MessageType %s is not allowed if the owner is CUSTOM_POLICY", d.MessageType)
		}
	}
	if err := checkDetails(r.Source.Details); err != nil {
		return err
	}
	if _, err := policy.Compile(r); err != nil {
		return refuse("The PolicyText is not valid: %s", err)
	}
	return nil
}

// checkIdentifier checks what a managed rule is asked for against what AWS's
// guide says of it.
func (e *Engine) checkIdentifier(r config.Rule) error {
	err := e.Managed.CheckParameters(r.Source.Identifier, r.InputParameters)
	var refusal managed.Refusal
	if errors.As(err, &refusal) {
		return configapi.InvalidParameterValueException("%s", refusal)
	}
	if err != nil {
		return err
	}
	info, _ := e.Managed.Known(r.Source.Identifier)
	if r.Frequency != "" && !info.Trigger.OnSchedule() {
		return configapi.InvalidParameterValueException("A maximum execution frequency for this rule is not allowed because only a change in resources triggers this managed rule.")
	}
	return nil
}

// checkRecorder checks that a place with a managed rule has a recorder.
func checkRecorder(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if r.Source.Owner != config.OwnerAWS {
		return nil
	}
	_, _, err := store.Recorder(ctx, tx, r.Place)
	if errors.Is(err, store.ErrNotFound) {
		return configapi.NoAvailableConfigurationRecorderException("You must create a configuration recorder before you can create or update a Config rule.")
	}
	return err
}
