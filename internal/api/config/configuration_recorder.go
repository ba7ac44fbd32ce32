package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type configurationRecorders struct{ Options }

func (c configurationRecorders) register(s *configapi.Service) {
	s.PutConfigurationRecorder(c.PutConfigurationRecorder)
	s.DeleteConfigurationRecorder(c.DeleteConfigurationRecorder)
	s.DescribeConfigurationRecorders(c.DescribeConfigurationRecorders)
	s.DescribeConfigurationRecorderStatus(c.DescribeConfigurationRecorderStatus)
	s.ListConfigurationRecorders(c.ListConfigurationRecorders)
	s.StartConfigurationRecorder(c.StartConfigurationRecorder)
	s.StopConfigurationRecorder(c.StopConfigurationRecorder)
	s.AssociateResourceTypes(c.AssociateResourceTypes)
	s.DisassociateResourceTypes(c.DisassociateResourceTypes)
}

// reservedPrefix begins the names of service-linked recorders.
const reservedPrefix = "AWSConfigurationRecorderFor"

// PutConfigurationRecorder creates or changes the place's recorder. A place has
// at most one that a customer manages.
func (c configurationRecorders) PutConfigurationRecorder(
	ctx context.Context, in *configapi.PutConfigurationRecorderInput,
) (*configapi.PutConfigurationRecorderOutput, error) {
	rec, err := c.recorderFromShape(caller.Place(ctx), in.ConfigurationRecorder)
	if err != nil {
		return nil, err
	}
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		present, _, err := store.Recorder(ctx, tx, rec.Place)
		switch {
		case errors.Is(err, store.ErrNotFound):
			rec.ARN = arn.New("config", rec.Region, rec.Account, "configuration-recorder/"+rec.Name+"/"+newID(16)).String()
			if err := store.PutTags(ctx, tx, rec.Place, rec.ARN, labels); err != nil {
				return err
			}
		case err != nil:
			return err
		case present.Name != rec.Name:
			return configapi.MaxNumberOfConfigurationRecordersExceededException(
				"Failed to put configuration recorder '%s' because the maximum number of configuration recorders: 1 is reached.", rec.Name)
		default:
			rec.ARN = present.ARN
		}
		return c.Recorder.Put(ctx, tx, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("put recorder %s: %w", rec.Name, err)
	}
	return &configapi.PutConfigurationRecorderOutput{}, nil
}

func (c configurationRecorders) recorderFromShape(p config.Place, in *configapi.ConfigurationRecorder) (config.Recorder, error) {
	rec := config.Recorder{Place: p, Name: "default", RoleARN: text(in.RoleARN)}
	if in.Name != nil {
		rec.Name = *in.Name
	}
	switch {
	case strings.TrimSpace(rec.Name) == "":
		return rec, configapi.InvalidConfigurationRecorderNameException("The configuration recorder name '%s' is not valid, blank string.", rec.Name)
	case strings.HasPrefix(rec.Name, reservedPrefix) && serviceLinkedName(rec.Name):
		return rec, configapi.UnmodifiableEntityException("The configuration recorder '%s' is service-linked and cannot be changed.", rec.Name)
	case strings.HasPrefix(rec.Name, reservedPrefix):
		return rec, configapi.InvalidConfigurationRecorderNameException("The configuration recorder name '%s' is not valid, the prefix %s is reserved.", rec.Name, reservedPrefix)
	}
	if err := checkRole(rec.RoleARN); err != nil {
		return rec, err
	}
	var err error
	if rec.Group, err = c.groupFromShape(in.RecordingGroup); err != nil {
		return rec, err
	}
	rec.Mode, err = c.modeFromShape(in.RecordingMode)
	return rec, err
}

// checkRole checks that a role's ARN is well formed. Whether the role exists is
// known only where the account has IAM.
func checkRole(role string) error {
	a, err := arn.Parse(role)
	if err != nil || a.Service != "iam" || !arn.IsAccount(a.Account) || !strings.HasPrefix(a.Resource, "role/") {
		return configapi.InvalidRoleException("The role ARN '%s' is not valid, it must be of the form arn:aws:iam::123456789012:role/name.", role)
	}
	return nil
}

// DeleteConfigurationRecorder deletes a recorder, running or not. Its history
// stays.
func (c configurationRecorders) DeleteConfigurationRecorder(
	ctx context.Context, in *configapi.DeleteConfigurationRecorderInput,
) (*configapi.DeleteConfigurationRecorderOutput, error) {
	err := c.withRecorder(ctx, *in.ConfigurationRecorderName, func(tx *db.Tx, rec config.Recorder) error {
		return c.Recorder.Delete(ctx, tx, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("delete recorder: %w", err)
	}
	return &configapi.DeleteConfigurationRecorderOutput{}, nil
}

// StartConfigurationRecorder has the recorder take inventory and record what
// changes. It needs a delivery channel.
func (c configurationRecorders) StartConfigurationRecorder(
	ctx context.Context, in *configapi.StartConfigurationRecorderInput,
) (*configapi.StartConfigurationRecorderOutput, error) {
	err := c.withRecorder(ctx, *in.ConfigurationRecorderName, func(tx *db.Tx, rec config.Recorder) error {
		_, _, err := store.DeliveryChannel(ctx, tx, rec.Place)
		if errors.Is(err, store.ErrNotFound) {
			return configapi.NoAvailableDeliveryChannelException("Delivery channel is not available to start configuration recorder.")
		}
		if err != nil {
			return err
		}
		return c.Recorder.Start(ctx, tx, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("start recorder: %w", err)
	}
	return &configapi.StartConfigurationRecorderOutput{}, nil
}

// StopConfigurationRecorder has the recorder record nothing more.
func (c configurationRecorders) StopConfigurationRecorder(
	ctx context.Context, in *configapi.StopConfigurationRecorderInput,
) (*configapi.StopConfigurationRecorderOutput, error) {
	err := c.withRecorder(ctx, *in.ConfigurationRecorderName, func(tx *db.Tx, rec config.Recorder) error {
		return c.Recorder.Stop(ctx, tx, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("stop recorder: %w", err)
	}
	return &configapi.StopConfigurationRecorderOutput{}, nil
}

// withRecorder calls f in a transaction with the customer's recorder of that
// name.
func (c configurationRecorders) withRecorder(ctx context.Context, name string, f func(*db.Tx, config.Recorder) error) error {
	return c.DB.Write(ctx, func(tx *db.Tx) error {
		all, err := store.Recorders(ctx, tx, caller.Place(ctx))
		if err != nil {
			return err
		}
		for _, rec := range all {
			if rec.Name != name {
				continue
			}
			if rec.Principal != "" {
				return configapi.UnmodifiableEntityException("The configuration recorder '%s' is service-linked and cannot be changed.", name)
			}
			return f(tx, rec)
		}
		return noSuchRecorder(name)
	})
}

func noSuchRecorder(name string) error {
	return configapi.NoSuchConfigurationRecorderException("Cannot find configuration recorder with the specified name '%s'.", name)
}

// DescribeConfigurationRecorders returns the customer's recorder, or the one
// that is selected by name, ARN or service principal.
func (c configurationRecorders) DescribeConfigurationRecorders(
	ctx context.Context, in *configapi.DescribeConfigurationRecordersInput,
) (*configapi.DescribeConfigurationRecordersOutput, error) {
	out := &configapi.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []configapi.ConfigurationRecorder{}}
	err := c.selected(ctx, selector{in.ConfigurationRecorderNames, in.Arn, in.ServicePrincipal}, func(_ *db.Tx, rec config.Recorder) error {
		out.ConfigurationRecorders = append(out.ConfigurationRecorders, recorderShape(rec))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe recorders: %w", err)
	}
	return out, nil
}

// DescribeConfigurationRecorderStatus returns the status of the selected recorder.
func (c configurationRecorders) DescribeConfigurationRecorderStatus(
	ctx context.Context, in *configapi.DescribeConfigurationRecorderStatusInput,
) (*configapi.DescribeConfigurationRecorderStatusOutput, error) {
	out := &configapi.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []configapi.ConfigurationRecorderStatus{}}
	err := c.selected(ctx, selector{in.ConfigurationRecorderNames, in.Arn, in.ServicePrincipal}, func(tx *db.Tx, rec config.Recorder) error {
		s, err := store.RecorderStatus(ctx, tx, rec)
		if err != nil {
			return err
		}
		out.ConfigurationRecordersStatus = append(out.ConfigurationRecordersStatus, configapi.ConfigurationRecorderStatus{
			Arn: &rec.ARN, Name: &rec.Name, Recording: &s.Recording, LastStatus: configapi.RecorderStatus(s.LastStatus),
			LastErrorCode: optional(s.ErrorCode), LastErrorMessage: optional(s.ErrorMessage), ServicePrincipal: optional(rec.Principal),
			LastStartTime: model.Moment(s.Start), LastStopTime: model.Moment(s.Stop), LastStatusChangeTime: model.Moment(s.Changed),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe recorder status: %w", err)
	}
	return out, nil
}

// A selector names recorders in one of three ways; none means the customer's.
type selector struct {
	names          []string
	arn, principal *string
}

func (c configurationRecorders) selected(ctx context.Context, sel selector, f func(*db.Tx, config.Recorder) error) error {
	if len(sel.names) > 1 {
		return model.ValidationException("Only one configuration recorder name can be specified in a request.")
	}
	return c.DB.Read(ctx, func(tx *db.Tx) error {
		all, err := store.Recorders(ctx, tx, caller.Place(ctx))
		if err != nil {
			return err
		}
		found := false
		for _, rec := range all {
			if !sel.picks(rec) {
				continue
			}
			found = true
			if err := f(tx, rec); err != nil {
				return err
			}
		}
		if !found && !sel.empty() {
			return noSuchRecorder(sel.String())
		}
		return nil
	})
}

func (s selector) empty() bool { return len(s.names) == 0 && s.arn == nil && s.principal == nil }

// String returns what was asked for.
func (s selector) String() string {
	return strings.Join(slices.DeleteFunc([]string{strings.Join(s.names, ", "), text(s.arn), text(s.principal)},
		func(t string) bool { return t == "" }), ", ")
}

func (s selector) picks(rec config.Recorder) bool {
	switch {
	case len(s.names) > 0:
		return rec.Name == s.names[0]
	case s.arn != nil:
		return rec.ARN == *s.arn
	case s.principal != nil:
		return rec.Principal == *s.principal
	default:
		return rec.Principal == ""
	}
}

// ListConfigurationRecorders lists all recorders, service-linked ones included.
func (c configurationRecorders) ListConfigurationRecorders(
	ctx context.Context, in *configapi.ListConfigurationRecordersInput,
) (*configapi.ListConfigurationRecordersOutput, error) {
	filter := fmt.Sprint(in.Filters)
	after, ok := c.Tokens.Decode("ListConfigurationRecorders", text(in.NextToken), caller.Place(ctx).String(), filter)
	if !ok {
		return nil, model.ValidationException("The nextToken provided is invalid")
	}
	out := &configapi.ListConfigurationRecordersOutput{ConfigurationRecorderSummaries: []configapi.ConfigurationRecorderSummary{}}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		all, err := store.Recorders(ctx, tx, caller.Place(ctx))
		if err != nil {
			return err
		}
		for _, rec := range all {
			if rec.Name <= after || !matches(in.Filters, rec) {
				continue
			}
			if len(out.ConfigurationRecorderSummaries) == limit(in.MaxResults, 20) {
				last := text(out.ConfigurationRecorderSummaries[len(out.ConfigurationRecorderSummaries)-1].Name)
				out.NextToken = new(c.Tokens.Encode("ListConfigurationRecorders", last, caller.Place(ctx).String(), filter))
				return nil
			}
			out.ConfigurationRecorderSummaries = append(out.ConfigurationRecorderSummaries, configapi.ConfigurationRecorderSummary{
				Arn: &rec.ARN, Name: &rec.Name, ServicePrincipal: optional(rec.Principal), RecordingScope: recordingScope(rec),
				Provider: provider(rec),
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list recorders: %w", err)
	}
	return out, nil
}

func matches(filters []configapi.ConfigurationRecorderFilter, rec config.Recorder) bool {
	for _, f := range filters {
		if !slices.Contains(f.FilterValue, string(recordingScope(rec))) {
			return false
		}
	}
	return true
}

// provider names the other provider that a third-party recorder reads.
func provider(rec config.Recorder) configapi.Provider {
	if rec.Connector == "" {
		return ""
	}
	return configapi.ProviderAzure
}

// recordingScope says who pays: services for theirs, customers for their own.
func recordingScope(rec config.Recorder) configapi.RecordingScope {
	if rec.Principal != "" {
		return configapi.RecordingScopeInternal
	}
	return configapi.RecordingScopePaid
}
