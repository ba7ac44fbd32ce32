package lexv2models_test

import (
	"fmt"
	"maps"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

type object = map[string]any

// A fixture calls lexv2-models.
type fixture struct {
	*testing.T
	p *apptest.Plumb
}

func (f fixture) call(operation string, in ...object) object {
	f.Helper()
	out, err := f.try(operation, in...)
	if err != nil {
		f.Fatalf("%s: %v", operation, err)
	}
	return out
}

func (f fixture) try(operation string, in ...object) (object, error) {
	all := object{}
	for _, o := range in {
		maps.Copy(all, o)
	}
	return f.p.Client().Call(f.Context(), "lexv2-models", operation, all)
}

// names are those of a list's members.
func names(list any, key string) (out []string) {
	all, _ := list.([]any)
	for _, o := range all {
		out = append(out, o.(object)[key].(string))
	}
	return out
}

func (f fixture) same(what string, got []string, want ...string) {
	f.Helper()
	if len(got) != len(want) {
		f.Errorf("%s are %v, want %v", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			f.Errorf("%s are %v, want %v", what, got, want)
		}
	}
}

func (f fixture) refused(code, operation string, in ...object) {
	f.Helper()
	if _, err := f.try(operation, in...); awsclient.Code(err) != code {
		f.Errorf("%s: %v, want %s", operation, err, code)
	}
}

func (f fixture) makeBot(name string) object {
	f.Helper()
	return f.call("CreateBot", object{"botName": name, "roleArn": "arn:aws:iam::123456789012:role/bot", "dataPrivacy": object{"childDirected": false},
		"idleSessionTTLInSeconds": 60})
}

func prompt(text string) object {
	return object{"messageGroups": []any{object{"message": object{"plainTextMessage": object{"value": text}}}}, "maxRetries": 1}
}

func TestABotIsMadeOfParts(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := fixture{t, p}
		made := f.makeBot("B")
		bot := object{"botId": made["botId"]}
		f.makeBot("A")
		f.refused("PreconditionFailedException", "CreateBot", object{"botName": "A", "roleArn": "arn:aws:iam::123456789012:role/bot",
			"dataPrivacy": object{"childDirected": false}, "idleSessionTTLInSeconds": 60})
		f.same("bots", names(f.call("ListBots")["botSummaries"], "botName"), "A", "B")
		page := f.call("ListBots", object{"maxResults": 1})
		f.same("the next bots", names(f.call("ListBots", object{"maxResults": 1, "nextToken": page["nextToken"]})["botSummaries"], "botName"), "B")
		f.call("UpdateBot", bot, object{"botName": "C", "roleArn": "arn:aws:iam::123456789012:role/bot", "dataPrivacy": object{"childDirected": true},
			"idleSessionTTLInSeconds": 90})
		if got := f.call("DescribeBot", bot); got["botName"] != "C" || got["botStatus"] != "Available" || fmt.Sprint(got["idleSessionTTLInSeconds"]) != "90" {
			t.Errorf("the bot is %v", got)
		}
		f.same("aliases", names(f.call("ListBotAliases", bot)["botAliasSummaries"], "botAliasId"), "TSTALIASID")

		draft := object{"botId": bot["botId"], "botVersion": "DRAFT"}
		locale := object{"botId": bot["botId"], "botVersion": "DRAFT", "localeId": "en_US"}
		f.call("CreateBotLocale", locale, object{"nluIntentConfidenceThreshold": 0.4})
		f.call("UpdateBotLocale", locale, object{"nluIntentConfidenceThreshold": 0.5, "description": "d"})
		f.same("locales", names(f.call("ListBotLocales", draft)["botLocaleSummaries"], "localeId"), "en_US")
		f.parts(locale)
		f.versions(bot, locale)

		f.call("DeleteBotLocale", locale)
		f.refused("ResourceNotFoundException", "DescribeBotLocale", locale)
		f.call("DeleteBot", bot)
		f.refused("ResourceNotFoundException", "DescribeBot", bot)
		f.refused("ResourceNotFoundException", "DescribeBotAlias", bot, object{"botAliasId": "TSTALIASID"})
	})
}

// parts makes, changes and removes what a locale has.
func (f fixture) parts(locale object) {
	f.Helper()
	kind := f.call("CreateSlotType", locale, object{"slotTypeName": "T", "slotTypeValues": []any{object{"sampleValue": object{"value": "a"}}},
		"valueSelectionSetting": object{"resolutionStrategy": "TopResolution"}})
	typed := object{"slotTypeId": kind["slotTypeId"]}
	f.call("UpdateSlotType", locale, typed, object{"slotTypeName": "U"})
	if got := f.call("DescribeSlotType", locale, typed); got["slotTypeName"] != "U" || got["slotTypeValues"] != nil {
		f.Errorf("the slot type is %v", got)
	}
	f.refused("ValidationException", "CreateSlotType", locale, object{"slotTypeName": "V", "valueSelectionSetting": object{"resolutionStrategy": "OriginalValue",
		"regexFilter": object{"pattern": "("}}})
	f.same("slot types", names(f.call("ListSlotTypes", locale)["slotTypeSummaries"], "slotTypeName"), "U")

	intent := object{"intentId": f.call("CreateIntent", locale, object{"intentName": "I", "sampleUtterances": []any{object{"utterance": "go"}}})["intentId"]}
	f.refused("ValidationException", "CreateIntent", locale, object{"intentName": "K",
		"initialResponseSetting": object{"conditional": object{"active": true, "conditionalBranches": []any{}, "defaultBranch": object{}}}})
	slot := f.call("CreateSlot", locale, intent, object{"slotName": "S", "slotTypeId": "AMAZON.Number",
		"valueElicitationSetting": object{"slotConstraint": "Required", "promptSpecification": prompt("how many?")}})
	one := object{"slotId": slot["slotId"]}
	f.refused("ValidationException", "CreateSlot", locale, intent, object{"slotName": "M", "slotTypeId": "AMAZON.Number", "multipleValuesSetting": object{"allowMultipleValues": true},
		"valueElicitationSetting": object{"slotConstraint": "Optional"}})
	f.call("UpdateSlot", locale, intent, one, object{"slotName": "R", "slotTypeId": "AMAZON.Number", "valueElicitationSetting": object{"slotConstraint": "Optional"}})
	if got := f.call("DescribeSlot", locale, intent, one); got["slotName"] != "R" || got["intentId"] != intent["intentId"] {
		f.Errorf("the slot is %v", got)
	}
	f.same("slots", names(f.call("ListSlots", locale, intent)["slotSummaries"], "slotName"), "R")
	f.call("UpdateIntent", locale, intent, object{"intentName": "J", "slotPriorities": []any{object{"priority": 1, "slotId": slot["slotId"]}}})
	if got := f.call("DescribeIntent", locale, intent); got["intentName"] != "J" || got["sampleUtterances"] != nil || got["slotPriorities"] == nil {
		f.Errorf("the intent is %v", got)
	}
	f.same("intents", names(f.call("ListIntents", locale)["intentSummaries"], "intentName"), "FallbackIntent", "J")
	f.same("intents of a name", names(f.call("ListIntents", locale, object{"filters": []any{object{"name": "IntentName", "values": []any{"J"}, "operator": "EQ"}}})["intentSummaries"],
		"intentName"), "J")
	if got := f.call("DescribeBotLocale", locale); fmt.Sprint(got["intentsCount"], got["slotTypesCount"]) != "2 1" || got["botLocaleStatus"] != "NotBuilt" {
		f.Errorf("the locale is %v", got)
	}
	f.call("DeleteSlot", locale, intent, one)
	f.call("DeleteSlotType", locale, typed)
	f.refused("ResourceNotFoundException", "DescribeSlot", locale, intent, one)
}

// versions makes a version and an alias for it.
func (f fixture) versions(bot, locale object) {
	f.Helper()
	spec := object{"botVersionLocaleSpecification": object{"en_US": object{"sourceBotVersion": "DRAFT"}}}
	f.refused("PreconditionFailedException", "CreateBotVersion", bot, spec)
	f.call("BuildBotLocale", locale)
	version := object{"botVersion": f.call("CreateBotVersion", bot, spec)["botVersion"]}
	if got := f.call("DescribeBotVersion", bot, version); got["botName"] != "C" || got["botVersion"] != "1" {
		f.Errorf("the version is %v", got)
	}
	f.same("versions", names(f.call("ListBotVersions", bot)["botVersionSummaries"], "botVersion"), "1")
	f.same("intents of the version", names(f.call("ListIntents", locale, version)["intentSummaries"], "intentName"), "FallbackIntent", "J")
	f.refused("ResourceNotFoundException", "CreateBotAlias", bot, object{"botAliasName": "live", "botVersion": "9"})
	alias := object{"botAliasId": f.call("CreateBotAlias", bot, version, object{"botAliasName": "live"})["botAliasId"]}
	f.call("UpdateBotAlias", bot, alias, version, object{"botAliasName": "alive"})
	if got := f.call("DescribeBotAlias", bot, alias); got["botAliasName"] != "alive" || got["botVersion"] != "1" || got["botAliasStatus"] != "Available" {
		f.Errorf("the alias is %v", got)
	}
	f.refused("PreconditionFailedException", "DeleteBotVersion", bot, version)
	f.call("DeleteBotAlias", bot, alias)
	f.call("DeleteBotVersion", bot, version)
	f.call("DeleteIntent", locale, object{"intentId": f.call("CreateIntent", locale, object{"intentName": "X"})["intentId"]})
}
