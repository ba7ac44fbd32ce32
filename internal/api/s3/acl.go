package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"

	"plumb/internal/bucket"
)

func acls() []route {
	return []route{
		{"GetBucketAcl", "GET", inBucket, "acl", "", (*call).getBucketACL},
		{"PutBucketAcl", "PUT", inBucket, "acl", "", (*call).putBucketACL},
		{"GetObjectAcl", "GET", inObject, "acl", "", (*call).getObjectACL},
		{"PutObjectAcl", "PUT", inObject, "acl", "", (*call).putObjectACL},
	}
}

// canonical returns the id by which access control lists know an account: 64
// hexadecimal digits, always the same for an account.
func canonical(account string) string {
	sum := sha256.Sum256([]byte("canonical user of " + account))
	return hex.EncodeToString(sum[:])
}

type grantee struct {
	Type  string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
	ID    string `xml:"ID,omitempty"`
	URI   string `xml:"URI,omitempty"`
	Email string `xml:"EmailAddress,omitempty"`
}

// MarshalXML writes the type with the prefix xsi, which clients look for by
// name instead of by its namespace.
func (g grantee) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	start.Attr = []xml.Attr{
		{Name: xml.Name{Local: "xmlns:xsi"}, Value: "http://www.w3.org/2001/XMLSchema-instance"},
		{Name: xml.Name{Local: "xsi:type"}, Value: g.Type},
	}
	return e.EncodeElement(struct {
		ID    string `xml:"ID,omitempty"`
		URI   string `xml:"URI,omitempty"`
		Email string `xml:"EmailAddress,omitempty"`
	}{g.ID, g.URI, g.Email}, start)
}

type grant struct {
	Grantee    grantee
	Permission string
}

type accessControl struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Owner   owner
	Grants  []grant `xml:"AccessControlList>Grant"`
}

// The groups that grants name.
const (
	allUsers      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery   = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

func (c *call) privateACL() accessControl {
	id := canonical(c.bucket.Account)
	return accessControl{Owner: owner{id}, Grants: []grant{{grantee{Type: "CanonicalUser", ID: id}, "FULL_CONTROL"}}}
}

// canned returns the list that a name such as public-read stands for.
func (c *call) canned(name string) (accessControl, bool) {
	acl := c.privateACL()
	group := func(uri string, permissions ...string) {
		for _, p := range permissions {
			acl.Grants = append(acl.Grants, grant{grantee{Type: "Group", URI: uri}, p})
		}
	}
	switch name {
	case "private", "bucket-owner-full-control", "bucket-owner-read", "aws-exec-read":
	case "public-read":
		group(allUsers, "READ")
	case "public-read-write":
		group(allUsers, "READ", "WRITE")
	case "authenticated-read":
		group(authenticated, "READ")
	case "log-delivery-write":
		group(logDelivery, "WRITE", "READ_ACP")
	default:
		return acl, false
	}
	return acl, true
}

// grantHeaders maps the headers that spell grants to their permissions.
func grantHeaders() map[string]string {
	return map[string]string{
		"x-amz-grant-read": "READ", "x-amz-grant-write": "WRITE", "x-amz-grant-read-acp": "READ_ACP",
		"x-amz-grant-write-acp": "WRITE_ACP", "x-amz-grant-full-control": "FULL_CONTROL",
	}
}

// headerACL reads the list that a request's headers ask for; false if they ask
// for none.
func (c *call) headerACL() (accessControl, bool, error) {
	if name := c.r.Header.Get("x-amz-acl"); name != "" {
		acl, ok := c.canned(name)
		if !ok {
			return acl, false, invalidArgument("x-amz-acl", name, "")
		}
		return acl, true, nil
	}
	acl := accessControl{Owner: owner{canonical(c.bucket.Account)}}
	for header, permission := range grantHeaders() {
		for _, part := range strings.Split(c.r.Header.Get(header), ",") {
			kind, value, ok := strings.Cut(strings.TrimSpace(part), "=")
			if !ok {
				continue
			}
			g, err := newGrantee(kind, strings.Trim(value, `"' `))
			if err != nil {
				return acl, false, err
			}
			acl.Grants = append(acl.Grants, grant{g, permission})
		}
	}
	return acl, len(acl.Grants) > 0, nil
}

func newGrantee(kind, value string) (grantee, error) {
	switch strings.ToLower(kind) {
	case "id":
		return grantee{Type: "CanonicalUser", ID: value}, nil
	case "uri":
		return grantee{Type: "Group", URI: value}, checkGroup(value)
	case "emailaddress":
		return grantee{Type: "AmazonCustomerByEmail", Email: value}, nil
	}
	return grantee{}, invalidArgument("grant", kind, "Argument format not recognized")
}

func checkGroup(uri string) error {
	if !oneOf(uri, allUsers, authenticated, logDelivery) {
		return invalidArgument("uri", uri, "Invalid group uri")
	}
	return nil
}

// requestedACL reads the list of a PutBucketAcl or PutObjectAcl.
func (c *call) requestedACL() (accessControl, error) {
	data, err := c.read()
	if err != nil {
		return accessControl{}, err
	}
	acl, ok, err := c.headerACL()
	if err != nil || ok {
		return acl, err
	}
	if len(data) == 0 {
		return acl, fault(http.StatusBadRequest, "MissingSecurityHeader", "Your request was missing a required header").
			With("MissingHeaderName", "x-amz-acl")
	}
	if xml.Unmarshal(data, &acl) != nil || acl.Owner.ID == "" {
		return acl, malformedXML()
	}
	for _, g := range acl.Grants {
		if !oneOf(g.Permission, "READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL") {
			return acl, malformedXML()
		}
		if g.Grantee.URI != "" {
			if err := checkGroup(g.Grantee.URI); err != nil {
				return acl, err
			}
		}
	}
	return acl, nil
}

func (a accessControl) public() bool {
	for _, g := range a.Grants {
		if g.Grantee.URI == allUsers || g.Grantee.URI == authenticated {
			return true
		}
	}
	return false
}

// private reports whether the list gives the owner all and others nothing,
// which is all that a bucket without ACLs takes.
func (a accessControl) private() bool {
	for _, g := range a.Grants {
		if g.Grantee.ID != a.Owner.ID || g.Permission != "FULL_CONTROL" {
			return false
		}
	}
	return true
}

func (a accessControl) text() string {
	a.XMLName = xml.Name{Space: namespace, Local: "AccessControlPolicy"}
	b, _ := xml.Marshal(a) // of strings only
	return string(b)
}

// allowACL refuses lists where the bucket's ownership or public access block
// does.
func (c *call) allowACL(a accessControl) error {
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindOwnership, "")
	if err != nil {
		return err
	}
	if ok && strings.Contains(body, "BucketOwnerEnforced") && !a.private() {
		return fault(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	block, err := c.blocked("BlockPublicAcls")
	if err == nil && block && a.public() {
		return fault(http.StatusForbidden, "AccessDenied",
			"Access Denied because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.")
	}
	return err
}

// firstACL adds to a new bucket's configuration the list that its headers ask
// for. New buckets block public access, so a public one is refused.
func (c *call) firstACL(ownership string, first map[string]string) error {
	if !oneOf(ownership, "BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced") {
		return invalidArgument("x-amz-object-ownership", ownership, "Invalid x-amz-object-ownership header: "+ownership)
	}
	c.bucket.Account = c.Account
	acl, ok, err := c.headerACL()
	switch {
	case err != nil || !ok:
		return err
	case ownership == "BucketOwnerEnforced" && !acl.private():
		return fault(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership",
			"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	case acl.public():
		return fault(http.StatusBadRequest, "InvalidBucketAclWithBlockPublicAccessError",
			"Bucket cannot have public ACLs set with BlockPublicAccess enabled")
	}
	first[bucket.KindACL] = acl.text()
	return nil
}

func (c *call) getBucketACL() error {
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindACL, "")
	if err != nil {
		return err
	}
	if !ok {
		body = c.privateACL().text()
	}
	return c.raw(http.StatusOK, "application/xml", []byte(xml.Header+body))
}

func (c *call) putBucketACL() error {
	acl, err := c.requestedACL()
	if err != nil {
		return err
	}
	if err := c.allowACL(acl); err != nil {
		return err
	}
	if err := c.store.PutConfiguration(c.ctx, c.bucket, bucket.KindACL, bucket.Configuration{Body: acl.text()}); err != nil {
		return err
	}
	return c.empty(http.StatusOK)
}

func (c *call) getObjectACL() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	c.versionHeader(o)
	body := o.Meta.ACL
	if body == "" {
		body = c.privateACL().text()
	}
	return c.raw(http.StatusOK, "application/xml", []byte(xml.Header+body))
}

func (c *call) putObjectACL() error {
	acl, err := c.requestedACL()
	if err != nil {
		return err
	}
	if err := c.allowACL(acl); err != nil {
		return err
	}
	o, err := c.store.Update(c.ctx, c.bucket, c.key, c.query.Get("versionId"), func(m *bucket.Meta) { m.ACL = acl.text() })
	if err != nil {
		return err
	}
	c.versionHeader(o)
	return c.empty(http.StatusOK)
}

// objectACL returns the list that a new object's headers ask for, or "".
func (c *call) objectACL() (string, error) {
	acl, ok, err := c.headerACL()
	if err != nil || !ok || acl.private() {
		return "", err
	}
	return acl.text(), c.allowACL(acl)
}
