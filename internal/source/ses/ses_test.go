package ses

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
	"plumb/internal/lambda"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, receive{config.Place{Account: "123456789012", Region: "us-east-1"}, "m"})
}

// What is kept is read by later versions.
func TestStoredForms(t *testing.T) {
	rule := Rule{"r", true, "Require", []string{"a.b"}, true, []Action{{"S3", "t", "b", "p", "k", "ro", "Base64", "f", "Event", "550", "5.1.1", "m", "s", "hn", "hv"}}}
	got, err := json.Marshal(letter{
		Place: config.Place{Account: "1", Region: "r"}, ID: "m", Envelope: envelope{"f", []string{"t"}, netip.MustParseAddr("1.2.3.4"), "h"}, Received: time.UnixMicro(1).UTC(),
		Verdicts: &verdicts{"a", "b", "c", "d", "e", "p"}, Set: "s", Steps: []step{{"r", []string{"t"}, true, rule.Actions[0]}}, Next: 1, Added: "A: b",
	})
	const action = `{"type":"S3","topic":"t","bucket":"b","prefix":"p","kmsKey":"k","role":"ro","encoding":"Base64","function":"f","invocation":"Event",` +
		`"replyCode":"550","status":"5.1.1","message":"m","sender":"s","headerName":"hn","headerValue":"hv"}`
	const want = `{"account":"1","region":"r","id":"m","envelope":{"from":"f","to":["t"],"ip":"1.2.3.4","helo":"h"},"received":"1970-01-01T00:00:00.000001Z",` +
		`"verdicts":{"spam":"a","virus":"b","spf":"c","dkim":"d","dmarc":"e","policy":"p"},"set":"s",` +
		`"steps":[{"rule":"r","to":["t"],"scan":true,"action":` + action + `}],"next":1,"added":"A: b"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got, err = json.Marshal(rule)
	if want := `{"name":"r","enabled":true,"tls":"Require","recipients":["a.b"],"scan":true,"actions":[` + action + `]}`; err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestARecipientIsAnAddressADomainOrItsSubdomains(t *testing.T) {
	for _, c := range []struct {
		recipient, address string
		want               bool
	}{
		{"a@example.com", "A@Example.com", true},
		{"a@example.com", "b@example.com", false},
		{"example.com", "b@example.com", true},
		{"example.com", "b@x.example.com", false},
		{".example.com", "b@x.example.com", true},
		{".example.com", "b@example.com", false},
		{"example.com", "b@notexample.com", false},
	} {
		if got := covers(c.recipient, c.address); got != c.want {
			t.Errorf("%s covers %s: %v", c.recipient, c.address, got)
		}
	}
}

func TestTheNarrowestFilterDecidesAndAnAllowedNetworkBeforeABlockedOne(t *testing.T) {
	all := []Filter{{"a", false, "10.0.0.0/8"}, {"b", true, "10.1.0.0/16"}, {"c", false, "10.1.2.3"}, {"d", false, "10.9.0.0/16"}, {"e", true, "10.9.0.0/16"}}
	for ip, want := range map[string]bool{"10.2.0.1": true, "10.1.0.1": false, "10.1.2.3": true, "192.0.2.1": false, "::ffff:10.2.0.1": true, "10.9.1.1": false} {
		if got := blocked(all, netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s blocked: %v", ip, got)
		}
	}
}

func TestAFunctionsAnswerDecidesWhichActionFollows(t *testing.T) {
	l := letter{Next: 0, Steps: []step{{Rule: "a"}, {Rule: "a"}, {Rule: "b"}}}
	for _, c := range []struct {
		payload, failure string
		want             int
	}{
		{`{"disposition":"STOP_RULE"}`, "", 2}, {`{"disposition":"STOP_RULE_SET"}`, "", 3}, {`{"disposition":"CONTINUE"}`, "", 1},
		{`{"disposition":"STOP_RULE_SET"}`, "Unhandled", 1}, {`"odd"`, "", 1}, {`null`, "", 1},
	} {
		var a lambda.Answer
		a.Payload, a.FunctionError = []byte(c.payload), c.failure
		if got := l.after(a); got != c.want {
			t.Errorf("%s %s leads to %d, want %d", c.payload, c.failure, got, c.want)
		}
	}
}

func TestARuleThatCannotBeIsRefused(t *testing.T) {
	long := strings.Repeat("x", 65)
	for what, r := range map[string]Rule{
		"a long name": {Name: long}, "a name with a blank": {Name: "a b"}, "a recipient without a domain": {Name: "r", Recipients: []string{"a@"}},
		"a recipient of no domain": {Name: "r", Recipients: []string{"x y"}},
		"a header in two lines":    {Name: "r", Actions: []Action{{Type: ActionAddHeader, HeaderName: "X", HeaderValue: "a\r\nb"}}},
		"a bounce with a success":  {Name: "r", Actions: []Action{{Type: ActionBounce, ReplyCode: "250", Message: "m", Sender: "a@b.c"}}},
		"eleven actions":           {Name: "r", Actions: make([]Action, 11)},
	} {
		if r.Check() == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if r := (Rule{Name: "r", Recipients: []string{"A@Example.com", ".example.com"}, Actions: []Action{{Type: ActionLambda}}}); r.Check() != nil || r.Actions[0].Invocation != "Event" {
		t.Errorf("a good rule: %+v", r)
	}
}

// records is a resolver of what a test says.
type records struct {
	texts     map[string][]string
	addresses map[string][]netip.Addr
}

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if t, ok := r.texts[name]; ok {
		return t, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (r records) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := r.addresses[host]; ok {
		return a, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (r records) LookupMX(context.Context, string) ([]*net.MX, error) {
	return []*net.MX{{Host: "mx.example.org."}}, nil
}

func TestSPFFollowsTheRecordsOfTheSendersDomain(t *testing.T) {
	r := records{
		texts: map[string][]string{
			"a.org": {"v=spf1 ip4:192.0.2.0/24 -all"}, "b.org": {"v=spf1 include:a.org ~all"}, "c.org": {"v=spf1 redirect=a.org"}, "d.org": {"other"},
			"e.org": {"v=spf1 mx a:host.org/24 -all"}, "f.org": {"v=spf1 a", "v=spf1 mx"}, "g.org": {"v=spf1 include:g.org -all"}, "h.org": {"v=spf1 ip4:x -all"},
			"i.org": {"v=spf1 ?all"},
		},
		addresses: map[string][]netip.Addr{"mx.example.org": {netip.MustParseAddr("192.0.2.7")}, "host.org": {netip.MustParseAddr("198.51.100.9")}},
	}
	for _, c := range []struct{ domain, ip, want string }{
		{"a.org", "192.0.2.1", pass}, {"a.org", "192.0.3.1", fail}, {"b.org", "192.0.2.1", pass}, {"b.org", "192.0.3.1", fail}, {"c.org", "192.0.2.1", pass},
		{"d.org", "192.0.2.1", gray}, {"none.org", "192.0.2.1", gray}, {"e.org", "192.0.2.7", pass}, {"e.org", "198.51.100.1", pass}, {"e.org", "203.0.113.1", fail},
		{"f.org", "192.0.2.1", failed}, {"g.org", "192.0.2.1", failed}, {"h.org", "192.0.2.1", failed}, {"i.org", "192.0.2.1", gray},
	} {
		s := &spf{Resolver: r, ip: netip.MustParseAddr(c.ip)}
		if got := s.check(t.Context(), c.domain); got != c.want {
			t.Errorf("%s for %s: %s, want %s", c.ip, c.domain, got, c.want)
		}
	}
}

func TestSignaturesAndThePolicyOfTheSendersDomainAreChecked(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const plain = "From: a@example.org\r\nTo: b@example.com\r\nSubject: s\r\n\r\nbody\r\n"
	var signed bytes.Buffer
	if err := dkim.Sign(&signed, strings.NewReader(plain), &dkim.SignOptions{Domain: "example.org", Selector: "k", Signer: private}); err != nil {
		t.Fatal(err)
	}
	m := &Mail{o: Options{Resolver: records{texts: map[string][]string{
		"k._domainkey.example.org": {"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)},
		"_dmarc.example.org":       {"v=DMARC1; p=reject"},
	}}}}
	from := envelope{From: "a@example.org", IP: netip.MustParseAddr("192.0.2.1")}
	for what, c := range map[string]struct {
		text string
		want verdicts
	}{
		"signed":   {signed.String(), verdicts{Spam: pass, Virus: pass, SPF: gray, DKIM: pass, DMARC: pass}},
		"changed":  {signed.String() + "more\r\n", verdicts{Spam: pass, Virus: pass, SPF: gray, DKIM: fail, DMARC: fail, Policy: "reject"}},
		"unsigned": {plain, verdicts{Spam: pass, Virus: pass, SPF: gray, DKIM: gray, DMARC: fail, Policy: "reject"}},
		"spam":     {plain + gtube, verdicts{Spam: fail, Virus: pass, SPF: gray, DKIM: gray, DMARC: fail, Policy: "reject"}},
	} {
		if got := m.judge(t.Context(), from, []byte(c.text)); got != c.want {
			t.Errorf("%s: %+v, want %+v", what, got, c.want)
		}
	}
	nobody := &Mail{}
	if got := nobody.judge(t.Context(), from, signed.Bytes()); got.SPF != gray || got.DMARC != gray || got.DKIM != failed {
		t.Errorf("where nobody is asked: %+v", got)
	}
}

func TestHeadersOfEventsAreReadAsTheyWereSentAndBounded(t *testing.T) {
	text := "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: b@example.com,\r\n \"C, D\" <c@example.com>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nX-Odd\r\n\r\nbody: no header\r\n"
	all := headersOf(headerPart([]byte(text)))
	if len(all) != 3 || all[1].Value != `b@example.com, "C, D" <c@example.com>` {
		t.Errorf("headers: %q", all)
	}
	c := common("j@example.org", all)
	if c.Subject != "grüße" || c.From[0] != "Jürgen <j@example.org>" || len(c.To) != 2 || c.To[1] != `"C, D" <c@example.com>` {
		t.Errorf("common headers: %+v", c)
	}
	long := headersOf([]byte(strings.Repeat("X: "+strings.Repeat("y", 1000)+"\n", 20)))
	if out, truncated := truncate(long); !truncated || len(out) != 10 {
		t.Errorf("%d headers, truncated: %v", len(out), truncated)
	}
}
