package config

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type configurationItems struct{ Options }

func (c configurationItems) register(s *configapi.Service) {
	s.GetResourceConfigHistory(c.GetResourceConfigHistory)
	s.BatchGetResourceConfig(c.BatchGetResourceConfig)
}

// GetResourceConfigHistory returns the items of a resource, the newest first
// unless asked otherwise. laterTime is inclusive; one in whole seconds covers its
// second, because boto3 cuts fractions and rules look for the very item that they
// were told of.
func (c configurationItems) GetResourceConfigHistory(
	ctx context.Context, in *configapi.GetResourceConfigHistoryInput,
) (*configapi.GetResourceConfigHistoryOutput, error) {
	if err := checkType("resourceType", string(in.ResourceType)); err != nil {
		return nil, err
	}
	q := store.HistoryQuery{
		Key:  config.ResourceKey{Place: caller.Place(ctx), Type: string(in.ResourceType), ID: *in.ResourceId},
		From: time.UnixMicro(1), To: wholeSecond(in.LaterTime, c.Now().Add(time.Hour)),
		Forward: in.ChronologicalOrder == configapi.ChronologicalOrderForward, Limit: limit(in.Limit, 10),
	}
	if in.EarlierTime != nil {
		q.From = *in.EarlierTime
		if !q.From.Before(q.To) || in.LaterTime != nil && !q.From.Before(*in.LaterTime) {
			return nil, configapi.InvalidTimeRangeException("The earlier time %s is not before the later time %s.", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
		}
	}
	filters := []string{q.Key.String(), spelled(in.LaterTime), spelled(in.EarlierTime), string(in.ChronologicalOrder)}
	position, ok := c.Tokens.Decode("GetResourceConfigHistory", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	q.After, _ = strconv.ParseInt(position, 10, 64) // it is ours; empty is 0
	items, err := c.history(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("get history of %s: %w", q.Key, err)
	}
	out := &configapi.GetResourceConfigHistoryOutput{ConfigurationItems: []configapi.ConfigurationItem{}}
	for i, it := range items {
		if i == q.Limit {
			out.NextToken = new(c.Tokens.Encode("GetResourceConfigHistory", strconv.FormatInt(items[i-1].StateID, 10), filters...))
			break
		}
		shape, err := itemShape(it)
		if err != nil {
			return nil, fmt.Errorf("get history of %s: %w", q.Key, err)
		}
		out.ConfigurationItems = append(out.ConfigurationItems, shape)
	}
	return out, nil
}

// history returns up to one item more than the query's limit.
func (c configurationItems) history(ctx context.Context, q store.HistoryQuery) (items []config.Item, err error) {
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		heads, err := store.Heads(ctx, tx, q.Key.Place, []config.ResourceKey{q.Key})
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			if err := needRecorder(ctx, tx, q.Key.Place); err != nil {
				return err
			}
			return configapi.ResourceNotDiscoveredException("Resource %s of resourceType:%s is unknown or has not been discovered", q.Key.ID, q.Key.Type)
		}
		q.Limit++
		items, err = store.History(ctx, tx, q)
		return err
	})
	return items, err
}

// spelled returns a time as a filter of a paging token.
func spelled(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// wholeSecond returns the end of the second of a time without a fraction.
func wholeSecond(t *time.Time, byDefault time.Time) time.Time {
	switch {
	case t == nil:
		return byDefault
	case t.Nanosecond() == 0:
		return t.Add(time.Second - time.Microsecond)
	default:
		return *t
	}
}

// BatchGetResourceConfig returns the newest items of live resources, without
// tags and relationships. Keys of what is unknown or gone come back unprocessed.
func (c configurationItems) BatchGetResourceConfig(
	ctx context.Context, in *configapi.BatchGetResourceConfigInput,
) (*configapi.BatchGetResourceConfigOutput, error) {
	p := caller.Place(ctx)
	keys := make([]config.ResourceKey, 0, len(in.ResourceKeys))
	for i, k := range in.ResourceKeys {
		if err := checkType(fmt.Sprintf("resourceKeys.%d.member.resourceType", i+1), string(k.ResourceType)); err != nil {
			return nil, err
		}
		keys = append(keys, config.ResourceKey{Place: p, Type: string(k.ResourceType), ID: *k.ResourceId})
	}
	found := map[config.ResourceKey]config.Item{}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		items, err := store.CurrentItems(ctx, tx, p, keys)
		if err == nil && len(items) == 0 {
			err = needRecorder(ctx, tx, p)
		}
		for _, it := range items {
			if !it.Status.Gone() {
				found[it.ResourceKey] = it
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("batch get: %w", err)
	}
	return batchOutput(keys, found)
}

func batchOutput(keys []config.ResourceKey, found map[config.ResourceKey]config.Item) (*configapi.BatchGetResourceConfigOutput, error) {
	out := &configapi.BatchGetResourceConfigOutput{
		BaseConfigurationItems: []configapi.BaseConfigurationItem{}, UnprocessedResourceKeys: []configapi.ResourceKey{},
	}
	for _, k := range keys {
		it, ok := found[k]
		if !ok {
			out.UnprocessedResourceKeys = append(out.UnprocessedResourceKeys,
				configapi.ResourceKey{ResourceType: configapi.ResourceType(k.Type), ResourceId: new(k.ID)})
			continue
		}
		shape, err := baseItemShape(it)
		if err != nil {
			return nil, err
		}
		out.BaseConfigurationItems = append(out.BaseConfigurationItems, shape)
	}
	return out, nil
}

// itemShape returns an item in the API's spelling: the configuration and each
// supplementary value are JSON text.
func itemShape(it config.Item) (configapi.ConfigurationItem, error) {
	body, extra, err := bodies(it)
	if err != nil {
		return configapi.ConfigurationItem{}, err
	}
	out := configapi.ConfigurationItem{
		Version: new(it.ShownVersion()), AccountId: &it.Account, ConfigurationItemCaptureTime: &it.CaptureTime,
		ConfigurationItemStatus: configapi.ConfigurationItemStatus(it.Status), ConfigurationStateId: new(strconv.FormatInt(it.ShownStateID(), 10)),
		ConfigurationItemMD5Hash: &it.MD5, Arn: optional(it.ARN), ResourceType: configapi.ResourceType(it.Type), ResourceId: &it.ID,
		ResourceName: optional(it.Name), AwsRegion: new(it.ShownRegion()), AvailabilityZone: optional(it.AZ),
		ResourceCreationTime: it.CreationTime, Tags: it.Tags, RelatedEvents: []string{}, Relationships: []configapi.Relationship{},
		Configuration: body, SupplementaryConfiguration: extra,
		RecordingFrequency: configapi.RecordingFrequency(it.Frequency), ConfigurationItemDeliveryTime: it.DeliveryTime,
	}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	if len(it.RelatedEvents) > 0 {
		out.RelatedEvents = it.RelatedEvents
	}
	for _, r := range it.Relationships {
		out.Relationships = append(out.Relationships, configapi.Relationship{
			ResourceType: configapi.ResourceType(r.Type), ResourceId: optional(r.ID), ResourceName: optional(r.ResourceName), RelationshipName: optional(r.Name),
		})
	}
	return out, nil
}

// baseItemShape returns the reduced spelling of BatchGet.
func baseItemShape(it config.Item) (configapi.BaseConfigurationItem, error) {
	body, extra, err := bodies(it)
	if err != nil {
		return configapi.BaseConfigurationItem{}, err
	}
	delete(extra, "Tags")
	return configapi.BaseConfigurationItem{
		Version: new(it.ShownVersion()), AccountId: &it.Account, ConfigurationItemCaptureTime: &it.CaptureTime,
		ConfigurationItemStatus: configapi.ConfigurationItemStatus(it.Status), ConfigurationStateId: new(strconv.FormatInt(it.ShownStateID(), 10)),
		Arn: optional(it.ARN), ResourceType: configapi.ResourceType(it.Type), ResourceId: &it.ID, ResourceName: optional(it.Name),
		AwsRegion: new(it.ShownRegion()), AvailabilityZone: optional(it.AZ), ResourceCreationTime: it.CreationTime,
		Configuration: body, SupplementaryConfiguration: extra,
		RecordingFrequency: configapi.RecordingFrequency(it.Frequency), ConfigurationItemDeliveryTime: it.DeliveryTime,
	}, nil
}

func bodies(it config.Item) (configuration *string, supplementary map[string]string, err error) {
	supplementary = make(map[string]string, len(it.Supplementary))
	if it.Configuration != nil {
		b, isText := it.Configuration.(json.RawMessage)
		if !isText {
			if b, err = json.Marshal(it.Configuration); err != nil {
				return nil, nil, fmt.Errorf("encode item: %w", err)
			}
		}
		configuration = new(string(b))
	}
	for k, v := range it.Supplementary {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, nil, fmt.Errorf("encode item: %w", err)
		}
		supplementary[k] = string(b)
	}
	return configuration, supplementary, nil
}
