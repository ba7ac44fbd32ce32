package outside_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/models"
)

// A file that is larger than a part arrives whole at an outside S3, here another Plumb.
func TestALargeFileIsUploadedInParts(t *testing.T) {
	p := apptest.Start(t)
	must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("outside")}))
	s := settings.Default()
	s.Account, s.Endpoints.S3 = p.Account(), p.URL()
	d := outside.NewDestination(nil, outside.NewClients(s, awsclient.NewModels(models.FS)), nil, nil, nil)
	whole := make([]byte, 35<<20)
	rand.NewChaCha8([32]byte{}).Read(whole)
	place := config.Place{Account: p.Account(), Region: p.Region()}
	for _, size := range []int{0, 1 << 10, 16 << 20, 16<<20 + 1, len(whole)} {
		if err := d.PutObject(t.Context(), place, "outside", "a/file", bytes.NewReader(whole[:size]), int64(size), ""); err != nil {
			t.Fatal(err)
		}
		got := must[*s3.GetObjectOutput](t)(p.S3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("outside"), Key: aws.String("a/file")}))
		sum := sha256.New()
		n, err := io.Copy(sum, got.Body)
		if want := sha256.Sum256(whole[:size]); err != nil || n != int64(size) || !bytes.Equal(sum.Sum(nil), want[:]) {
			t.Errorf("%d bytes arrived of %d: %v", n, size, err)
		}
	}
	if err := d.PutObject(t.Context(), place, "outside", "b/file", io.NewSectionReader(bytes.NewReader(whole), 0, 17<<20), 18<<20, ""); err == nil {
		t.Error("a file that ends early passes for whole")
	}
	left := must[*s3.ListMultipartUploadsOutput](t)(p.S3().ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: aws.String("outside")}))
	if len(left.Uploads) != 0 {
		t.Errorf("%d uploads are left", len(left.Uploads))
	}
}
