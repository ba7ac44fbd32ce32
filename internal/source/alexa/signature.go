package alexa

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Whose certificate signs, and where its chain is.
const (
	signer     = "echo-api.amazon.com"
	chainHost  = "s3.amazonaws.com"
	chainPath  = "/echo.api/"
	maxChain   = 64 << 10
	maxChains  = 16 // in memory
	maxFetches = 4  // at once
)

// chains are the certificates that requests were signed with. What is kept in memory is
// downloaded again by another server.
type chains struct {
	folder  string
	client  *http.Client
	fetches chan struct{}

	mu   sync.Mutex
	seen map[string][]*x509.Certificate // by address
}

func newChains(folder string) *chains {
	return &chains{
		folder: folder, fetches: make(chan struct{}, maxFetches), seen: map[string][]*x509.Certificate{},
		client: &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the address of a chain leads elsewhere")
		}},
	}
}

// chainAddress checks where a request says its certificates are.
func chainAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" {
		return "", errors.New("SignatureCertChainUrl is not an address as Alexa has them")
	}
	clean := path.Clean(u.Path)
	switch {
	case !strings.EqualFold(u.Scheme, "https"):
		return "", errors.New("SignatureCertChainUrl is not https")
	case !strings.EqualFold(u.Hostname(), chainHost):
		return "", errors.New("SignatureCertChainUrl is not at " + chainHost)
	case u.Port() != "" && u.Port() != "443":
		return "", errors.New("SignatureCertChainUrl has another port than 443")
	case !strings.HasPrefix(clean, chainPath):
		return "", errors.New("SignatureCertChainUrl is not below " + chainPath)
	}
	return (&url.URL{Scheme: "https", Host: chainHost, Path: clean}).String(), nil
}

// verify holds a signature against a body.
func (c *chains) verify(ctx context.Context, chainURL, signature string, body []byte, now time.Time) error {
	if chainURL == "" || signature == "" {
		return errors.New("the request is not signed: it needs SignatureCertChainUrl and Signature-256")
	}
	address, err := chainAddress(chainURL)
	if err != nil {
		return err
	}
	signed, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return errors.New("Signature-256 is not base64")
	}
	chain, err := c.chain(ctx, address, now)
	if err != nil {
		return err
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the certificate has no RSA key")
	}
	sum := sha256.Sum256(body)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signed) != nil {
		return errors.New("the signature does not hold")
	}
	return nil
}

// chain returns certificates that hold now, the signer's first.
func (c *chains) chain(ctx context.Context, address string, now time.Time) ([]*x509.Certificate, error) {
	c.mu.Lock()
	chain := c.seen[address]
	c.mu.Unlock()
	if chain != nil && now.Before(chain[0].NotAfter) {
		return chain, nil
	}
	text, err := c.read(ctx, address)
	if err != nil {
		return nil, err
	}
	if chain, err = parseChain(text); err != nil {
		return nil, err
	}
	o := x509.VerifyOptions{DNSName: signer, Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, cert := range chain[1:] {
		o.Intermediates.AddCert(cert)
	}
	if o.Roots, err = c.roots(); err != nil {
		return nil, err
	}
	if _, err := chain[0].Verify(o); err != nil {
		return nil, fmt.Errorf("the certificate does not hold: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= maxChains {
		clear(c.seen)
	}
	c.seen[address] = chain
	return chain, nil
}

func parseChain(text []byte) (chain []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the chain has what is no certificate")
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("the chain has no certificate")
	}
	return chain, nil
}

// roots returns the roots of the folder, or nil for the machine's.
func (c *chains) roots() (*x509.CertPool, error) {
	if c.folder == "" {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(c.folder, "roots.pem"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the roots cannot be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("roots.pem has no certificate")
	}
	return pool, nil
}

// read returns a chain's text: the folder's file of that name, or what is at the address.
func (c *chains) read(ctx context.Context, address string) ([]byte, error) {
	if c.folder != "" {
		text, err := os.ReadFile(filepath.Join(c.folder, path.Base(address)))
		if err == nil || !errors.Is(err, os.ErrNotExist) {
			return text, err
		}
	}
	select {
	case c.fetches <- struct{}{}:
		defer func() { <-c.fetches }()
	default:
		return nil, errors.New("too many chains are downloaded at the moment")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the chain cannot be downloaded: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the chain cannot be downloaded: %s", res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxChain))
}
