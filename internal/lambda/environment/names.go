package environment

import (
	"crypto/tls"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"plumb/internal/lambda/authority"
	"plumb/internal/sandbox"
)

// namesAddress is where the names of AWS's hosts lead inside a sandbox with a network of
// its own: an address of loopback that nobody else has a use for.
const namesAddress = "127.0.0.79"

// trustFolder is where functions see whom they are to trust.
const trustFolder = "/etc/plumb"

// awsNames lets programs that call AWS by its own names, without a look at
// AWS_ENDPOINT_URL, come to the endpoint all the same: the names lead into the sandbox,
// and an authority that the function trusts vouches for them.
type awsNames struct {
	config *tls.Config
	trust  authority.Trust
}

func newNames(dir string) (*awsNames, error) {
	a, err := authority.New(authority.Domains)
	if err != nil {
		return nil, err
	}
	trust, err := a.Install(dir)
	return &awsNames{config: a.Config(), trust: trust}, err
}

// give adds the names to what a function sees. The endpoint is what it is forwarded to
// already.
func (n *awsNames) give(s *sandbox.Spec, v variables, runtime string) {
	outside := s.Forward[0].Outside
	s.Names = sandbox.Names{Below: authority.Domains, Address: namesAddress}
	s.Forward = append(slices.Clip(s.Forward),
		sandbox.Forward{Inside: net.JoinHostPort(namesAddress, "80"), Outside: outside},
		sandbox.Forward{Inside: net.JoinHostPort(namesAddress, "443"), Outside: outside, TLS: n.config})
	s.Mounts = append(s.Mounts, sandbox.Mount{Source: filepath.Dir(n.trust.Bundle), Target: trustFolder})
	for _, file := range n.trust.System {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: n.trust.Bundle, Target: file})
	}
	n.tell(v, runtime)
}

// tell names the files to programs that do not look where the system has its own.
func (n *awsNames) tell(v variables, runtime string) {
	bundle, own := path.Join(trustFolder, filepath.Base(n.trust.Bundle)), path.Join(trustFolder, filepath.Base(n.trust.Own))
	v.byDefault("SSL_CERT_FILE", bundle)      // OpenSSL and what follows it: Go, Rust, Ruby, .NET
	v.byDefault("CURL_CA_BUNDLE", bundle)     // curl
	v.byDefault("REQUESTS_CA_BUNDLE", bundle) // Python's requests
	v.byDefault("NODE_EXTRA_CA_CERTS", own)
	if strings.HasPrefix(runtime, "python") {
		// Not for others: the SDKs for Go fail by it where a program has an HTTP client of its own.
		v.byDefault("AWS_CA_BUNDLE", bundle)
	}
}
