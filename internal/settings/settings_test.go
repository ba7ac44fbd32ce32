package settings_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/settings"
)

func none(string) (string, bool) { return "", false }

func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "plumb.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestZeroValueServesOnLoopbackWithSQLite(t *testing.T) {
	s, err := settings.Load(nil, none)
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:4577" || s.Mode != settings.Development || s.Account != "123456789012" {
		t.Errorf("listen %s, mode %s, account %s", s.Listen, s.Mode, s.Account)
	}
	if got := s.DatabaseURL(); got != "sqlite:.plumb/plumb.db" {
		t.Errorf("database %s", got)
	}
}

func TestFlagWinsOverVariableOverFile(t *testing.T) {
	name := file(t, "region: eu-west-1\npoll: 2m\nlisten: 127.0.0.1:1\n")
	s, err := settings.Load(
		map[string]string{"settings": name, "listen": "127.0.0.1:3"},
		env(map[string]string{"PLUMB_LISTEN": "127.0.0.1:2", "PLUMB_POLL": "3m"}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:3" || s.Poll != 3*time.Minute || s.Region != "eu-west-1" {
		t.Errorf("listen %s, poll %s, region %s", s.Listen, s.Poll, s.Region)
	}
	got := []string{s.Origin("listen"), s.Origin("poll"), s.Origin("region"), s.Origin("mode")}
	if want := "[flag environment file default]"; want != fmt.Sprint(got) {
		t.Errorf("origins %v", got)
	}
}

func TestEverySettingIsReadFromAllThreePlaces(t *testing.T) {
	for _, r := range settings.Table() {
		if r.NoFile {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			// Together with what makes each example acceptable on its own.
			base := map[string]string{"access-keys": `[{id: A, secret: b, account: "111122223333"}]`}
			if strings.HasPrefix(r.Name, "tls-") {
				base["tls-certificate"], base["tls-key"] = "a", "b"
			}
			if strings.HasPrefix(r.Name, "smtp-") && r.Name != "smtp-listen" {
				base["smtp-server"], base["smtp-from"] = "127.0.0.1:25", "a@example.com"
			}
			if r.Name == "smtp-user" || r.Name == "smtp-password" {
				base["smtp-user"], base["smtp-password"] = "a", "b"
			}
			if strings.HasPrefix(r.Name, "oidc-") {
				base["mode"], base["oidc-issuer"], base["oidc-client-id"] = "server", "https://a.example.com", "b"
				base["oidc-grants"], base["console-url"] = `[{value: c, account: "111122223333"}]`, "https://b.example.com"
				base["console"] = "127.0.0.1:0"
			}
			delete(base, r.Name)
			example := r.Example
			if r.Kind == "DIGITS" {
				example = `"` + example + `"`
			}
			base["settings"] = file(t, r.Name+": "+example+"\n")
			inFile, err := settings.Load(base, none)
			if err != nil {
				t.Fatal(err)
			}
			delete(base, "settings")
			inEnv, err := settings.Load(base, env(map[string]string{r.Env(): r.Example}))
			if err != nil {
				t.Fatal(err)
			}
			base[r.Name] = r.Example
			inFlag, err := settings.Load(base, none)
			if err != nil {
				t.Fatal(err)
			}
			shown := r.Show(inFile)
			if shown == "" || shown == r.Show(settings.Default()) {
				t.Errorf("the file left it at %q", shown)
			}
			if r.Show(inEnv) != shown || r.Show(inFlag) != shown {
				t.Errorf("file %q, variable %q, flag %q", shown, r.Show(inEnv), r.Show(inFlag))
			}
		})
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"listen: 127.0.0.1:1\nlisen: x\n", `line 2: unknown setting "lisen"; is listen meant?`},
		{"poll: soon\n", `line 1: poll: "soon": want a duration such as 30s, 5m or 1h`},
		{"region: eu-west-1\nregion: eu-west-2\n", "line 2: region was set before, on line 1"},
		{"mode: prod\n", `line 1: mode: "prod" is none of development, server`},
		{"access-keys:\n  - id: A\n    secert: b\n", "line 3: access-keys: unknown key secert"},
		{"accounts: no\n", "line 1: accounts: want a list"},
		{"settings: other.yaml\n", `line 1: unknown setting "settings"`},
		{"- a\n", "line 1: want keys with values"},
		{"listen: [a\n", "did not find expected"},
	} {
		_, err := settings.Load(map[string]string{"settings": file(t, c.text)}, none)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q gave %v, want %q", c.text, err, c.want)
		}
	}
}

func TestMistakesInFlagsAndVariablesAreNamed(t *testing.T) {
	_, err := settings.Load(map[string]string{"functions": "many"}, none)
	if err == nil || err.Error() != `--functions: "many": want a whole number from 1 on, or auto` {
		t.Error(err)
	}
	_, err = settings.Load(nil, env(map[string]string{"PLUMB_SANDBOX": "strong"}))
	if err == nil || !strings.HasPrefix(err.Error(), `PLUMB_SANDBOX: "strong" is none of auto`) {
		t.Error(err)
	}
}

func TestAThrottleHasBounds(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"throttle", "-1", "throttle -1: want 0 for off, or 1 to 1000000 requests per second"},
		{"throttle", "1000001", "throttle 1000001: want 0 for off, or 1 to 1000000 requests per second"},
		{"throttle", "fast", `--throttle: "fast": want a whole number`},
		{"throttle-burst", "-1", "throttle-burst -1: want 0 for as many as throttle, or 1 to 1000000 requests"},
	} {
		if _, err := settings.Load(map[string]string{c.name: c.value}, none); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: %v", c.name, c.value, err)
		}
	}
	if s, err := settings.Load(nil, none); err != nil || s.Throttle != 0 {
		t.Errorf("throttle is %d by default, %v", s.Throttle, err)
	}
}

func TestQuotasAreAWSUnlessNamed(t *testing.T) {
	s, err := settings.Load(map[string]string{"settings": file(t, "quotas:\n  rules: 2000\n  organization-conformance-packs: 1\n")}, none)
	want := settings.Quotas{Rules: 2000, Packs: 50, Aggregators: 50, StoredQueries: 300, OrganizationRules: 150, OrganizationPacks: 1}
	if err != nil || s.Quotas != want {
		t.Errorf("%+v, %v", s.Quotas, err)
	}
}

func TestMistakesInQuotasAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"quotas:\n  aggregators: 5\n  rule: 5\n", `line 3: quotas: unknown quota "rule"; is rules meant?`},
		{"quotas:\n  rules: 0\n", `line 2: quotas: rules "0": want a number from 1 to 100000`},
		{"quotas:\n  rules: 100001\n", `line 2: quotas: rules "100001": want a number from 1 to 100000`},
		{"quotas:\n  rules: [5]\n", `line 2: quotas: rules "": want a number from 1 to 100000`},
		{"quotas:\n  rules: 5\n  rules: 6\n", "line 3: quotas: rules was set before"},
		{"quotas: 5\n", "line 1: quotas: want names with numbers, such as {rules: 2000}"},
	} {
		_, err := settings.Load(map[string]string{"settings": file(t, c.text)}, none)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%q gave %v, want %q", c.text, err, c.want)
		}
	}
	for _, flag := range []string{"5", "{", ""} {
		if _, err := settings.Load(map[string]string{"quotas": flag}, none); err == nil || !strings.HasPrefix(err.Error(), "--quotas: want") {
			t.Errorf("%q gave %v", flag, err)
		}
	}
}

func TestDevelopmentModeStaysOnLoopback(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:4577", ":4577", "[::]:4577", "192.0.2.1:80", "example.com:80"} {
		_, err := settings.Load(map[string]string{"listen": listen}, none)
		if err == nil || !strings.Contains(err.Error(), "development mode takes any credentials") {
			t.Errorf("%s: %v", listen, err)
		}
	}
	for _, listen := range []string{"127.0.0.1:0", "127.8.9.1:1", "[::1]:4577", "localhost:4577"} {
		if _, err := settings.Load(map[string]string{"listen": listen}, none); err != nil {
			t.Error(err)
		}
	}
}

func TestDevelopmentModeIsOpenToAnyoneWhenToldSo(t *testing.T) {
	s, err := settings.Load(map[string]string{"listen": "0.0.0.0:4577", "open-to-anyone": "true"}, none)
	if err != nil || !s.Exposed() {
		t.Errorf("exposed is %v, %v", s.Exposed(), err)
	}
	s, err = settings.Load(map[string]string{"open-to-anyone": "true"}, none)
	if err != nil || s.Exposed() {
		t.Errorf("exposed is %v on loopback, %v", s.Exposed(), err)
	}
	flags := map[string]string{"mode": "server", "open-to-anyone": "true", "access-keys": `[{id: A, secret: b, account: "111122223333"}]`}
	if _, err := settings.Load(flags, none); err == nil || !strings.Contains(err.Error(), "open-to-anyone is for development mode") {
		t.Error(err)
	}
}

func TestServerModeNeedsAnAccessKey(t *testing.T) {
	flags := map[string]string{"mode": "server", "listen": "0.0.0.0:4577", "behind-proxy": "true"}
	if _, err := settings.Load(flags, none); err == nil || !strings.Contains(err.Error(), "access-keys") {
		t.Error(err)
	}
	flags["access-keys"] = `[{id: A, secret: b, account: "111122223333"}]`
	if _, err := settings.Load(flags, none); err != nil {
		t.Error(err)
	}
}

func TestServerModeBeyondLoopbackNeedsTLS(t *testing.T) {
	load := func(more ...string) error {
		flags := map[string]string{"mode": "server", "access-keys": `[{id: A, secret: b, account: "111122223333"}]`}
		for i := 0; i < len(more); i += 2 {
			flags[more[i]] = more[i+1]
		}
		_, err := settings.Load(flags, none)
		return err
	}
	for _, good := range [][]string{
		{"listen", "127.0.0.1:1"}, {"listen", "0.0.0.0:1", "behind-proxy", "true"}, {"listen", "0.0.0.0:1", "tls-certificate", "a", "tls-key", "b"},
	} {
		if err := load(good...); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	if err := load("listen", "0.0.0.0:1"); err == nil || !strings.Contains(err.Error(), "behind-proxy") {
		t.Error(err)
	}
	if err := load("tls-certificate", "a"); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Error(err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	s, err := settings.Load(map[string]string{
		"access-keys": `[{id: A, secret: hush, account: "111122223333"}]`,
		"database":    "postgres://plumb:hush@db/plumb",
		"accounts":    `[{account: "111122223333", access-key-id: A, secret-access-key: hush, session-token: hush}]`,
	}, none)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(struct{ Keys, Accounts any }{s.AccessKeys, s.Accounts})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v", s.AccessKeys, s.Accounts, s.Accounts) + string(asJSON)
	for _, r := range settings.Table() {
		shown += r.Show(s)
	}
	if strings.Contains(shown, "hush") {
		t.Errorf("shown: %s", shown)
	}
	if s.AccessKeys[0].Secret.Reveal() != "hush" {
		t.Error("the secret is lost")
	}
}

func TestTheMoreSpecificEntryOfAnAccountWins(t *testing.T) {
	s, err := settings.Load(map[string]string{
		"target":      "http://127.0.0.1:5000",
		"s3-endpoint": "aws",
		"accounts": `
- {account: "123456789012", region: eu-west-1, target: aws, profile: europe}
- {account: "123456789012", role: "arn:aws:iam::123456789012:role/config"}
- {account: "210987654321", target: "http://127.0.0.1:6000", endpoints: {sns: aws}}
`}, none)
	if err != nil {
		t.Fatal(err)
	}
	eu := s.Place("123456789012", "eu-west-1")
	if eu.Target != "aws" || eu.Profile != "europe" || eu.Role == "" || eu.Endpoints.S3 != "aws" {
		t.Errorf("eu-west-1: %+v", eu)
	}
	us := s.Place("123456789012", "us-east-1")
	if us.Target != "http://127.0.0.1:5000" || us.Profile != "" || us.Role == "" {
		t.Errorf("us-east-1: %+v", us)
	}
	other := s.Place("210987654321", "us-east-1")
	if other.Target != "http://127.0.0.1:6000" || other.Endpoints.S3 != "" || other.Endpoints.For("sns") != "aws" {
		t.Errorf("other: %+v", other)
	}
	if unknown := s.Place("999999999999", "us-east-1"); unknown.Target != "" {
		t.Errorf("unknown: %+v", unknown)
	}
}

func TestHalfAnAccessKeyIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[{account: "111122223333", access-key-id: A}]`:                                   "go together",
		`[{account: "11112222333"}]`:                                                      "twelve digits",
		`[{account: "111122223333", target: "http://user:hush@localhost"}]`:               "no user and no password",
		`[{account: "111122223333", target: "localhost"}]`:                                "want http://",
		`[{account: "111122223333", profile: a, access-key-id: A, secret-access-key: b}]`: "either",
		`[{account: "111122223333", region: Europe}]`:                                     "region",
		`[{account: "111122223333", endpoints: {s3: nowhere}}]`:                           "s3 endpoint",
		`[{account: "111122223333", endpoints: {ec2: "http://127.0.0.1:1"}}]`:             "unknown key ec2",
	} {
		_, err := settings.Load(map[string]string{"accounts": text}, none)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestDocumentationShowsEverySetting(t *testing.T) {
	var b strings.Builder
	if err := settings.WriteDocs(&b); err != nil {
		t.Fatal(err)
	}
	for _, r := range settings.Table() {
		if !strings.Contains(b.String(), "`"+r.Env()+"`") || r.Help == "" || r.Group == "" {
			t.Errorf("%s is not documented", r.Name)
		}
	}
}
