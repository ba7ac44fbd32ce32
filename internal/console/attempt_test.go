package console

import (
	"fmt"
	"testing"
	"time"
)

func TestTriesToLogInLockNobodyElseOut(t *testing.T) {
	now := time.Unix(1, 0)
	var a attempts
	try := func(remote, key string, proxied bool) bool { return a.allow(now, sources(remote, key, proxied)) }
	exhaust := func(remote, key string, proxied bool) {
		t.Helper()
		for range maxAttempts {
			if !try(remote, key, proxied) {
				t.Fatal("refused too early")
			}
		}
		if try(remote, key, proxied) {
			t.Error("no try is refused")
		}
	}
	exhaust("192.0.2.1:1000", "AKIAONE", false)
	if try("192.0.2.1:1001", "AKIAOTHER", false) {
		t.Error("another key of an address is not bounded")
	}
	if !try("192.0.2.2:1000", "AKIAONE", false) {
		t.Error("somebody else's tries count")
	}
	exhaust("[2001:db8::1]:1", "AKIAONE", false)
	if try("[2001:db8::2]:1", "AKIAONE", false) {
		t.Error("another address of the same network is not bounded")
	}
	exhaust("192.0.2.3:1", "AKIAONE", true)
	if !try("192.0.2.3:1", "AKIAOTHER", true) {
		t.Error("behind a proxy, tries for one key count for another one")
	}
	if now = now.Add(61 * time.Second); !try("192.0.2.1:1000", "AKIAONE", false) {
		t.Error("a minute later there is none")
	}
}

func TestManyAddressesDoNotLockOutWhoHasLoggedIn(t *testing.T) {
	now := time.Unix(1, 0)
	var a attempts
	mine := sources("192.0.2.1:1", "AKIAONE", false)
	if !a.allow(now, mine) {
		t.Fatal("refused")
	}
	a.forgive(mine)
	for i := range maxAllAttempts {
		if !a.allow(now, sources(fmt.Sprintf("198.51.%d.%d:1", i/250, i%250), "AKIAONE", false)) {
			t.Fatal("refused too early")
		}
	}
	if a.allow(now, sources("203.0.113.1:1", "AKIAONE", false)) {
		t.Error("there is no bound for all addresses together")
	}
	if !a.allow(now, mine) {
		t.Error("who has logged in before is locked out")
	}
}

func TestALoginThroughAProxyTrustsItsKeyAlone(t *testing.T) {
	now := time.Unix(1, 0)
	var a attempts
	mine := sources("192.0.2.1:1", "AKIAONE", true)
	if !a.allow(now, mine) {
		t.Fatal("refused")
	}
	a.forgive(mine)
	for i := range maxAllAttempts {
		if !a.allow(now, sources("192.0.2.1:1", fmt.Sprint(i), true)) {
			t.Fatal("refused too early")
		}
	}
	if a.allow(now, sources("192.0.2.1:1", "AKIAOTHER", true)) {
		t.Error("others who come through the proxy are not bounded")
	}
	if !a.allow(now, mine) {
		t.Error("who has logged in before is locked out")
	}
}
