package app_test

import (
	"net/http"
	"strings"
	"testing"

	"plumb/internal/apptest"
)

func TestAuthorsControlsSayWhatTheyWant(t *testing.T) {
	p := apptest.Start(t)
	for _, c := range []struct{ path, body, says string }{
		{"event", `{"rule": "none"}`, "none' provided in the request is invalid"},
		{"event", `{"rules": "r"}`, "unknown field"},
		{"event", `{"rule": "r", "item": {"configuration": `, "unexpected EOF"},
		{"forget", `{"place": "here"}`, "want {} or"},
	} {
		status, text := call(t, "POST", p.URL()+"/_plumb/"+c.path, c.body)
		if status != http.StatusBadRequest || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, text)
		}
	}
	if status, text := call(t, "POST", p.URL()+"/_plumb/forget", "{}"); status != http.StatusOK || !strings.Contains(text, `"forgotten":0`) {
		t.Errorf("nothing is forgotten with %d %s", status, text)
	}
}
