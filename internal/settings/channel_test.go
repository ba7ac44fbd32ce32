package settings_test

import (
	"strings"
	"testing"

	"plumb/internal/settings"
)

func TestChannelsThatCannotWorkAreNamedWithWhatToDo(t *testing.T) {
	const mail = "smtp-server: smtp.example.com:587\nsmtp-from: plumb@example.com\n"
	for _, c := range []struct{ text, want string }{
		{`channels: [{name: Ops, kind: slack, url: "https://a/b"}]`, `channels, entry 1: name "Ops": want small letters, digits and hyphens, 40 at most`},
		{`channels: [{name: ops, kind: pager, url: "https://a/b"}]`, `channel ops: kind "pager": want webhook, slack, teams or email`},
		{`channels: [{name: ops, kind: slack}]`, "channel ops: a slack channel needs a url"},
		{`channels: [{name: ops, kind: slack, url: "hooks.slack.com/s3cret"}]`, "channel ops: its url is none: want http:// or https://"},
		{`channels: [{name: ops, kind: slack, url: "https://a/b", secret: 0123456789abcdef}]`, "channel ops: secret is for webhook channels"},
		{`channels: [{name: ops, kind: webhook, url: "https://a/b", secret: short}]`, "channel ops: secret: has 5 characters, want 16 random ones at least"},
		{`channels: [{name: ops, kind: email, to: [a@example.com]}]`, "channel ops: an email channel needs the setting smtp-server"},
		{mail + `channels: [{name: ops, kind: email}]`, "channel ops: an email channel needs to, a list of addresses"},
		{mail + `channels: [{name: ops, kind: email, to: [nobody]}]`, `channel ops: to: "nobody" is no mail address`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", events: [all]}]`, `channel ops: events: "all" is none of compliance, items, deliveries`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", events: [items], rules: [r]}]`, "channel ops: rules, packs and verdicts choose among events of compliance, which events does not name"},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", verdicts: [BAD]}]`, `channel ops: verdicts: "BAD" is none of COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, INSUFFICIENT_DATA`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", accounts: ["12"]}]`, `channel ops: accounts: "12": want twelve digits in quotes`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", digest: 48h}]`, "channel ops: digest 48h: want 24h at most"},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", digest: soon}]`, `"soon": want a duration such as 30s, 5m or 1h`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", quiet: {from: "22"}}]`, `channel ops: quiet: "22": want a time of the day such as 22:00`},
		{`channels: [{name: ops, kind: teams, url: "https://a/b", quiet: {from: "22:00", to: "07:00", zone: Mars}}]`, "channel ops: quiet: unknown time zone Mars"},
		{"delivery-age: 10h\n" + `channels: [{name: ops, kind: teams, url: "https://a/b", digest: 1h, quiet: {from: "22:00", to: "07:00"}}]`,
			"channel ops: digest and quiet hours are 10h, and delivery-age is 10h: what waits that long would not be tried again"},
		{`channels: [{name: ops, kind: teams, url: "https://a/b"}, {name: ops, kind: teams, url: "https://a/b"}]`, "channel ops: the name was given before"},
		{`channels: [{name: ops, kind: teams, link: "https://a/b"}]`, "unknown key link"},
		{"smtp-server: smtp.example.com:587\n", "smtp-server needs smtp-from, the address that mail is from"},
		{"smtp-from: a@example.com\n", "smtp-from, smtp-user and smtp-password need smtp-server"},
		{mail + "smtp-user: plumb\nsmtp-password: s3cret\nsmtp-security: none\n", "smtp-security none would send smtp-password as it is: set starttls or tls"},
		{"console-url: plumb.example.com\n", `console-url "plumb.example.com": want http:// or https://`},
	} {
		_, err := settings.Load(map[string]string{"settings": file(t, c.text)}, none)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gave %v, want %q", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}
