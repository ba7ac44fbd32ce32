package authority

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// handshake has a client of a trust ask a server of the authority for a host.
func handshake(t *testing.T, a *Authority, bundle []byte, host string) error {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		s := tls.Server(server, a.Config())
		s.Handshake()
		server.Close()
	}()
	return tls.Client(client, &tls.Config{RootCAs: roots, ServerName: host}).Handshake()
}

func TestHostsBelowTheDomainsAreVouchedFor(t *testing.T) {
	a, err := New(Domains)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := a.Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{trust.Own, trust.Bundle} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"config.us-east-1.amazonaws.com", "a.b.s3.amazonaws.com", "CONFIG.cn-north-1.amazonaws.com.cn", "x.lambda-url.us-east-1.on.aws"} {
			if err := handshake(t, a, text, host); err != nil {
				t.Errorf("%s: %v", host, err)
			}
		}
		for _, host := range []string{"example.com", "amazonaws.com.example.com", "notamazonaws.com", ""} {
			if err := handshake(t, a, text, host); err == nil {
				t.Errorf("%s is vouched for", host)
			}
		}
	}
}

// Whoever trusts the authority trusts it for its domains only, whatever it signs.
func TestTheAuthorityIsNoneForOtherNames(t *testing.T) {
	a, err := New([]string{"amazonaws.com"})
	if err != nil {
		t.Fatal(err)
	}
	a.domains = append(a.domains, "example.com") // as if its key were in other hands
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	err = handshake(t, a, own, "www.example.com")
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || invalid.Reason != x509.CANotAuthorizedForThisName {
		t.Errorf("got %v", err)
	}
}

func TestCertificatesThatAreKeptAreBounded(t *testing.T) {
	a, err := New([]string{"amazonaws.com"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxLeaves + 10 {
		if _, err := a.certificate(fmt.Sprintf("h%d.amazonaws.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.leaves); n > maxLeaves {
		t.Errorf("%d certificates are kept", n)
	}
	if _, err := a.certificate(strings.Repeat("a", 70) + ".amazonaws.com"); err != nil {
		t.Errorf("a long name: %v", err)
	}
}
