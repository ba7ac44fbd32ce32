package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/app"
	"plumb/internal/apptest"
	"plumb/internal/settings"
)

func TestMovedClockSurvivesARestart(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		move := func(order string) {
			t.Helper()
			if status, text := call(t, "POST", p.URL()+"/_plumb/clock", order); status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
		}
		move(`{"advance": "24h"}`)
		p.Restart(t)
		if ahead := time.Until(p.Clock().Now()); ahead < 23*time.Hour || ahead > 25*time.Hour {
			t.Errorf("after a restart the clock is %v ahead", ahead)
		}
		move(`{"freeze": "2030-01-02T03:04:05Z"}`)
		p.Restart(t)
		if now := p.Clock().Now(); !p.Clock().Frozen() || now.Format(time.RFC3339) != "2030-01-02T03:04:05Z" {
			t.Errorf("after a restart the clock says %v", now)
		}
		if status, text := call(t, "POST", p.URL()+"/_plumb/reset", ""); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		if p.Clock().Frozen() || time.Until(p.Clock().Now()) > time.Hour {
			t.Error("a reset left the clock where it was")
		}
	})
}

// launch starts a server that the test stops itself.
func launch(t *testing.T, change func(*settings.Settings)) (*app.App, error) {
	t.Helper()
	s := settings.Default()
	s.Listen, s.Data = "127.0.0.1:0", t.TempDir()
	if change != nil {
		change(&s)
	}
	a, err := app.New(t.Context(), s, slog.New(slog.DiscardHandler), app.Options{Version: "test"})
	if err != nil {
		return nil, err
	}
	return a, a.Start(t.Context())
}

func TestSecondServerOnASQLiteFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plumb.db")
	on := func(s *settings.Settings) { s.Database = "sqlite:" + file }
	first, err := launch(t, on)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := launch(t, on); err == nil || !strings.Contains(err.Error(), "--database") {
		t.Errorf("a second one got %v", err)
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	next, err := launch(t, on)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSecretsOfTheStoreAreSealed(t *testing.T) {
	data := t.TempDir()
	with := func(key settings.Secret) (*app.App, error) {
		return launch(t, func(s *settings.Settings) { s.Data, s.SealKey = data, key })
	}
	const key = "0123456789abcdef0123456789abcdef"
	a, err := with("") // a store that was used without a key
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if a, err = with(key); err != nil {
		t.Fatal(err)
	}
	client := func() *sts.Client {
		return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(a.URL()),
			Credentials: credentials.NewStaticCredentialsProvider("123456789012", "any", "")})
	}
	given, err := client().GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, "plumb.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []*string{given.Credentials.SecretAccessKey, given.Credentials.SessionToken} {
			if bytes.Contains(text, []byte(*secret)) {
				t.Errorf("%s has a secret", file)
			}
		}
	}
	for _, other := range []settings.Secret{"", key + "x"} {
		if _, err := with(other); err == nil || !strings.Contains(err.Error(), "seal-key") {
			t.Errorf("with the key %q: %v", other.Reveal(), err)
		}
	}
	if a, err = with(key); err != nil {
		t.Fatal(err)
	}
	who, err := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(a.URL()), Credentials: credentials.NewStaticCredentialsProvider(
		*given.Credentials.AccessKeyId, *given.Credentials.SecretAccessKey, *given.Credentials.SessionToken)}).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Account != "123456789012" {
		t.Errorf("%v, %v", who, err)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestResetWhoseClientLeavesIsCompleted(t *testing.T) {
	a, err := launch(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 2 {
		if err := a.Reset(gone); err != nil {
			t.Fatal(err)
		}
		if status, text := call(t, "GET", a.URL()+"/readyz", ""); status != http.StatusOK {
			t.Errorf("%d %s", status, text)
		}
		if err := a.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := a.Reset(t.Context()); err == nil {
		t.Error("a stopped server was reset")
	}
}

func TestResetBesideAStopEndsBoth(t *testing.T) {
	a, err := launch(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Reset(context.Background()) }()
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	<-ended // with an error or without: a reset that came first is complete
}
