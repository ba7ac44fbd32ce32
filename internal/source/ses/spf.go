package ses

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// spf checks whether an address may send for a domain, as RFC 7208 says. Macros and the
// mechanism ptr are not known: a record that needs them cannot be judged.
type spf struct {
	Resolver
	ip    netip.Addr
	asked int
}

// maxAsked is how many terms of all records may ask for more (RFC 7208, 4.6.4).
const maxAsked = 10

var (
	errTemporary = errors.New("spf: a record cannot be had now")
	errRecord    = errors.New("spf: a record is wrong")
)

// check returns SES's verdict.
func (s *spf) check(ctx context.Context, domain string) string {
	result, err := s.evaluate(ctx, strings.ToLower(domain))
	switch {
	case err != nil:
		return failed
	case result == '+':
		return pass
	case result == 0 || result == '?':
		return gray
	}
	return fail
}

// evaluate returns the qualifier of the term that the address matches: + - ~ ?, or 0 if
// the domain has no record.
func (s *spf) evaluate(ctx context.Context, domain string) (byte, error) {
	record, err := s.record(ctx, domain)
	if err != nil || record == "" {
		return 0, err
	}
	redirect := ""
	for _, term := range strings.Fields(record)[1:] {
		if name, value, ok := strings.Cut(term, "="); ok && !strings.ContainsAny(name, ":/") {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue
		}
		qualifier := byte('+')
		if strings.IndexByte("+-~?", term[0]) >= 0 {
			qualifier, term = term[0], term[1:]
		}
		matches, err := s.matches(ctx, domain, term)
		if err != nil {
			return 0, err
		}
		if matches {
			return qualifier, nil
		}
	}
	if redirect == "" {
		return '?', nil
	}
	if err := s.ask(redirect); err != nil {
		return 0, err
	}
	result, err := s.evaluate(ctx, redirect)
	if err == nil && result == 0 {
		err = errRecord
	}
	return result, err
}

// ask counts a term that asks for more.
func (s *spf) ask(domain string) error {
	if s.asked++; s.asked > maxAsked || strings.Contains(domain, "%") {
		return errRecord
	}
	return nil
}

// record returns the one record of a domain; empty if it has none.
func (s *spf) record(ctx context.Context, domain string) (string, error) {
	texts, err := s.LookupTXT(ctx, domain)
	if err = absent(err); err != nil {
		return "", err
	}
	found := ""
	for _, t := range texts {
		if t == "v=spf1" || strings.HasPrefix(t, "v=spf1 ") {
			if found != "" {
				return "", errRecord
			}
			found = t
		}
	}
	return found, nil
}

// absent turns the error for a name that is not there into none.
func absent(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil
	}
	if err != nil {
		return errors.Join(errTemporary, err)
	}
	return nil
}

func (s *spf) matches(ctx context.Context, domain, term string) (bool, error) {
	name, value, given := strings.Cut(term, ":")
	if !given {
		if i := strings.IndexByte(term, '/'); i >= 0 {
			name, value = term[:i], term[i:]
		}
	}
	switch name = strings.ToLower(name); name {
	case "all":
		return true, nil
	case "ip4", "ip6":
		n, ok := network(value)
		if !ok {
			return false, errRecord
		}
		return n.Contains(s.ip), nil
	}
	host, bits4, bits6, err := target(domain, value)
	if err != nil {
		return false, err
	}
	if err := s.ask(host); err != nil {
		return false, err
	}
	switch name {
	case "include":
		result, err := s.evaluate(ctx, host)
		if err == nil && result == 0 {
			err = errRecord
		}
		return result == '+', err
	case "exists":
		found, err := s.LookupNetIP(ctx, "ip4", host)
		return len(found) > 0, absent(err)
	case "a":
		return s.isOf(ctx, host, bits4, bits6)
	case "mx":
		list, err := s.LookupMX(ctx, host)
		if err = absent(err); err != nil {
			return false, err
		}
		for _, mx := range list[:min(len(list), maxAsked)] {
			if matches, err := s.isOf(ctx, strings.TrimSuffix(mx.Host, "."), bits4, bits6); err != nil || matches {
				return matches, err
			}
		}
		return false, nil
	}
	return false, errRecord
}

// target reads DOMAIN/BITS4//BITS6, each of which may be missing.
func target(domain, value string) (host string, bits4, bits6 int, err error) {
	bits4, bits6 = 32, 128
	host, lengths, _ := strings.Cut(value, "/")
	if host == "" {
		host = domain
	}
	four, six, _ := strings.Cut(lengths, "/")
	six = strings.TrimPrefix(six, "/")
	if four != "" {
		bits4, err = strconv.Atoi(four)
	}
	if six != "" && err == nil {
		bits6, err = strconv.Atoi(six)
	}
	if err != nil || bits4 < 0 || bits4 > 32 || bits6 < 0 || bits6 > 128 {
		return "", 0, 0, errRecord
	}
	return host, bits4, bits6, nil
}

// isOf reports whether the sender's address is one of a host, or in its networks.
func (s *spf) isOf(ctx context.Context, host string, bits4, bits6 int) (bool, error) {
	found, err := s.LookupNetIP(ctx, "ip", host)
	if err = absent(err); err != nil {
		return false, err
	}
	for _, a := range found {
		a = a.Unmap()
		bits := bits6
		if a.Is4() {
			bits = bits4
		}
		if n, err := a.Prefix(bits); err == nil && n.Contains(s.ip) {
			return true, nil
		}
	}
	return false, nil
}
