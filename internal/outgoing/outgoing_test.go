package outgoing

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOnlyPublicAddressesAreReached(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "172.32.0.1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "::ffff:10.0.0.1": false, "fd00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "100.100.100.200": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::127.0.0.1": false, "fec0::1": false,
	} {
		if got := (Options{}).may(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s may be reached: %v", address, got)
		}
		if !(Options{Anywhere: true}).may(netip.MustParseAddr(address)) {
			t.Errorf("%s may not be reached although everything may", address)
		}
	}
}

// serve starts a server on loopback that counts its requests.
func serve(t *testing.T, h http.HandlerFunc) (url string, asked *int) {
	t.Helper()
	asked = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestLoopbackIsReachedIfItIsListed(t *testing.T) {
	url, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err := NewClient(Options{}).Get(url)
	if !errors.Is(err, ErrRefused) || *asked != 0 {
		t.Errorf("loopback, not listed: %v, asked %d times", err, *asked)
	}
	res, err := NewClient(Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}).Get(url)
	if err != nil || *asked != 1 {
		t.Fatalf("loopback, listed: %v, asked %d times", err, *asked)
	}
	res.Body.Close()
}

func TestNamesAreCheckedAfterTheyAreResolved(t *testing.T) {
	url, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	for _, answer := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254"} {
		_, err := NewClient(Options{Resolver: resolver(t, answer)}).Get("http://innocent.example:" + port)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), answer) || *asked != 0 {
			t.Errorf("a name of %s: %v, asked %d times", answer, err, *asked)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) })
	res, err := NewClient(Options{Anywhere: true}).Post(url, "text/plain", strings.NewReader("secret"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect || *asked != 0 {
		t.Errorf("answered %s, the other one was asked %d times", res.Status, *asked)
	}
}

// resolver gives every name the address, without a network.
func resolver(t *testing.T, address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			for answerQuery(theirs, netip.MustParseAddr(address)) == nil {
			}
		}()
		t.Cleanup(func() { theirs.Close() })
		return ours, nil
	}}
}

// answerQuery answers one question as a name server does over TCP.
func answerQuery(c net.Conn, address netip.Addr) error {
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, query); err != nil {
		return err
	}
	const header, typeA = 12, 1
	end := header
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end++
	asksA := binary.BigEndian.Uint16(query[end:]) == typeA
	answer := append([]byte{}, query[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0) // a response without an answer
	answer = append(answer, query[header:end+4]...)
	if asksA {
		answer[7] = 1
		answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, address.AsSlice()...)
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}
