package lex

import (
	"encoding/json"
	"testing"
	"time"
)

func TestTextsAreValuesOfLexsOwnTypes(t *testing.T) {
	now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) // a Wednesday
	for _, c := range []struct{ kind, text, want string }{
		{"AMAZON.Number", "12", "12"}, {"AMAZON.Number", "Twelve", "12"}, {"AMAZON.Number", "1,000.5", "1000.5"}, {"AMAZON.Number", "many", ""}, {"AMAZON.Number", "NaN", ""},
		{"AMAZON.Date", "tomorrow", "2030-05-02"}, {"AMAZON.Date", "Friday", "2030-05-03"}, {"AMAZON.Date", "2031-01-02", "2031-01-02"}, {"AMAZON.Date", "april 1", "2031-04-01"},
		{"AMAZON.Date", "May 2, 2030", "2030-05-02"}, {"AMAZON.Date", "soon", ""}, {"AMAZON.Time", "3 pm", "15:00"}, {"AMAZON.Time", "12:30 a.m.", "00:30"}, {"AMAZON.Time", "noon", "12:00"},
		{"AMAZON.Time", "15:45", "15:45"}, {"AMAZON.Time", "25:00", ""}, {"AMAZON.Time", "13 pm", ""}, {"AMAZON.Duration", "three hours", "PT3H"}, {"AMAZON.Duration", "2 weeks", "P2W"},
		{"AMAZON.Confirmation", "Yeah", "Yes"}, {"AMAZON.Confirmation", "nope", "No"}, {"AMAZON.Confirmation", "perhaps", ""}, {"AMAZON.EmailAddress", "A@b.org", "a@b.org"},
		{"AMAZON.EmailAddress", "a b", ""}, {"AMAZON.PhoneNumber", "+1 (206) 555", "+1206555"}, {"AMAZON.Percentage", "5%", "5"}, {"AMAZON.City", "New York", "New York"},
		{"AMAZON.AlphaNumeric", "A1 B2", "A1B2"},
	} {
		got, ok := builtin(c.kind, c.text, now)
		if ok != (c.want != "") || ok && got.value.Interpreted != c.want {
			t.Errorf("%s %q is %q, %v, want %q", c.kind, c.text, got.value.Interpreted, ok, c.want)
		}
	}
}

func TestAnUtteranceIsAPattern(t *testing.T) {
	for _, c := range []struct {
		sample, text string
		want         []string
	}{
		{"I want {What} for {When}", "i want  red roses, for tomorrow!", []string{"red roses", "tomorrow"}},
		{"{What}", "anything at all", []string{"anything at all"}},
		{"hello", "Hello.", []string{}}, {"hello", "hello there", nil}, {"a.b", "axb", nil}, {"I'd like it", "I\u2019d like it", []string{}},
	} {
		u, err := compile(c.sample)
		if err != nil {
			t.Fatal(err)
		}
		m := u.pattern.FindStringSubmatch(normal(c.text))
		if (m == nil) != (c.want == nil) {
			t.Errorf("%q and %q: %v", c.sample, c.text, m)
			continue
		}
		for i, w := range c.want {
			if m[i+1] != w {
				t.Errorf("%q and %q: %q", c.sample, c.text, m[1:])
			}
		}
	}
	if _, err := compile(" ?! "); err == nil {
		t.Error("an utterance without words was taken")
	}
}

// What is kept is read by later versions.
func TestAStoredSession(t *testing.T) {
	text, err := json.Marshal(session{State: State{
		DialogAction: &Action{"ElicitSlot", "s", "Default"}, Intent: &Intent{"i", map[string]*Slot{"n": nil, "s": {"Scalar", &Value{"o", "v", []string{"v"}}}}, "InProgress", "None"},
		ActiveContexts: []Context{{"c", map[string]string{"a": "b"}, TimeToLive{1, 2}}}, SessionAttributes: map[string]string{"k": "v"}, RuntimeHints: json.RawMessage(`{}`), OriginatingRequestID: "r",
	}, Messages: []Message{{"PlainText", "t", nil}}, Attempt: 1, turn: 7})
	const want = `{"state":{"dialogAction":{"type":"ElicitSlot","slotToElicit":"s","slotElicitationStyle":"Default"},"intent":{"name":"i","slots":{"n":null,` +
		`"s":{"shape":"Scalar","value":{"originalValue":"o","interpretedValue":"v","resolvedValues":["v"]}}},"state":"InProgress","confirmationState":"None"},` +
		`"activeContexts":[{"name":"c","contextAttributes":{"a":"b"},"timeToLive":{"turnsToLive":1,"timeToLiveInSeconds":2}}],"sessionAttributes":{"k":"v"},` +
		`"runtimeHints":{},"originatingRequestId":"r"},"messages":[{"contentType":"PlainText","content":"t"}],"attempt":1}`
	if err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
}
