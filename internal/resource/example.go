package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"sync"

	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// examplePlace is where the resources of examples are.
var examplePlace = config.Place{Account: "123456789012", Region: "us-east-1"}

// Run discovers the resources of an example from its recorded answers.
func (c *Catalogue) Run(ctx context.Context, typ string, ex Example) ([]config.Item, error) {
	return Collect(c.Discover(ctx, &replay{models: c.models, answers: ex.Answers}, examplePlace, typ))
}

// Replay returns a caller that answers with what an example recorded, and the place of its resources.
func (c *Catalogue) Replay(ex Example) (Caller, config.Place) {
	return &replay{models: c.models, answers: ex.Answers}, examplePlace
}

// Check runs an example and compares the items with those it expects.
func (c *Catalogue) Check(ctx context.Context, typ string, ex Example) error {
	items, err := c.Run(ctx, typ, ex)
	if err != nil {
		return err
	}
	if len(items) != len(ex.Items) {
		return fmt.Errorf("%d items, want %d", len(items), len(ex.Items))
	}
	for i, it := range items {
		got, err := Plain(it)
		if err != nil {
			return err
		}
		b, err := json.Marshal(ex.Items[i])
		if err != nil {
			return fmt.Errorf("expected item %d: %w", i+1, err)
		}
		want, err := config.Decode(b)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(any(got), want) {
			text, _ := json.MarshalIndent(got, "", " ")
			return fmt.Errorf("item %d differs; it is\n%s", i+1, text)
		}
	}
	return nil
}

// Plain is an item as examples have it: the event form, without what the recorder adds and without empty members.
func Plain(it config.Item) (map[string]any, error) {
	b, err := json.Marshal(it)
	if err != nil {
		return nil, fmt.Errorf("item %s: %w", it.Key(), err)
	}
	v, err := config.Decode(b)
	if err != nil {
		return nil, err
	}
	all, _ := v.(map[string]any)
	out := map[string]any{}
	for _, k := range []string{
		"resourceId", "resourceName", "ARN", "awsRegion", "availabilityZone", "resourceCreationTime",
		"tags", "relationships", "configuration", "supplementaryConfiguration",
	} {
		if !empty(all[k]) {
			out[k] = all[k]
		}
	}
	return out, nil
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// A replay answers calls with what was recorded. A call that nobody recorded is an error.
type replay struct {
	models  *awsclient.Models
	answers []Recorded

	mu   sync.Mutex
	used map[int]bool
}

func (r *replay) All(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
	return r.models.Join(service, operation, r.Pages(ctx, service, operation, in))
}

func (r *replay) Pages(
	_ context.Context, service, operation string, in map[string]any,
) iter.Seq2[awsclient.Page, error] {
	return r.models.Pages(service, operation, in, func(in map[string]any) (map[string]any, error) {
		rec, ok := r.next(operation, in)
		if !ok {
			return nil, fmt.Errorf("%s with %v: no recorded answer", operation, in)
		}
		if rec.Error != "" {
			return nil, &awsclient.Error{Code: rec.Error, Status: http.StatusBadRequest}
		}
		return r.models.Decode(service, operation, http.StatusOK, http.Header{}, []byte(rec.Body))
	})
}

// next picks the first fitting answer that was not given yet, or the last fitting one again.
func (r *replay) next(operation string, in map[string]any) (Recorded, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used == nil {
		r.used = map[int]bool{}
	}
	last := -1
	for i, rec := range r.answers {
		if rec.Call != operation || !fits(rec.With, in) {
			continue
		}
		if last = i; !r.used[i] {
			break
		}
	}
	if last < 0 {
		return Recorded{}, false
	}
	r.used[last] = true
	return r.answers[last], true
}

func fits(with map[string]string, in map[string]any) bool {
	for k, v := range with {
		if in[k] != v {
			return false
		}
	}
	return true
}
