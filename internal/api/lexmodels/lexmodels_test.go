package lexmodels_test

import (
	"fmt"
	"strings"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

type object = map[string]any

// caller calls operations of Lex V1, which have to work.
func caller(t *testing.T, p *apptest.Plumb) func(operation string, in object) object {
	return func(operation string, in object) object {
		t.Helper()
		out, err := p.Client().Call(t.Context(), "lex-models", operation, in)
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		return out
	}
}

// names are members of all elements of a list.
func names(out object, list, member string) string {
	var all []string
	for _, e := range out[list].([]any) {
		all = append(all, fmt.Sprint(e.(object)[member]))
	}
	return strings.Join(all, " ")
}

func TestPartsAreKeptInVersionsAndListedInPages(t *testing.T) {
	p := apptest.Start(t)
	call := caller(t, p)
	for _, name := range []string{"Color", "Size", "Shape"} {
		call("PutSlotType", object{"name": name, "enumerationValues": []any{object{"value": "one"}}, "createVersion": true})
	}
	page := call("GetSlotTypes", object{"maxResults": 2})
	rest := call("GetSlotTypes", object{"maxResults": 2, "nextToken": page["nextToken"]})
	if got := names(page, "slotTypes", "name") + " " + names(rest, "slotTypes", "name"); got != "Color Shape Size" || rest["nextToken"] != nil {
		t.Errorf("the slot types are %s", got)
	}
	if got := names(call("GetSlotTypes", object{"nameContains": "s"}), "slotTypes", "name"); got != "Shape Size" {
		t.Errorf("with an s there are %s", got)
	}

	// what did not change makes no version, and what did makes the next one
	if v := call("CreateSlotTypeVersion", object{"name": "Size"})["version"]; v != "1" {
		t.Errorf("the version is %v", v)
	}
	old := call("GetSlotType", object{"name": "Size", "version": "$LATEST"})
	call("PutSlotType", object{"name": "Size", "checksum": old["checksum"], "enumerationValues": []any{object{"value": "two"}}})
	if v := call("CreateSlotTypeVersion", object{"name": "Size"})["version"]; v != "2" {
		t.Errorf("the version is %v", v)
	}
	if got := names(call("GetSlotTypeVersions", object{"name": "Size"}), "slotTypes", "version"); got != "$LATEST 1 2" {
		t.Errorf("the versions are %s", got)
	}
	first := call("GetSlotTypeVersions", object{"name": "Size", "maxResults": 1})
	if got := names(call("GetSlotTypeVersions", object{"name": "Size", "nextToken": first["nextToken"]}), "slotTypes", "version"); got != "1 2" {
		t.Errorf("the other versions are %s", got)
	}
	if got := call("GetSlotType", object{"name": "Size", "version": "1"})["enumerationValues"]; fmt.Sprint(got) != "[map[value:one]]" {
		t.Errorf("version 1 is %v", got)
	}
	call("DeleteSlotTypeVersion", object{"name": "Size", "version": "1"})
	if got := names(call("GetSlotTypeVersions", object{"name": "Size"}), "slotTypes", "version"); got != "$LATEST 2" {
		t.Errorf("the versions that are left are %s", got)
	}

	call("PutIntent", object{"name": "Choose", "createVersion": true, "sampleUtterances": []any{"choose {Size}"}, "slots": []any{
		object{"name": "Size", "slotConstraint": "Optional", "slotType": "Size", "slotTypeVersion": "2"}}})
	if got := names(call("GetIntentVersions", object{"name": "Choose"}), "intents", "version"); got != "$LATEST 1" {
		t.Errorf("the versions of the intent are %s", got)
	}
	for operation, in := range map[string]object{
		"GetSlotType": {"name": "Size", "version": "7"}, "GetSlotTypeVersions": {"name": "None"}, "GetIntent": {"name": "None", "version": "$LATEST"},
		"GetBot": {"name": "None", "versionOrAlias": "live"}, "DeleteIntent": {"name": "None"},
	} {
		if _, err := p.Client().Call(t.Context(), "lex-models", operation, in); awsclient.Code(err) != "NotFoundException" {
			t.Errorf("%s of what is not there: %v", operation, err)
		}
	}
	if _, err := p.Client().Call(t.Context(), "lex-models", "DeleteSlotTypeVersion", object{"name": "Size", "version": "2"}); awsclient.Code(err) != "ResourceInUseException" {
		t.Errorf("a version that an intent has is deleted: %v", err)
	}
	call("DeleteIntentVersion", object{"name": "Choose", "version": "1"})
	call("DeleteIntent", object{"name": "Choose"})
	call("DeleteSlotType", object{"name": "Size"})
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	p := apptest.Start(t)
	messages := []any{object{"contentType": "PlainText", "content": "x"}}
	for what, in := range map[string]object{
		"PutIntent a confirmation without a rejection": {"name": "I", "confirmationPrompt": object{"maxAttempts": 1, "messages": messages}},
		"PutIntent a hook without a function":          {"name": "I", "fulfillmentActivity": object{"type": "CodeHook"}},
		"PutIntent a required slot without a prompt":   {"name": "I", "slots": []any{object{"name": "S", "slotConstraint": "Required", "slotType": "AMAZON.DATE"}}},
		"PutIntent a type that is not there":           {"name": "I", "slots": []any{object{"name": "S", "slotConstraint": "Optional", "slotType": "T", "slotTypeVersion": "1"}}},
		"PutIntent an utterance without words":         {"name": "I", "sampleUtterances": []any{"?!"}},
		"PutIntent a search of Kendra":                 {"name": "I", "kendraConfiguration": object{"kendraIndex": "arn:aws:kendra:us-east-1:123456789012:index/01234567890123456789", "role": "arn:aws:iam::123456789012:role/r"}},
		"PutSlotType a pattern that is none":           {"name": "T", "parentSlotTypeSignature": "AMAZON.AlphaNumeric", "slotTypeConfigurations": []any{object{"regexConfiguration": object{"pattern": "("}}}},
		"PutBot an intent that is not there":           {"name": "Bot", "locale": "en-US", "childDirected": false, "intents": []any{object{"intentName": "I", "intentVersion": "1"}}},
		"PutBotAlias a bot that is not there":          {"botName": "Bot", "name": "live", "botVersion": "1"},
	} {
		operation, what, _ := strings.Cut(what, " ")
		if _, err := p.Client().Call(t.Context(), "lex-models", operation, in); awsclient.Code(err) != "BadRequestException" {
			t.Errorf("%s with %s: %v", operation, what, err)
		}
	}
}
