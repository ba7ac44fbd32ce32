package s3_test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestObjectsComeBackAsTheyWerePut(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("logs")
		_, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{
			Bucket: b, Key: new("a/b c+ü.json"), Body: strings.NewReader("{}"), ContentType: new("application/json"),
			ContentEncoding: new("gzip"), CacheControl: new("no-cache"), Metadata: map[string]string{"Owner": "me"}, Tagging: new("x=1&y=two%20words"),
		})
		s.must(err)
		out, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("a/b c+ü.json"), ChecksumMode: types.ChecksumModeEnabled})
		s.must(err)
		got, err := io.ReadAll(out.Body)
		s.must(err)
		s.equal(string(got), "{}")
		s.equal(text(out.ContentType), "application/json")
		s.equal(text(out.ContentEncoding), "gzip")
		s.equal(out.Metadata["owner"], "me")
		s.equal(*out.TagCount, int32(2))
		s.equal(text(out.ETag), fmt.Sprintf(`"%x"`, md5.Sum([]byte("{}"))))
		s.equal(out.ServerSideEncryption, types.ServerSideEncryptionAes256)
		s.equal(text(out.ChecksumCRC32) != "", true) // the SDK's own choice, sent in a trailer
		s.equal(out.VersionId == nil, true)
		head, err := s.client.HeadObject(s.ctx, &sdk.HeadObjectInput{Bucket: b, Key: new("a/b c+ü.json")})
		s.must(err)
		s.equal(*head.ContentLength, int64(2))
	})
}

func TestEveryChecksumIsVerified(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("sums")
		for _, a := range types.ChecksumAlgorithm("").Values() {
			if a == "MD5" || strings.HasPrefix(string(a), "XXHASH") || a == "SHA512" {
				continue // newer than what this S3 knows
			}
			_, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new(string(a)), Body: bytes.NewReader(body(100_000)), ChecksumAlgorithm: a})
			s.must(err)
			out, err := s.client.GetObjectAttributes(s.ctx, &sdk.GetObjectAttributesInput{Bucket: b, Key: new(string(a)), ObjectAttributes: types.ObjectAttributes("").Values()})
			s.must(err)
			s.equal(out.Checksum != nil && out.Checksum.ChecksumType == types.ChecksumTypeFullObject, true)
			s.equal(*out.ObjectSize, int64(100_000))
		}
		_, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("bad"), Body: strings.NewReader("x"), ChecksumSHA256: new("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")})
		s.fails(err, "BadDigest")
		_, err = s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("bad"), Body: strings.NewReader("x"), ContentMD5: new("1B2M2Y8AsgTpgAmY7PhCfg==")})
		s.fails(err, "BadDigest")
		_, err = s.client.HeadObject(s.ctx, &sdk.HeadObjectInput{Bucket: b, Key: new("bad")})
		s.fails(err, "NotFound")
	})
}

func TestRangesAndConditions(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("parts")
		etag := s.put(b, "k", "0123456789").ETag
		for r, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=5-100": "56789", "nonsense": "0123456789"} {
			out, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), Range: &r})
			s.must(err)
			got, _ := io.ReadAll(out.Body)
			s.equal(string(got), want)
		}
		_, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), Range: new("bytes=10-")})
		s.fails(err, "InvalidRange")
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), IfMatch: new(`"nope"`)})
		s.fails(err, "PreconditionFailed")
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), IfNoneMatch: etag})
		s.fails(err, "NotModified")
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), IfModifiedSince: new(time.Now().Add(time.Hour))})
		s.fails(err, "NotModified")
		_, err = s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("k"), IfNoneMatch: new("*")})
		s.fails(err, "PreconditionFailed")
		_, err = s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("k"), IfMatch: new(`"nope"`)})
		s.fails(err, "PreconditionFailed")
		_, err = s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("k"), IfMatch: etag})
		s.must(err)
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("none")})
		s.fails(err, "NoSuchKey")
	})
}

func TestPresignedURLsWork(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("signed")
		p := sdk.NewPresignClient(s.client)
		put, err := p.PresignPutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("k")}, sdk.WithPresignExpires(time.Minute))
		s.must(err)
		s.equal(s.send(put, "hello").StatusCode, 200)
		get, err := p.PresignGetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), ResponseContentType: new("text/x")})
		s.must(err)
		res := s.send(get, "")
		got, _ := io.ReadAll(res.Body)
		s.equal(string(got), "hello")
		s.equal(res.Header.Get("Content-Type"), "text/x")
		get.URL = strings.Replace(get.URL, "X-Amz-Signature=", "X-Amz-Signature=0", 1)
		s.equal(s.send(get, "").StatusCode, 403)
	})
}

func (s *server) send(p *v4.PresignedHTTPRequest, body string) *http.Response {
	s.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(s.ctx, p.Method, p.URL, reader)
	s.must(err)
	for k, v := range p.SignedHeader {
		r.Header[k] = v
	}
	res, err := http.DefaultClient.Do(r)
	s.must(err)
	s.Cleanup(func() { res.Body.Close() })
	return res
}

func TestCopies(t *testing.T) {
	suite(t, func(s *server) {
		b, other := s.bucket("from"), s.bucket("into")
		_, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("a b"), Body: strings.NewReader("x"), Metadata: map[string]string{"m": "1"}, Tagging: new("t=1")})
		s.must(err)
		_, err = s.client.CopyObject(s.ctx, &sdk.CopyObjectInput{Bucket: other, Key: new("c"), CopySource: new("from/a%20b")})
		s.must(err)
		out, err := s.client.HeadObject(s.ctx, &sdk.HeadObjectInput{Bucket: other, Key: new("c")})
		s.must(err)
		s.equal(out.Metadata["m"], "1")
		tags, err := s.client.GetObjectTagging(s.ctx, &sdk.GetObjectTaggingInput{Bucket: other, Key: new("c")})
		s.must(err)
		s.equal(len(tags.TagSet), 1)
		_, err = s.client.CopyObject(s.ctx, &sdk.CopyObjectInput{Bucket: b, Key: new("a b"), CopySource: new("from/a%20b")})
		s.fails(err, "InvalidRequest")
		_, err = s.client.CopyObject(s.ctx, &sdk.CopyObjectInput{Bucket: b, Key: new("a b"), CopySource: new("from/a%20b"), MetadataDirective: "REPLACE", Metadata: map[string]string{"m": "2"}})
		s.must(err)
		_, err = s.client.CopyObject(s.ctx, &sdk.CopyObjectInput{Bucket: b, Key: new("x"), CopySource: new("from/none")})
		s.fails(err, "NoSuchKey")
		_, err = s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: b, Key: new("y"), Body: strings.NewReader("")}, func(o *sdk.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("X-Amz-Copy-Source", ""))
		})
		s.fails(err, "InvalidArgument")
	})
}

func TestListsPageAndRollUp(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("many")
		var want []string
		for i := range 25 {
			for j := range 4 {
				k := fmt.Sprintf("d%02d/f%d", i, j)
				want = append(want, k)
				s.put(b, k, "")
			}
		}
		s.put(b, "top", "x")
		var keys, prefixes []string
		pages := 0
		p := sdk.NewListObjectsV2Paginator(s.client, &sdk.ListObjectsV2Input{Bucket: b, MaxKeys: new(int32(7))})
		for p.HasMorePages() {
			out, err := p.NextPage(s.ctx)
			s.must(err)
			for _, o := range out.Contents {
				keys = append(keys, *o.Key)
			}
			pages++
		}
		s.equal(pages, 15)
		s.equal(slices.Equal(keys, append(want, "top")), true)
		in := &sdk.ListObjectsInput{Bucket: b, Delimiter: new("/"), MaxKeys: new(int32(4))}
		for keys = nil; ; {
			out, err := s.client.ListObjects(s.ctx, in)
			s.must(err)
			for _, c := range out.CommonPrefixes {
				prefixes = append(prefixes, *c.Prefix)
			}
			for _, o := range out.Contents {
				keys = append(keys, *o.Key)
			}
			if !*out.IsTruncated {
				break
			}
			in.Marker = out.NextMarker
		}
		s.equal(len(prefixes), 25)
		s.equal(fmt.Sprint(keys), "[top]")
		out, err := s.client.ListObjectsV2(s.ctx, &sdk.ListObjectsV2Input{Bucket: b, Prefix: new("d03/"), StartAfter: new("d03/f1")})
		s.must(err)
		s.equal(len(out.Contents), 2)
		out, err = s.client.ListObjectsV2(s.ctx, &sdk.ListObjectsV2Input{Bucket: b, MaxKeys: new(int32(0))})
		s.must(err)
		s.equal(*out.IsTruncated, false)
	})
}

func TestVersionsAndDeleteMarkers(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("versions")
		s.put(b, "k", "before")
		s.versioning(b, types.BucketVersioningStatusEnabled)
		v1, v2 := s.put(b, "k", "one").VersionId, s.put(b, "k", "two").VersionId
		s.equal(s.get(b, "k", nil), "two")
		s.equal(s.get(b, "k", v1), "one")
		s.equal(s.get(b, "k", new("null")), "before")
		del, err := s.client.DeleteObject(s.ctx, &sdk.DeleteObjectInput{Bucket: b, Key: new("k")})
		s.must(err)
		s.equal(*del.DeleteMarker, true)
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k")})
		s.fails(err, "NoSuchKey")
		_, err = s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), VersionId: del.VersionId})
		s.fails(err, "MethodNotAllowed")
		list, err := s.client.ListObjectVersions(s.ctx, &sdk.ListObjectVersionsInput{Bucket: b})
		s.must(err)
		s.equal(len(list.Versions), 3)
		s.equal(text(list.Versions[0].VersionId), text(v2))
		s.equal(*list.Versions[0].IsLatest, false)
		s.equal(*list.DeleteMarkers[0].IsLatest, true)
		// Removing the marker brings the object back.
		_, err = s.client.DeleteObject(s.ctx, &sdk.DeleteObjectInput{Bucket: b, Key: new("k"), VersionId: del.VersionId})
		s.must(err)
		s.equal(s.get(b, "k", nil), "two")
		s.versioning(b, types.BucketVersioningStatusSuspended)
		s.put(b, "k", "suspended")
		s.equal(s.get(b, "k", new("null")), "suspended")
		_, err = s.client.DeleteBucket(s.ctx, &sdk.DeleteBucketInput{Bucket: b})
		s.fails(err, "BucketNotEmpty")
		s.deleteAll(b)
		_, err = s.client.DeleteBucket(s.ctx, &sdk.DeleteBucketInput{Bucket: b})
		s.must(err)
	})
}

// deleteAll deletes every version, paging two at a time.
func (s *server) deleteAll(b *string) {
	s.Helper()
	p := sdk.NewListObjectVersionsPaginator(s.client, &sdk.ListObjectVersionsInput{Bucket: b, MaxKeys: new(int32(2))})
	var ids []types.ObjectIdentifier
	for p.HasMorePages() {
		out, err := p.NextPage(s.ctx)
		s.must(err)
		for _, v := range out.Versions {
			ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, v := range out.DeleteMarkers {
			ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
	}
	out, err := s.client.DeleteObjects(s.ctx, &sdk.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: ids}})
	s.must(err)
	s.equal(len(out.Deleted), len(ids))
}

func (s *server) versioning(b *string, state types.BucketVersioningStatus) {
	s.Helper()
	_, err := s.client.PutBucketVersioning(s.ctx, &sdk.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: state}})
	s.must(err)
}

func TestMultipartUploads(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("large")
		for _, kind := range []struct {
			algorithm types.ChecksumAlgorithm
			sum       types.ChecksumType
		}{
			{types.ChecksumAlgorithmCrc32, ""}, {types.ChecksumAlgorithmCrc32, types.ChecksumTypeFullObject}, {types.ChecksumAlgorithmCrc32c, types.ChecksumTypeFullObject},
			{types.ChecksumAlgorithmCrc64nvme, ""}, {types.ChecksumAlgorithmSha256, ""}, {"", ""},
		} {
			s.multipart(b, kind.algorithm, kind.sum)
		}
	})
}

// Clients begin an upload without a word on checksums, or with one, and send parts with another.
func TestPartsOfAnUploadMayHaveAnotherChecksum(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("mixed")
		for _, begun := range []types.ChecksumAlgorithm{"", types.ChecksumAlgorithmSha256} {
			up, err := s.client.CreateMultipartUpload(s.ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: new("k"), ChecksumAlgorithm: begun})
			s.must(err)
			in := &sdk.UploadPartInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, PartNumber: new(int32(1)), Body: strings.NewReader("part"), ChecksumCRC32: new("AAAAAA==")}
			if _, err := s.client.UploadPart(s.ctx, in); err == nil || !strings.Contains(err.Error(), "BadDigest") {
				t.Errorf("a wrong checksum: %v", err)
			}
			in.Body, in.ChecksumCRC32, in.ChecksumAlgorithm = strings.NewReader("part"), nil, types.ChecksumAlgorithmCrc32
			part, err := s.client.UploadPart(s.ctx, in)
			s.must(err)
			_, err = s.client.CompleteMultipartUpload(s.ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: new("k"), UploadId: up.UploadId,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: new(int32(1))}}}})
			s.must(err)
			got, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k")})
			s.must(err)
			if text, err := io.ReadAll(got.Body); err != nil || string(text) != "part" {
				t.Errorf("the object is %q, %v", text, err)
			}
		}
	})
}

func (s *server) multipart(b *string, algorithm types.ChecksumAlgorithm, kind types.ChecksumType) {
	s.Helper()
	up, err := s.client.CreateMultipartUpload(s.ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: new("k"), ChecksumAlgorithm: algorithm, ChecksumType: kind})
	s.must(err)
	data := body(5<<20 + 1000)
	var parts []types.CompletedPart
	for i, chunk := range [][]byte{data[:5<<20], data[5<<20:]} {
		in := &sdk.UploadPartInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, PartNumber: new(int32(i + 1)), Body: bytes.NewReader(chunk), ChecksumAlgorithm: algorithm}
		if algorithm == "" {
			in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
		}
		p, err := s.client.UploadPart(s.ctx, in)
		s.must(err)
		parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: in.PartNumber, ChecksumCRC32: p.ChecksumCRC32, ChecksumCRC32C: p.ChecksumCRC32C,
			ChecksumCRC64NVME: p.ChecksumCRC64NVME, ChecksumSHA256: p.ChecksumSHA256})
	}
	_, err = s.client.CompleteMultipartUpload(s.ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	s.must(err)
	out, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), ChecksumMode: types.ChecksumModeEnabled})
	s.must(err)
	got, err := io.ReadAll(out.Body) // the SDK compares full checksums itself
	s.must(err)
	s.equal(bytes.Equal(got, data), true)
	s.equal(strings.HasSuffix(text(out.ETag), `-2"`), true)
	second, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), PartNumber: new(int32(2))})
	s.must(err)
	got, _ = io.ReadAll(second.Body)
	s.equal(bytes.Equal(got, data[5<<20:]), true)
	across, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: b, Key: new("k"), Range: aws.String(fmt.Sprintf("bytes=%d-%d", 5<<20-5, 5<<20+4))})
	s.must(err)
	got, _ = io.ReadAll(across.Body)
	s.equal(bytes.Equal(got, data[5<<20-5:5<<20+5]), true)
	_, err = s.client.ListParts(s.ctx, &sdk.ListPartsInput{Bucket: b, Key: new("k"), UploadId: up.UploadId})
	s.fails(err, "NoSuchUpload")
}

func TestUploadsAreCompletedOnlyAsTheyAre(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("large")
		s.put(b, "src", string(body(6<<20)))
		up, err := s.client.CreateMultipartUpload(s.ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: new("k")})
		s.must(err)
		p1, err := s.client.UploadPartCopy(s.ctx, &sdk.UploadPartCopyInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, PartNumber: new(int32(1)), CopySource: new("large/src"), CopySourceRange: new("bytes=0-99")})
		s.must(err)
		p2, err := s.client.UploadPart(s.ctx, &sdk.UploadPartInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, PartNumber: new(int32(2)), Body: strings.NewReader("x"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
		s.must(err)
		complete := func(parts ...types.CompletedPart) error {
			_, err := s.client.CompleteMultipartUpload(s.ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
			return err
		}
		one := types.CompletedPart{PartNumber: new(int32(1)), ETag: p1.CopyPartResult.ETag}
		two := types.CompletedPart{PartNumber: new(int32(2)), ETag: p2.ETag}
		s.fails(complete(one, two), "EntityTooSmall")
		s.fails(complete(two, one), "InvalidPartOrder")
		s.fails(complete(types.CompletedPart{PartNumber: new(int32(3)), ETag: p2.ETag}), "InvalidPart")
		list, err := s.client.ListMultipartUploads(s.ctx, &sdk.ListMultipartUploadsInput{Bucket: b})
		s.must(err)
		s.equal(len(list.Uploads), 1)
		parts, err := s.client.ListParts(s.ctx, &sdk.ListPartsInput{Bucket: b, Key: new("k"), UploadId: up.UploadId, MaxParts: new(int32(1))})
		s.must(err)
		s.equal(*parts.IsTruncated, true)
		s.must(complete(one)) // the last part may be small; the second one is forgotten
		s.equal(len(s.get(b, "k", nil)), 100)
	})
}
