// Package plumbtest runs Plumb in your Go tests: a whole server on a free port, a
// temporary folder and a clock that you move, until the test ends.
//
//	func TestLogsAreVersioned(t *testing.T) {
//		p := plumbtest.Start(t)
//		p.Record()
//		rule := p.Put("rules/versioned")[0]
//		p.Fixture("testdata/suspended.json")
//		p.Drain()
//		if got := p.Compliance(rule, "AWS::S3::Bucket", "logs"); got != "NON_COMPLIANT" {
//			t.Error(got)
//		}
//	}
//
// The server runs in the test's process, and functions of rules run as processes
// of their own. What goes wrong ends the test. Tests do not sleep: they drain the
// server and move its clock. The package stores nothing itself.
package plumbtest

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"plumb/internal/app"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/rulebench"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

// The process of a function begins as this very program, before any test runs. That
// it happens here spares every package with tests a TestMain.
func init() { sandbox.Main() }

// A Plumb is a running server, and the way to talk to it as one account in one
// region. One goroutine at a time uses it; clients of URL are not bound by that.
type Plumb struct {
	t     testing.TB
	app   *app.App
	place config.Place
	bench *rulebench.Bench
}

// An Option is how a server is started.
type Option struct{ apply func(*settings.Settings) }

// Account is the default account, in the place of 123456789012.
func Account(id string) Option {
	return Option{func(s *settings.Settings) { s.Account = id }}
}

// Region is the default region, in the place of us-east-1.
func Region(name string) Option {
	return Option{func(s *settings.Settings) { s.Region = name }}
}

// Target is an AWS-compatible endpoint whose resources are recorded, in the place of
// the services that Plumb embeds.
func Target(url string) Option {
	return Option{func(s *settings.Settings) { s.Target = url }}
}

// Rules is a folder with rule files of your own.
func Rules(folder string) Option {
	return Option{func(s *settings.Settings) { s.Rules = folder }}
}

// Database is the URL of an empty PostgreSQL database, in the place of SQLite.
func Database(url string) Option {
	return Option{func(s *settings.Settings) { s.Database = url }}
}

// Start runs a server until the test ends.
func Start(t testing.TB, options ...Option) *Plumb {
	t.Helper()
	s := settings.Default()
	s.Listen, s.Data = "127.0.0.1:0", t.TempDir()
	for _, o := range options {
		o.apply(&s)
	}
	if err := s.Check(); err != nil {
		t.Fatalf("plumb: %v", err)
	}
	ctx := context.Background()
	a, err := app.New(ctx, s, newLog(), app.Options{Version: "plumbtest"})
	if err == nil {
		if err = a.Start(ctx); err != nil {
			stop(t, a)
		}
	}
	if err != nil {
		t.Fatalf("start plumb: %v", err)
	}
	t.Cleanup(func() { stop(t, a) })
	p := &Plumb{t: t, app: a}
	return p.As(s.Account, s.Region)
}

func stop(t testing.TB, a *app.App) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Errorf("stop plumb: %v", err)
	}
}

// newLog shows what the server reports as errors, and everything if PLUMB_TEST_LOG
// is set.
func newLog() *slog.Logger {
	level := slog.LevelError
	if os.Getenv("PLUMB_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// As is the same server seen by another account in another region.
func (p *Plumb) As(account, region string) *Plumb {
	place := config.Place{Account: account, Region: region}
	return &Plumb{t: p.t, app: p.app, place: place, bench: rulebench.Reach(p.URL(), place, awsclient.Static(account, "any", ""))}
}

// URL is where the server answers.
func (p *Plumb) URL() string { return p.app.URL() }

// Account is the account that the clients speak for.
func (p *Plumb) Account() string { return p.place.Account }

// Region is the region that the clients speak to.
func (p *Plumb) Region() string { return p.place.Region }

// SDK is the configuration of clients of the AWS SDK for Go. Those of S3 also need
// UsePathStyle.
func (p *Plumb) SDK() aws.Config {
	return aws.Config{
		Region: p.place.Region, BaseEndpoint: aws.String(p.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(p.place.Account, "any", ""),
	}
}

// Environ is the environment of programs that a test runs: the AWS CLI and every
// other SDK reach the server with it.
func (p *Plumb) Environ() []string {
	return append(os.Environ(),
		"AWS_ENDPOINT_URL="+p.URL(), "AWS_REGION="+p.place.Region, "AWS_DEFAULT_REGION="+p.place.Region,
		"AWS_ACCESS_KEY_ID="+p.place.Account, "AWS_SECRET_ACCESS_KEY=any", "AWS_SESSION_TOKEN=",
	)
}
