package lexv2runtime_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

type object = map[string]any

// obedient answers what the request's attribute "answer" says, and prints what it was asked.
const obedient = `import json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
    answer = json.loads(event["requestAttributes"][event["invocationSource"]])
    if "error" in answer:
        raise Exception(answer["error"])
    if answer.get("sessionState", {}).get("intent") == "same":
        answer["sessionState"]["intent"] = event["sessionState"]["intent"]
        answer["sessionState"]["intent"]["state"] = answer.pop("state", "InProgress")
    return answer
`

// A fixture is a bot with an intent "Order" of a slot "Size", whose test alias asks the
// function "f".
type fixture struct {
	*testing.T
	p   *apptest.Plumb
	bot string
}

func (f fixture) call(service, operation string, in object) object {
	f.Helper()
	out, err := f.p.Client().Call(f.Context(), service, operation, in)
	if err != nil {
		f.Fatalf("%s: %v", operation, err)
	}
	return out
}

func says(text string) object {
	return object{"messageGroups": []any{object{"message": object{"plainTextMessage": object{"value": text}}}}}
}

func asks(text string) object {
	out := says(text)
	out["maxRetries"] = 1
	return out
}

func setUp(t *testing.T, p *apptest.Plumb) fixture {
	f := fixture{T: t, p: p}
	function := p.MakeFunction(t, "f", obedient)
	f.bot = f.call("lexv2-models", "CreateBot", object{"botName": "B", "roleArn": "arn:aws:iam::123456789012:role/bot", "dataPrivacy": object{"childDirected": false},
		"idleSessionTTLInSeconds": 60})["botId"].(string)
	with := func(o object) object {
		o["botId"], o["botVersion"], o["localeId"] = f.bot, "DRAFT", "en_US"
		return o
	}
	f.call("lexv2-models", "CreateBotLocale", with(object{"nluIntentConfidenceThreshold": 0.4}))
	intent := f.call("lexv2-models", "CreateIntent", with(object{"intentName": "Order", "sampleUtterances": []any{object{"utterance": "order"}, object{"utterance": "order size {Size}"}},
		"dialogCodeHook": object{"enabled": true}, "fulfillmentCodeHook": object{"enabled": true, "postFulfillmentStatusSpecification": object{"successResponse": says("done")}},
		"intentConfirmationSetting": object{"promptSpecification": asks("size {Size}?")}, "intentClosingSetting": object{"closingResponse": says("bye")}}))["intentId"]
	for _, s := range f.call("lexv2-models", "ListSlots", with(object{"intentId": intent}))["slotSummaries"].([]any) {
		t.Errorf("there is a slot %v", s)
	}
	f.call("lexv2-models", "CreateSlot", with(object{"intentId": intent, "slotName": "Size", "slotTypeId": "AMAZON.Number",
		"valueElicitationSetting": object{"slotConstraint": "Required", "promptSpecification": asks("which size?")}}))
	f.call("lexv2-models", "BuildBotLocale", with(object{}))
	f.call("lexv2-models", "UpdateBotAlias", object{"botId": f.bot, "botAliasId": "TSTALIASID", "botAliasName": "TestBotAlias", "botVersion": "DRAFT",
		"botAliasLocaleSettings": object{"en_US": object{"enabled": true, "codeHookSpecification": object{"lambdaCodeHook": object{"lambdaARN": function, "codeHookInterfaceVersion": "1.0"}}}}})
	_, err := p.Lambda().AddPermission(context.Background(), &lambda.AddPermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("lex"),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("lexv2.amazonaws.com"),
		SourceArn: aws.String("arn:aws:lex:" + p.Region() + ":" + p.Account() + ":bot-alias/" + f.bot + "/TSTALIASID")})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fixture) at(session string) object {
	return object{"botId": f.bot, "botAliasId": "TSTALIASID", "localeId": "en_US", "sessionId": session}
}

// say sends a text, with what the function is to answer to each hook.
func (f fixture) say(session, text, dialog, fulfillment string) (object, error) {
	in := f.at(session)
	in["text"], in["requestAttributes"] = text, object{"DialogCodeHook": dialog, "FulfillmentCodeHook": fulfillment}
	once := awsclient.New(awsclient.Options{Endpoint: f.p.URL(), Region: f.p.Region(), Credentials: awsclient.Static(f.p.Account(), "any", ""), Attempts: 1})
	return once.Call(f.Context(), "lexv2-runtime", "RecognizeText", in)
}

// told are the texts of an answer, what comes next, and the state of the intent.
func told(answer object) string {
	text, _ := json.Marshal(answer)
	var a struct {
		Messages     []struct{ Content string }
		SessionState struct {
			DialogAction struct{ Type, SlotToElicit string }
			Intent       struct{ Name, State string }
		}
	}
	_ = json.Unmarshal(text, &a)
	var out []string
	for _, m := range a.Messages {
		out = append(out, m.Content)
	}
	return strings.Join(out, "+") + " | " + strings.TrimSpace(a.SessionState.DialogAction.Type+" "+a.SessionState.DialogAction.SlotToElicit) + " | " +
		a.SessionState.Intent.Name + " " + a.SessionState.Intent.State
}

func TestAFunctionDecidesWhatComesNext(t *testing.T) {
	const delegate = `{"sessionState": {"dialogAction": {"type": "Delegate"}, "intent": "same"}}`
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		for _, c := range []struct{ name, text, dialog, fulfillment, want string }{
			{"delegate", "Order!", delegate, "", "which size? | ElicitSlot Size | Order InProgress"},
			{"delegate", "what", delegate, "", "which size? | ElicitSlot Size | Order InProgress"},
			{"delegate", "four", delegate, "", "size 4? | ConfirmIntent | Order InProgress"},
			{"delegate", "yes", delegate, `{"sessionState": {"dialogAction": {"type": "Delegate"}, "intent": "same"}, "state": "Fulfilled"}`, "done+bye | Close | Order Fulfilled"},
			{"elicit-slot", "order size 3", `{"sessionState": {"dialogAction": {"type": "ElicitSlot", "slotToElicit": "Size"}, "intent": "same"}}`, "",
				"which size? | ElicitSlot Size | Order InProgress"},
			{"elicit-intent", "order", `{"sessionState": {"dialogAction": {"type": "ElicitIntent"}}, "messages": [{"contentType": "PlainText", "content": "what else?"}]}`, "",
				"what else? | ElicitIntent | Order InProgress"},
			{"confirm", "order size 3", `{"sessionState": {"dialogAction": {"type": "ConfirmIntent"}, "intent": "same"}, "messages": [{"contentType": "PlainText", "content": "sure?"}]}`, "",
				"sure? | ConfirmIntent | Order InProgress"},
			{"close", "order", `{"sessionState": {"dialogAction": {"type": "Close"}, "intent": "same"}, "state": "Failed", "messages": [{"contentType": "PlainText", "content": "closed"}]}`, "",
				"closed | Close | Order Failed"},
			{"denied", "order size 3", delegate, "", "size 3? | ConfirmIntent | Order InProgress"},
			{"denied", "no", delegate, "", " | Close | Order Failed"},
			{"fallback", "order", delegate, "", "which size? | ElicitSlot Size | Order InProgress"},
			{"fallback", "what", delegate, "", "which size? | ElicitSlot Size | Order InProgress"},
			{"fallback", "what", delegate, "", " | Close | FallbackIntent ReadyForFulfillment"},
		} {
			got, err := f.say(c.name, c.text, c.dialog, c.fulfillment)
			if err != nil || told(got) != c.want {
				t.Errorf("%s, %q: %s, %v\nwant %s", c.name, c.text, told(got), err, c.want)
			}
		}
		for _, c := range [][3]string{
			{"error", `{"error": "no"}`, "DependencyFailedException"}, {"shape", `{}`, "BadGatewayException"},
			{"slot", `{"sessionState": {"dialogAction": {"type": "ElicitSlot", "slotToElicit": "None"}, "intent": "same"}}`, "BadGatewayException"},
			{"silent", `{"sessionState": {"dialogAction": {"type": "ElicitIntent"}}}`, "BadGatewayException"},
		} {
			if got, err := f.say(c[0], "order", c[1], ""); awsclient.Code(err) != c[2] {
				t.Errorf("%s: %v, %v, want %s", c[0], got, err, c[2])
			}
		}
	})
}

func TestSessionsAreKeptAndEnd(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		in := f.at("s1")
		in["sessionState"] = object{"sessionAttributes": object{"a": "b"}, "dialogAction": object{"type": "ElicitSlot", "slotToElicit": "Size"}, "intent": object{"name": "Order"}}
		f.call("lexv2-runtime", "PutSession", in)
		got := f.call("lexv2-runtime", "GetSession", f.at("s1"))
		if told(got) != "which size? | ElicitSlot Size | Order InProgress" || got["sessionState"].(object)["sessionAttributes"].(object)["a"] != "b" {
			t.Errorf("the session is %v", got)
		}
		p.Restart(t)
		if got := f.call("lexv2-runtime", "GetSession", f.at("s1")); told(got) != "which size? | ElicitSlot Size | Order InProgress" {
			t.Errorf("after a restart the session is %v", got)
		}
		in["sessionState"] = object{"dialogAction": object{"type": "ElicitSlot", "slotToElicit": "No"}, "intent": object{"name": "Order"}}
		if _, err := p.Client().Call(t.Context(), "lexv2-runtime", "PutSession", in); awsclient.Code(err) != "ValidationException" {
			t.Errorf("a slot that is not there: %v", err)
		}
		f.call("lexv2-runtime", "DeleteSession", f.at("s1"))
		if _, err := p.Client().Call(t.Context(), "lexv2-runtime", "GetSession", f.at("s1")); awsclient.Code(err) != "ResourceNotFoundException" {
			t.Errorf("a session that ended: %v", err)
		}
		f.call("lexv2-runtime", "PutSession", object{"botId": f.bot, "botAliasId": "TSTALIASID", "localeId": "en_US", "sessionId": "s2",
			"sessionState": object{"dialogAction": object{"type": "ElicitIntent"}}})
		p.Clock().Advance(61e9)
		if _, err := p.Client().Call(t.Context(), "lexv2-runtime", "GetSession", f.at("s2")); awsclient.Code(err) != "ResourceNotFoundException" {
			t.Errorf("a session that is too old: %v", err)
		}
		other := f.at("s3")
		other["localeId"], other["text"] = "de_DE", "hallo"
		if _, err := p.Client().Call(t.Context(), "lexv2-runtime", "RecognizeText", other); awsclient.Code(err) != "ResourceNotFoundException" {
			t.Errorf("a language that the bot has not: %v", err)
		}
	})
}
