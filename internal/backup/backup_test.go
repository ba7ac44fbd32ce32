package backup_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/backup"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

var quiet = slog.New(slog.DiscardHandler)

// onBoth runs a story with a server on each database, and the settings of another
// one that has nothing yet.
func onBoth(t *testing.T, story func(t *testing.T, p *apptest.Plumb, s, empty settings.Settings)) {
	var kept settings.Settings
	keep := func(s *settings.Settings) { kept = *s }
	t.Run("SQLite", func(t *testing.T) {
		p := apptest.Start(t, keep)
		empty := kept
		empty.Data = filepath.Join(t.TempDir(), "fresh")
		story(t, p, kept, empty)
	})
	postgres := func(address func(testing.TB) string) func(t *testing.T) {
		return func(t *testing.T) {
			source := address(t)
			if _, err := exec.LookPath("pg_dump"); err != nil {
				t.Skip("pg_dump is not installed")
			}
			p := apptest.Start(t, func(s *settings.Settings) { s.Database = source }, keep)
			empty := kept
			empty.Data, empty.Database = filepath.Join(t.TempDir(), "fresh"), emptyDatabase(t, source)
			story(t, p, kept, empty)
		}
	}
	t.Run("PostgreSQL", postgres(dbtest.PostgresURL))
	t.Run("PostgreSQL in a schema of its own", postgres(dbtest.EmptyPostgresURL))
}

// emptyDatabase makes a database that is used with the parameters of a URL.
func emptyDatabase(t *testing.T, source string) string {
	t.Helper()
	address, _, _ := strings.Cut(dbtest.EmptyDatabaseURL(t), "?")
	if _, parameters, ok := strings.Cut(source, "?"); ok {
		address += "?" + parameters
	}
	return address
}

func put(ctx context.Context, p *apptest.Plumb, key, text string) error {
	_, err := p.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("reports"), Key: &key, Body: strings.NewReader(text)})
	return err
}

func TestBackupOfARunningServerIsRestored(t *testing.T) {
	onBoth(t, func(t *testing.T, p *apptest.Plumb, s, empty settings.Settings) {
		ctx := t.Context()
		if err := p.Record(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("reports")}); err != nil {
			t.Fatal(err)
		}
		if err := put(ctx, p, "kept", "text"); err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		stop, stopped := make(chan struct{}), make(chan error)
		go func() { // the server goes on: objects come and go, and one is written over
			var err error
			for n := 0; err == nil; n++ {
				select {
				case <-stop:
					stopped <- nil
					return
				default:
				}
				if err = put(ctx, p, fmt.Sprintf("many/%d", n%5), strings.Repeat("x", n)); err == nil && n%2 == 0 {
					key := fmt.Sprintf("many/%d", (n+2)%5)
					_, err = p.S3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("reports"), Key: &key})
				}
			}
			<-stop
			stopped <- err
		}()
		folder := filepath.Join(t.TempDir(), "copy")
		made, err := backup.Make(ctx, quiet, s, folder, "test")
		close(stop)
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if inFolder := made.Objects > 0; inFolder != (made.Database == "sqlite") || made.Schema == 0 { // PostgreSQL has them in its dump
			t.Errorf("the backup is %+v", made)
		}
		if _, err := backup.Verify(ctx, quiet, folder); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Restore(ctx, quiet, empty, folder); err != nil {
			t.Fatal(err)
		}
		again := apptest.Start(t, func(s *settings.Settings) { s.Data, s.Database = empty.Data, empty.Database })
		checkRestored(t, again)
		if _, err := backup.Restore(ctx, quiet, empty, folder); err == nil || !strings.Contains(err.Error(), "is not empty") {
			t.Errorf("a second restore: %v", err)
		}
	})
}

// checkRestored reads each object, and the history of the bucket.
func checkRestored(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	ctx := t.Context()
	list, err := p.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("reports")})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, o := range list.Contents {
		got, err := p.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("reports"), Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		if err != nil || int64(len(text)) != *o.Size {
			t.Errorf("%s has %d bytes of %d: %v", *o.Key, len(text), *o.Size, err)
		}
		found[*o.Key] = true
	}
	if !found["kept"] {
		t.Errorf("the objects are %v", found)
	}
	items, err := p.Config().GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{
		ResourceType: "AWS::S3::Bucket", ResourceId: aws.String("reports"),
	})
	if err != nil || len(items.ConfigurationItems) == 0 {
		t.Errorf("the bucket's history is %v, %v", items, err)
	}
}

func TestABackupOfASchemaGoesToTheSchemaOfItsName(t *testing.T) {
	source := dbtest.EmptyPostgresURL(t)
	if _, err := exec.LookPath("pg_dump"); err != nil {
		t.Skip("pg_dump is not installed")
	}
	s := settings.Default()
	s.Data, s.Database = t.TempDir(), source
	d, err := db.Open(t.Context(), source, quiet)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	folder := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Make(t.Context(), quiet, s, folder, "test"); err != nil {
		t.Fatal(err)
	}
	other := s
	other.Data, other.Database = filepath.Join(t.TempDir(), "fresh"), emptyDatabase(t, source)
	other.Database, _, _ = strings.Cut(other.Database, "?")
	_, err = backup.Restore(t.Context(), quiet, other, folder)
	if err == nil || !strings.Contains(err.Error(), "add search_path=plumb_test_") {
		t.Errorf("restored where no server would find it: %v", err)
	}
}

func TestDamagedBackupIsNotTaken(t *testing.T) {
	var s settings.Settings
	p := apptest.Start(t, func(of *settings.Settings) { s = *of })
	ctx := t.Context()
	if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("reports")}); err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, p, "kept", "text"); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Make(ctx, quiet, s, folder, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Make(ctx, quiet, s, folder, "test"); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a backup was written over: %v", err)
	}
	objects, err := filepath.Glob(filepath.Join(folder, "objects", "*", "*"))
	if err != nil || len(objects) != 1 {
		t.Fatal(objects, err)
	}
	for want, damage := range map[string]func(path string) error{
		"it has another SHA-256": func(path string) error { return os.WriteFile(path, []byte("tixt"), 0o600) },
		"no such file":           os.Remove,
		"is not in SHA256SUMS":   func(path string) error { return os.WriteFile(path+"x", nil, 0o600) },
	} {
		damaged := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(damaged, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(folder, objects[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(filepath.Join(damaged, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(ctx, quiet, damaged); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the damage is told as %v, want %s", err, want)
		}
		fresh := s
		fresh.Data = filepath.Join(t.TempDir(), "fresh")
		if _, err := backup.Restore(ctx, quiet, fresh, damaged); err == nil {
			t.Error("a damaged backup was restored")
		}
		if _, err := os.Stat(fresh.Data); err == nil {
			t.Error("a refused restore left a data folder")
		}
	}
	if _, err := backup.Verify(ctx, quiet, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no backup") {
		t.Errorf("an empty folder: %v", err)
	}
}
