package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/settings"
)

// writePair writes a certificate for loopback with a serial number, and its key.
func writePair(t *testing.T, file, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "plumb"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{file: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACertificateIsRenewedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if _, err := openCertificate(slog.New(slog.DiscardHandler), file, key); err == nil {
		t.Fatal("a server starts without its certificate")
	}
	writePair(t, file, key, 1)
	c, err := openCertificate(slog.New(slog.DiscardHandler), file, key)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.now = func() time.Time { return now }
	serial := func() int64 {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.Int64()
	}
	step := func() { now = now.Add(lookEvery) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	step()
	write(file, "half of it")
	if got := serial(); got != 1 {
		t.Errorf("of a broken file: %d", got)
	}
	step()
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 1 {
		t.Errorf("of a missing file: %d", got)
	}
	writePair(t, file, key, 2)
	if got := serial(); got != 1 {
		t.Errorf("the files were looked at twice in a moment: %d", got)
	}
	step()
	if got := serial(); got != 2 {
		t.Errorf("after the renewal: %d", got)
	}
}

func TestClientsSpeakTLSAndFunctionsNeedNot(t *testing.T) {
	dir := t.TempDir()
	s := settings.Default()
	s.Listen, s.Data = "127.0.0.1:0", t.TempDir()
	s.TLSCertificate, s.TLSKey = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writePair(t, s.TLSCertificate, s.TLSKey, 1)
	a, err := New(t.Context(), s, slog.New(slog.DiscardHandler), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.TLSCertificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer trusting.CloseIdleConnections()
	for url, want := range map[string]int{
		a.URL(): http.StatusOK, a.functionURL(): http.StatusOK, "http" + strings.TrimPrefix(a.URL(), "https"): http.StatusBadRequest,
	} {
		res, err := trusting.Get(url + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d", url, res.Status, want)
		}
	}
	if !strings.HasPrefix(a.URL(), "https://") || !strings.HasPrefix(a.functionURL(), "http://127.0.0.1:") {
		t.Errorf("clients are told %s, functions %s", a.URL(), a.functionURL())
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
