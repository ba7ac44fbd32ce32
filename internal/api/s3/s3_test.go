package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"plumb/internal/api/s3"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	events "plumb/internal/source/s3"
	"plumb/internal/wire"
)

// A server is S3 over a store, with the changes that it announced.
type server struct {
	*testing.T
	ctx     context.Context
	url     string
	client  *sdk.Client
	store   *bucket.Store
	jobs    *job.Queue
	clock   *clock.Clock
	changes []config.ResourceKey
}

func start(t *testing.T, d *db.DB) *server {
	t.Helper()
	s := &server{T: t, ctx: t.Context(), clock: &clock.Clock{}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	if s.jobs, err = job.New(s.ctx, d, log, s.clock, "test"); err != nil {
		t.Fatal(err)
	}
	blobs, err := bucket.NewBlobs(d, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.store = bucket.New(log, d, blobs, s.jobs, s.clock.Now, func(_ context.Context, _ *db.Tx, k config.ResourceKey) error {
		s.changes = append(s.changes, k)
		return nil
	})
	h := wire.New(log, wire.Options{S3: s3.New(log, s.store, events.New(log, d, s.jobs, s.clock.Now, events.Options{})), DefaultAccount: "123456789012", DefaultRegion: "us-east-1", Verify: true, Secrets: secrets})
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	s.url = web.URL
	s.client = s.as("111111111111", "us-east-1")
	return s
}

// secrets knows every account by its number.
func secrets(_ context.Context, id string) (string, caller.Identity, error) {
	return "secret", caller.Identity{Account: id}, nil
}

func (s *server) as(account, region string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &s.url, Region: region, UsePathStyle: true, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
	})
}

func (s *server) bucket(name string) *string {
	s.Helper()
	_, err := s.client.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: &name})
	s.must(err)
	return &name
}

func (s *server) put(bucket *string, key, body string) *sdk.PutObjectOutput {
	s.Helper()
	out, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body)})
	s.must(err)
	return out
}

func (s *server) get(bucket *string, key string, version *string) string {
	s.Helper()
	out, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: bucket, Key: &key, VersionId: version})
	s.must(err)
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	s.must(err)
	return string(b)
}

func (s *server) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// fails checks the code of an error.
func (s *server) fails(err error, code string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		s.Errorf("got error %v, want %s", err, code)
	}
}

func (s *server) equal(got, want any) {
	s.Helper()
	if got != want {
		s.Errorf("got %v, want %v", got, want)
	}
}

// suite runs a test on every database.
func suite(t *testing.T, f func(s *server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) { f(start(t, d)) })
}

func text(p *string) string { return aws.ToString(p) }

func body(n int) []byte { return bytes.Repeat([]byte("plumb-s3 "), n/9+1)[:n] }

func TestAClientThatClosesItsSideReadsNoSuccessOfWhatWasNotDone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := start(t, d)
		b := s.bucket("half")
		for i := range 20 {
			key := fmt.Sprint("k", i)
			r := s.presigned("PUT", *b, key)
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello", r.RequestURI(), strings.TrimPrefix(s.url, "http://"))
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(conn)
			conn.Close()
			_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: &key})
			if strings.HasPrefix(string(answer), "HTTP/1.1 200") && err != nil {
				t.Fatalf("the client read %.40q, and the object is not there: %v", answer, err)
			}
		}
	})
}

// presigned is the URL of a request that is signed in its query.
func (s *server) presigned(method, bucket, key string) *url.URL {
	s.Helper()
	p, err := sdk.NewPresignClient(s.client).PresignPutObject(s.ctx, &sdk.PutObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		s.Fatal(err)
	}
	u, err := url.Parse(p.URL)
	if err != nil || p.Method != method {
		s.Fatal(p.Method, err)
	}
	return u
}
