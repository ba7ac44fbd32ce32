package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/config"
)

func buckets() []route {
	return []route{
		{"ListBuckets", "GET", service, "", "", (*call).listBuckets},
		{"CreateBucket", "PUT", inBucket, "", "", (*call).createBucket},
		{"HeadBucket", "HEAD", inBucket, "", "", (*call).headBucket},
		{"DeleteBucket", "DELETE", inBucket, "", "", (*call).deleteBucket},
		{"GetBucketLocation", "GET", inBucket, "location", "", (*call).location},
	}
}

// owner is an account as S3 names it: by a canonical id.
type owner struct {
	ID string `xml:"ID"`
}

type bucketEntry struct {
	Name         string
	CreationDate string
	BucketRegion string
	BucketArn    string
}

type listBucketsResult struct {
	XMLName           xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             owner         `xml:"Owner"`
	Buckets           []bucketEntry `xml:"Buckets>Bucket"`
	ContinuationToken string        `xml:",omitempty"`
	Prefix            string        `xml:",omitempty"`
}

func (c *call) listBuckets() error {
	limit, err := c.limit("max-buckets", 10000, 10000)
	if err != nil {
		return err
	}
	after, err := c.token("continuation-token")
	if err != nil {
		return err
	}
	page := bucket.Page{After: after, Prefix: c.query.Get("prefix"), Limit: limit + 1}
	list, err := c.store.List(c.ctx, c.Account, c.query.Get("bucket-region"), page)
	if err != nil {
		return err
	}
	out := listBucketsResult{Owner: owner{canonical(c.Account)}, Prefix: page.Prefix}
	for i, b := range list {
		if i == limit {
			out.ContinuationToken = encodeToken(list[i-1].Name)
			break
		}
		out.Buckets = append(out.Buckets, bucketEntry{b.Name, isoTime(b.Created), b.Region, b.ARN()})
	}
	return c.document(out)
}

// limit reads a parameter that bounds an answer.
func (c *call) limit(name string, usual, most int) (int, error) {
	s := c.query.Get(name)
	if s == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, invalidArgument(name, s, "Provided "+name+" not an integer or within integer range")
	}
	if n < 0 {
		return 0, invalidArgument(name, s, fmt.Sprintf("Argument %s must be an integer between 0 and 2147483647", name))
	}
	return min(n, most), nil
}

// createBucket makes a bucket as S3 does since 2023: encrypted, without ACLs,
// with public access blocked.
func (c *call) createBucket() error {
	data, err := c.read()
	if err != nil {
		return err
	}
	region, first, err := c.newBucket(data)
	if err != nil {
		return err
	}
	b := bucket.Bucket{Place: config.Place{Account: c.Account, Region: region}, Name: c.name}
	err = c.store.Create(c.ctx, b, first)
	if isCode(err, "BucketAlreadyOwnedByYou") && c.Region == usEast1 && region == usEast1 {
		err = nil // S3 keeps this one answer of its first days in its first region
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/"+c.name)
	c.w.Header().Set("x-amz-bucket-arn", b.ARN())
	return c.empty(http.StatusOK)
}

const usEast1 = "us-east-1"

// newBucket reads what a bucket is to begin with: its region and configuration.
func (c *call) newBucket(data []byte) (region string, first map[string]string, err error) {
	if strings.EqualFold(c.r.Header.Get("x-amz-bucket-object-lock-enabled"), "true") {
		return "", nil, notImplemented("object lock")
	}
	doc := &node{}
	if len(strings.TrimSpace(string(data))) > 0 {
		if doc, err = parse(data, "CreateBucketConfiguration"); err != nil {
			return "", nil, err
		}
	}
	if region, err = c.place(doc.child("LocationConstraint").value()); err != nil {
		return "", nil, err
	}
	ownership := c.r.Header.Get("x-amz-object-ownership")
	if ownership == "" {
		ownership = "BucketOwnerEnforced"
	}
	first = map[string]string{
		bucket.KindOwnership:    ownershipDocument(ownership),
		bucket.KindPublicAccess: blockAll,
	}
	if set := doc.child("Tags"); len(set.children) > 0 {
		tags, err := tagsOf(set, maxBucketTags)
		if err != nil {
			return "", nil, err
		}
		first[bucket.KindTagging] = encodeTags(tags)
	}
	return region, first, c.firstACL(ownership, first)
}

// place decides the region of a new bucket.
func (c *call) place(constraint string) (string, error) {
	region := c.Region
	if region == "" {
		region = usEast1
	}
	switch {
	case constraint == "" && region == usEast1, constraint == region && region != usEast1:
		return region, nil
	case constraint == "":
		return "", fault(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case constraint == usEast1 || !looksLikeRegion(constraint):
		return "", fault(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid").
			With("LocationConstraint", constraint)
	case region == usEast1:
		if constraint == "EU" {
			constraint = "eu-west-1"
		}
		return constraint, nil // the first region's endpoint makes buckets anywhere
	}
	return "", fault(http.StatusBadRequest, "IllegalLocationConstraintException",
		"The "+constraint+" location constraint is incompatible for the region specific endpoint this request was sent to.")
}

func looksLikeRegion(s string) bool { return s == "EU" || strings.Count(s, "-") >= 2 }

func (c *call) headBucket() error {
	h := c.w.Header()
	h.Set("x-amz-bucket-region", c.bucket.Region)
	h.Set("x-amz-bucket-arn", c.bucket.ARN())
	h.Set("x-amz-access-point-alias", "false")
	h.Set("Content-Type", "application/xml")
	return c.empty(http.StatusOK)
}

func (c *call) deleteBucket() error {
	if err := c.store.Delete(c.ctx, c.bucket); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

func (c *call) location() error {
	region := c.bucket.Region
	if region == usEast1 {
		region = "" // the first region has no name here
	}
	return c.document(locationResult{Region: region})
}
