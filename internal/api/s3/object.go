package s3

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/bucket"
)

func objects() []route {
	return []route{
		{"GetObjectAttributes", "GET", inObject, "attributes", "", (*call).attributes},
		{"GetObject", "GET", inObject, "", "", (*call).getObject},
		{"HeadObject", "HEAD", inObject, "", "", (*call).getObject},
		{"CopyObject", "PUT", inObject, "", "x-amz-copy-source", (*call).copyObject},
		{"PutObject", "PUT", inObject, "", "", (*call).putObject},
		{"DeleteObject", "DELETE", inObject, "", "", (*call).deleteObject},
		{"DeleteObjects", "POST", inBucket, "delete", "", (*call).deleteObjects},
	}
}

func quote(etag string) string { return `"` + etag + `"` }

func unquote(etag string) string { return strings.Trim(strings.TrimSpace(etag), `"`) }

// versionHeader names the version in a bucket that has or had versioning.
func (c *call) versionHeader(o bucket.Object) {
	if c.bucket.Versioning != "" {
		c.w.Header().Set("x-amz-version-id", o.Version)
	}
}

// object returns the object that the request names. A delete marker answers
// as one that is not there, or, when named by its version, as one that cannot
// be read.
func (c *call) object() (bucket.Object, error) {
	version := c.query.Get("versionId")
	if c.query.Has("versionId") && version == "" {
		return bucket.Object{}, invalidArgument("versionId", "", "Version id cannot be the empty string")
	}
	o, err := c.store.Object(c.ctx, c.bucket, c.key, version)
	if err != nil || !o.Marker {
		return o, err
	}
	c.versionHeader(o)
	c.w.Header().Set("x-amz-delete-marker", "true")
	if version == "" {
		return o, bucket.NoSuchKey(c.key)
	}
	c.w.Header().Set("Allow", "DELETE")
	c.w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	return o, bucket.MethodNotAllowed().With("Method", c.r.Method)
}

// getObject answers an object, or for HEAD its headers.
func (c *call) getObject() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	if err := c.preconditions(o, ""); err != nil {
		return err
	}
	span, err := c.span(o)
	if err != nil {
		return err
	}
	c.objectHeaders(o)
	if !span.partial {
		c.checksumHeaders(o)
	}
	if err := c.overrides(); err != nil {
		return err
	}
	h, status := c.w.Header(), http.StatusOK
	h.Set("Content-Length", strconv.FormatInt(span.length, 10))
	if span.partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", span.offset, span.offset+span.length-1, o.Size))
	}
	if c.r.Method == http.MethodHead {
		return c.empty(status)
	}
	return c.send(o, span, status)
}

func (c *call) send(o bucket.Object, s span, status int) error {
	body, err := c.store.Open(c.ctx, o, s.offset, s.length)
	if err != nil {
		return err
	}
	defer body.Close()
	first := make([]byte, min(s.length, 32<<10))
	if _, err := io.ReadFull(body, first); err != nil {
		return fmt.Errorf("read object %s/%s: %w", o.Bucket, o.Key, err) // before the answer has begun
	}
	c.w.WriteHeader(status)
	c.started = true
	if _, err := c.w.Write(first); err != nil {
		return nil // the client went away
	}
	n, err := io.CopyBuffer(c.w, body, make([]byte, 256<<10))
	if err != nil && c.ctx.Err() == nil && n+int64(len(first)) < s.length {
		return fmt.Errorf("send object %s/%s: %w", o.Bucket, o.Key, err)
	}
	return nil
}

func (c *call) objectHeaders(o bucket.Object) {
	h := c.w.Header()
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	m := o.Meta
	set("Content-Type", contentType(m))
	set("Content-Encoding", m.ContentEncoding)
	set("Content-Disposition", m.ContentDisposition)
	set("Content-Language", m.ContentLanguage)
	set("Cache-Control", m.CacheControl)
	set("Expires", m.Expires)
	set("x-amz-website-redirect-location", m.Redirect)
	set("x-amz-storage-class", m.StorageClass)
	for k, v := range m.User {
		h["x-amz-meta-"+k] = []string{v} // as it was put: S3 keeps keys in lower case
	}
	h.Set("ETag", quote(o.ETag))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	if len(m.Tags) > 0 {
		h.Set("x-amz-tagging-count", strconv.Itoa(len(m.Tags)))
	}
	c.encryptionHeaders(m)
	c.versionHeader(o)
}

func contentType(m bucket.Meta) string {
	if m.ContentType == "" {
		return "binary/octet-stream"
	}
	return m.ContentType
}

// encryptionHeaders say what the client was promised. The bytes lie on disk as
// they came.
func (c *call) encryptionHeaders(m bucket.Meta) {
	h := c.w.Header()
	if m.Encryption == "" {
		m.Encryption = "AES256"
	}
	h.Set("x-amz-server-side-encryption", m.Encryption)
	if m.KMSKey != "" {
		h.Set("x-amz-server-side-encryption-aws-kms-key-id", m.KMSKey)
	}
	if m.BucketKey {
		h.Set("x-amz-server-side-encryption-bucket-key-enabled", "true")
	}
}

func (c *call) checksumHeaders(o bucket.Object) {
	if !strings.EqualFold(c.r.Header.Get("x-amz-checksum-mode"), "enabled") || o.Meta.Checksum == "" {
		return
	}
	c.w.Header().Set(checksumHeader(o.Meta.Algorithm), o.Meta.Checksum)
	c.w.Header().Set("x-amz-checksum-type", o.Meta.ChecksumType)
}

// overrides replaces headers of the answer by parameters of the request.
func (c *call) overrides() error {
	for param, header := range map[string]string{
		"response-content-type": "Content-Type", "response-content-language": "Content-Language", "response-expires": "Expires",
		"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
		"response-content-encoding": "Content-Encoding",
	} {
		if v := c.query.Get(param); v != "" {
			if strings.ContainsAny(v, "\r\n") {
				return invalidArgument(param, v, "Header value cannot be represented.")
			}
			c.w.Header().Set(header, v)
		}
	}
	return nil
}
