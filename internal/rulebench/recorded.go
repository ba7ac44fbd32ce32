package rulebench

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/fixture"
)

// Recorded returns up to limit recorded resources of some types, of all if none is
// named.
func (b *Bench) Recorded(ctx context.Context, types []string, limit int) ([]config.ResourceKey, error) {
	if len(types) == 0 {
		out, err := b.client.Call(ctx, "config", "GetDiscoveredResourceCounts", shape{})
		if err != nil {
			return nil, err
		}
		for _, c := range list(out, "resourceCounts") {
			t, _ := c["resourceType"].(string)
			types = append(types, t)
		}
	}
	var keys []config.ResourceKey
	for _, t := range types {
		in := shape{"resourceType": t}
		for len(keys) < limit {
			out, err := b.client.Call(ctx, "config", "ListDiscoveredResources", in)
			if err != nil {
				return nil, err
			}
			for _, r := range list(out, "resourceIdentifiers") {
				id, _ := r["resourceId"].(string)
				keys = append(keys, config.ResourceKey{Place: b.Place, Type: t, ID: id})
			}
			token, _ := out["nextToken"].(string)
			if token == "" {
				break
			}
			in["nextToken"] = token
		}
	}
	return keys[:min(len(keys), limit)], nil
}

// Item returns the newest item of a resource.
func (b *Bench) Item(ctx context.Context, resourceType, id string) (config.Item, error) {
	out, err := b.client.Call(ctx, "config", "GetResourceConfigHistory", shape{"resourceType": resourceType, "resourceId": id, "limit": 1})
	if err != nil {
		return config.Item{}, err
	}
	items := list(out, "configurationItems")
	if len(items) == 0 {
		return config.Item{}, fmt.Errorf("%s %s is not recorded", resourceType, id)
	}
	return fixture.From(items[0], fixture.Defaults{Place: b.Place})
}

// list returns the structures of a list member.
func list(out shape, member string) (all []shape) {
	values, _ := out[member].([]any)
	for _, v := range values {
		if s, ok := v.(shape); ok {
			all = append(all, s)
		}
	}
	return all
}
