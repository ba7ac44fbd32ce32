package lexmodels

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexmodelsapi"
	"plumb/internal/source/lex"
)

// PutBot makes or replaces a bot. Its intents have to be there.
func (o operations) PutBot(ctx context.Context, in *api.PutBotInput) (*api.PutBotOutput, error) {
	checksum, publish := in.Checksum, model.Deref(in.CreateVersion)
	in.Checksum, in.CreateVersion = nil, nil
	check := func(tx *db.Tx) error {
		for _, i := range in.Intents {
			p, err := versioned(ctx, lex.KindIntent, i.IntentName, i.IntentVersion)
			if err != nil {
				return bad("The intent %s has no version %s.", *i.IntentName, *i.IntentVersion)
			}
			if _, err := lex.FindPart(ctx, tx, p); err != nil {
				return asBad(err)
			}
		}
		return nil
	}
	out := &api.PutBotOutput{}
	err := o.put(ctx, part(ctx, lex.KindBot, in.Name), in, checksum, publish, check, out)
	out.CreateVersion = &publish
	return out, err
}

// asBad makes what is missing the fault of the request that names it.
func asBad(err error) error {
	if e, ok := model.Named(err); ok && model.IsCode(err, "NotFoundException") {
		return bad("%s", e.Message)
	}
	return err
}

// GetBot tells of a bot in a version, or in the one of an alias.
func (o operations) GetBot(ctx context.Context, in *api.GetBotInput) (*api.GetBotOutput, error) {
	version := in.VersionOrAlias
	if _, ok := lex.ParseVersion(*version); !ok {
		var a api.GetBotAliasOutput
		if err := o.get(ctx, alias(ctx, in.Name, version), &a); err != nil {
			return nil, err
		}
		version = a.BotVersion
	}
	p, err := versioned(ctx, lex.KindBot, in.Name, version)
	if err != nil {
		return nil, err
	}
	out := &api.GetBotOutput{}
	return out, o.get(ctx, p, out)
}

// GetBots lists bots by name.
func (o operations) GetBots(ctx context.Context, in *api.GetBotsInput) (*api.GetBotsOutput, error) {
	all, next, err := list[api.BotMetadata](ctx, o, part(ctx, lex.KindBot, nil), page{in.NextToken, in.MaxResults, in.NameContains})
	return &api.GetBotsOutput{Bots: all, NextToken: next}, err
}

// DeleteBot removes a bot that has no aliases, with its versions and conversations.
func (o operations) DeleteBot(ctx context.Context, in *api.DeleteBotInput) (*api.DeleteBotOutput, error) {
	return &api.DeleteBotOutput{}, o.delete(ctx, part(ctx, lex.KindBot, in.Name))
}

// CreateBotVersion keeps a bot as it is.
func (o operations) CreateBotVersion(ctx context.Context, in *api.CreateBotVersionInput) (*api.CreateBotVersionOutput, error) {
	out := &api.CreateBotVersionOutput{}
	return out, o.publish(ctx, part(ctx, lex.KindBot, in.Name), in.Checksum, out)
}

// GetBotVersions lists the versions of a bot.
func (o operations) GetBotVersions(ctx context.Context, in *api.GetBotVersionsInput) (*api.GetBotVersionsOutput, error) {
	all, next, err := listVersions[api.BotMetadata](ctx, o, part(ctx, lex.KindBot, in.Name), page{in.NextToken, in.MaxResults, nil})
	return &api.GetBotVersionsOutput{Bots: all, NextToken: next}, err
}

// DeleteBotVersion removes a version that no alias leads to.
func (o operations) DeleteBotVersion(ctx context.Context, in *api.DeleteBotVersionInput) (*api.DeleteBotVersionOutput, error) {
	return &api.DeleteBotVersionOutput{}, o.deleteVersion(ctx, lex.KindBot, in.Name, in.Version)
}

func alias(ctx context.Context, bot, name *string) lex.Part {
	p := part(ctx, lex.KindAlias, name)
	p.Bot = *bot
	return p
}

// PutBotAlias makes or replaces an alias of a bot's version.
func (o operations) PutBotAlias(ctx context.Context, in *api.PutBotAliasInput) (*api.PutBotAliasOutput, error) {
	checksum := in.Checksum
	in.Checksum = nil
	check := func(tx *db.Tx) error {
		p, err := versioned(ctx, lex.KindBot, in.BotName, in.BotVersion)
		if err == nil {
			_, err = lex.FindPart(ctx, tx, p)
		}
		return asBad(err)
	}
	if in.ConversationLogs != nil {
		return nil, bad("Conversation logs are not served here.")
	}
	out := &api.PutBotAliasOutput{}
	return out, o.put(ctx, alias(ctx, in.BotName, in.Name), in, checksum, false, check, out)
}

// GetBotAlias tells of an alias.
func (o operations) GetBotAlias(ctx context.Context, in *api.GetBotAliasInput) (*api.GetBotAliasOutput, error) {
	out := &api.GetBotAliasOutput{}
	return out, o.get(ctx, alias(ctx, in.BotName, in.Name), out)
}

// GetBotAliases lists the aliases of a bot by name.
func (o operations) GetBotAliases(ctx context.Context, in *api.GetBotAliasesInput) (*api.GetBotAliasesOutput, error) {
	all, next, err := list[api.BotAliasMetadata](ctx, o, alias(ctx, in.BotName, nil), page{in.NextToken, in.MaxResults, in.NameContains})
	return &api.GetBotAliasesOutput{BotAliases: all, NextToken: next}, err
}

// DeleteBotAlias removes an alias with its conversations.
func (o operations) DeleteBotAlias(ctx context.Context, in *api.DeleteBotAliasInput) (*api.DeleteBotAliasOutput, error) {
	return &api.DeleteBotAliasOutput{}, o.delete(ctx, alias(ctx, in.BotName, in.Name))
}
