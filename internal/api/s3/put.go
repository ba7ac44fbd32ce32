package s3

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"plumb/internal/bucket"
)

// maxUserMeta is S3's limit of all x-amz-meta- names and values together.
const maxUserMeta = 2 << 10

// checkKey refuses keys that S3, or our store, cannot keep.
func checkKey(key string) error {
	if len(key) > 1024 {
		return fault(http.StatusBadRequest, "KeyTooLongError", "Your key is too long").With("Size", len(key)).With("MaxSizeAllowed", 1024)
	}
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return fault(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.").With("URI", key)
	}
	return nil
}

// meta reads what is to be kept with an object from the request's headers.
func (c *call) meta() (bucket.Meta, error) {
	h := c.r.Header
	m := bucket.Meta{
		ContentType: h.Get("Content-Type"), ContentEncoding: contentEncoding(h), ContentDisposition: h.Get("Content-Disposition"),
		ContentLanguage: h.Get("Content-Language"), CacheControl: h.Get("Cache-Control"), Expires: h.Get("Expires"),
		Redirect: h.Get("x-amz-website-redirect-location"), StorageClass: h.Get("x-amz-storage-class"), User: map[string]string{},
	}
	if m.StorageClass == "STANDARD" {
		m.StorageClass = ""
	}
	if !oneOf(m.StorageClass, storageClasses()...) {
		return m, fault(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid").
			With("StorageClassRequested", m.StorageClass)
	}
	size := 0
	for k, v := range h {
		name, ok := strings.CutPrefix(strings.ToLower(k), "x-amz-meta-")
		if !ok {
			continue
		}
		m.User[name] = strings.Join(v, ",")
		size += len(name) + len(m.User[name])
	}
	if size > maxUserMeta {
		return m, fault(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").
			With("Size", size).With("MaxSizeAllowed", maxUserMeta)
	}
	if h.Get("x-amz-object-lock-mode") != "" || h.Get("x-amz-object-lock-legal-hold") != "" {
		return m, invalidRequest("Bucket is missing Object Lock Configuration")
	}
	var err error
	if m.Tags, err = decodeTags(h.Get("x-amz-tagging"), maxObjectTags); err != nil {
		return m, err
	}
	if m.ACL, err = c.objectACL(); err != nil {
		return m, err
	}
	return m, c.encryption(&m)
}

func storageClasses() []string {
	return []string{"", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE"}
}

// contentEncoding is what is left of the header without the wire's own part.
func contentEncoding(h http.Header) string {
	var kept []string
	for _, e := range strings.Split(h.Get("Content-Encoding"), ",") {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, ",")
}

// encryption notes how the object is to be encrypted: as the request says, else
// as the bucket does.
func (c *call) encryption(m *bucket.Meta) error {
	h := c.r.Header
	if h.Get("x-amz-server-side-encryption-customer-algorithm") != "" {
		return notImplemented("encryption with a customer's key")
	}
	if m.Encryption = h.Get("x-amz-server-side-encryption"); m.Encryption != "" {
		if !oneOf(m.Encryption, "AES256", "aws:kms", "aws:kms:dsse") {
			return invalidArgument("x-amz-server-side-encryption", m.Encryption, "The encryption method specified is not supported")
		}
		m.KMSKey = h.Get("x-amz-server-side-encryption-aws-kms-key-id")
		m.BucketKey = strings.EqualFold(h.Get("x-amz-server-side-encryption-bucket-key-enabled"), "true")
		return nil
	}
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindEncryption, "")
	if err != nil || !ok {
		return err
	}
	doc, err := parse([]byte(body), "ServerSideEncryptionConfiguration")
	if err != nil {
		return err
	}
	rule := doc.child("Rule", "ApplyServerSideEncryptionByDefault")
	if m.Encryption = rule.child("SSEAlgorithm").value(); m.Encryption == "AES256" {
		m.Encryption = ""
	}
	m.KMSKey = rule.child("KMSMasterKeyID").value()
	m.BucketKey = m.Encryption != "" && doc.child("Rule", "BucketKeyEnabled").value() == "true"
	return nil
}

// conditions reads those of a write.
func (c *call) conditions() (bucket.Conditions, error) {
	var out bucket.Conditions
	if s := c.r.Header.Get("If-None-Match"); s != "" {
		if s != "*" {
			return out, notImplemented("If-None-Match with an ETag on a write")
		}
		out.Absent = true
	}
	out.ETag = unquote(c.r.Header.Get("If-Match"))
	return out, nil
}

func (c *call) putObject() error {
	if err := checkKey(c.key); err != nil {
		return err
	}
	m, err := c.meta()
	if err != nil {
		return err
	}
	cond, err := c.conditions()
	if err != nil {
		return err
	}
	b, err := c.payload()
	if err != nil {
		return err
	}
	o, err := c.store.PutObject(c.ctx, bucket.PutRequest{
		Bucket: c.bucket, Key: c.key, Body: b, Meta: m, Algorithm: b.algorithm, Verify: b.verify, Conditions: cond,
	})
	if err != nil {
		return err
	}
	c.written(o)
	return c.empty(http.StatusOK)
}

// written sets the headers that tell of a new version.
func (c *call) written(o bucket.Object) {
	h := c.w.Header()
	h.Set("ETag", quote(o.ETag))
	if o.Version != bucket.NullVersion {
		h.Set("x-amz-version-id", o.Version)
	}
	h.Set(checksumHeader(o.Meta.Algorithm), o.Meta.Checksum)
	h.Set("x-amz-checksum-type", o.Meta.ChecksumType)
	c.encryptionHeaders(o.Meta)
}
