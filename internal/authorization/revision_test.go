package authorization

import (
	"testing"
	"time"

	"plumb/internal/caller"
	"plumb/internal/identity"
)

func TestPoliciesHoldForTheRevisionThatCameWithTheAccessKey(t *testing.T) {
	a, w := New(Options{}), who{"111111111111", identity.User, "alice"}
	a.known[w] = known{revision: 3}
	for name, c := range map[string]struct {
		r    caller.Revision
		want bool
	}{
		"read with the key":     {caller.Revision{N: 3, At: time.Now()}, true},
		"somebody changed them": {caller.Revision{N: 4, At: time.Now()}, false},
		"read long ago":         {caller.Revision{N: 3, At: time.Now().Add(-2 * maxRevisionAge)}, false},
		"never read":            {caller.Revision{N: 3}, false},
	} {
		if _, got := a.policiesNow(w, c.r); got != c.want {
			t.Errorf("%s: the policies that are known hold: %v", name, got)
		}
	}
}
