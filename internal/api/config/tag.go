package config

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

type tags struct{ Options }

func (t tags) register(s *configapi.Service) {
	s.TagResource(t.TagResource)
	s.UntagResource(t.UntagResource)
	s.ListTagsForResource(t.ListTagsForResource)
}

// maxTags is how many tags an object may have.
const maxTags = 50

// tagKey is what AWS takes for a key, which its model does not say.
var tagKey = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)

// tagsFromShape checks tags as they are given when something is put.
func tagsFromShape(in []configapi.Tag) (map[string]string, error) {
	out := make(map[string]string, len(in))
	seen := map[string]bool{}
	for i, t := range in {
		if t.Key == nil {
			return nil, model.ValidationException("1 validation error detected: Value null at 'tags.%d.member.key' failed to satisfy constraint: Member must not be null", i+1)
		}
		k := *t.Key
		switch folded := strings.ToLower(k); {
		case !tagKey.MatchString(k):
			return nil, model.ValidationException("1 validation error detected: Value '%s' at 'tags.%d.member.key' failed to satisfy constraint: "+
				"Member must satisfy regular expression pattern: %s", k, i+1, strings.Trim(tagKey.String(), "^$"))
		case strings.HasPrefix(folded, "aws:"):
			return nil, model.ValidationException("The tag key '%s' is not valid, the prefix aws: is reserved.", k)
		case seen[folded]:
			return nil, model.ValidationException("The tag key '%s' is given more than once.", k)
		default:
			seen[folded] = true
		}
		out[k] = text(t.Value)
	}
	return out, nil
}

// TagResource adds tags to a rule, a pack or a recorder, or overwrites their values.
func (t tags) TagResource(ctx context.Context, in *configapi.TagResourceInput) (*configapi.TagResourceOutput, error) {
	added, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	p := caller.Place(ctx)
	err = t.onTagged(ctx, *in.ResourceArn, func(tx *db.Tx) error {
		present, err := store.Tags(ctx, tx, p, *in.ResourceArn)
		if err != nil {
			return err
		}
		for k, v := range added {
			present[k] = v
		}
		if len(present) > maxTags {
			return configapi.TooManyTagsException("The resource '%s' would have %d tags. The limit is %d.", *in.ResourceArn, len(present), maxTags)
		}
		return store.PutTags(ctx, tx, p, *in.ResourceArn, added)
	})
	if err != nil {
		return nil, fmt.Errorf("tag: %w", err)
	}
	return &configapi.TagResourceOutput{}, nil
}

// UntagResource removes tags; keys that are not there are ignored.
func (t tags) UntagResource(ctx context.Context, in *configapi.UntagResourceInput) (*configapi.UntagResourceOutput, error) {
	err := t.onTagged(ctx, *in.ResourceArn, func(tx *db.Tx) error {
		return store.DeleteTags(ctx, tx, caller.Place(ctx), *in.ResourceArn, in.TagKeys)
	})
	if err != nil {
		return nil, fmt.Errorf("untag: %w", err)
	}
	return &configapi.UntagResourceOutput{}, nil
}

// ListTagsForResource lists the tags of a rule or a recorder by their keys.
func (t tags) ListTagsForResource(ctx context.Context, in *configapi.ListTagsForResourceInput) (*configapi.ListTagsForResourceOutput, error) {
	p, resource := caller.Place(ctx), *in.ResourceArn
	n := limit(in.Limit, maxTags)
	if n > maxTags {
		return nil, configapi.InvalidLimitException("Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", n, maxTags)
	}
	after, ok := t.Tokens.Decode("ListTagsForResource", text(in.NextToken), p.String(), resource)
	if !ok {
		return nil, invalidNextToken()
	}
	var all map[string]string
	err := t.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if err := t.exists(ctx, tx, p, resource); err != nil {
			return err
		}
		all, err = store.Tags(ctx, tx, p, resource)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return t.tagPage(all, after, n, func(last string) string {
		return t.Tokens.Encode("ListTagsForResource", last, p.String(), resource)
	}), nil
}

func (t tags) tagPage(all map[string]string, after string, n int, token func(last string) string) *configapi.ListTagsForResourceOutput {
	keys := make([]string, 0, len(all))
	for k := range all {
		if k > after {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	out := &configapi.ListTagsForResourceOutput{Tags: []configapi.Tag{}}
	for _, k := range keys {
		if len(out.Tags) == n {
			out.NextToken = new(token(text(out.Tags[n-1].Key)))
			break
		}
		out.Tags = append(out.Tags, configapi.Tag{Key: &k, Value: new(all[k])})
	}
	return out
}

// onTagged calls f in a transaction in which the object exists.
func (t tags) onTagged(ctx context.Context, resource string, f func(*db.Tx) error) error {
	return t.DB.Write(ctx, func(tx *db.Tx) error {
		if err := t.exists(ctx, tx, caller.Place(ctx), resource); err != nil {
			return err
		}
		return f(tx)
	})
}

// exists returns ResourceNotFoundException unless something that can have tags
// has that ARN.
func (t tags) exists(ctx context.Context, tx *db.Tx, p config.Place, resource string) error {
	recorders, err := store.Recorders(ctx, tx, p)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(recorders, func(r config.Recorder) bool { return r.ARN == resource }) {
		return nil
	}
	if _, err := store.Connector(ctx, tx, p, resource); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if pack, err := store.ConformancePackByID(ctx, tx, path.Base(resource)); !errors.Is(err, store.ErrNotFound) {
		if err != nil || pack.ARN == resource && pack.Place == p {
			return err
		}
	}
	if name := storedQueryOf(resource); name != "" {
		q, err := store.StoredQuery(ctx, tx, p, name)
		if err == nil && q.ARN == resource {
			return nil
		}
	}
	if id, found := rule.IDOf(resource); found {
		r, err := store.RuleByID(ctx, tx, id)
		if err == nil && r.ARN == resource && r.Place == p {
			return nil
		}
	}
	for _, has := range []func(context.Context, *db.Tx, config.Place, string) (bool, error){store.IsAggregation, store.IsOrganizationDeployment} {
		if found, err := has(ctx, tx, p, resource); err != nil || found {
			return err
		}
	}
	return configapi.ResourceNotFoundException("ResourceArn '%s' does not exist", resource)
}

func invalidNextToken() error {
	return configapi.InvalidNextTokenException("The nextToken provided is invalid")
}
