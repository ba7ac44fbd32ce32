package app_test

import (
	"net/http"
	"strings"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// In server mode no way that takes no signature keeps the connection of who was refused,
// as that of AWS's APIs does not. In development mode connections are kept.
func TestTheConnectionOfWhoWasRefusedIsNotKept(t *testing.T) {
	server := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.AccessKeys = settings.Server, []settings.AccessKey{{ID: "AKIAALICE", Secret: "any", Account: "111111111111"}}
	})
	development := apptest.Start(t)
	for what, r := range map[string][2]string{
		"the address of no function":      {strings.Repeat("a", 32) + ".lambda-url.us-east-1.on.aws", "/"},
		"the address of no API":           {strings.Repeat("a", 10) + ".execute-api.us-east-1.amazonaws.com", "/"},
		"an API by its path":              {"", "/restapis/" + strings.Repeat("a", 10) + "/s/_user_request_/"},
		"no distribution":                 {"dnone.cloudfront.net", "/"},
		"git":                             {"", "/v1/repos/r/info/refs?service=git-receive-pack"},
		"an answer that nobody waits for": {"", "/_plumb/stack-response/none"},
		"a link to code":                  {"", "/_plumb/code/abc?expires=1&signature=2"},
		"a token that is none":            {"", "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:111111111111:t&Token=none"},
	} {
		for _, p := range []*apptest.Plumb{server, development} {
			method := http.MethodGet
			if strings.Contains(r[1], "stack-response") {
				method = http.MethodPut
			}
			q, err := http.NewRequestWithContext(t.Context(), method, p.URL()+r[1], nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Host = r[0]
			res, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			switch {
			case p == server && res.StatusCode < 400:
				t.Errorf("%s: %d", what, res.StatusCode)
			case res.StatusCode >= 400 && res.Close != (p == server):
				t.Errorf("%s: %d, and the connection ends: %v", what, res.StatusCode, res.Close)
			}
		}
	}
}
