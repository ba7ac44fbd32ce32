package app

import "testing"

func TestAddressesAreTakenWhereAnyoneMayReachTheServer(t *testing.T) {
	exposed, closed := hostNames{addresses: true}, hostNames{}
	for _, host := range []string{"192.0.2.7:4577", "[2001:db8::7]:4577", "10.0.0.1"} {
		if !exposed.has(host) || closed.has(host) {
			t.Errorf("%s: %v where anyone may reach it, %v on loopback", host, exposed.has(host), closed.has(host))
		}
	}
	if exposed.has("attacker.example:4577") { // a name of an attacker may point here
		t.Error("a name that is not listed is taken")
	}
}

// The SDKs put an account or a word in front of an endpoint's address for some services.
func TestAnAddressIsKnownBehindWhatClientsPutInFront(t *testing.T) {
	closed := hostNames{}
	for host, want := range map[string]bool{
		"123456789012.127.0.0.1:4577": true, "sync-127.0.0.1:4577": true, "123456789012.localhost:4577": true,
		"123456789012.192.0.2.7:4577": false, "127.0.0.1.attacker.example:4577": false,
	} {
		if closed.has(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}
