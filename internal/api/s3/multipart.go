package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/bucket"
)

func multipart() []route {
	return []route{
		{"CreateMultipartUpload", "POST", inObject, "uploads", "", (*call).beginUpload},
		{"UploadPartCopy", "PUT", inObject, "uploadId", "x-amz-copy-source", (*call).copyPart},
		{"UploadPart", "PUT", inObject, "uploadId", "", (*call).putPart},
		{"CompleteMultipartUpload", "POST", inObject, "uploadId", "", (*call).completeUpload},
		{"AbortMultipartUpload", "DELETE", inObject, "uploadId", "", (*call).abortUpload},
		{"ListParts", "GET", inObject, "uploadId", "", (*call).listParts},
		{"ListMultipartUploads", "GET", inBucket, "uploads", "", (*call).listUploads},
	}
}

type beginResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadId string
}

func (c *call) beginUpload() error {
	if err := checkKey(c.key); err != nil {
		return err
	}
	m, err := c.meta()
	if err != nil {
		return err
	}
	asked := c.r.Header.Get("x-amz-checksum-algorithm")
	if m.Algorithm, m.ChecksumType, err = uploadChecksum(asked, c.r.Header.Get("x-amz-checksum-type")); err != nil {
		return err
	}
	u, err := c.store.BeginUpload(c.ctx, c.bucket, c.key, m)
	if err != nil {
		return err
	}
	if asked != "" {
		c.w.Header().Set("x-amz-checksum-algorithm", m.Algorithm)
		c.w.Header().Set("x-amz-checksum-type", m.ChecksumType)
	}
	c.encryptionHeaders(m)
	return c.document(beginResult{Bucket: c.name, Key: c.key, UploadId: u.ID})
}

// uploadChecksum decides how an upload is checked: CRC64NVME over the whole
// where nothing was asked for.
func uploadChecksum(algorithm, kind string) (string, string, error) {
	algorithm, kind = strings.ToUpper(algorithm), strings.ToUpper(kind)
	if algorithm == "" {
		if kind != "" {
			return "", "", invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return bucket.CRC64NVME, bucket.FullObject, nil
	}
	if !oneOf(algorithm, bucket.Algorithms()...) {
		return "", "", invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
			"[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	if kind == "" {
		kind = bucket.Composite
		if algorithm == bucket.CRC64NVME {
			kind = bucket.FullObject
		}
	}
	sha := algorithm == bucket.SHA1 || algorithm == bucket.SHA256
	if !oneOf(kind, bucket.Composite, bucket.FullObject) || (sha && kind == bucket.FullObject) || (algorithm == bucket.CRC64NVME && kind == bucket.Composite) {
		return "", "", invalidRequest("The " + kind + " checksum type cannot be used with the " + strings.ToLower(algorithm) + " checksum algorithm.")
	}
	return algorithm, kind, nil
}

func (c *call) upload() (bucket.Upload, error) {
	return c.store.FindUpload(c.ctx, c.bucket, c.key, c.query.Get("uploadId"))
}

// part reads which part of which upload a request is about.
func (c *call) part() (bucket.Upload, int, error) {
	s := c.query.Get("partNumber")
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > bucket.MaxParts {
		return bucket.Upload{}, 0, invalidArgument("partNumber", s, "Part number must be an integer between 1 and 10000, inclusive")
	}
	u, err := c.upload()
	return u, n, err
}

func (c *call) putPart() error {
	u, number, err := c.part()
	if err != nil {
		return err
	}
	b, err := c.payload()
	if err != nil {
		return err
	}
	if err := b.sumApart(u.Meta.Algorithm); err != nil {
		return err
	}
	p, err := c.store.PutPart(c.ctx, u, number, b, b.verify)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", quote(p.ETag))
	c.w.Header().Set(checksumHeader(u.Meta.Algorithm), p.Checksum)
	c.encryptionHeaders(u.Meta)
	return c.empty(http.StatusOK)
}

type completeResult struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location          string
	Bucket            string
	Key               string
	ETag              string
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func (c *call) completeUpload() error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	done, err := c.completion(u)
	if err != nil {
		return err
	}
	o, err := c.store.CompleteUpload(c.ctx, u, done)
	if err != nil {
		return err
	}
	if o.Version != bucket.NullVersion {
		c.w.Header().Set("x-amz-version-id", o.Version)
	}
	c.encryptionHeaders(o.Meta)
	r := copyResult{}
	r.setChecksum(o.Meta.Algorithm, o.Meta.Checksum)
	return c.document(completeResult{
		Location: "http://" + c.r.Host + "/" + c.name + "/" + encodeKey(c.key), Bucket: c.name, Key: c.key, ETag: quote(o.ETag),
		ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C, ChecksumCRC64NVME: r.ChecksumCRC64NVME,
		ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256, ChecksumType: o.Meta.ChecksumType,
	})
}

// completion reads the list of parts. The checksum headers of this request are
// those of the object, not of the request's body.
func (c *call) completion(u bucket.Upload) (bucket.Completion, error) {
	var out bucket.Completion
	if out.Checksum = c.r.Header.Get(checksumHeader(u.Meta.Algorithm)); out.Checksum != "" {
		c.r.Header.Del(checksumHeader(u.Meta.Algorithm))
	}
	data, err := c.read()
	if err != nil {
		return out, err
	}
	doc, err := parse(data, "CompleteMultipartUpload")
	if err != nil {
		return out, err
	}
	for _, p := range doc.all("Part") {
		n, err := strconv.Atoi(p.child("PartNumber").value())
		if err != nil {
			return out, malformedXML()
		}
		out.Parts = append(out.Parts, bucket.Part{Number: n, ETag: unquote(p.child("ETag").value()), Checksum: p.child("Checksum" + u.Meta.Algorithm).value()})
	}
	if len(out.Parts) == 0 {
		return out, fault(http.StatusBadRequest, "InvalidRequest", "You must specify at least one part")
	}
	out.Conditions, err = c.conditions()
	return out, err
}

func (c *call) abortUpload() error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	if err := c.store.AbortUpload(c.ctx, u); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

type partEntry struct {
	PartNumber        int
	LastModified      string
	ETag              string
	Size              int64
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
}

type partsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadId             string
	Initiator            owner
	Owner                owner
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string
	ChecksumType         string
	Part                 []partEntry
}

func (c *call) listParts() error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	limit, err := c.limit("max-parts", 1000, 1000)
	if err != nil {
		return err
	}
	after, err := c.limit("part-number-marker", 0, bucket.MaxParts)
	if err != nil {
		return err
	}
	parts, err := c.store.Parts(c.ctx, u, after, limit+1)
	if err != nil {
		return err
	}
	me := owner{canonical(c.bucket.Account)}
	out := partsResult{
		Bucket: c.name, Key: c.key, UploadId: u.ID, Initiator: me, Owner: me, StorageClass: class(bucket.Object{Meta: u.Meta}),
		PartNumberMarker: after, MaxParts: limit, ChecksumAlgorithm: u.Meta.Algorithm, ChecksumType: u.Meta.ChecksumType,
	}
	for i, p := range parts {
		if i == limit {
			out.IsTruncated = limit > 0
			break
		}
		r := copyResult{}
		r.setChecksum(u.Meta.Algorithm, p.Checksum)
		out.Part = append(out.Part, partEntry{p.Number, isoTime(p.Modified), quote(p.ETag), p.Size,
			r.ChecksumCRC32, r.ChecksumCRC32C, r.ChecksumCRC64NVME, r.ChecksumSHA1, r.ChecksumSHA256})
		out.NextPartNumberMarker = p.Number
	}
	return c.document(out)
}

type uploadEntry struct {
	Key               string
	UploadId          string
	Initiator         owner
	Owner             owner
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string
	ChecksumType      string
}

type uploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIdMarker     string
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIdMarker string `xml:",omitempty"`
	Prefix             string
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []uploadEntry
	CommonPrefixes     []commonPrefix
}

func (c *call) listUploads() error {
	r, encode, err := c.listRequest("max-uploads")
	if err != nil {
		return err
	}
	if r.Delimiter != "" {
		return notImplemented("a delimiter in ListMultipartUploads")
	}
	page := bucket.UploadPage{Prefix: r.Prefix, After: c.query.Get("key-marker"), ID: c.query.Get("upload-id-marker"), Limit: r.Limit + 1}
	list, err := c.store.ListUploads(c.ctx, c.bucket, page)
	if err != nil {
		return err
	}
	me := owner{canonical(c.bucket.Account)}
	out := uploadsResult{Bucket: c.name, KeyMarker: encode(page.After), UploadIdMarker: page.ID, Prefix: encode(r.Prefix), MaxUploads: r.Limit, EncodingType: c.query.Get("encoding-type")}
	for i, u := range list {
		if i == r.Limit {
			out.IsTruncated = r.Limit > 0
			break
		}
		out.Upload = append(out.Upload, uploadEntry{encode(u.Key), u.ID, me, me, class(bucket.Object{Meta: u.Meta}), isoTime(u.Started), u.Meta.Algorithm, u.Meta.ChecksumType})
		out.NextKeyMarker, out.NextUploadIdMarker = encode(u.Key), u.ID
	}
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIdMarker = "", ""
	}
	return c.document(out)
}
