package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/model"
)

func lists() []route {
	return []route{
		{"ListObjectVersions", "GET", inBucket, "versions", "", (*call).listVersions},
		{"ListObjectsV2", "GET", inBucket, "list-type", "", (*call).listV2},
		{"ListObjects", "GET", inBucket, "", "", (*call).listV1},
	}
}

func isCode(err error, code string) bool { return model.IsCode(err, code) }

// encodeToken wraps a place in a list so that clients do not read it.
func encodeToken(place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(place))
}

// token reads a place in a list; an empty one is its beginning.
func (c *call) token(name string) (string, error) {
	s := c.query.Get(name)
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || (s == "" && c.query.Has(name)) {
		return "", invalidArgument(name, s, "The continuation token provided is incorrect")
	}
	return string(b), nil
}

type contents struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Owner             *owner `xml:",omitempty"`
}

type commonPrefix struct{ Prefix string }

type listResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []contents
	CommonPrefixes        []commonPrefix
}

// listRequest reads what both forms have in common.
func (c *call) listRequest(limitName string) (bucket.ListRequest, func(string) string, error) {
	limit, err := c.limit(limitName, 1000, 1000)
	r := bucket.ListRequest{Prefix: c.query.Get("prefix"), Delimiter: c.query.Get("delimiter"), Limit: limit}
	encode := func(s string) string { return s }
	switch e := c.query.Get("encoding-type"); {
	case strings.EqualFold(e, "url"):
		encode = encodeKey
	case e != "" && err == nil:
		err = invalidArgument("encoding-type", e, "Invalid Encoding Method specified in Request")
	}
	return r, encode, err
}

// encodeKey is S3's URL encoding of keys in lists: slashes stay.
func encodeKey(s string) string {
	return strings.NewReplacer("%2F", "/", "%2A", "*").Replace(url.QueryEscape(s))
}

func (c *call) list(r bucket.ListRequest, encode func(string) string, withOwner bool) (listResult, bucket.Listing, error) {
	out := listResult{Name: c.name, Prefix: encode(r.Prefix), MaxKeys: r.Limit, Delimiter: encode(r.Delimiter), EncodingType: c.query.Get("encoding-type")}
	if r.Limit == 0 {
		return out, bucket.Listing{}, nil
	}
	l, err := c.store.ListObjects(c.ctx, c.bucket, r)
	if err != nil {
		return out, l, err
	}
	out.IsTruncated = l.Truncated
	for _, o := range l.Objects {
		out.Contents = append(out.Contents, c.contents(o, encode, withOwner))
	}
	for _, p := range l.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(p)})
	}
	return out, l, nil
}

func (c *call) contents(o bucket.Object, encode func(string) string, withOwner bool) contents {
	e := contents{
		Key: encode(o.Key), LastModified: isoTime(o.Modified), ETag: quote(o.ETag), Size: o.Size, StorageClass: class(o),
		ChecksumAlgorithm: o.Meta.Algorithm, ChecksumType: o.Meta.ChecksumType,
	}
	if withOwner {
		e.Owner = &owner{canonical(c.bucket.Account)}
	}
	return e
}

func class(o bucket.Object) string {
	if o.Meta.StorageClass == "" {
		return "STANDARD"
	}
	return o.Meta.StorageClass
}

func (c *call) listV1() error {
	r, encode, err := c.listRequest("max-keys")
	if err != nil {
		return err
	}
	r.After = c.query.Get("marker")
	out, l, err := c.list(r, encode, true)
	if err != nil {
		return err
	}
	out.Marker = new(encode(r.After))
	if l.Truncated && r.Delimiter != "" {
		out.NextMarker = encode(l.Last) // without a delimiter the last key is the marker
	}
	return c.document(out)
}

func (c *call) listV2() error {
	r, encode, err := c.listRequest("max-keys")
	if err != nil {
		return err
	}
	token, err := c.token("continuation-token")
	if err != nil {
		return err
	}
	if r.After = token; token == "" {
		r.After = c.query.Get("start-after")
	}
	out, l, err := c.list(r, encode, c.query.Get("fetch-owner") == "true")
	if err != nil {
		return err
	}
	out.ContinuationToken, out.StartAfter = c.query.Get("continuation-token"), encode(c.query.Get("start-after"))
	out.KeyCount = new(len(l.Objects) + len(l.Prefixes))
	if l.Truncated {
		out.NextContinuationToken = encodeToken(l.Last)
	}
	return c.document(out)
}

// versionEntry is a Version or a DeleteMarker, as its name says; their order
// tells which is newer.
type versionEntry struct {
	XMLName           xml.Name
	Key               string
	VersionId         string
	IsLatest          bool
	LastModified      string
	ETag              string `xml:",omitempty"`
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              *int64
	StorageClass      string `xml:",omitempty"`
	Owner             owner
}

type versionsResult struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIdMarker     string
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIdMarker string `xml:",omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	Entries             []versionEntry
	CommonPrefixes      []commonPrefix
}

func (c *call) listVersions() error {
	r, encode, err := c.listRequest("max-keys")
	if err != nil {
		return err
	}
	r.After, r.Version = c.query.Get("key-marker"), c.query.Get("version-id-marker")
	if r.Version != "" && r.After == "" {
		return invalidArgument("version-id-marker", r.Version, "A version-id marker cannot be specified without a key marker.")
	}
	out := versionsResult{
		Name: c.name, Prefix: encode(r.Prefix), KeyMarker: encode(r.After), VersionIdMarker: r.Version, MaxKeys: r.Limit,
		Delimiter: encode(r.Delimiter), EncodingType: c.query.Get("encoding-type"),
	}
	if r.Limit == 0 {
		return c.document(out)
	}
	l, err := c.store.ListVersions(c.ctx, c.bucket, r)
	if isCode(err, "NoSuchVersion") {
		return invalidArgument("version-id-marker", r.Version, "Invalid version id specified")
	}
	if err != nil {
		return err
	}
	if out.IsTruncated = l.Truncated; l.Truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = encode(l.Last), l.Version
	}
	for _, o := range l.Objects {
		out.Entries = append(out.Entries, c.versionEntry(o, encode))
	}
	for _, p := range l.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(p)})
	}
	return c.document(out)
}

func (c *call) versionEntry(o bucket.Object, encode func(string) string) versionEntry {
	e := versionEntry{
		XMLName: xml.Name{Local: "DeleteMarker"}, Key: encode(o.Key), VersionId: o.Version, IsLatest: o.Latest,
		LastModified: isoTime(o.Modified), Owner: owner{canonical(c.bucket.Account)},
	}
	if !o.Marker {
		e.XMLName.Local = "Version"
		e.ETag, e.Size, e.StorageClass = quote(o.ETag), new(o.Size), class(o)
		e.ChecksumAlgorithm, e.ChecksumType = o.Meta.Algorithm, o.Meta.ChecksumType
	}
	return e
}
