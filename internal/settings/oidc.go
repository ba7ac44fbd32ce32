package settings

import (
	"fmt"
	"net"
	"net/url"
)

// OIDC is how people log in at the console by OpenID Connect; without an issuer they do
// not.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret Secret // empty for a public client
	Claim        string // whose values say what somebody may see
	Grants       []Grant
}

// A Grant lets people see an account.
type Grant struct {
	Value   string `yaml:"value"` // of the claim
	Account string `yaml:"account"`
}

// defaultClaim is where most providers put the groups of people.
const defaultClaim = "groups"

// Accounts are those that the values of the claim let somebody see, in the order of the
// settings.
func (o OIDC) Accounts(values []string) (out []string) {
	seen := map[string]bool{}
	for _, g := range o.Grants {
		for _, v := range values {
			if v == g.Value && !seen[g.Account] {
				seen[g.Account] = true
				out = append(out, g.Account)
			}
		}
	}
	return out
}

func oidc() []Setting {
	const group = "Console login"
	return []Setting{
		text("oidc-issuer", "URL", func(s *Settings) *string { return &s.OIDC.Issuer },
			"The OpenID Connect provider that people log in with at the console in server mode, beside access keys. It is asked for its "+
				"configuration at /.well-known/openid-configuration. Register CONSOLE-URL/_plumb/ui/login/callback there.",
			"https://login.example.com").in(group),
		text("oidc-client-id", "TEXT", func(s *Settings) *string { return &s.OIDC.ClientID },
			"What the provider calls this console.", "plumb").in(group),
		secret("oidc-client-secret", "TEXT", func(s *Settings) *string { return (*string)(&s.OIDC.ClientSecret) },
			"The secret of the client, if it has one. PKCE is used in either case.", "an-unguessable-text").in(group).notOnCommandLine(),
		text("oidc-claim", "NAME", func(s *Settings) *string { return &s.OIDC.Claim },
			"The claim of the ID token that oidc-grants compares: a text or a list of texts. The claim email counts only if email_verified is true.",
			"roles").in(group),
		structure("oidc-grants", "LIST", func(s *Settings) *[]Grant { return &s.OIDC.Grants },
			"The accounts that each value of the claim may see, read-only. A user with none of them cannot log in.",
			`[{value: platform-team, account: "123456789012"}]`).in(group).notOnCommandLine(),
	}
}

// checkOIDC wants a provider that nobody can stand in for, and accounts that are some.
func (s Settings) checkOIDC() error {
	o := s.OIDC
	if o.Issuer == "" {
		if o.ClientID != "" || len(o.Grants) > 0 {
			return fmt.Errorf("oidc-client-id and oidc-grants are for an oidc-issuer, and there is none")
		}
		return nil
	}
	u, err := url.Parse(o.Issuer)
	address, _ := s.ConsoleAddress()
	host, _, _ := net.SplitHostPort(address)
	switch {
	case s.Mode != Server:
		return fmt.Errorf("oidc-issuer is for server mode: development mode asks nobody who they are")
	case address == "":
		return fmt.Errorf("oidc-issuer needs console: it is off in server mode unless it is set")
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return fmt.Errorf("oidc-issuer %q: want https://, or http:// on this machine", o.Issuer)
	case o.ClientID == "":
		return fmt.Errorf("oidc-issuer needs oidc-client-id")
	case o.Claim == "":
		return fmt.Errorf("oidc-claim: want the name of a claim, such as %s", defaultClaim)
	case len(o.Grants) == 0:
		return fmt.Errorf("oidc-issuer needs oidc-grants: without any nobody is let in")
	case s.ConsoleURL == "" && !loopback(host):
		return fmt.Errorf("oidc-issuer needs console-url: the provider sends people back there")
	}
	for i, g := range o.Grants {
		if g.Value == "" || !twelveDigits.MatchString(g.Account) {
			return fmt.Errorf("oidc-grants, entry %d: want a value and an account of twelve digits", i+1)
		}
	}
	return nil
}
