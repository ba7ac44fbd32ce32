package walltest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/awsclient"
)

const (
	trickling  = 2000                   // connections that send a byte a second of their headers
	unending   = 500                    // connections whose bodies go on
	maxGrowth  = 64 << 20               // bytes of the server's memory
	maxLatency = 100 * time.Millisecond // of a signed client, 99 of 100 times
	besieged   = 40 * time.Second
)

// TestStrangersCostNothing has connections of strangers that never come to an end, and
// asks how a signed client fares meanwhile.
func TestStrangersCostNothing(t *testing.T) {
	needReal(t)
	p := serve(t, ofAlice)
	besiege(t, p, &siege{address: strings.TrimPrefix(p.url, "http://")})
}

const ofAlice = "mode: server\naccess-keys: [{id: AKIAALICE, secret: any, account: \"111111111111\"}]\n"

// TestStrangersWhoSpeakTLSCostNothing is the same of a server with a certificate.
func TestStrangersWhoSpeakTLSCostNothing(t *testing.T) {
	needReal(t)
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS() // has a certificate for loopback
	defer certified.Close()
	dir, pair := t.TempDir(), certified.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"crt": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t, fmt.Sprintf("%stls-certificate: %s/crt\ntls-key: %s/key\n", ofAlice, dir, dir))
	p.url, p.client = "https"+strings.TrimPrefix(p.url, "http"), certified.Client()
	besiege(t, p, &siege{address: strings.TrimPrefix(p.url, "https://"), tls: &tls.Config{InsecureSkipVerify: true}})
}

func besiege(t *testing.T, p *process, s *siege) {
	c := awsclient.New(awsclient.Options{Region: "us-east-1", Endpoint: p.url, Credentials: awsclient.Static("AKIAALICE", "any", ""), Attempts: 1,
		Transport: p.client.Transport})
	ask := func(d time.Duration) (all []time.Duration) {
		for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			began := time.Now()
			if _, err := c.Call(t.Context(), "config", "DescribeConfigRules", nil); err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Since(began))
		}
		slices.Sort(all)
		return all
	}
	calm := ask(3 * time.Second)
	before := p.resident()
	s.end = make(chan struct{})
	for i := range trickling {
		attack := s.trickle
		if s.tls != nil {
			attack = []func(net.Conn){s.trickle, s.hello, s.halfway}[i%3]
		}
		go s.keep(attack)
	}
	for i := range unending {
		go s.keep(func(conn net.Conn) { s.body(conn, i) })
	}
	for s.open.Load() < trickling+unending*9/10 {
		if time.Sleep(50 * time.Millisecond); t.Context().Err() != nil {
			t.Fatal("the connections are not open")
		}
	}
	during, most := []time.Duration(nil), int64(0)
	for range int(besieged / (5 * time.Second)) {
		during = append(during, ask(5*time.Second)...)
		most = max(most, p.resident())
	}
	slices.Sort(during)
	open := s.open.Load()
	close(s.end)
	p.healthy()
	p99 := during[len(during)*99/100]
	t.Logf("%d connections open, %d were begun; memory %d MiB, %d MiB at most; p99 %v of %d calls, %v of %d before",
		open, s.begun.Load(), before>>20, most>>20, p99, len(during), calm[len(calm)*99/100], len(calm))
	if most-before > maxGrowth {
		t.Errorf("strangers took %d MiB", (most-before)>>20)
	}
	if alone := calm[len(calm)*99/100]; p99 > max(maxLatency, 3*alone) { // the machine may be busy with something else
		t.Errorf("a signed client waited %v, %v without strangers", p99, alone)
	}
}

// A siege is many connections to a server.
type siege struct {
	address     string
	tls         *tls.Config // nil without TLS
	end         chan struct{}
	open, begun atomic.Int64
}

// keep begins a connection again whenever the server ends it.
func (s *siege) keep(attack func(net.Conn)) {
	for !s.ended(0) {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			s.ended(time.Second)
			continue
		}
		s.begun.Add(1)
		s.open.Add(1)
		if s.tls == nil {
			go func() { // the server's answer and end
				io.Copy(io.Discard, conn)
				conn.Close()
			}()
		}
		attack(conn)
		s.open.Add(-1)
		conn.Close()
		s.ended(time.Second)
	}
}

// ended waits, and reports whether the siege is over.
func (s *siege) ended(d time.Duration) bool {
	if d == 0 {
		select {
		case <-s.end:
			return true
		default:
			return false
		}
	}
	select {
	case <-s.end:
		return true
	case <-time.After(d):
		return false
	}
}

// hello sends the beginning of a TLS handshake, a byte a second.
func (s *siege) hello(conn net.Conn) {
	for _, b := range append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3}, make([]byte, 1000)...) {
		if _, err := conn.Write([]byte{b}); err != nil || s.ended(time.Second) {
			return
		}
	}
}

// halfway begins a TLS handshake, and does not answer the server's side of it.
func (s *siege) halfway(conn net.Conn) {
	half, other := net.Pipe()
	go tls.Client(half, s.tls).Handshake()
	hello := make([]byte, 4096)
	n, _ := other.Read(hello)
	half.Close()
	if _, err := conn.Write(hello[:n]); err != nil {
		return
	}
	s.ended(time.Minute)
}

// secure speaks TLS, if the server does.
func (s *siege) secure(conn net.Conn) net.Conn {
	if s.tls == nil {
		return conn
	}
	secure := tls.Client(conn, s.tls)
	go func() { // the server's answer and end
		io.Copy(io.Discard, secure)
		conn.Close()
	}()
	return secure
}

func (s *siege) trickle(conn net.Conn) {
	conn = s.secure(conn)
	head := "POST / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("a", 1<<16)
	for i := range head {
		if _, err := conn.Write([]byte{head[i]}); err != nil || s.ended(time.Second) {
			return
		}
	}
}

// body sends a request that nobody signed, or that an unknown key did, whose body does
// not end.
func (s *siege) body(conn net.Conn, i int) {
	conn = s.secure(conn)
	length := []string{"Content-Length: 67108864", "Transfer-Encoding: chunked"}[i%2]
	more := []string{
		"X-Amz-Target: StarlingDoveService.DescribeConfigRules\r\nContent-Type: application/x-amz-json-1.1",
		"Content-Type: application/x-www-form-urlencoded",
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIASTRANGER/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAALICE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\nX-Amz-Date: " +
			time.Now().UTC().Format("20060102T150405Z"),
	}[i/2%4]
	fmt.Fprintf(conn, "PUT /bucket/key HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s\r\n\r\n", more, length)
	for {
		if _, err := io.WriteString(conn, "1\r\na\r\n"); err != nil || s.ended(time.Second) {
			return
		}
	}
}
