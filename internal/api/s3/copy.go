package s3

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/authorization"
	"plumb/internal/bucket"
	"plumb/internal/caller"
)

// source finds the object that x-amz-copy-source names.
func (c *call) source() (bucket.Bucket, bucket.Object, error) {
	header := c.r.Header.Get("x-amz-copy-source")
	path, query, _ := strings.Cut(header, "?")
	path, err := url.PathUnescape(path)
	name, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || name == "" || key == "" {
		return bucket.Bucket{}, bucket.Object{}, invalidArgument("x-amz-copy-source", header, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	version := ""
	if v, err := url.ParseQuery(query); err == nil {
		version = v.Get("versionId")
	}
	b, err := c.store.Find(c.ctx, name)
	if err != nil {
		return b, bucket.Object{}, err
	}
	ctx := c.ctx
	if c.h.Authorize != nil {
		if ctx, err = c.h.Authorize(ctx, authorization.BucketAsk{Operation: "GetObject", Bucket: name, Owner: b.Account, Key: key, Version: version}); err != nil {
			return b, bucket.Object{}, err
		}
	}
	if !caller.MayUse(ctx, b.Account) {
		return b, bucket.Object{}, bucket.AccessDenied()
	}
	o, err := c.store.Object(c.ctx, b, key, version)
	switch {
	case err != nil:
		return b, o, err
	case o.Marker && version != "":
		return b, o, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	case o.Marker:
		return b, o, bucket.NoSuchKey(key)
	}
	return b, o, c.preconditions(o, "x-amz-copy-source-")
}

type copyResult struct {
	XMLName           xml.Name
	LastModified      string
	ETag              string
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

// setChecksum fills in the member of the algorithm.
func (r *copyResult) setChecksum(algorithm, value string) {
	switch algorithm {
	case bucket.CRC32:
		r.ChecksumCRC32 = value
	case bucket.CRC32C:
		r.ChecksumCRC32C = value
	case bucket.CRC64NVME:
		r.ChecksumCRC64NVME = value
	case bucket.SHA1:
		r.ChecksumSHA1 = value
	case bucket.SHA256:
		r.ChecksumSHA256 = value
	}
}

func (c *call) copyObject() error {
	if err := checkKey(c.key); err != nil {
		return err
	}
	from, src, err := c.source()
	if err != nil {
		return err
	}
	m, err := c.copiedMeta(src)
	if err != nil {
		return err
	}
	if src.Size > maxPut {
		return invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	cond, err := c.conditions()
	if err != nil {
		return err
	}
	algorithm := strings.ToUpper(c.r.Header.Get("x-amz-checksum-algorithm"))
	if algorithm == "" && src.Meta.ChecksumType == bucket.FullObject {
		algorithm = src.Meta.Algorithm
	}
	body, err := c.store.Open(c.ctx, src, 0, src.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	o, err := c.store.PutObject(c.ctx, bucket.PutRequest{Bucket: c.bucket, Key: c.key, Body: body, Meta: m, Algorithm: algorithm, Conditions: cond,
		Event: bucket.CreatedByCopy})
	if err != nil {
		return err
	}
	c.written(o)
	if from.Versioning != "" {
		c.w.Header().Set("x-amz-copy-source-version-id", src.Version)
	}
	out := copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyObjectResult"}, LastModified: isoTime(o.Modified), ETag: quote(o.ETag), ChecksumType: o.Meta.ChecksumType}
	out.setChecksum(o.Meta.Algorithm, o.Meta.Checksum)
	return c.document(out)
}

// copiedMeta joins what the source has with what the request wants: metadata
// and tags are copied unless their directive says REPLACE.
func (c *call) copiedMeta(src bucket.Object) (bucket.Meta, error) {
	h := c.r.Header
	m, err := c.meta()
	if err != nil {
		return m, err
	}
	metaDirective, tagDirective := h.Get("x-amz-metadata-directive"), h.Get("x-amz-tagging-directive")
	for _, d := range []string{metaDirective, tagDirective} {
		if !oneOf(d, "", "COPY", "REPLACE") {
			return m, invalidArgument("x-amz-metadata-directive", d, "Unknown metadata directive.")
		}
	}
	if tagDirective != "REPLACE" {
		m.Tags = src.Meta.Tags
	}
	if metaDirective == "REPLACE" {
		return m, nil
	}
	self := src.Bucket == c.name && src.Key == c.key && !strings.Contains(h.Get("x-amz-copy-source"), "versionId=")
	if self && tagDirective != "REPLACE" && h.Get("x-amz-storage-class") == "" && h.Get("x-amz-server-side-encryption") == "" &&
		h.Get("x-amz-website-redirect-location") == "" && h.Get("x-amz-checksum-algorithm") == "" {
		return m, invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
			"metadata, storage class, website redirect location or encryption attributes.")
	}
	s := src.Meta
	m.ContentType, m.ContentEncoding, m.ContentDisposition = s.ContentType, s.ContentEncoding, s.ContentDisposition
	m.ContentLanguage, m.CacheControl, m.Expires, m.User = s.ContentLanguage, s.CacheControl, s.Expires, s.User
	return m, nil
}

func (c *call) copyPart() error {
	u, number, err := c.part()
	if err != nil {
		return err
	}
	from, src, err := c.source()
	if err != nil {
		return err
	}
	s, err := rangeSpan(c.r.Header.Get("x-amz-copy-source-range"), src.Size)
	if err != nil || (c.r.Header.Get("x-amz-copy-source-range") != "" && !s.partial) {
		return invalidArgument("x-amz-copy-source-range", c.r.Header.Get("x-amz-copy-source-range"),
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	body, err := c.store.Open(c.ctx, src, s.offset, s.length)
	if err != nil {
		return err
	}
	defer body.Close()
	p, err := c.store.PutPart(c.ctx, u, number, body, nil)
	if err != nil {
		return err
	}
	if from.Versioning != "" {
		c.w.Header().Set("x-amz-copy-source-version-id", src.Version)
	}
	c.encryptionHeaders(u.Meta)
	out := copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyPartResult"}, LastModified: isoTime(p.Modified), ETag: quote(p.ETag)}
	out.setChecksum(u.Meta.Algorithm, p.Checksum)
	return c.document(out)
}

type objectPart struct {
	PartNumber        int
	Size              int64
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
}

type checksums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

type attributesParts struct {
	PartsCount  int
	IsTruncated bool
	Part        []objectPart
}

type attributesResult struct {
	XMLName      xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string           `xml:",omitempty"`
	Checksum     *checksums       `xml:",omitempty"`
	ObjectParts  *attributesParts `xml:",omitempty"`
	StorageClass string           `xml:",omitempty"`
	ObjectSize   *int64           `xml:",omitempty"`
}

// attributes answers those that x-amz-object-attributes names.
func (c *call) attributes() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var out attributesResult
	for _, name := range strings.Split(strings.Join(c.r.Header.Values("x-amz-object-attributes"), ","), ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = o.ETag
		case "Checksum":
			r := copyResult{}
			r.setChecksum(o.Meta.Algorithm, o.Meta.Checksum)
			out.Checksum = &checksums{r.ChecksumCRC32, r.ChecksumCRC32C, r.ChecksumCRC64NVME, r.ChecksumSHA1, r.ChecksumSHA256, o.Meta.ChecksumType}
		case "ObjectParts":
			if o.Meta.Parts > 0 {
				if out.ObjectParts, err = c.attributesParts(o); err != nil {
					return err
				}
			}
		case "StorageClass":
			out.StorageClass = class(o)
		case "ObjectSize":
			out.ObjectSize = new(o.Size)
		default:
			return invalidArgument("x-amz-object-attributes", name, "Invalid attribute name specified.")
		}
	}
	c.versionHeader(o)
	c.w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	return c.document(out)
}

func (c *call) attributesParts(o bucket.Object) (*attributesParts, error) {
	parts, err := c.store.ObjectParts(c.ctx, o, 0, -1)
	if err != nil {
		return nil, err
	}
	out := &attributesParts{PartsCount: len(parts)}
	for _, p := range parts {
		r := copyResult{}
		r.setChecksum(o.Meta.Algorithm, p.Checksum)
		out.Part = append(out.Part, objectPart{p.Number, p.Size, r.ChecksumCRC32, r.ChecksumCRC32C, r.ChecksumCRC64NVME, r.ChecksumSHA1, r.ChecksumSHA256})
	}
	return out, nil
}
