// Package rulebench runs the functions of rules that somebody is writing: it puts
// a function with its rule on a server, asks it about items, and returns what it
// reported with PutEvaluations, with its log. The server is a throw-away one or one
// that runs.
//
//	b, err := rulebench.Start(ctx, log, rulebench.Options{})
//	err = b.Put(ctx, rule)
//	answer, err := b.Ask(ctx, rule.Name, rulebench.Occasion{Item: item})
//
// It is a client and nothing else: what it does to a server any AWS client could
// do, and the rest is in docs/divergences.md under "development mode". It keeps
// nothing but the temporary folder of a throw-away server.
package rulebench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/app"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/core"
	"plumb/internal/coverage"
	"plumb/internal/rulefile"
	"plumb/internal/settings"
)

// A Bench is a server and the way to talk to it as one account in one region. One
// caller at a time uses it.
type Bench struct {
	config.Place
	url    string
	client *awsclient.Client
	app    *app.App // nil for a server that was running
	dir    string

	coverage *coverage.Coverage // nil if nobody asks for it

	put map[string]put // the functions that were put, by the names of their rules
}

// A put is what was put of a function.
type put struct {
	code [sha256.Size]byte
	how  string // it runs
}

// Options are how a throw-away server is started.
type Options struct {
	Settings   settings.Settings // the account, the region, the target and how functions run are taken
	Catalogues func() (core.Catalogues, error)
	Models     *awsclient.Models
	Reload     bool // functions go on with the code that is put next in a warm process
	// Coverage is told what runs of functions in Python and Node.js; may be nil.
	Coverage *coverage.Coverage
}

// Start starts a server on a free port with a temporary folder. Nothing happens on
// it by itself: no schedule and no change triggers a rule, only Ask does.
func Start(ctx context.Context, log *slog.Logger, o Options) (*Bench, error) {
	dir, err := os.MkdirTemp("", "plumb-rule-")
	if err != nil {
		return nil, err
	}
	s := o.Settings
	s.Mode, s.Listen, s.Data, s.Database = settings.Development, "127.0.0.1:0", dir, ""
	b := &Bench{Place: config.Place{Account: s.Account, Region: s.Region}, dir: dir, coverage: o.Coverage, put: map[string]put{}}
	if b.app, err = app.New(ctx, s, log, app.Options{Version: "throw-away", Idle: true, Reload: o.Reload, Catalogues: o.Catalogues}); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := b.app.Start(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.url = b.app.URL()
	b.client = newClient(b.url, b.Place, awsclient.Static(b.Account, "any", ""), o.Models)
	if err := b.Record(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Reach returns a server that runs, in development mode.
func Reach(url string, p config.Place, as awsclient.Credentials) *Bench {
	return &Bench{Place: p, url: strings.TrimSuffix(url, "/"), client: newClient(url, p, as, nil), put: map[string]put{}}
}

func newClient(url string, p config.Place, as awsclient.Credentials, m *awsclient.Models) *awsclient.Client {
	return awsclient.New(awsclient.Options{Region: p.Region, Endpoint: url, Credentials: as, Attempts: 1, Models: m})
}

// URL is where the server answers.
func (b *Bench) URL() string { return b.url }

// ThrowAway reports whether the server ends with the bench.
func (b *Bench) ThrowAway() bool { return b.app != nil }

// Close ends a throw-away server and removes what it kept.
func (b *Bench) Close() error {
	if b.app == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(b.app.Stop(ctx), os.RemoveAll(b.dir))
}

// A shape is an input or an output of an operation.
type shape = map[string]any

// Record has the account's resources recorded, unless they are: a rule cannot be
// put without a recorder.
func (b *Bench) Record(ctx context.Context) error {
	out, err := b.client.Call(ctx, "config", "DescribeConfigurationRecorders", shape{})
	if list, _ := out["ConfigurationRecorders"].([]any); err != nil || len(list) > 0 {
		return err
	}
	bucket := shape{"Bucket": "plumb-rule-bench-" + b.Account + "-" + b.Region}
	if b.Region != "us-east-1" {
		bucket["CreateBucketConfiguration"] = shape{"LocationConstraint": b.Region}
	}
	calls := []struct {
		service, operation string
		in                 shape
	}{
		{"s3", "CreateBucket", bucket},
		{"config", "PutConfigurationRecorder", shape{"ConfigurationRecorder": shape{
			"name": "default", "roleARN": "arn:aws:iam::" + b.Account + ":role/config", "recordingGroup": shape{"allSupported": true, "includeGlobalResourceTypes": true},
		}}},
		{"config", "PutDeliveryChannel", shape{"DeliveryChannel": shape{"name": "default", "s3BucketName": bucket["Bucket"]}}},
		{"config", "StartConfigurationRecorder", shape{"ConfigurationRecorderName": "default"}},
	}
	for _, c := range calls {
		if _, err := b.client.Call(ctx, c.service, c.operation, c.in); err != nil {
			return err
		}
	}
	return nil
}

// Push records items as if somebody had found them: what a rule asks AWS Config
// about is answered from them.
func (b *Bench) Push(ctx context.Context, items []config.Item) error {
	for _, it := range items {
		if err := b.PushOne(ctx, it); err != nil {
			return fmt.Errorf("record %s: %w", it.ResourceKey, err)
		}
	}
	return nil
}

// PushOne records an item as Push does.
func (b *Bench) PushOne(ctx context.Context, it config.Item) error {
	text, err := json.Marshal(it)
	if err != nil {
		return err
	}
	in := shape{"ResourceType": it.Type, "ResourceId": it.ID, "SchemaVersionId": "1", "Configuration": string(text)}
	if it.Name != "" {
		in["ResourceName"] = it.Name
	}
	if len(it.Tags) > 0 {
		tags := shape{}
		for k, v := range it.Tags {
			tags[k] = v
		}
		in["Tags"] = tags
	}
	_, err = b.client.Call(ctx, "config", "PutResourceConfig", in)
	return err
}

// Remove records that a resource is gone.
func (b *Bench) Remove(ctx context.Context, resourceType, id string) error {
	_, err := b.client.Call(ctx, "config", "DeleteResourceConfig", shape{"ResourceType": resourceType, "ResourceId": id})
	return err
}

// Call calls an operation of any service, as the account in the region.
func (b *Bench) Call(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
	return b.client.Call(ctx, service, operation, in)
}

// Reset has a throw-away server begin anew: nothing is left of what was put, called
// or recorded.
func (b *Bench) Reset(ctx context.Context) error {
	if b.app == nil {
		return errors.New("a running server is not reset")
	}
	if err := b.Control(ctx, "reset", shape{}, nil); err != nil {
		return err
	}
	clear(b.put)
	return b.Record(ctx)
}

// Note adds what ran of a rule's function to the coverage.
func (b *Bench) Note(r rulefile.Rule) error {
	if b.coverage == nil {
		return nil
	}
	return b.coverage.Add(r.Path, filepath.Join(core.ScratchFolders(b.dir), "plumb-coverage", r.Name, "*.json"))
}

// Forget forgets all items and verdicts of the account in the region. It is for
// throw-away servers only.
func (b *Bench) Forget(ctx context.Context) error {
	if b.app == nil {
		return errors.New("what a running server recorded is not forgotten")
	}
	return b.Control(ctx, "forget", shape{"account": b.Account, "region": b.Region}, nil)
}

// Control asks for what development mode offers beside AWS's operations.
func (b *Bench) Control(ctx context.Context, name string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/_plumb/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		var failure struct{ Error string }
		if json.Unmarshal(text, &failure) == nil && failure.Error != "" {
			return errors.New(failure.Error)
		}
		return fmt.Errorf("%s: status %d: a server in development mode is needed", r.URL.Path, answer.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
