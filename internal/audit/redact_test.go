package audit_test

import (
	"strings"
	"testing"
	"time"

	"plumb/internal/audit"
)

func TestSecretsAreLeftOutByNameKindAndShape(t *testing.T) {
	type tag struct{ Key, Value *string }
	type input struct {
		UserName    *string           `json:"UserName,omitzero"`
		Password    *string           `json:"Password,omitzero"`
		ZipFile     []byte            `json:"ZipFile,omitzero"`
		Body        []byte            `json:"-"`
		Environment map[string]string `json:"Environment,omitzero"`
		Any         map[string]string `json:"Any,omitzero"`
		Tags        map[string]string `json:"Tags,omitzero"`
		TagList     []tag             `json:"TagList,omitzero"`
		Endpoint    string            `json:"Endpoint,omitzero"`
		At          time.Time         `json:"At,omitzero"`
		Size        int               `json:"Size,omitzero"`
		Off         *bool             `json:"Off,omitzero"`
		Many        []string          `json:"Many,omitzero"`
		Any2        any               `json:"Document,omitzero"`
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = "x"
	}
	got := audit.Redact(&input{
		UserName: new("alice"), Password: new("hunter2"), ZipFile: []byte("hunter2"), Body: []byte("hunter2"), Environment: map[string]string{"A": "hunter2"},
		Any: map[string]string{"B": "hunter2"}, Tags: map[string]string{"team": "a", "db-password": "hunter2"},
		TagList:  []tag{{new("team"), new("b")}, {new("ApiToken"), new("hunter2")}},
		Endpoint: "https://u:hunter2@example.com/?x=1&token=hunter2&y=2", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Size: 7, Off: new(bool), Many: many,
		Any2: map[string]any{"secretKey": map[string]any{"deep": "hunter2"}, "list": []any{"a", map[string]any{"Token": "hunter2"}}},
	})
	text := string(got.JSON)
	if strings.Contains(text, "hunter2") {
		t.Error(text)
	}
	for _, want := range []string{
		`"userName":"alice"`, `"password":"HIDDEN_DUE_TO_SECURITY_REASONS"`, `"team":"a"`, `"endpoint":"https://***@example.com/?x=1\u0026token=***\u0026y=2"`,
		`"at":"2026-01-02T03:04:05Z"`, `"size":7`, `"off":false`, `"... 100 in all"`, `"list":["a",{"Token":"HIDDEN_DUE_TO_SECURITY_REASONS"}]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if m := got.Message("Value 'hunter2' at 'password' is too short"); strings.Contains(m, "hunter2") {
		t.Error(m)
	}
	if len(got.Names) != 1 || got.Names[0] != "alice" {
		t.Errorf("names: %v", got.Names)
	}
}

func TestWhatIsKeptOfACallIsBounded(t *testing.T) {
	deep := any("end")
	for range 1000 {
		deep = map[string]any{"d": deep}
	}
	wide := map[string]any{"deep": deep}
	for i := range 3000 {
		wide[strings.Repeat("k", 300)+string(rune('a'+i%26))+strings.Repeat("x", i%97)] = strings.Repeat("é", 3000)
	}
	for name, in := range map[string]any{"deep": deep, "wide": wide, "long": map[string]any{"a": strings.Repeat("\xff\x00", 1<<20)}, "none": nil, "number": 7} {
		if n := len(audit.Redact(in).JSON); n > 32<<10 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}
