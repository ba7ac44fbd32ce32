package wire_test

import (
	"math/rand/v2"
	"os"
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

// A token may be changed in any place and any way: it is not taken.
func TestChangedTokensAreNotTaken(t *testing.T) {
	tokens := wire.NewTokens([]byte("a key"))
	token := tokens.Encode("ListTopics", "last topic", "123456789012", "eu-west-1")
	taken := func(other string) bool {
		_, ok := tokens.Decode("ListTopics", other, "123456789012", "eu-west-1")
		return ok && other != "" // which is the first page
	}
	for i := range token {
		for b := range 256 {
			if byte(b) != token[i] && taken(token[:i]+string([]byte{byte(b)})+token[i+1:]) {
				t.Errorf("byte %d as %q is taken", i, byte(b))
			}
			if taken(token[:i] + string([]byte{byte(b)}) + token[i:]) {
				t.Errorf("with %q before byte %d it is taken", byte(b), i)
			}
		}
		if taken(token[:i]) || taken(token[i:]) && i > 0 {
			t.Errorf("a part up to or from byte %d is taken", i)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	n := 200_000
	if os.Getenv("PLUMB_TEST_REAL") != "" {
		n = 1_000_000
	}
	for range n {
		b := []byte(token)
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		if other := string(b); other != token && taken(other) {
			t.Fatalf("%q is taken", other)
		}
	}
}

func second(_ string, ok bool) bool { return ok }
