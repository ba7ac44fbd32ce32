package config

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

func invalidGroup() error {
	return configapi.InvalidRecordingGroupException("The recording group provided is not valid")
}

// groupFromShape checks a recording group and brings it into the normal form.
func (c configurationRecorders) groupFromShape(in *configapi.RecordingGroup) (config.RecordingGroup, error) {
	if in == nil {
		return config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll}, nil
	}
	g := config.RecordingGroup{
		AllSupported:  in.AllSupported != nil && *in.AllSupported,
		IncludeGlobal: in.IncludeGlobalResourceTypes != nil && *in.IncludeGlobalResourceTypes,
		Types:         plain(in.ResourceTypes),
	}
	if in.ExclusionByResourceTypes != nil {
		g.Excluded = plain(in.ExclusionByResourceTypes.ResourceTypes)
	}
	if in.RecordingStrategy != nil {
		g.Strategy = string(in.RecordingStrategy.UseOnly)
	}
	if err := c.checkTypes("configurationRecorder.recordingGroup.resourceTypes", g.Types); err != nil {
		return g, err
	}
	if err := c.checkTypes("configurationRecorder.recordingGroup.exclusionByResourceTypes.resourceTypes", g.Excluded); err != nil {
		return g, err
	}
	return normalGroup(g)
}

// normalGroup decides which strategy a group means. The cases follow AWS's
// validation of recordingGroup.
func normalGroup(g config.RecordingGroup) (config.RecordingGroup, error) {
	switch {
	case g.AllSupported:
		if len(g.Types) > 0 || len(g.Excluded) > 0 || g.Strategy != "" && g.Strategy != config.RecordAll {
			return g, invalidGroup()
		}
		g.Strategy = config.RecordAll
	case len(g.Excluded) > 0:
		if len(g.Types) > 0 || g.IncludeGlobal || g.Strategy != config.RecordExclusion {
			return g, invalidGroup()
		}
	case len(g.Types) > 0:
		if g.IncludeGlobal || g.Strategy != "" && g.Strategy != config.RecordInclusion {
			return g, invalidGroup()
		}
		g.Strategy = config.RecordInclusion
	case g.Strategy == config.RecordAll:
		g.AllSupported = true // the strategy alone says it
	default:
		return g, invalidGroup()
	}
	return g, nil
}

func (c configurationRecorders) checkTypes(path string, types []string) error {
	for _, t := range types {
		if !c.KnownType(t) {
			return model.ValidationException("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: "+
				"Member must satisfy constraint: [Member must satisfy enum value set: %v]", types, path, c.KnownTypes)
		}
	}
	return nil
}

// modeFromShape checks a recording mode. Config's own types cannot be daily.
func (c configurationRecorders) modeFromShape(in *configapi.RecordingMode) (config.RecordingMode, error) {
	m := config.RecordingMode{Frequency: config.Continuous}
	if in == nil {
		return m, nil
	}
	m.Put, m.Frequency = true, string(in.RecordingFrequency)
	for _, o := range in.RecordingModeOverrides { // at most one: a constraint of the model
		m.Overrides, m.Override, m.Description = plain(o.ResourceTypes), string(o.RecordingFrequency), text(o.Description)
		if err := c.checkTypes("configurationRecorder.recordingMode.recordingModeOverrides.1.member.resourceTypes", m.Overrides); err != nil {
			return m, err
		}
		for _, own := range []string{config.TypeResourceCompliance, config.TypePackCompliance} {
			if m.Override == config.Daily && slices.Contains(m.Overrides, own) {
				return m, model.ValidationException("The resource type %s cannot be recorded with the frequency DAILY.", own)
			}
		}
	}
	return m, nil
}

func plain[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func typed[T ~string](in []string) []T {
	out := make([]T, len(in))
	for i, s := range in {
		out[i] = T(s)
	}
	return out
}

// recorderShape returns a recorder as DescribeConfigurationRecorders does, with
// all five members of its group.
func recorderShape(rec config.Recorder) configapi.ConfigurationRecorder {
	mode := &configapi.RecordingMode{RecordingFrequency: configapi.RecordingFrequency(rec.Mode.Frequency)}
	if len(rec.Mode.Overrides) > 0 {
		mode.RecordingModeOverrides = []configapi.RecordingModeOverride{{
			Description: optional(rec.Mode.Description), ResourceTypes: typed[configapi.ResourceType](rec.Mode.Overrides),
			RecordingFrequency: configapi.RecordingFrequency(rec.Mode.Override),
		}}
	}
	return configapi.ConfigurationRecorder{
		Arn: &rec.ARN, Name: &rec.Name, RoleARN: &rec.RoleARN, RecordingMode: mode,
		RecordingScope: recordingScope(rec), ServicePrincipal: optional(rec.Principal),
		ConnectorArn: optional(rec.Connector), ScopeConfiguration: thirdPartyShape(rec.ThirdParty),
		RecordingGroup: &configapi.RecordingGroup{
			AllSupported: &rec.Group.AllSupported, IncludeGlobalResourceTypes: &rec.Group.IncludeGlobal,
			ResourceTypes:            typed[configapi.ResourceType](rec.Group.Types),
			ExclusionByResourceTypes: &configapi.ExclusionByResourceTypes{ResourceTypes: typed[configapi.ResourceType](rec.Group.Excluded)},
			RecordingStrategy:        &configapi.RecordingStrategy{UseOnly: configapi.RecordingStrategyType(rec.Group.Strategy)},
		},
	}
}

// AssociateResourceTypes has a recorder record more types.
func (c configurationRecorders) AssociateResourceTypes(
	ctx context.Context, in *configapi.AssociateResourceTypesInput,
) (*configapi.AssociateResourceTypesOutput, error) {
	rec, err := c.changeTypes(ctx, *in.ConfigurationRecorderArn, plain(in.ResourceTypes), true)
	if err != nil {
		return nil, fmt.Errorf("associate resource types: %w", err)
	}
	return &configapi.AssociateResourceTypesOutput{ConfigurationRecorder: new(recorderShape(rec))}, nil
}

// DisassociateResourceTypes has a recorder record fewer types.
func (c configurationRecorders) DisassociateResourceTypes(
	ctx context.Context, in *configapi.DisassociateResourceTypesInput,
) (*configapi.DisassociateResourceTypesOutput, error) {
	rec, err := c.changeTypes(ctx, *in.ConfigurationRecorderArn, plain(in.ResourceTypes), false)
	if err != nil {
		return nil, fmt.Errorf("disassociate resource types: %w", err)
	}
	return &configapi.DisassociateResourceTypesOutput{ConfigurationRecorder: new(recorderShape(rec))}, nil
}

// changeTypes has the recorder of an ARN record types, or record them no more.
// Which list of its group that changes depends on its strategy.
func (c configurationRecorders) changeTypes(ctx context.Context, recorderARN string, types []string, record bool) (rec config.Recorder, err error) {
	if err := c.checkTypes("resourceTypes", types); err != nil {
		return rec, err
	}
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		all, err := store.Recorders(ctx, tx, caller.Place(ctx))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(r config.Recorder) bool { return r.ARN == recorderARN })
		if i < 0 {
			return noSuchRecorder(recorderARN)
		}
		rec = all[i]
		if rec.Principal != "" {
			return configapi.ConflictException("The recorder %s belongs to %s, which does not let its types be changed.", rec.Name, rec.Principal)
		}
		if rec.Group, err = regroup(rec.Group, types, record); err != nil {
			return err
		}
		return c.Recorder.Put(ctx, tx, rec)
	})
	return rec, err
}

func regroup(g config.RecordingGroup, types []string, record bool) (config.RecordingGroup, error) {
	list, add := &g.Types, record
	switch g.Strategy {
	case config.RecordExclusion:
		list, add = &g.Excluded, !record
	case config.RecordAll:
		return g, model.ValidationException("Resource types can be associated only with a recorder that records by inclusion or exclusion of types.")
	}
	out := slices.Clone(*list)
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		has := slices.Contains(out, t)
		switch {
		case add && has, !add && !has:
			return g, model.ValidationException("The resource type %s is already %s with the recorder.", t, map[bool]string{true: "associated", false: "disassociated"}[record])
		case add:
			out = append(out, t)
		default:
			out = slices.DeleteFunc(out, func(x string) bool { return x == t })
		}
	}
	if len(out) == 0 {
		return g, model.ValidationException("A recorder by inclusion or exclusion needs at least one resource type.")
	}
	*list = out
	return g, nil
}
