package resource

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// item makes the calls for one resource and then its item. It is nil when the resource is gone, or is another place's.
func (r *reader) item(ctx context.Context, doc map[string]any) (*config.Item, error) {
	here, err := r.describe(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.listedAs(doc), err)
	}
	if !here {
		return nil, nil
	}
	item, err := r.build(doc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.listedAs(doc), err)
	}
	return item, nil
}

// listedAs names a resource in errors.
func (r *reader) listedAs(doc map[string]any) string {
	if id, err := r.Identity.ID.text(doc); err == nil && id != "" {
		return id
	}
	return "a resource without an id"
}

// describe makes the calls in order and puts their answers into the document. It says false when one of them answered that
// there is no such resource, or that it is elsewhere.
func (r *reader) describe(ctx context.Context, doc map[string]any) (bool, error) {
	for _, k := range r.form.Calls {
		due, err := k.When.orTrue(doc)
		if err != nil {
			return false, err
		}
		if !due {
			continue
		}
		answer, here, err := r.tolerant(ctx, k, doc)
		if err != nil || !here {
			return false, err
		}
		doc[k.As] = answer
		if here, err = k.Keep.orTrue(doc); err != nil || !here {
			return false, err
		}
	}
	return true, nil
}

// tolerant makes a call whose errors may mean something: that a part of the resource is not there, for which the form has
// an answer, or that the whole of it is not.
func (r *reader) tolerant(ctx context.Context, k call, doc map[string]any) (answer any, here bool, err error) {
	got, err := r.call(ctx, k, doc)
	if err == nil {
		return got, true, nil
	}
	code := awsclient.Code(err)
	if instead, ok := k.Missing[code]; ok {
		answer, err = instead.fill(doc)
		return answer, true, err
	}
	if slices.Contains(k.Gone, code) {
		return nil, false, nil
	}
	return nil, false, err
}

func (r *reader) build(doc map[string]any) (*config.Item, error) {
	it := &config.Item{ResourceKey: config.ResourceKey{Place: r.place, Type: r.Type}}
	if r.Global {
		it.AWSRegion = GlobalRegion
	}
	if err := r.identity(it, doc); err != nil {
		return nil, err
	}
	var err error
	if it.Tags, err = r.tags(doc); err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	if it.Configuration, err = r.body(r.form.Configuration, doc); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if it.Supplementary, err = r.supplementary(doc); err != nil {
		return nil, err
	}
	if it.Relationships, err = r.relationships(doc); err != nil {
		return nil, err
	}
	return it, nil
}

func (r *reader) identity(it *config.Item, doc map[string]any) error {
	var created string
	for _, part := range []struct {
		name string
		from template
		to   *string
	}{
		{"id", r.Identity.ID, &it.ID}, {"name", r.Identity.Name, &it.Name}, {"arn", r.Identity.ARN, &it.ARN}, {"az", r.Identity.AZ, &it.AZ},
		{"created", r.Identity.Created, &created},
	} {
		var err error
		if *part.to, err = part.from.text(doc); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if it.ID == "" {
		return fmt.Errorf("the id is empty")
	}
	if created == "" {
		return nil
	}
	t, err := creation(created)
	it.CreationTime = &t
	return err
}

// creation reads the client's times, and the seconds or milliseconds that some services have among their other attributes.
func creation(s string) (time.Time, error) {
	for _, format := range []string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(format, s); err == nil {
			return t, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("created: %q is no time", s)
	}
	if f < 1e11 { // in milliseconds that would be before 1973
		f *= 1000
	}
	return time.UnixMilli(int64(f)).UTC(), nil
}

// tags takes a map, or a list of keys and values in either case.
func (r *reader) tags(doc map[string]any) (map[string]string, error) {
	out := map[string]string{}
	if r.form.Tags == nil {
		return out, nil
	}
	v, err := r.form.Tags.eval(doc)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for k, e := range v {
			out[k] = fmt.Sprint(e)
		}
	case []any:
		for _, e := range v {
			m, _ := e.(map[string]any)
			key, ok := first(m, "Key", "key").(string)
			if !ok {
				return nil, fmt.Errorf("a tag without a key")
			}
			value, _ := first(m, "Value", "value").(string)
			out[key] = value
		}
	default:
		return nil, fmt.Errorf("%T is neither a list nor a map", v)
	}
	return out, nil
}

func first(m map[string]any, keys ...string) any {
	for _, k := range keys {
		if v := m[k]; v != nil {
			return v
		}
	}
	return nil
}
