package lexv2models

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexv2modelsapi"
	"plumb/internal/source/lex"
)

// takes reports whether the filters of a list take a name.
func (l listing) takes(name string) (bool, error) {
	for _, f := range l.Filters {
		if !strings.HasSuffix(f.Name, "Name") {
			return false, invalid("Lists are filtered by name here, and not by %s.", f.Name)
		}
		fits := slices.ContainsFunc(f.Values, func(v string) bool {
			if f.Operator == "CO" {
				return strings.Contains(name, v)
			}
			return name == v
		})
		if fits == (f.Operator == "NE") {
			return false, nil
		}
	}
	return true, nil
}

// CreateBot makes a bot with its test alias.
func (o operations) CreateBot(ctx context.Context, in *api.CreateBotInput) (*api.CreateBotOutput, error) {
	if in.BotType == api.BotTypeBotNetwork {
		return nil, invalid("Networks of bots are not served here.")
	}
	out := &api.CreateBotOutput{}
	return out, o.create(ctx, lex.KindBot, in, out)
}

// DescribeBot tells of a bot.
func (o operations) DescribeBot(ctx context.Context, in *api.DescribeBotInput) (*api.DescribeBotOutput, error) {
	out := &api.DescribeBotOutput{}
	return out, o.describe(ctx, lex.KindBot, in, out)
}

// UpdateBot changes a bot.
func (o operations) UpdateBot(ctx context.Context, in *api.UpdateBotInput) (*api.UpdateBotOutput, error) {
	out := &api.UpdateBotOutput{}
	return out, o.update(ctx, lex.KindBot, in, out)
}

// ListBots lists bots by name.
func (o operations) ListBots(ctx context.Context, in *api.ListBotsInput) (*api.ListBotsOutput, error) {
	all, next, err := list[api.BotSummary](ctx, o, lex.KindBot, in)
	return &api.ListBotsOutput{BotSummaries: all, NextToken: next}, err
}

// DeleteBot removes a bot with everything that is its.
func (o operations) DeleteBot(ctx context.Context, in *api.DeleteBotInput) (*api.DeleteBotOutput, error) {
	return &api.DeleteBotOutput{BotId: in.BotId, BotStatus: api.BotStatusDeleting}, o.delete(ctx, lex.KindBot, in)
}

// CreateBotVersion makes the next version of a bot.
func (o operations) CreateBotVersion(ctx context.Context, in *api.CreateBotVersionInput) (*api.CreateBotVersionOutput, error) {
	sources := map[string]string{}
	for locale, d := range in.BotVersionLocaleSpecification {
		sources[locale] = model.Deref(d.SourceBotVersion)
	}
	var v lex.Resource
	err := o.bots.Write(ctx, func(tx *db.Tx) error {
		bot, err := lex.Find(ctx, tx, of(ctx, lex.KindBot, in))
		if err != nil {
			return err
		}
		var definition map[string]any
		if err := json.Unmarshal(bot.Definition, &definition); err != nil {
			return err
		}
		definition["botName"], definition["description"] = bot.Name, in.Description
		text, err := json.Marshal(definition)
		if err != nil {
			return err
		}
		v, err = o.bots.CreateVersion(ctx, tx, bot, sources, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateBotVersionOutput{BotId: in.BotId, Description: in.Description, BotVersion: &v.ID, BotVersionLocaleSpecification: in.BotVersionLocaleSpecification,
		BotStatus: api.BotStatusAvailable, CreationDateTime: &v.Created}, nil
}

// DescribeBotVersion tells of a version.
func (o operations) DescribeBotVersion(ctx context.Context, in *api.DescribeBotVersionInput) (*api.DescribeBotVersionOutput, error) {
	out := &api.DescribeBotVersionOutput{}
	return out, o.describe(ctx, lex.KindVersion, in, out)
}

// ListBotVersions lists versions.
func (o operations) ListBotVersions(ctx context.Context, in *api.ListBotVersionsInput) (*api.ListBotVersionsOutput, error) {
	all, next, err := list[api.BotVersionSummary](ctx, o, lex.KindVersion, in)
	return &api.ListBotVersionsOutput{BotId: in.BotId, BotVersionSummaries: all, NextToken: next}, err
}

// DeleteBotVersion removes a version that no alias leads to.
func (o operations) DeleteBotVersion(ctx context.Context, in *api.DeleteBotVersionInput) (*api.DeleteBotVersionOutput, error) {
	return &api.DeleteBotVersionOutput{BotId: in.BotId, BotVersion: in.BotVersion, BotStatus: api.BotStatusDeleting}, o.delete(ctx, lex.KindVersion, in)
}

// CreateBotAlias makes an alias.
func (o operations) CreateBotAlias(ctx context.Context, in *api.CreateBotAliasInput) (*api.CreateBotAliasOutput, error) {
	if err := o.versionIsThere(ctx, in.BotId, in.BotVersion); err != nil {
		return nil, err
	}
	out := &api.CreateBotAliasOutput{}
	return out, o.create(ctx, lex.KindAlias, in, out)
}

func (o operations) versionIsThere(ctx context.Context, bot, version *string) error {
	if version == nil || *version == lex.Draft {
		return nil
	}
	return o.bots.Read(ctx, func(tx *db.Tx) error {
		_, err := lex.Find(ctx, tx, lex.Resource{Place: caller.Place(ctx), Bot: *bot, Kind: lex.KindVersion, ID: *version})
		return err
	})
}

// DescribeBotAlias tells of an alias.
func (o operations) DescribeBotAlias(ctx context.Context, in *api.DescribeBotAliasInput) (*api.DescribeBotAliasOutput, error) {
	out := &api.DescribeBotAliasOutput{}
	return out, o.describe(ctx, lex.KindAlias, in, out)
}

// UpdateBotAlias changes an alias. The test alias stays that of the draft.
func (o operations) UpdateBotAlias(ctx context.Context, in *api.UpdateBotAliasInput) (*api.UpdateBotAliasOutput, error) {
	if *in.BotAliasId == lex.TestAlias {
		if v := model.Deref(in.BotVersion); v != "" && v != lex.Draft {
			return nil, invalid("The test alias is for the version %s.", lex.Draft)
		}
		in.BotVersion = new(lex.Draft)
	}
	if err := o.versionIsThere(ctx, in.BotId, in.BotVersion); err != nil {
		return nil, err
	}
	out := &api.UpdateBotAliasOutput{}
	return out, o.update(ctx, lex.KindAlias, in, out)
}

// ListBotAliases lists aliases by name.
func (o operations) ListBotAliases(ctx context.Context, in *api.ListBotAliasesInput) (*api.ListBotAliasesOutput, error) {
	all, next, err := list[api.BotAliasSummary](ctx, o, lex.KindAlias, in)
	return &api.ListBotAliasesOutput{BotId: in.BotId, BotAliasSummaries: all, NextToken: next}, err
}

// DeleteBotAlias removes an alias with its conversations.
func (o operations) DeleteBotAlias(ctx context.Context, in *api.DeleteBotAliasInput) (*api.DeleteBotAliasOutput, error) {
	if *in.BotAliasId == lex.TestAlias {
		return nil, api.PreconditionFailedException("The test alias cannot be deleted.")
	}
	return &api.DeleteBotAliasOutput{BotId: in.BotId, BotAliasId: in.BotAliasId, BotAliasStatus: api.BotAliasStatusDeleting}, o.delete(ctx, lex.KindAlias, in)
}
