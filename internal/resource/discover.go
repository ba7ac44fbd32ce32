package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/config"
)

// A Caller makes calls and reads all pages of their answers, or fails. *awsclient.Client is one.
type Caller interface {
	Pages(ctx context.Context, service, operation string, in map[string]any) iter.Seq2[awsclient.Page, error]
	All(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error)
}

// Bounds of a reading.
const (
	perType = 8   // resources of one type that are described at once; the client bounds the account
	perPage = 100 // items that are handed on at once
)

// Discover reads all resources of a type in a place and yields them in pages as they are read, so that memory does not
// grow with the account. An error ends it: who got none got all that there is. A resource that vanishes while it is read
// is left out, because the service answered that it does not exist; one that the service lists twice may come twice.
func (c *Catalogue) Discover(
	ctx context.Context, client Caller, place config.Place, typ string,
) iter.Seq2[[]config.Item, error] {
	return func(yield func([]config.Item, error) bool) {
		r, err := c.reader(client, place, typ)
		if err == nil {
			err = r.discover(ctx, func(items []config.Item) bool { return yield(items, nil) })
		}
		if err != nil {
			yield(nil, err) // the caller knows what it asked for
		}
	}
}

// Collect reads all pages of a Discover into one.
func Collect(pages iter.Seq2[[]config.Item, error]) ([]config.Item, error) {
	var all []config.Item
	for items, err := range pages {
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}

// discover hands on pages of items until take wants no more.
func (r *reader) discover(ctx context.Context, take func([]config.Item) bool) error {
	for docs, err := range r.listAll(ctx, r.form.Parents, r.base()) {
		if err != nil {
			return err
		}
		for some := range slices.Chunk(docs, perPage) {
			items, err := r.items(ctx, some)
			if err != nil {
				return err
			}
			if len(items) > 0 && !take(items) {
				return nil
			}
		}
	}
	return nil
}

// A reader reads resources of one type in one place.
type reader struct {
	*form
	catalogue *Catalogue
	client    Caller
	place     config.Place
}

func (c *Catalogue) reader(client Caller, place config.Place, typ string) (*reader, error) {
	if err := c.Verify(typ); err != nil {
		return nil, fmt.Errorf("resources cannot be read: %w", err)
	}
	return &reader{c.form(typ), c, client, place}, nil
}

// base is the document before there is a resource in it.
func (r *reader) base() map[string]any {
	return map[string]any{"place": map[string]any{
		"account": r.place.Account, "region": r.place.Region, "partition": arn.Partition(r.place.Region),
		"domain": arn.Domain(r.place.Region),
	}}
}

// listAll yields the documents of the list, which is read in every parent where the type has such. A parent that vanishes
// meanwhile has nothing in it.
func (r *reader) listAll(ctx context.Context, parents []call, base map[string]any) iter.Seq2[[]map[string]any, error] {
	if len(parents) == 0 {
		return r.list(ctx, r.form.List, base)
	}
	return func(yield func([]map[string]any, error) bool) {
		for outer, err := range r.list(ctx, parents[0], base) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, parent := range outer {
				inner := maps.Clone(base)
				inner[parents[0].As] = parent["element"]
				for docs, err := range r.listAll(ctx, parents[1:], inner) {
					if !yield(docs, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// list makes the call and yields a document for each resource in its answer, page by page.
func (r *reader) list(ctx context.Context, k call, base map[string]any) iter.Seq2[[]map[string]any, error] {
	return func(yield func([]map[string]any, error) bool) {
		for answer, err := range r.answers(ctx, k, base) {
			if slices.Contains(k.Gone, awsclient.Code(err)) || slices.Contains(k.Off, awsclient.Code(err)) {
				return // the parent is no more, or the service is not in use
			}
			var docs []map[string]any
			if err == nil {
				docs, err = r.listed(k, base, answer)
			}
			if !yield(docs, err) || err != nil {
				return
			}
		}
	}
}

// answers yields the pages of a list, or all of them as one where items need the whole.
func (r *reader) answers(ctx context.Context, k call, base map[string]any) iter.Seq2[awsclient.Page, error] {
	if k.Whole {
		return func(yield func(awsclient.Page, error) bool) { yield(r.call(ctx, k, base)) }
	}
	in, err := k.input(base)
	if err != nil {
		return func(yield func(awsclient.Page, error) bool) { yield(nil, err) }
	}
	return func(yield func(awsclient.Page, error) bool) {
		for page, err := range r.client.Pages(ctx, k.service(r.form), k.Call, in) {
			if err == nil {
				err = k.sound(page)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// sound returns an error if the answer is not what the service answers: a proxy's page that happens to parse, or a part.
func (k call) sound(answer awsclient.Page) error {
	var err error
	if ok, fault := k.Expect.orTrue(answer); fault != nil || !ok { // an expression fails where what it speaks of is missing
		err = foreign(*k.Expect)
	}
	for _, member := range k.JSON {
		text, _ := answer[member].(string)
		var object map[string]any
		if notJSON := json.Unmarshal([]byte(text), &object); err == nil && (notJSON != nil || len(object) == 0) {
			err = fmt.Errorf("%s is not a JSON object with anything in it", member)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", k.Call, err)
	}
	return nil
}

// foreign is the error of an answer in which an expression does not find what the service always answers.
func foreign(e expression) error {
	return fmt.Errorf("the answer is not what the service answers, or a part of it: a proxy may have written it or cut it short "+
		"(looked for: %s)", strings.Join(e.members(), ", "))
}

// listed returns a document for each resource in an answer.
func (r *reader) listed(k call, base, answer map[string]any) ([]map[string]any, error) {
	each := k.Each
	if each == nil {
		each = r.form.List.Each
	}
	whole := beside(answer, base)
	whole["answer"] = answer
	v, err := each.eval(whole)
	list, ok := v.([]any)
	if err != nil || !ok && !(v == nil && k.Bare) {
		return nil, fmt.Errorf("%s: %w", k.Call, foreign(*each))
	}
	docs := make([]map[string]any, 0, len(list))
	for _, e := range list {
		element, ok := e.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: %w", k.Call, foreign(*each))
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

// call fills the input and reads all pages.
func (r *reader) call(ctx context.Context, k call, doc map[string]any) (map[string]any, error) {
	in, err := k.input(doc)
	if err != nil {
		return nil, err
	}
	answer, err := r.client.All(ctx, k.service(r.form), k.Call, in)
	if err != nil {
		return nil, err
	}
	return answer, k.sound(answer)
}

// service is the one that answers the call.
func (k call) service(f *form) string {
	if k.Service != "" {
		return k.Service
	}
	return f.Service
}

func (k call) input(doc map[string]any) (map[string]any, error) {
	v, err := k.With.fill(doc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Call, err)
	}
	in, _ := v.(map[string]any)
	return in, nil
}
