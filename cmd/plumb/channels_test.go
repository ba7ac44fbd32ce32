package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

func TestAChannelIsTriedAndToldWithALinkThatLeadsToTheResource(t *testing.T) {
	var mu sync.Mutex
	var posts []string
	status := 200
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		posts = append(posts, string(b))
		w.WriteHeader(status)
	}))
	defer hook.Close()
	p := apptest.Start(t, func(s *settings.Settings) {
		s.LogLevel, s.Console = "error", "127.0.0.1:0"
		s.Channels = []settings.Channel{{Name: "ops", Kind: settings.ChannelWebhook, URL: settings.Secret(hook.URL + "/s3cret"), Rules: []string{"named"}}}
	})
	command := func(args ...string) (string, string, int) {
		var out, errOut bytes.Buffer
		status := run(t.Context(), append([]string{"channels", args[0], "--endpoint", p.URL()}, args[1:]...), strings.NewReader(""), &out, &errOut)
		return out.String(), errOut.String(), status
	}
	if out, _, _ := command("list"); out != "NAME  KIND\nops   webhook\n" {
		t.Error(out)
	}
	if out, errOut, got := command("test", "ops"); out != "An example was sent to ops.\n" || got != 0 || len(posts) != 1 {
		t.Error(out, errOut, posts)
	}
	if _, errOut, got := command("test", "opps"); got == 0 || !strings.Contains(errOut, `the settings of the server have no channel "opps"`) {
		t.Error(errOut)
	}
	status = 404
	if _, errOut, got := command("test", "ops"); got == 0 || !strings.Contains(errOut, "the channel refuses: it answered 404 Not Found") || strings.Contains(errOut, "s3cret") {
		t.Error(errOut)
	}
	status, posts = 200, nil
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"named", "other"} {
		_, err := p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
			ConfigRuleName: &rule, Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Drain(t)
	var post struct {
		Lines []struct{ Rule, Compliance, ResourceID, Link string }
	}
	mu.Lock()
	defer mu.Unlock()
	if len(posts) == 0 {
		t.Fatal("nothing was told")
	}
	if err := json.Unmarshal([]byte(posts[0]), &post); err != nil {
		t.Fatal(err)
	}
	for _, l := range post.Lines {
		if l.Rule != "named" || l.Compliance != "NON_COMPLIANT" {
			t.Errorf("%+v", l)
		}
	}
	link, err := url.Parse(post.Lines[0].Link)
	if err != nil || link.Query().Get("id") != post.Lines[0].ResourceID {
		t.Fatalf("%+v, %v", post.Lines[0], err)
	}
	res, err := http.Get(link.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || !bytes.Contains(page, []byte(post.Lines[0].ResourceID)) {
		t.Errorf("%s: %s", link, res.Status)
	}
}
