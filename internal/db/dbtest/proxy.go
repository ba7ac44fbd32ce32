package dbtest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Proxy stands between a program and PostgreSQL, so that the database can go
// away and come back.
type Proxy struct {
	URL string // of the database, through the proxy

	target string
	mu     sync.Mutex
	l      net.Listener
	conns  []net.Conn
}

// NewProxy returns a proxy before the database at a URL.
func NewProxy(t testing.TB, database string) *Proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: u.Host}
	p.listen(t, "127.0.0.1:0")
	u.Host = p.l.Addr().String()
	p.URL = u.String()
	t.Cleanup(p.GoAway)
	return p
}

func (p *Proxy) listen(t testing.TB, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l = l
	go p.accept(l)
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go io.Copy(server, client)
		go io.Copy(client, server)
	}
}

// GoAway closes every connection and takes no new one.
func (p *Proxy) GoAway() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l.Close()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// ComeBack takes connections again.
func (p *Proxy) ComeBack(t testing.TB) { p.listen(t, p.l.Addr().String()) }
