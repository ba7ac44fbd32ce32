package config

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type discoveredResources struct{ Options }

func (d discoveredResources) register(s *configapi.Service) {
	s.ListDiscoveredResources(d.ListDiscoveredResources)
	s.GetDiscoveredResourceCounts(d.GetDiscoveredResourceCounts)
}

// maxIDs is how many resource ids ListDiscoveredResources takes.
const maxIDs = 20

// ListDiscoveredResources lists resources of one type in the order of their ids,
// deleted ones only when asked for.
func (d discoveredResources) ListDiscoveredResources(
	ctx context.Context, in *configapi.ListDiscoveredResourcesInput,
) (*configapi.ListDiscoveredResourcesOutput, error) {
	if err := d.checkList(in); err != nil {
		return nil, err
	}
	p := caller.Place(ctx)
	q := store.ResourceQuery{
		Place: p, Type: string(in.ResourceType), IDs: in.ResourceIds, Name: text(in.ResourceName),
		IncludeDeleted: in.IncludeDeletedResources != nil && *in.IncludeDeletedResources, Limit: limit(in.Limit, 100) + 1,
	}
	filters := []string{p.String(), q.Type, strings.Join(q.IDs, "\x00"), q.Name, strconv.FormatBool(q.IncludeDeleted)}
	var ok bool
	if q.After, ok = d.Tokens.Decode("ListDiscoveredResources", text(in.NextToken), filters...); !ok {
		return nil, invalidNextToken()
	}
	var found []store.Resource
	err := d.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if found, err = store.Resources(ctx, tx, q); err != nil || len(found) > 0 {
			return err
		}
		return needRecorder(ctx, tx, p)
	})
	if err != nil {
		return nil, fmt.Errorf("list discovered resources: %w", err)
	}
	out := &configapi.ListDiscoveredResourcesOutput{ResourceIdentifiers: []configapi.ResourceIdentifier{}}
	if len(found) == q.Limit {
		found = found[:q.Limit-1]
		out.NextToken = new(d.Tokens.Encode("ListDiscoveredResources", found[len(found)-1].ID, filters...))
	}
	for _, r := range found {
		out.ResourceIdentifiers = append(out.ResourceIdentifiers, configapi.ResourceIdentifier{
			ResourceType: in.ResourceType, ResourceId: &r.ID, ResourceName: optional(r.Name), ResourceDeletionTime: model.Moment(r.Deleted),
		})
	}
	return out, nil
}

func (d discoveredResources) checkList(in *configapi.ListDiscoveredResourcesInput) error {
	switch {
	case len(in.ResourceIds) > 0 && in.ResourceName != nil:
		return model.ValidationException("Both Resource ID and Resource Name cannot be specified in the request")
	case len(in.ResourceIds) > maxIDs:
		return model.ValidationException("The specified list had more than %d resource ID's. It must have '%d' or less items", maxIDs, maxIDs)
	default:
		return checkType("resourceType", string(in.ResourceType))
	}
}

// checkType checks the form of a type. Custom types are taken although the model
// says that types are an enum.
func checkType(path, t string) error {
	parts := strings.Split(t, "::")
	if len(parts) == 3 && parts[0] != "" && parts[1] != "" && parts[2] != "" || t == config.TypeAccount {
		return nil
	}
	return model.ValidationException("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: [a-zA-Z0-9]+::[a-zA-Z0-9]+::[a-zA-Z0-9]+", t, path)
}

// needRecorder returns NoAvailableConfigurationRecorderException where there is none.
// It is asked when nothing was found: what a recorder recorded is read after it was
// deleted too.
func needRecorder(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return configapi.NoAvailableConfigurationRecorderException("There is no configuration recorder available.")
	}
	return err
}

// GetDiscoveredResourceCounts counts the recorded resources by type, the highest
// count first. With a recorder that is off or was never put there are none.
func (d discoveredResources) GetDiscoveredResourceCounts(
	ctx context.Context, in *configapi.GetDiscoveredResourceCountsInput,
) (*configapi.GetDiscoveredResourceCountsOutput, error) {
	p := caller.Place(ctx)
	filters := []string{p.String(), strings.Join(in.ResourceTypes, "\x00")}
	position, ok := d.Tokens.Decode("GetDiscoveredResourceCounts", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	from := 0
	if position != "" {
		from, _ = strconv.Atoi(position) // it is ours
	}
	counts, err := d.counts(ctx, p, in.ResourceTypes)
	if err != nil {
		return nil, fmt.Errorf("count discovered resources: %w", err)
	}
	out := &configapi.GetDiscoveredResourceCountsOutput{ResourceCounts: []configapi.ResourceCount{}, TotalDiscoveredResources: new(int64(0))}
	for i, c := range counts {
		*out.TotalDiscoveredResources += c.N
		switch n := len(out.ResourceCounts); {
		case i < from || n == limit(in.Limit, 100):
		default:
			out.ResourceCounts = append(out.ResourceCounts, configapi.ResourceCount{ResourceType: configapi.ResourceType(c.Type), Count: &c.N})
		}
	}
	if next := from + len(out.ResourceCounts); next < len(counts) {
		out.NextToken = new(d.Tokens.Encode("GetDiscoveredResourceCounts", strconv.Itoa(next), filters...))
	}
	return out, nil
}

func (d discoveredResources) counts(ctx context.Context, p config.Place, types []string) (out []store.Count, err error) {
	err = d.DB.Read(ctx, func(tx *db.Tx) error {
		rec, status, err := store.Recorder(ctx, tx, p)
		if errors.Is(err, store.ErrNotFound) || err == nil && !status.Recording {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := store.Counts(ctx, tx, p, types)
		for _, c := range all {
			if rec.Records(c.Type) {
				out = append(out, c)
			}
		}
		return err
	})
	return out, err
}
