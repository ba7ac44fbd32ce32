package sandbox

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"plumb/internal/hostname"
)

// Names are names of hosts that all lead to one address inside. Any other name is
// unknown, at once. A child without a network of its own asks the host instead.
type Names struct {
	Below   []string // domains, in lower case; what is below one is meant as well
	Address string   // IPv4
}

// maxQuery is how long a question to a name server is, without extensions that
// nobody needs here.
const maxQuery = 512

// resolver returns where a child asks for the names, empty without any.
func (n Names) resolver() string {
	if len(n.Below) == 0 {
		return ""
	}
	return net.JoinHostPort(n.Address, "53")
}

// serve answers a child's questions until the connection closes.
func (n Names) serve(c net.PacketConn) {
	query := make([]byte, maxQuery)
	for {
		size, from, err := c.ReadFrom(query)
		if err != nil {
			return
		}
		if reply := n.reply(query[:size]); reply != nil {
			c.WriteTo(reply, from)
		}
	}
}

// reply answers one question, nil if it is none.
func (n Names) reply(query []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil || head.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	answer := dnsmessage.Header{ID: head.ID, Response: true, OpCode: head.OpCode, Authoritative: true, RecursionDesired: head.RecursionDesired, RecursionAvailable: true}
	address, known := n.address(q.Name.String())
	if !known {
		answer.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, answer)
	if b.StartQuestions() != nil || b.Question(q) != nil {
		return nil
	}
	if known && q.Type == dnsmessage.TypeA {
		if b.StartAnswers() != nil || b.AResource(record(q.Name, address)) != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

func record(name dnsmessage.Name, a netip.Addr) (dnsmessage.ResourceHeader, dnsmessage.AResource) {
	return dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 3600}, dnsmessage.AResource{A: a.As4()}
}

// address is where a name leads: one of the names, or an address behind what clients put in front of it.
func (n Names) address(name string) (a netip.Addr, known bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if hostname.Below(name, n.Below) {
		a, err := netip.ParseAddr(n.Address)
		return a, err == nil && a.Is4()
	}
	return hostname.Behind(name)
}
