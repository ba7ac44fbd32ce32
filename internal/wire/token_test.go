package wire_test

import (
	"testing"

	"plumb/internal/wire"
)

func TestTokensComeBackOnlyAsTheyWere(t *testing.T) {
	tokens := wire.NewTokens([]byte("a key"))
	token := tokens.Encode("ListTopics", "last topic", "123456789012", "eu-west-1")
	if at, ok := tokens.Decode("ListTopics", token, "123456789012", "eu-west-1"); !ok || at != "last topic" {
		t.Errorf("got %q, %v", at, ok)
	}
	if at, ok := tokens.Decode("ListTopics", ""); !ok || at != "" {
		t.Error("an empty token is not the first page")
	}
	others := wire.NewTokens([]byte("another key"))
	for name, ok := range map[string]bool{
		"other filters":     second(tokens.Decode("ListTopics", token, "123456789012eu", "-west-1")),
		"no filters":        second(tokens.Decode("ListTopics", token)),
		"another operation": second(tokens.Decode("ListQueues", token, "123456789012", "eu-west-1")),
		"another key":       second(others.Decode("ListTopics", token, "123456789012", "eu-west-1")),
		"garbage":           second(tokens.Decode("ListTopics", "garbage!")),
		"short":             second(tokens.Decode("ListTopics", "AAAA")),
		"another spelling":  second(tokens.Decode("ListTopics", token[:4]+"\n"+token[4:], "123456789012", "eu-west-1")),
		"changed":           second(tokens.Decode("ListTopics", token[:len(token)-1]+"A", "123456789012", "eu-west-1")),
	} {
		if ok {
			t.Errorf("%s: the token was taken", name)
		}
	}
}

func second(_ string, ok bool) bool { return ok }
