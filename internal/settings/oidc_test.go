package settings

import (
	"strings"
	"testing"
)

func TestLoginByAProviderIsCheckedAsAWhole(t *testing.T) {
	good := func() Settings {
		s := Default()
		s.Mode, s.Console = Server, "127.0.0.1:0"
		s.AccessKeys = []AccessKey{{ID: "AKIA", Secret: "x", Account: "111111111111"}}
		s.OIDC = OIDC{Issuer: "https://login.example.com", ClientID: "plumb", Claim: "groups", Grants: []Grant{{"a", "111111111111"}, {"b", "222222222222"}, {"c", "111111111111"}}}
		return s
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Settings){
		"want https://":           func(s *Settings) { s.OIDC.Issuer = "http://login.example.com" },
		"needs oidc-client-id":    func(s *Settings) { s.OIDC.ClientID = "" },
		"needs oidc-grants":       func(s *Settings) { s.OIDC.Grants = nil },
		"twelve digits":           func(s *Settings) { s.OIDC.Grants[0].Account = "1" },
		"for an oidc-issuer":      func(s *Settings) { s.OIDC.Issuer = "" },
		"is for server mode":      func(s *Settings) { s.Mode = Development },
		"the name of a claim":     func(s *Settings) { s.OIDC.Claim = "" },
		"needs console: it is":    func(s *Settings) { s.Console = "" },
		"oidc-issuer needs conso": func(s *Settings) { s.Console, s.BehindProxy = "10.0.0.1:80", true },
	} {
		s := good()
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if got := strings.Join(good().OIDC.Accounts([]string{"c", "b", "a", "z"}), " "); got != "111111111111 222222222222" {
		t.Error(got)
	}
}
