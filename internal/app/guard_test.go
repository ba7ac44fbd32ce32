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
