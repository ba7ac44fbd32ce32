package outside

import (
	"net/http/httptest"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/settings"
)

func TestForwardedRequestsReachTheServicesOwnHostOnly(t *testing.T) {
	f := NewForwarder(nil, &Clients{settings: settings.Settings{Mode: settings.Development, Account: "123456789012", Region: "us-east-1", Target: settings.AWS}})
	p := config.Place{Account: "123456789012", Region: "us-east-1"}
	for _, name := range []string{"localhost:48443?", "localhost:48443#", "x@127.0.0.1:48443?", "ec2.evil.example", "", "of action x", "EC2", "../x"} {
		if err := f.may(httptest.NewRequest("GET", "/", nil), p, name); err == nil {
			t.Errorf("a request for %q would be forwarded", name)
		}
	}
	for service, want := range map[string]string{
		"ec2": "https://ec2.us-east-1.amazonaws.com", "iam": "https://iam.amazonaws.com", "s3control": "https://123456789012.s3-control.us-east-1.amazonaws.com",
	} {
		if err := f.may(httptest.NewRequest("GET", "/a/b", nil), p, service); err != nil {
			t.Errorf("%s: %v", service, err)
		}
		if u, _, err := base(settings.AWS, service, p); err != nil || u.String() != want {
			t.Errorf("%s goes to %s, %v, want %s", service, u, err, want)
		}
	}
}

func TestForwardedPathsStayBelowTheTargets(t *testing.T) {
	f := NewForwarder(nil, &Clients{settings: settings.Settings{Mode: settings.Development, Account: "123456789012", Region: "us-east-1", Target: "http://127.0.0.1:1/prefix"}})
	p := config.Place{Account: "123456789012", Region: "us-east-1"}
	for _, path := range []string{"/../x", "/a/../../x", "/%2e%2e/x", "/.."} {
		err := f.may(httptest.NewRequest("GET", path, nil), p, "ec2")
		if err == nil || !strings.Contains(err.Error(), "leads upward") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
