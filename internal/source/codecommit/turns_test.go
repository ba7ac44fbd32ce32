package codecommit

import (
	"context"
	"errors"
	"testing"
)

func TestPushesOfOneCallerOrAccountLeaveTurnsToOthers(t *testing.T) {
	var all turns
	has := func(account, key string) (release func()) {
		t.Helper()
		release, err := all.take(t.Context(), pusher{account, key})
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	lacks := func(account, key, why string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // who has no turn at once gets none
		if _, err := all.take(ctx, pusher{account, key}); !errors.Is(err, context.Canceled) {
			t.Error(why)
		}
	}
	first := has("A", "1")
	lacks("A", "1", "one access key has two turns")
	has("A", "2")
	has("A", "3")
	lacks("A", "4", "one account has all turns")
	last := has("B", "1")
	lacks("C", "1", "there are more turns than there may be")
	got := make(chan func())
	for _, p := range []pusher{{"A", "2"}, {"C", "1"}} { // the first one waits for itself
		go func() {
			release, err := all.take(t.Context(), p)
			if err != nil {
				release = nil
			}
			if p.account == "C" {
				got <- release
			}
		}()
	}
	last()
	if release := <-got; release == nil {
		t.Error("who waited has no turn")
	}
	first()
	has("A", "9")
}
