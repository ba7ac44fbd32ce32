package ses

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
)

// A Resolver is asked for the records that senders' domains have. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// The verdicts on a mail.
const (
	pass   = "PASS"
	fail   = "FAIL"
	gray   = "GRAY" // there is nothing to go by
	failed = "PROCESSING_FAILED"
)

// verdicts are what was found out about a mail.
type verdicts struct {
	Spam   string `json:"spam"`
	Virus  string `json:"virus"`
	SPF    string `json:"spf"`
	DKIM   string `json:"dkim"`
	DMARC  string `json:"dmarc"`
	Policy string `json:"policy,omitempty"` // of DMARC, where it failed
}

// The texts by which scanners of all makers are tested. They are all that is looked for.
const (
	gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
	eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`
)

// maxSignatures is how many signatures of a mail are checked.
const maxSignatures = 10

// judge finds out about a mail what its text and the records of its sender's domain say.
func (m *Mail) judge(ctx context.Context, e envelope, text []byte) verdicts {
	v := verdicts{Spam: pass, Virus: pass, DKIM: gray, SPF: gray, DMARC: gray}
	if bytes.Contains(text, []byte(gtube)) {
		v.Spam = fail
	}
	if bytes.Contains(text, []byte(eicar)) {
		v.Virus = fail
	}
	var signed []string
	v.DKIM, signed = m.checkDKIM(ctx, text)
	if m.o.Resolver == nil {
		return v
	}
	_, domain, ok := cutAddress(e.From)
	if !ok {
		domain = e.Helo
	}
	if e.IP.IsValid() && domain != "" {
		v.SPF = (&spf{Resolver: m.o.Resolver, ip: e.IP.Unmap()}).check(ctx, domain)
	}
	aligned := append([]string{}, signed...)
	if v.SPF == pass {
		aligned = append(aligned, domain)
	}
	v.DMARC, v.Policy = m.checkDMARC(ctx, text, aligned)
	return v
}

// lookup asks for texts, as the checks of others want it.
func (m *Mail) lookup(ctx context.Context) func(string) ([]string, error) {
	return func(name string) ([]string, error) {
		if m.o.Resolver == nil {
			return nil, &net.DNSError{Err: "nobody is asked", Name: name, IsTemporary: true}
		}
		return m.o.Resolver.LookupTXT(ctx, name)
	}
}

// checkDKIM returns the verdict on a mail's signatures, and the domains of those that
// are right. One is enough.
func (m *Mail) checkDKIM(ctx context.Context, text []byte) (status string, signed []string) {
	found, err := dkim.VerifyWithOptions(bytes.NewReader(text), &dkim.VerifyOptions{LookupTXT: m.lookup(ctx), MaxVerifications: maxSignatures})
	status = gray
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return status, nil
	}
	for _, s := range found {
		switch {
		case s.Err == nil:
			signed = append(signed, strings.ToLower(s.Domain))
		case dkim.IsTempFail(s.Err):
			status = failed
		case status == gray:
			status = fail
		}
	}
	if len(signed) > 0 {
		status = pass
	}
	return status, signed
}

// checkDMARC returns whether one of the domains that vouch for a mail is that of its
// From, as the policy of that domain asks, and the policy where it is not.
func (m *Mail) checkDMARC(ctx context.Context, text []byte, vouching []string) (status, policy string) {
	domain := fromDomain(text)
	if domain == "" {
		return gray, ""
	}
	record, of, err := m.policyOf(ctx, domain)
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
		return gray, ""
	case err != nil:
		return failed, ""
	}
	for _, v := range vouching {
		v = strings.ToLower(v)
		relaxed := record.DKIMAlignment != dmarc.AlignmentStrict && record.SPFAlignment != dmarc.AlignmentStrict
		if v == domain || relaxed && (below(v, of) && below(domain, of)) {
			return pass, ""
		}
	}
	policy = string(record.Policy)
	if of != domain && record.SubdomainPolicy != "" {
		policy = string(record.SubdomainPolicy)
	}
	return fail, policy
}

// below reports whether a domain is another one or under it.
func below(domain, other string) bool { return domain == other || strings.HasSuffix(domain, "."+other) }

// policyOf finds the policy of a domain, or of the nearest one above it.
func (m *Mail) policyOf(ctx context.Context, domain string) (record *dmarc.Record, of string, err error) {
	const deepest = 6
	err = dmarc.ErrNoPolicy
	for of = domain; strings.Contains(of, ".") && strings.Count(of, ".") < deepest; _, of, _ = strings.Cut(of, ".") {
		record, err = dmarc.LookupWithOptions(of, &dmarc.LookupOptions{LookupTXT: m.lookup(ctx)})
		if !errors.Is(err, dmarc.ErrNoPolicy) {
			return record, of, err
		}
	}
	return nil, "", err
}

// fromDomain is the domain of the one address of From; empty if there is not one.
func fromDomain(text []byte) string {
	domain := ""
	for _, h := range headersOf(headerPart(text)) {
		if !strings.EqualFold(h.Name, "From") {
			continue
		}
		list, err := mail.ParseAddressList(h.Value)
		if err != nil || len(list) != 1 || domain != "" {
			return ""
		}
		_, domain, _ = cutAddress(strings.ToLower(list[0].Address))
	}
	return domain
}
