package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"plumb/internal/app"
	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// A server is a whole Plumb in this process, which clients of this process call
// over loopback, as they call its floors.
type server struct {
	app    *app.App
	client *http.Client
	store  string // URL of what it keeps
}

func (b *bench) newServer(ctx context.Context) (*server, error) {
	s, err := b.settings(ctx)
	if err != nil {
		return nil, err
	}
	a, err := b.start(ctx, s)
	if err != nil {
		return nil, err
	}
	return &server{a, newClient(), s.Database}, nil
}

// start starts a server that is stopped at the end.
func (b *bench) start(ctx context.Context, s settings.Settings) (*app.App, error) {
	a, err := app.New(ctx, s, b.log(), app.Options{Version: "bench"})
	if err != nil {
		return nil, err
	}
	b.atEnd(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		a.Stop(ctx)
	})
	return a, a.Start(ctx)
}

// settings are those of a Plumb with an empty store and a data folder of its own.
func (b *bench) settings(ctx context.Context) (settings.Settings, error) {
	s := settings.Default()
	s.Listen, s.Account, s.Region = "127.0.0.1:0", benchAccount, benchRegion
	url, err := b.newStore(ctx)
	if err != nil {
		return s, err
	}
	s.Database, s.Data = url, filepath.Join(b.dir, fmt.Sprintf("data%d", len(b.closers)))
	return s, s.Check()
}

// newClient keeps a connection for each of many clients.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
}

// call asks for an operation of AWS Config. out may be nil.
func (s *server) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := s.callRaw(ctx, operation, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func (s *server) callRaw(ctx context.Context, operation string, body []byte) ([]byte, error) {
	r, err := newCall(ctx, s.app.URL(), operation, body)
	if err != nil {
		return nil, err
	}
	return do(s.client, r)
}

func newCall(ctx context.Context, url, operation string, body []byte) (*http.Request, error) {
	r, err := newRequest(ctx, "POST", url+"/", "config", body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	return r, nil
}

// newRequest looks like a signed request; development mode takes any signature.
func newRequest(ctx context.Context, method, url, service string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+benchAccount+"/20260101/"+benchRegion+"/"+service+
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	return r, nil
}

// send asks for an operation of a service that is told by its path.
func (s *server) send(ctx context.Context, method, path, service string, body []byte) ([]byte, error) {
	r, err := newRequest(ctx, method, s.app.URL()+path, service, body)
	if err != nil {
		return nil, err
	}
	return do(s.client, r)
}

func do(c *http.Client, r *http.Request) ([]byte, error) {
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", r.Method, r.URL.Path, resp.Status, answer)
	}
	return answer, nil
}

// startRecorder has the server record those types, all if none.
func (s *server) startRecorder(ctx context.Context, types ...string) error {
	group := map[string]any{"allSupported": len(types) == 0, "resourceTypes": types}
	if len(types) == 0 {
		group = map[string]any{"allSupported": true, "includeGlobalResourceTypes": true}
	}
	steps := []func() error{
		func() error {
			_, err := s.send(ctx, "PUT", "/delivered", "s3", nil)
			return err
		},
		func() error {
			return s.call(ctx, "PutConfigurationRecorder", map[string]any{"ConfigurationRecorder": map[string]any{
				"name": "default", "roleARN": "arn:aws:iam::" + benchAccount + ":role/config", "recordingGroup": group,
			}}, nil)
		},
		func() error {
			return s.call(ctx, "PutDeliveryChannel", map[string]any{"DeliveryChannel": map[string]any{"name": "default", "s3BucketName": "delivered"}}, nil)
		},
		func() error {
			return s.call(ctx, "StartConfigurationRecorder", map[string]any{"ConfigurationRecorderName": "default"}, nil)
		},
		func() error { return s.app.Drain(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// putManagedRule puts a managed rule under a name.
func (s *server) putManagedRule(ctx context.Context, name, identifier string) error {
	source := map[string]any{"Owner": "AWS", "SourceIdentifier": identifier}
	r := map[string]any{"ConfigRuleName": name, "Source": source}
	if p := parameters[identifier]; p != "" {
		r["InputParameters"] = p
	}
	return s.call(ctx, "PutConfigRule", map[string]any{"ConfigRule": r}, nil)
}

// putFunctionRule puts a rule that a function decides on changes of a type, and
// returns the rule's id.
func (s *server) putFunctionRule(ctx context.Context, name, functionARN, resourceType string) (id string, err error) {
	err = s.call(ctx, "PutConfigRule", map[string]any{"ConfigRule": map[string]any{
		"ConfigRuleName": name, "Scope": map[string]any{"ComplianceResourceTypes": []string{resourceType}},
		"Source": map[string]any{"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": functionARN, "SourceDetails": []any{
			map[string]any{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"},
		}},
	}}, nil)
	if err != nil {
		return "", err
	}
	var out struct {
		ConfigRules []struct{ ConfigRuleId string }
	}
	if err := s.call(ctx, "DescribeConfigRules", map[string]any{"ConfigRuleNames": []string{name}}, &out); err != nil {
		return "", err
	}
	return out.ConfigRules[0].ConfigRuleId, nil
}

// resultToken seals a token as an event to the rule's function carries it.
func (s *server) resultToken(ctx context.Context, b *bench, ruleID, functionARN string) (token string, err error) {
	d, err := db.Open(ctx, s.store, b.log())
	if err != nil {
		return "", err
	}
	defer d.Close()
	err = d.Write(ctx, func(tx *db.Tx) error {
		key, err := store.Secret(ctx, tx, "result tokens")
		if err != nil {
			return err
		}
		sealer, err := function.NewSealer(key)
		if err != nil {
			return err
		}
		token, err = sealer.Seal(function.Token{Account: benchAccount, Region: benchRegion, RuleID: ruleID, Source: functionARN, Invoked: time.Now().UnixMicro()})
		return err
	})
	return token, err
}
