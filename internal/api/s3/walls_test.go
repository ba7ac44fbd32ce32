package s3_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/api/s3"
	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// A neighborhood is a server of two accounts, of which Alice has a bucket with an object
// and an upload that has begun.
type neighborhood struct {
	*testing.T
	p          *apptest.Plumb
	alice, bob *sdk.Client
	upload     string
}

func neighbors(t *testing.T, iam string) *neighborhood {
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.IAM = settings.Server, iam
		s.AccessKeys = []settings.AccessKey{
			{ID: "AKIAALICE", Secret: "any", Account: "111111111111", User: "alice"}, {ID: "AKIABOB", Secret: "any", Account: "222222222222", User: "bob"},
		}
	})
	n := &neighborhood{T: t, p: p, alice: p.Signing("AKIAALICE", "any").S3(), bob: p.Signing("AKIABOB", "any").S3()}
	ctx := t.Context()
	for client, name := range map[*sdk.Client]string{n.alice: "hers", n.bob: "his"} {
		_, err := client.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &name})
		n.must(err)
		_, err = client.PutObject(ctx, &sdk.PutObjectInput{Bucket: &name, Key: new("k"), Body: strings.NewReader("secret")})
		n.must(err)
	}
	up, err := n.alice.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: new("hers"), Key: new("k")})
	n.must(err)
	n.upload = *up.UploadId
	return n
}

func (n *neighborhood) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// ask makes a request of a form for a bucket as Bob.
func (n *neighborhood) ask(f s3.Form, bucket, key, body string) (status int, answer string) {
	n.Helper()
	url := n.p.URL() + "/"
	if f.InBucket || f.InObject {
		url += bucket
	}
	if f.InObject {
		url += "/" + key
	}
	if f.Query != "" {
		url += "?" + f.Query + "=" + map[bool]string{true: n.upload}[f.Query == "uploadId"] + "&partNumber=1"
	}
	r, err := http.NewRequestWithContext(n.Context(), f.Method, url, strings.NewReader(body))
	n.must(err)
	if f.Header != "" {
		r.Header.Set(f.Header, "/hers/k")
	}
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	n.must(v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(n.Context(),
		aws.Credentials{AccessKeyID: "AKIABOB", SecretAccessKey: "any"}, r, hex.EncodeToString(sum[:]), "s3", "us-east-1", time.Now()))
	res, err := http.DefaultClient.Do(r)
	n.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	n.must(err)
	return res.StatusCode, string(text)
}

// TestNoRequestReachesAnotherAccountsBucket tries all forms of requests that S3 has.
func TestNoRequestReachesAnotherAccountsBucket(t *testing.T) {
	for _, iam := range []string{"enforce", "off"} {
		n := neighbors(t, iam)
		for _, f := range s3.Forms() {
			for _, body := range []string{"", "<Delete><Object><Key>k</Key></Object></Delete>"} {
				status, answer := n.ask(f, "hers", "k", body)
				listsOwn := f.Operation == "ListBuckets" && !strings.Contains(answer, "hers")
				refusesEach := f.Operation == "DeleteObjects" && strings.Contains(answer, "<Code>AccessDenied</Code>") // of the keys, as at AWS
				if status < 400 && !listsOwn && !refusesEach || strings.Contains(answer, "secret") || strings.Contains(answer, "111111111111") {
					t.Errorf("iam %s: %s %s?%s: %d %s", iam, f.Operation, f.Method, f.Query, status, answer)
				}
				there, _ := n.ask(f, "hers", "other", body)
				if there != status {
					t.Errorf("iam %s: %s %s?%s: %d for a key that is there, %d for one that is not", iam, f.Operation, f.Method, f.Query, status, there)
				}
			}
		}
		for _, key := range []string{"?uploadId", ""} { // a part or a whole object of his own, of what is hers
			f := s3.Form{Method: "PUT", Header: "x-amz-copy-source", InObject: true}
			if key != "" {
				up, err := n.bob.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: new("his"), Key: new("copy")})
				n.must(err)
				f.Query, n.upload = "uploadId", *up.UploadId
			}
			if status, answer := n.ask(f, "his", "copy", ""); status != http.StatusForbidden {
				t.Errorf("iam %s: a copy (%q) of what is hers: %d %s", iam, f.Query, status, answer)
			}
		}
		got := fmt.Sprint(n.seen("hers"), n.seen("his"))
		if want := "[k secret 1 upload] [k secret 1 upload]"; got != want {
			t.Errorf("iam %s: the buckets have %s, want %s", iam, got, want)
		}
	}
}

// seen is what the owner of a bucket finds in it.
func (n *neighborhood) seen(bucket string) (out []string) {
	c := map[string]*sdk.Client{"hers": n.alice, "his": n.bob}[bucket]
	list, err := c.ListObjectVersions(n.Context(), &sdk.ListObjectVersionsInput{Bucket: &bucket})
	n.must(err)
	for _, o := range list.Versions {
		object, err := c.GetObject(n.Context(), &sdk.GetObjectInput{Bucket: &bucket, Key: o.Key})
		n.must(err)
		text, err := io.ReadAll(object.Body)
		n.must(err)
		out = append(out, *o.Key, string(text))
	}
	ups, err := c.ListMultipartUploads(n.Context(), &sdk.ListMultipartUploadsInput{Bucket: &bucket})
	n.must(err)
	return append(out, fmt.Sprint(len(ups.Uploads), " upload"))
}
