package app

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// A request is of the last address that is no proxy, and only proxies say who called them.
func TestARequestIsOfWhoCalledTheProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1:5"},
		{"10.0.0.1:5", nil, "10.0.0.1:5"},
		{"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"[::ffff:10.0.0.1]:5", []string{"198.51.100.1:77"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.1, 10.0.0.2"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3:0"},
		{"10.0.0.1:5", []string{"203.0.113.9, nonsense"}, "10.0.0.1:5"},
		{"10.0.0.1:5", []string{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2:0"},
		{"[2001:db8:1::1]:5", []string{"2001:db8:2::7"}, "[2001:db8:2::7]:0"},
		{"10.0.0.1:5", []string{"[2001:db8:2::7]:443"}, "[2001:db8:2::7]:0"},
	} {
		got := ""
		h := fromProxies(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = c.remote, c.forwarded
		if h.ServeHTTP(httptest.NewRecorder(), r); got != c.want {
			t.Errorf("from %s for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
