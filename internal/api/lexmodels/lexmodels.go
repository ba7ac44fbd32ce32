// Package lexmodels is the API by which bots of the embedded Lex V1 are made: it checks
// what a request means, asks package source/lex, and answers in Lex's shapes. It keeps
// nothing.
package lexmodels

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexmodelsapi"
	"plumb/internal/source/lex"
	"plumb/internal/wire"
)

// New returns the service with its operations bound to the bots.
func New(b *lex.Bots, tokens wire.Tokens) *model.Registry {
	service := api.NewService()
	register(service, operations{b, tokens})
	return service.Registry()
}

// register is the table of contents.
func register(s *api.Service, o operations) {
	s.PutBot(o.PutBot)
	s.GetBot(o.GetBot)
	s.GetBots(o.GetBots)
	s.DeleteBot(o.DeleteBot)
	s.CreateBotVersion(o.CreateBotVersion)
	s.GetBotVersions(o.GetBotVersions)
	s.DeleteBotVersion(o.DeleteBotVersion)

	s.PutBotAlias(o.PutBotAlias)
	s.GetBotAlias(o.GetBotAlias)
	s.GetBotAliases(o.GetBotAliases)
	s.DeleteBotAlias(o.DeleteBotAlias)

	s.PutIntent(o.PutIntent)
	s.GetIntent(o.GetIntent)
	s.GetIntents(o.GetIntents)
	s.DeleteIntent(o.DeleteIntent)
	s.CreateIntentVersion(o.CreateIntentVersion)
	s.GetIntentVersions(o.GetIntentVersions)
	s.DeleteIntentVersion(o.DeleteIntentVersion)

	s.PutSlotType(o.PutSlotType)
	s.GetSlotType(o.GetSlotType)
	s.GetSlotTypes(o.GetSlotTypes)
	s.DeleteSlotType(o.DeleteSlotType)
	s.CreateSlotTypeVersion(o.CreateSlotTypeVersion)
	s.GetSlotTypeVersions(o.GetSlotTypeVersions)
	s.DeleteSlotTypeVersion(o.DeleteSlotTypeVersion)
}

type operations struct {
	bots   *lex.Bots
	tokens wire.Tokens
}

func bad(format string, args ...any) error { return api.BadRequestException(format, args...) }

// part names a part of the caller's.
func part(ctx context.Context, kind lex.Kind, name *string) lex.Part {
	return lex.Part{Place: caller.Place(ctx), Kind: kind, Name: model.Deref(name)}
}

// versioned names a part in a version.
func versioned(ctx context.Context, kind lex.Kind, name, version *string) (lex.Part, error) {
	p := part(ctx, kind, name)
	n, ok := lex.ParseVersion(model.Deref(version))
	if !ok {
		return p, api.NotFoundException("There is no version %s of the %s %s.", model.Deref(version), kind, p.Name)
	}
	p.Version = n
	return p, nil
}

// fill answers a part: what was told of it, and the members that every output calls alike.
func fill(out any, p lex.Part) error {
	if err := json.Unmarshal(p.Definition, out); err != nil {
		return err
	}
	v := reflect.ValueOf(out).Elem()
	members := map[string]any{
		"Name": new(p.Name), "Version": new(p.VersionName()), "Checksum": new(p.Checksum()), "CreatedDate": new(p.Created), "LastUpdatedDate": new(p.Changed),
	}
	switch p.Kind {
	case lex.KindAlias:
		members["BotName"] = new(p.Bot)
	case lex.KindBot:
		var in api.PutBotInput
		if err := json.Unmarshal(p.Definition, &in); err != nil {
			return err
		}
		members["Status"] = api.StatusReady
		if in.ProcessBehavior == api.ProcessBehaviorSave {
			members["Status"] = api.StatusNotBuilt
		}
	}
	for name, value := range members {
		if f := v.FieldByName(name); f.IsValid() {
			f.Set(reflect.ValueOf(value))
		}
	}
	return nil
}

// put makes or replaces a part of an input, and publishes it where the input says so. check
// looks at what the input names, in the same transaction.
func (o operations) put(ctx context.Context, p lex.Part, in any, checksum *string, publish bool, check func(tx *db.Tx) error, out any) error {
	definition, err := json.Marshal(in)
	if err != nil {
		return err
	}
	p.Definition = definition
	err = o.bots.Write(ctx, func(tx *db.Tx) (err error) {
		if p, err = o.bots.PutPart(ctx, tx, p, model.Deref(checksum)); err != nil {
			return err
		}
		// What it names stays from now on: whoever deletes a part waits for the same lock.
		if err := check(tx); err != nil || !publish {
			return err
		}
		_, err = o.bots.Publish(ctx, tx, p, "")
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, p)
}

func (o operations) get(ctx context.Context, p lex.Part, out any) error {
	err := o.bots.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = lex.FindPart(ctx, tx, p)
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, p)
}

func (o operations) publish(ctx context.Context, p lex.Part, checksum *string, out any) error {
	err := o.bots.Write(ctx, func(tx *db.Tx) (err error) {
		p, err = o.bots.Publish(ctx, tx, p, model.Deref(checksum))
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, p)
}

func (o operations) delete(ctx context.Context, p lex.Part) error {
	return o.bots.Write(ctx, func(tx *db.Tx) error { return o.bots.DeletePart(ctx, tx, p, true) })
}

func (o operations) deleteVersion(ctx context.Context, kind lex.Kind, name, version *string) error {
	p, err := versioned(ctx, kind, name, version)
	if err != nil {
		return err
	}
	return o.bots.Write(ctx, func(tx *db.Tx) error { return o.bots.DeletePart(ctx, tx, p, false) })
}

// A page is what inputs of lists have in common.
type page struct {
	token    *string
	max      *int32
	contains *string
}

// list lists parts of a kind by name, each filled into T. Filters are looked at page by
// page, so that a page may be empty and have a token.
func list[T any](ctx context.Context, o operations, like lex.Part, p page) ([]T, *string, error) {
	return listBy[T](o, p, string(like.Kind)+" "+like.Bot, func(after string, limit int) (out []lex.Part, err error) {
		err = o.bots.Read(ctx, func(tx *db.Tx) (err error) {
			out, err = lex.ListParts(ctx, tx, like, after, limit)
			return err
		})
		return out, err
	}, func(last lex.Part) string { return last.Name })
}

// listVersions lists the versions of a name.
func listVersions[T any](ctx context.Context, o operations, like lex.Part, p page) ([]T, *string, error) {
	out, next, err := listBy[T](o, p, "versions "+string(like.Kind)+" "+like.Name, func(after string, limit int) (out []lex.Part, err error) {
		from := -1
		if after != "" {
			from, _ = strconv.Atoi(after) // of a token of ours
		}
		err = o.bots.Read(ctx, func(tx *db.Tx) (err error) {
			out, err = lex.ListVersions(ctx, tx, like, from, limit)
			return err
		})
		return out, err
	}, func(last lex.Part) string { return strconv.Itoa(last.Version) })
	if err == nil && len(out) == 0 && p.token == nil {
		return nil, nil, api.NotFoundException("There is no %s %s.", like.Kind, like.Name)
	}
	return out, next, err
}

func listBy[T any](o operations, p page, of string, read func(after string, limit int) ([]lex.Part, error), at func(lex.Part) string) (out []T, next *string, err error) {
	limit := 50
	if p.max != nil {
		limit = int(*p.max)
	}
	after, ok := o.tokens.Decode("lex-models", model.Deref(p.token), of)
	if !ok {
		return nil, nil, bad("The nextToken is not one of this list.")
	}
	all, err := read(after, limit+1)
	if err != nil {
		return nil, nil, err
	}
	if len(all) > limit {
		all = all[:limit]
		next = new(o.tokens.Encode("lex-models", at(all[limit-1]), of))
	}
	out = []T{}
	for _, one := range all {
		if !strings.Contains(strings.ToLower(one.Name), strings.ToLower(model.Deref(p.contains))) {
			continue
		}
		var shape T
		if err := fill(&shape, one); err != nil {
			return nil, nil, err
		}
		out = append(out, shape)
	}
	return out, next, nil
}
