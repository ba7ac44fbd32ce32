package sandbox

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// named gives a trial the names of example.com, which lead to a server that says what
// it was asked for, in the clear and by TLS with a certificate that the child trusts.
func named(t *testing.T, tr *trial) {
	t.Helper()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "for "+r.Host) })
	plain := httptest.NewServer(answer)
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(answer) // for its certificate, which is for example.com
	t.Cleanup(secure.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(tr.tmp.Source, "ca.pem"), bundle, 0o644); err != nil {
		t.Fatal(err)
	}
	outside := strings.TrimPrefix(plain.URL, "http://")
	tr.spec.Names = Names{Below: []string{"example.com"}, Address: "127.0.0.77"}
	tr.spec.Forward = []Forward{
		{Inside: "127.0.0.77:80", Outside: outside},
		{Inside: "127.0.0.77:443", Outside: outside, TLS: &tls.Config{Certificates: secure.TLS.Certificates}},
	}
	tr.spec.Env = append(tr.spec.Env, "SSL_CERT_FILE="+tr.box.level.Path(tr.tmp)+"/ca.pem")
}

func TestNamesLeadToWhereTheyShould(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Namespaces)
		named(t, tr)
		for name, want := range map[string]string{
			"example.com":         "127.0.0.77",
			"a.b.EXAMPLE.com":     "127.0.0.77",
			"badexample.com":      "error: lookup badexample.com on 127.0.0.77:53: no such host",
			"example.com.evil.io": "error: lookup example.com.evil.io on 127.0.0.77:53: no such host",
			"localhost":           "127.0.0.1",
			// What clients put in front of an endpoint's address:
			"account.127.0.0.1": "127.0.0.1",
			"sync-127.0.0.1":    "127.0.0.1",
		} {
			if got := tr.do("lookup", name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}

func TestNamesAreReachedInTheClearAndByTLS(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Namespaces)
		named(t, tr)
		for address, want := range map[string]string{
			"http://a.example.com/":     "for a.example.com",
			"https://www.example.com/":  "for www.example.com",
			"https://127.0.0.77/":       `error: Get "https://127.0.0.77/": tls: failed to verify certificate`,
			"http://a.example.com:444/": `error: Get "http://a.example.com:444/": dial tcp 127.0.0.77:444: connect: connection refused`,
		} {
			if got := tr.do("fetch", address); !strings.HasPrefix(got, want) {
				t.Errorf("%s: got %q, want %q", address, got, want)
			}
		}
	})
}

func TestWithoutNamesNoneIsKnown(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Namespaces)
		if got := tr.do("lookup", "example.com"); !strings.HasPrefix(got, "error:") {
			t.Errorf("got %q", got)
		}
	})
}

func TestQuestionsThatAreNoneGetNoAnswer(t *testing.T) {
	n := Names{Below: []string{"example.com"}, Address: "127.0.0.77"}
	question := func(response bool, kind dnsmessage.Type) []byte {
		b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 7, Response: response})
		b.StartQuestions()
		b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName("example.com."), Type: kind, Class: dnsmessage.ClassINET})
		m, _ := b.Finish()
		return m
	}
	for name, m := range map[string][]byte{
		"nothing": nil, "noise": []byte("GET / HTTP/1.1\r\n\r\n"), "a head alone": question(false, dnsmessage.TypeA)[:12],
		"an answer": question(true, dnsmessage.TypeA), "half a question": question(false, dnsmessage.TypeA)[:20],
	} {
		if got := n.reply(m); got != nil {
			t.Errorf("%s: got %d bytes", name, len(got))
		}
	}
	var m dnsmessage.Message
	if err := m.Unpack(n.reply(question(false, dnsmessage.TypeAAAA))); err != nil || m.RCode != dnsmessage.RCodeSuccess || len(m.Answers) != 0 || m.ID != 7 {
		t.Errorf("the IPv6 addresses of a known name: %+v, %v", m, err)
	}
}
