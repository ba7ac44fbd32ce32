// Package authority vouches for the names of AWS's hosts to functions, and to nobody
// else: a certificate authority of this process, whose key is never written. What its
// certificates name is bound to a few domains, so that a client that trusts it trusts
// it for nothing more.
//
//	a, err := authority.New(authority.Domains)
//	trust, err := a.Install(dir)           // files for clients
//	l = tls.NewListener(l, a.Config())     // answers for any host below the domains
//
// It stores the certificate, and the host's own beside it, in a folder.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"plumb/internal/hostname"
)

// Domains are those below which AWS's clients look for AWS.
var Domains = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws"}

// lifetime is how long certificates hold, in both directions: functions may be told
// another time, and a server runs for long.
const lifetime = 10 * 365 * 24 * time.Hour

// maxLeaves bounds the certificates that are kept: functions choose the names.
const maxLeaves = 512

// An Authority is safe for concurrent use.
type Authority struct {
	domains []string
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	leafKey *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by host
}

// New makes an authority for some domains, with a key of its own.
func New(domains []string) (*Authority, error) {
	a := &Authority{domains: domains, leaves: map[string]*tls.Certificate{}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the key of a certificate authority: %w", err)
	}
	if a.leafKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the key of certificates: %w", err)
	}
	t := a.template(pkix.Name{Organization: []string{"Plumb"}, CommonName: "Plumb, for functions on this machine"})
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	t.PermittedDNSDomainsCritical, t.PermittedDNSDomains = true, domains
	raw, err := x509.CreateCertificate(rand.Reader, t, t, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	a.cert, err = x509.ParseCertificate(raw)
	return a, err
}

func (a *Authority) template(subject pkix.Name) *x509.Certificate {
	serial := make([]byte, 16)
	rand.Read(serial)
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: subject, NotBefore: now.Add(-lifetime), NotAfter: now.Add(lifetime),
	}
}

// Config is how a server answers for any host below the domains, in HTTP/1.1. A client
// that names another host, or none, is refused.
func (a *Authority) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.certificate(hello.ServerName) },
	}
}

func (a *Authority) certificate(host string) (*tls.Certificate, error) {
	host = strings.ToLower(host)
	if !hostname.Below(host, a.domains) {
		return nil, fmt.Errorf("no certificate for %q", host)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[host]; c != nil {
		return c, nil
	}
	t := a.template(pkix.Name{Organization: []string{"Plumb"}})
	t.DNSNames = []string{host}
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.cert, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %s: %w", host, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	c := &tls.Certificate{Certificate: [][]byte{raw, a.cert.Raw}, PrivateKey: a.leafKey}
	a.leaves[host] = c
	return c, nil
}
