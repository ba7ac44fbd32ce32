package resource

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// A Caller reads all pages of a call, or fails. *awsclient.Client is one.
type Caller interface {
	All(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error)
}

// perType bounds the resources of one type that are described at once. The client bounds the account.
const perType = 8

// Discover reads all resources of a type in a place. It is complete or an error; a resource that vanishes while it is
// read is left out, because the service said that it does not exist.
func (c *Catalogue) Discover(
	ctx context.Context, client Caller, place config.Place, typ string,
) ([]config.Item, error) {
	r, err := c.reader(client, place, typ)
	if err != nil {
		return nil, err
	}
	found, err := r.list(ctx, r.form.List, r.base())
	if err != nil {
		return nil, fmt.Errorf("discover %s in %s: %w", typ, place, err)
	}
	items, err := r.items(ctx, found)
	if err != nil {
		return nil, fmt.Errorf("discover %s in %s: %w", typ, place, err)
	}
	return items, nil
}

// Describe reads one resource. It says false when the service says that there is none.
func (c *Catalogue) Describe(
	ctx context.Context, client Caller, key config.ResourceKey,
) (config.Item, bool, error) {
	r, err := c.reader(client, key.Place, key.Type)
	if err != nil {
		return config.Item{}, false, err
	}
	item, found, err := r.one(ctx, key.ID)
	if err != nil {
		return config.Item{}, false, fmt.Errorf("describe %s: %w", key, err)
	}
	return item, found, nil
}

// A reader reads resources of one type in one place.
type reader struct {
	*form
	catalogue *Catalogue
	client    Caller
	place     config.Place
}

func (c *Catalogue) reader(client Caller, place config.Place, typ string) (*reader, error) {
	f := c.forms[typ]
	if f == nil {
		return nil, fmt.Errorf("resources of type %q cannot be read: there is no file for it", typ)
	}
	return &reader{f, c, client, place}, nil
}

// base is the document before there is a resource in it.
func (r *reader) base() map[string]any {
	return map[string]any{"place": map[string]any{
		"account": r.place.Account, "region": r.place.Region, "partition": arn.Partition(r.place.Region),
	}}
}

// list makes the call and returns a document for each resource in its answer.
func (r *reader) list(ctx context.Context, k call, base map[string]any) ([]map[string]any, error) {
	answer, err := r.call(ctx, k, base)
	if err != nil {
		return nil, err
	}
	each := k.Each
	if each == nil {
		each = r.form.List.Each
	}
	v, err := each.eval(beside(answer, base))
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("%q gives %T and not a list", each.text, v)
	}
	docs := make([]map[string]any, 0, len(list))
	for _, e := range list {
		element, ok := e.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%q gives a list of %T and not of resources", each.text, e)
		}
		docs = append(docs, document(base, element, answer))
	}
	return docs, nil
}

// beside returns the answer with what was known before it.
func beside(answer, base map[string]any) map[string]any {
	doc := make(map[string]any, len(answer)+len(base)+2)
	for k, v := range answer {
		doc[k] = v
	}
	for k, v := range base {
		doc[k] = v
	}
	return doc
}

// document lays what is known of a resource side by side: its members, the place, and whole the element of the list and
// the answer that had it, for those parts of a form that mean them.
func document(base, element, answer map[string]any) map[string]any {
	doc := beside(element, base)
	doc["answer"], doc["element"] = answer, element
	return doc
}

// items describes every resource that was listed, several at once, in the order of the list. A resource that two pages
// both had is there once.
func (r *reader) items(ctx context.Context, docs []map[string]any) ([]config.Item, error) {
	all := make([]*config.Item, len(docs))
	err := bounded(ctx, perType, len(docs), func(ctx context.Context, i int) error {
		item, err := r.item(ctx, docs[i])
		all[i] = item
		return err
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	items := make([]config.Item, 0, len(all))
	for _, it := range all {
		if it != nil && !seen[it.ID] {
			seen[it.ID] = true
			items = append(items, *it)
		}
	}
	return items, nil
}

// one finds a resource by the call for one, or in the whole list where the service has no such call.
func (r *reader) one(ctx context.Context, id string) (config.Item, bool, error) {
	k, base := r.form.List, r.base()
	if r.form.One != nil {
		k = *r.form.One
		base["id"] = id
	}
	docs, err := r.list(ctx, k, base)
	if err != nil {
		if slices.Contains(k.Gone, awsclient.Code(err)) {
			err = nil
		}
		return config.Item{}, false, err
	}
	for _, doc := range docs {
		if item, err := r.itemOf(ctx, doc, id); err != nil || item != nil {
			return orNone(item), item != nil, err
		}
	}
	return config.Item{}, false, nil
}

// itemOf is the item of the resource if it has the id. Most types show it in the list, which spares the calls for others.
func (r *reader) itemOf(ctx context.Context, doc map[string]any, id string) (*config.Item, error) {
	listed, err := r.Identity.ID.text(doc)
	if err != nil || listed != "" && listed != id {
		return nil, err
	}
	item, err := r.item(ctx, doc)
	if err != nil || item == nil || item.ID != id {
		return nil, err
	}
	return item, nil
}

func orNone(item *config.Item) config.Item {
	if item == nil {
		return config.Item{}
	}
	return *item
}

// call fills the input and reads all pages.
func (r *reader) call(ctx context.Context, k call, doc map[string]any) (map[string]any, error) {
	v, err := k.With.fill(doc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Call, err)
	}
	in, _ := v.(map[string]any)
	return r.client.All(ctx, r.Service, k.Call, in)
}
