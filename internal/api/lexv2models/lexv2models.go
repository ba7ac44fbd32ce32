// Package lexv2models is the API by which bots of the embedded Lex V2 are made: it checks
// what a request means, asks package source/lex, and answers in Lex's shapes. It keeps
// nothing.
package lexv2models

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexv2modelsapi"
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
	s.CreateBot(o.CreateBot)
	s.DescribeBot(o.DescribeBot)
	s.UpdateBot(o.UpdateBot)
	s.ListBots(o.ListBots)
	s.DeleteBot(o.DeleteBot)

	s.CreateBotVersion(o.CreateBotVersion)
	s.DescribeBotVersion(o.DescribeBotVersion)
	s.ListBotVersions(o.ListBotVersions)
	s.DeleteBotVersion(o.DeleteBotVersion)

	s.CreateBotAlias(o.CreateBotAlias)
	s.DescribeBotAlias(o.DescribeBotAlias)
	s.UpdateBotAlias(o.UpdateBotAlias)
	s.ListBotAliases(o.ListBotAliases)
	s.DeleteBotAlias(o.DeleteBotAlias)

	s.CreateBotLocale(o.CreateBotLocale)
	s.BuildBotLocale(o.BuildBotLocale)
	s.DescribeBotLocale(o.DescribeBotLocale)
	s.UpdateBotLocale(o.UpdateBotLocale)
	s.ListBotLocales(o.ListBotLocales)
	s.DeleteBotLocale(o.DeleteBotLocale)

	s.CreateIntent(o.CreateIntent)
	s.DescribeIntent(o.DescribeIntent)
	s.UpdateIntent(o.UpdateIntent)
	s.ListIntents(o.ListIntents)
	s.DeleteIntent(o.DeleteIntent)

	s.CreateSlot(o.CreateSlot)
	s.DescribeSlot(o.DescribeSlot)
	s.UpdateSlot(o.UpdateSlot)
	s.ListSlots(o.ListSlots)
	s.DeleteSlot(o.DeleteSlot)

	s.CreateSlotType(o.CreateSlotType)
	s.DescribeSlotType(o.DescribeSlotType)
	s.UpdateSlotType(o.UpdateSlotType)
	s.ListSlotTypes(o.ListSlotTypes)
	s.DeleteSlotType(o.DeleteSlotType)
}

type operations struct {
	bots   *lex.Bots
	tokens wire.Tokens
}

func invalid(format string, args ...any) error { return api.ValidationException(format, args...) }

// of names a resource of the caller's by the members that every input calls alike.
func of(ctx context.Context, kind lex.Kind, in any) lex.Resource {
	v := reflect.Indirect(reflect.ValueOf(in))
	text := func(member string) string {
		if p, ok := field(v, member).(*string); ok {
			return model.Deref(p)
		}
		return ""
	}
	r := lex.Resource{Place: caller.Place(ctx), Bot: text("BotId"), Kind: kind}
	switch kind {
	case lex.KindBot:
		r.ID, r.Name = r.Bot, text("BotName")
	case lex.KindVersion:
		r.ID = text("BotVersion")
	case lex.KindAlias:
		r.ID, r.Name = text("BotAliasId"), text("BotAliasName")
	case lex.KindLocale:
		r.Version, r.ID = text("BotVersion"), text("LocaleId")
		r.Name = r.ID
	case lex.KindIntent:
		r.Version, r.Locale, r.ID, r.Name = text("BotVersion"), text("LocaleId"), text("IntentId"), text("IntentName")
	case lex.KindSlot:
		r.Version, r.Locale, r.Intent, r.ID, r.Name = text("BotVersion"), text("LocaleId"), text("IntentId"), text("SlotId"), text("SlotName")
	case lex.KindSlotType:
		r.Version, r.Locale, r.ID, r.Name = text("BotVersion"), text("LocaleId"), text("SlotTypeId"), text("SlotTypeName")
	}
	return r
}

func field(v reflect.Value, name string) any {
	if f := v.FieldByName(name); f.IsValid() {
		return f.Interface()
	}
	return nil
}

// fill answers a resource: what was told of it, and the members that every output calls
// alike.
func fill(out any, r lex.Resource) error {
	if err := json.Unmarshal(r.Definition, out); err != nil {
		return err
	}
	own := map[lex.Kind]string{lex.KindBot: "Bot", lex.KindAlias: "BotAlias", lex.KindIntent: "Intent", lex.KindSlot: "Slot", lex.KindSlotType: "SlotType"}[r.Kind]
	members := map[string]string{"BotId": r.Bot, "BotVersion": r.Version, "LocaleId": r.Locale, "IntentId": r.Intent}
	switch r.Kind {
	case lex.KindVersion:
		members["BotVersion"] = r.ID
	case lex.KindLocale:
		members["LocaleId"], members["LocaleName"] = r.ID, localeName(r.ID)
	default:
		members[own+"Id"], members[own+"Name"] = r.ID, r.Name
	}
	v := reflect.ValueOf(out).Elem()
	for name, value := range members {
		if f := v.FieldByName(name); f.IsValid() && f.Type() == reflect.TypeFor[*string]() && value != "" {
			f.Set(reflect.ValueOf(&value))
		}
	}
	for name, at := range map[string]time.Time{"CreationDateTime": r.Created, "LastUpdatedDateTime": r.Changed, "LastBuildSubmittedDateTime": r.Built} {
		if f := v.FieldByName(name); f.IsValid() && !at.IsZero() {
			f.Set(reflect.ValueOf(&at))
		}
	}
	status := map[string]string{"BotStatus": string(api.BotStatusAvailable), "BotAliasStatus": string(api.BotAliasStatusAvailable), "BotLocaleStatus": localeStatus(r)}
	for name, s := range status {
		if f := v.FieldByName(name); f.IsValid() && s != "" {
			f.SetString(s)
		}
	}
	return nil
}

func localeStatus(r lex.Resource) string {
	switch {
	case r.Kind != lex.KindLocale:
		return ""
	case r.Built.IsZero():
		return string(api.BotLocaleStatusNotBuilt)
	}
	return string(api.BotLocaleStatusBuilt)
}

// localeName names the languages that most bots speak; others by their ids.
func localeName(id string) string {
	names := map[string]string{
		"en_US": "English (US)", "en_GB": "English (GB)", "en_AU": "English (AU)", "de_DE": "German (DE)", "fr_FR": "French (FR)", "fr_CA": "French (CA)",
		"es_ES": "Spanish (ES)", "es_US": "Spanish (US)", "it_IT": "Italian (IT)", "ja_JP": "Japanese (JP)", "pt_BR": "Portuguese (BR)",
	}
	if n, ok := names[id]; ok {
		return n
	}
	return id
}

// create makes a resource of an input, and fills the output.
func (o operations) create(ctx context.Context, kind lex.Kind, in, out any) error {
	r, err := told(ctx, kind, in)
	if err != nil {
		return err
	}
	switch kind { // the input names what it is a part of, and no id
	case lex.KindSlot, lex.KindSlotType, lex.KindIntent, lex.KindAlias, lex.KindBot:
		r.ID = ""
	}
	err = o.bots.Write(ctx, func(tx *db.Tx) error {
		r, err = o.bots.Create(ctx, tx, r)
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, r)
}

// told is a resource as an input says it is.
func told(ctx context.Context, kind lex.Kind, in any) (lex.Resource, error) {
	r := of(ctx, kind, in)
	if err := served(in); err != nil {
		return r, err
	}
	definition, err := json.Marshal(in)
	r.Definition = definition
	return r, err
}

func (o operations) describe(ctx context.Context, kind lex.Kind, in, out any) error {
	r := of(ctx, kind, in)
	err := o.bots.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = lex.Find(ctx, tx, r)
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, r)
}

func (o operations) update(ctx context.Context, kind lex.Kind, in, out any) error {
	r, err := told(ctx, kind, in)
	if err != nil {
		return err
	}
	err = o.bots.Write(ctx, func(tx *db.Tx) error {
		r, err = o.bots.Update(ctx, tx, r)
		return err
	})
	if err != nil {
		return err
	}
	return fill(out, r)
}

func (o operations) delete(ctx context.Context, kind lex.Kind, in any) error {
	return o.bots.Write(ctx, func(tx *db.Tx) error { return o.bots.Delete(ctx, tx, of(ctx, kind, in)) })
}

// A listing is what inputs of lists have in common.
type listing struct {
	MaxResults *int32  `json:"maxResults"`
	NextToken  *string `json:"nextToken"`
	SortBy     *struct {
		Order string `json:"order"`
	} `json:"sortBy"`
	Filters []struct {
		Name     string   `json:"name"`
		Values   []string `json:"values"`
		Operator string   `json:"operator"`
	} `json:"filters"`
}

// list lists the resources that an input names, by name, each filled into a summary.
func list[T any](ctx context.Context, o operations, kind lex.Kind, in any) (out []T, next *string, err error) {
	like := of(ctx, kind, in)
	text, err := json.Marshal(in)
	if err != nil {
		return nil, nil, err
	}
	var l listing
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, nil, err
	}
	if l.SortBy != nil && l.SortBy.Order == "Descending" {
		return nil, nil, invalid("Lists are in ascending order here.")
	}
	limit := 1000
	if l.MaxResults != nil {
		limit = int(*l.MaxResults)
	}
	token := []string{string(kind), like.Bot, like.Version, like.Locale, like.Intent}
	after, ok := o.tokens.Decode("lex", model.Deref(l.NextToken), token...)
	if !ok {
		return nil, nil, invalid("The nextToken is not one of this list.")
	}
	var all []lex.Resource
	err = o.bots.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = lex.List(ctx, tx, like, after, limit+1)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if len(all) > limit {
		all = all[:limit]
		next = new(o.tokens.Encode("lex", all[limit-1].Name, token...))
	}
	out = []T{}
	for _, r := range all {
		if takes, err := l.takes(r.Name); err != nil {
			return nil, nil, err
		} else if !takes {
			continue
		}
		var one T
		if err := fill(&one, r); err != nil {
			return nil, nil, err
		}
		out = append(out, one)
	}
	return out, next, nil
}
