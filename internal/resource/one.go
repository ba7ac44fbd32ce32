package resource

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// Describe reads one resource. It says false when the service answered that there is none: by an error code, by a state such
// as "terminated", or, for types whose file has no call for one resource, by a complete list that lacks it.
func (c *Catalogue) Describe(
	ctx context.Context, client Caller, key config.ResourceKey,
) (config.Item, bool, error) {
	r, err := c.reader(client, key.Place, key.Type)
	if err != nil {
		return config.Item{}, false, err
	}
	item, err := r.one(ctx, config.Item{ResourceKey: key})
	if err != nil || item == nil {
		return config.Item{}, false, err
	}
	return *item, true, nil
}

// Gone asks the service whether a resource is gone that a list no longer has; last is its newest item. An error is no
// answer. A resource whose id another one took over, or that is in another place now, is gone.
func (c *Catalogue) Gone(ctx context.Context, client Caller, last config.Item) (bool, error) {
	r, err := c.reader(client, last.Place, last.Type)
	if err != nil {
		return false, err
	}
	if r.Exists != nil {
		there, err := r.exists(ctx, last)
		return err == nil && !there, err
	}
	item, err := r.one(ctx, last)
	return err == nil && item == nil, err
}

// one finds a resource by the call for one, or in the whole list where the service has no such call. It is nil when the
// resource is gone.
func (r *reader) one(ctx context.Context, last config.Item) (*config.Item, error) {
	k, base := r.form.List, r.base()
	if r.form.One != nil {
		k = *r.form.One
		identify(base, last)
	}
	for page, err := range r.answers(ctx, k, base) {
		if slices.Contains(k.Gone, awsclient.Code(err)) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		item, found, err := r.pick(ctx, k, base, page, last.ID)
		if err != nil || found {
			return item, err
		}
	}
	return nil, r.absent(ctx, k, last)
}

// identify lays what is known of a resource into a document.
func identify(doc map[string]any, last config.Item) {
	doc["id"], doc["name"], doc["arn"] = last.ID, last.Name, last.ARN
}

// pick finds the resource in an answer. It is found without an item when the answer says that it is no more.
func (r *reader) pick(
	ctx context.Context, k call, base map[string]any, answer awsclient.Page, id string,
) (item *config.Item, found bool, err error) {
	if k.Ended != nil {
		if ended, err := k.Ended.holds(beside(answer, base)); err != nil || ended {
			return nil, ended, err
		}
	}
	docs, err := r.listed(k, base, answer)
	if err != nil {
		return nil, false, err
	}
	for _, doc := range docs {
		if item, found, err = r.itemOf(ctx, doc, id); err != nil || found {
			return item, found, err
		}
	}
	return nil, false, nil
}

// itemOf is the item of the resource if it has the id. Most types show it in the list, which spares the calls for others.
func (r *reader) itemOf(ctx context.Context, doc map[string]any, id string) (item *config.Item, found bool, err error) {
	listed, err := r.Identity.ID.text(doc)
	if err != nil || listed != "" && listed != id {
		return nil, false, err
	}
	item, err = r.item(ctx, doc)
	if err != nil || item == nil {
		return nil, listed == id, err
	}
	return item, item.ID == id, nil
}

// absent says what it means that an answer without an error lacks the resource: nothing bad in a list, and nothing that
// can be believed in the answer of a call for one. Then the call that can say it is asked.
func (r *reader) absent(ctx context.Context, k call, last config.Item) error {
	if r.form.One == nil {
		return nil
	}
	if r.Exists == nil {
		return fmt.Errorf("%s: the answer neither has the resource nor says that it is gone", k.Call)
	}
	there, err := r.exists(ctx, last)
	if err == nil && there {
		return fmt.Errorf("%s lacks the resource and %s has it", k.Call, r.Exists.Call)
	}
	return err
}

// exists makes the call that says whether a resource is there.
func (r *reader) exists(ctx context.Context, last config.Item) (bool, error) {
	k, doc := *r.Exists, r.base()
	identify(doc, last)
	answer, err := r.call(ctx, k, maps.Clone(doc))
	if slices.Contains(k.Gone, awsclient.Code(err)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	doc[k.As] = answer
	return k.Keep.orTrue(doc)
}
