package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// twoAccounts is server mode with one key for each of two accounts.
func twoAccounts(s *settings.Settings) {
	s.Mode = settings.Server
	s.AccessKeys = []settings.AccessKey{
		{ID: "AKIAALICE", Secret: "any", Account: "111111111111", User: "alice"},
		{ID: "AKIABOB", Secret: "any", Account: "222222222222", User: "bob"},
	}
}

func TestAFunctionHasNoRoleOfAnotherAccount(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	bob := p.Signing("AKIABOB", "any").Lambda()
	create := func(name, role string) error {
		_, err := bob.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: &name, Role: &role, Handler: aws.String("f.h"), Runtime: lambdatypes.RuntimePython312,
			Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "f.py", []byte("def h(e, c): pass\n"))},
		})
		return err
	}
	const theirs, own = "arn:aws:iam::111111111111:role/admin", "arn:aws:iam::222222222222:role/f"
	if err := create("f", theirs); err == nil || !strings.Contains(err.Error(), "Cross-account pass role is not allowed") {
		t.Errorf("creation with another account's role: %v", err)
	}
	for _, role := range []string{"arn:aws:iam::222222222222:rolex", "arn:aws:iam::222222222222:role/x/"} {
		if err := create("f", role); err == nil || !strings.Contains(err.Error(), "cannot be assumed by Lambda") {
			t.Errorf("creation with %s: %v", role, err)
		}
	}
	if err := create("f", own); err != nil {
		t.Fatal(err)
	}
	_, err := bob.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Role: aws.String(theirs)})
	if err == nil || !strings.Contains(err.Error(), "Cross-account pass role is not allowed") {
		t.Errorf("update to another account's role: %v", err)
	}
	_, err = p.Signing("AKIABOB", "any").STS().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(theirs), RoleSessionName: aws.String("session")})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("another account's role is assumed: %v", err)
	}
}

func TestForeignPagesReachNothingInDevelopmentMode(t *testing.T) {
	p := apptest.Start(t)
	own := strings.TrimPrefix(p.URL(), "http://")
	for _, path := range []string{"/", "/?Action=ListTopics", "/2015-03-31/functions", "/bucket/key", "/_plumb/reset", "/metrics"} {
		for _, method := range []string{"GET", "POST"} {
			for _, header := range [][]string{
				{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
				{"Referer", "https://evil.example/page"},
			} {
				if status, text := call(t, method, p.URL()+path, "", header...); status != http.StatusForbidden || !strings.Contains(text, "web pages of others") {
					t.Errorf("%s %s with %v: %d %s", method, path, header, status, text)
				}
			}
			if status := callAs(t, method, p.URL()+path, "attacker.example:4577"); status != http.StatusForbidden {
				t.Errorf("%s %s for another host: %d", method, path, status)
			}
		}
	}
	for _, host := range []string{own, "localhost:4577", "bucket.localhost:4577", "config.eu-west-1.amazonaws.com", "[::1]:4577", "127.0.0.7"} {
		if status := callAs(t, "GET", p.URL()+"/healthz", host); status != http.StatusOK {
			t.Errorf("for the host %s: %d", host, status)
		}
	}
	if status, _ := call(t, "GET", p.URL()+"/healthz", "", "Origin", p.URL(), "Sec-Fetch-Site", "same-origin"); status != http.StatusOK {
		t.Errorf("a page of our own got %d", status)
	}
	listed := apptest.Start(t, func(s *settings.Settings) { s.Hosts = []string{"plumb"} })
	if status := callAs(t, "GET", listed.URL()+"/healthz", "plumb:4577"); status != http.StatusOK {
		t.Errorf("for a listed host: %d", status)
	}
}

func TestSubscriptionsReachPublicAndListedNetworksOnly(t *testing.T) {
	var asked atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inner.Close()
	for want, change := range [][]string{nil, {"127.0.0.0/8"}} {
		p := apptest.Start(t, twoAccounts, func(s *settings.Settings) { s.OutgoingNetworks = change })
		client := p.Signing("AKIABOB", "any").SNS()
		topic, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: &inner.URL})
		if err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		if got := int(asked.Swap(0)); got != want {
			t.Errorf("with the networks %v a server on loopback was asked %d times", change, got)
		}
	}
}

func TestMetricsOfAServerAskForAToken(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	if status, text := call(t, "GET", p.URL()+"/metrics", "", "Authorization", "Bearer "); status != http.StatusForbidden || !strings.Contains(text, "metrics-token") {
		t.Errorf("without a token in the settings: %d %s", status, text)
	}
	p = apptest.Start(t, twoAccounts, func(s *settings.Settings) { s.MetricsToken = "hush" })
	for header, want := range map[string]int{"": 401, "Bearer ": 401, "Bearer other": 401, "Basic hush": 401, "Bearer hush": 200} {
		if status, _ := call(t, "GET", p.URL()+"/metrics", "", "Authorization", header); status != want {
			t.Errorf("with %q: %d, want %d", header, status, want)
		}
	}
}

func TestDeliveriesOfAServerAskForAToken(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	const page = "/_plumb/deliveries"
	if status, text := call(t, "GET", p.URL()+page, "", "Authorization", "Bearer "); status != http.StatusForbidden || !strings.Contains(text, "control-token") {
		t.Errorf("without a token in the settings: %d %s", status, text)
	}
	p = apptest.Start(t, twoAccounts, func(s *settings.Settings) { s.ControlToken, s.MetricsToken = "hush", "other" })
	for header, want := range map[string]int{"": 401, "Bearer ": 401, "Bearer other": 401, "Bearer hush": 200} {
		for _, path := range []string{page, page + "/1", page + "/drop", "/_plumb/channels"} {
			method, body, want := "GET", "", want
			if path == page+"/drop" {
				method, body = "POST", `{"all": true}`
			} else if path == page+"/1" && want == 200 {
				want = 404
			}
			if status, text := call(t, method, p.URL()+path, body, "Authorization", header); status != want {
				t.Errorf("%s with %q: %d %s, want %d", path, header, status, text, want)
			}
		}
	}
}

// callAs makes a request for a host by another name.
func callAs(t *testing.T, method, url, host string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
