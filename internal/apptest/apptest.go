// Package apptest runs a whole Plumb in a test: on a temporary folder, on a free
// port, with its real store, and with the AWS SDK as its client. Nothing in it
// is a fake.
//
// It is not for tests of one package, which need no server. Tests do not sleep:
// they drain the machine and move its clock.
//
//	p := apptest.Start(t)
//	p.Config().PutConfigRule(ctx, ...)
//	p.Drain(t)
//	p.Clock().Advance(24 * time.Hour)
//
// Script runs the stories of testdata/script, whose commands are documented
// there.
package apptest

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/app"
	"plumb/internal/clock"
	"plumb/internal/db/dbtest"
	"plumb/internal/rulebench"
	"plumb/internal/settings"
)

// A Plumb is a running server and the way to talk to it as one account in one
// region.
type Plumb struct {
	*Server
	account, region string
	key, secret     string
	token           string
}

// A Server is what several accounts share.
type Server struct {
	app      *app.App
	settings settings.Settings
	// http is shared by the SDK's clients: one that each of them made would be
	// collected with it, while an answer is read.
	http    *awshttp.BuildableClient
	release func() // ends Hold; may be nil
}

// Start runs a server on SQLite until the test ends. Change edits its settings.
func Start(t testing.TB, change ...func(*settings.Settings)) *Plumb {
	t.Helper()
	s := settings.Default()
	s.Listen, s.Data, s.Console = "127.0.0.1:0", dbtest.Folder(t), settings.NoConsole
	fresh := s.Data
	for _, f := range change {
		f(&s)
	}
	if s.Data == fresh && s.Database == "" {
		dbtest.SQLite(t, strings.TrimPrefix(s.DatabaseURL(), "sqlite:"))
	}
	p := &Plumb{Server: &Server{settings: s, http: awshttp.NewBuildableClient()}, account: s.Account, region: s.Region}
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	return p
}

// Run runs a story on SQLite and, where the machine has one, on PostgreSQL. Change
// edits the settings.
func Run(t *testing.T, story func(t *testing.T, p *Plumb), change ...func(*settings.Settings)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { story(t, Start(t, change...)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		story(t, Start(t, append(change, func(s *settings.Settings) { s.Database = url })...))
	})
}

// Target has the server read its default account's resources from an outside
// endpoint.
func Target(url string) func(*settings.Settings) {
	return func(s *settings.Settings) { s.Target = url }
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) launch() error {
	if err := s.settings.Check(); err != nil {
		return err
	}
	ctx := context.Background()
	a, err := app.New(ctx, s.settings, testLog(), app.Options{Version: "test", Functions: rulebench.NewDesk(testLog(), s.settings)})
	if err != nil {
		return err
	}
	s.app = a
	return a.Start(ctx)
}

func (s *Server) stop(t testing.TB) {
	if err := s.halt(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func (s *Server) halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return s.app.Stop(ctx)
}

// Restart stops the server and starts it again on the same data, on another
// port: clients that were made before lead nowhere.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop(t)
	s.start(t)
}

// testLog shows warnings, and everything if PLUMB_TEST_LOG is set.
func testLog() *slog.Logger {
	level := slog.LevelError
	if os.Getenv("PLUMB_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// URL is where the server answers.
func (s *Server) URL() string { return s.app.URL() }

// Console is where the console answers; empty unless the settings ask for one.
func (s *Server) Console() string { return s.app.Console() }

// Listener is where the server listens for a protocol beside HTTP; empty while it does
// not.
func (s *Server) Listener(protocol string) string { return s.app.Listeners()[protocol] }

// Clock is the server's time.
func (s *Server) Clock() *clock.Clock { return s.app.Clock() }

// Drain runs all that is due until nothing is.
func (s *Server) Drain(t testing.TB) {
	t.Helper()
	if err := s.drain(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) drain() error {
	if s.release != nil {
		s.release()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return s.app.Drain(ctx)
}

// Hold lets no job start until the next Drain: what is asked for stays in progress.
func (s *Server) Hold() { s.release = s.app.Hold() }

// As returns the same server seen by another account in another region.
func (p *Plumb) As(account, region string) *Plumb {
	return &Plumb{Server: p.Server, account: account, region: region}
}

// Signing returns the same server called with another access key.
func (p *Plumb) Signing(id, secret string) *Plumb {
	return &Plumb{Server: p.Server, account: p.account, region: p.region, key: id, secret: secret}
}

// Temporary returns the same server called with temporary credentials.
func (p *Plumb) Temporary(id, secret, token string) *Plumb {
	out := p.Signing(id, secret)
	out.token = token
	return out
}

// Account is the account that the clients speak for.
func (p *Plumb) Account() string { return p.account }

// Region is the region that the clients speak to.
func (p *Plumb) Region() string { return p.region }

// SDK is the configuration of the AWS SDK's clients.
func (p *Plumb) SDK() aws.Config {
	key, secret := p.account, "any"
	if p.key != "" {
		key, secret = p.key, p.secret
	}
	return aws.Config{
		HTTPClient: p.http,
		Region:     p.region, BaseEndpoint: aws.String(p.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, p.token),
	}
}

// Config is the client of AWS Config.
func (p *Plumb) Config() *configservice.Client { return configservice.NewFromConfig(p.SDK()) }

// Lambda is the client of AWS Lambda.
func (p *Plumb) Lambda() *lambda.Client { return lambda.NewFromConfig(p.SDK()) }

// EventBridge is the client of Amazon EventBridge.
func (p *Plumb) EventBridge() *eventbridge.Client { return eventbridge.NewFromConfig(p.SDK()) }

// SNS is the client of Amazon SNS.
func (p *Plumb) SNS() *sns.Client { return sns.NewFromConfig(p.SDK()) }

// SQS is the client of Amazon SQS.
func (p *Plumb) SQS() *sqs.Client { return sqs.NewFromConfig(p.SDK()) }

// CloudFormation is the client of AWS CloudFormation.
func (p *Plumb) CloudFormation() *cloudformation.Client {
	return cloudformation.NewFromConfig(p.SDK())
}

// STS is the client of AWS STS.
func (p *Plumb) STS() *sts.Client { return sts.NewFromConfig(p.SDK()) }

// Organizations is the client of AWS Organizations.
func (p *Plumb) Organizations() *organizations.Client { return organizations.NewFromConfig(p.SDK()) }

// S3 is the client of Amazon S3.
func (p *Plumb) S3() *s3.Client {
	return s3.NewFromConfig(p.SDK(), func(o *s3.Options) { o.UsePathStyle = true })
}
