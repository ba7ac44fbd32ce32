package s3

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"

	"plumb/internal/bucket"
	"plumb/internal/model"
)

// A kind is one kind of a bucket's configuration that is kept as the document
// that was put: read, checked and given back, and nothing else.
type kind struct {
	query   string // its query parameter and its name in the store
	name    string // in the names of operations: PutBucketEncryption
	root    string
	check   func(c *call, doc *node) error
	none    func() *model.Error // the answer where there is none
	initial string              // or the document that stands for none, without its root
	list    string              // the root of the list, for kinds of which a bucket has several
	status  int                 // of a PUT; 200 if 0
	done    func(c *call, doc *node) error
}

// kinds lists them. What an error says and which of them have an initial
// document instead is S3's choice, kind by kind.
func kinds() []kind {
	none := func(code, text string) func() *model.Error {
		return func() *model.Error { return notFound(code, text) }
	}
	several := none("NoSuchConfiguration", "The specified configuration does not exist.")
	return []kind{
		{query: "encryption", name: "BucketEncryption", root: "ServerSideEncryptionConfiguration", check: checkEncryption, initial: defaultEncryption},
		{query: "logging", name: "BucketLogging", root: "BucketLoggingStatus", check: checkLogging, initial: " "},
		{query: "notification", name: "BucketNotificationConfiguration", root: "NotificationConfiguration", check: checkNotification, initial: " ", done: tellTargets},
		{query: "requestPayment", name: "BucketRequestPayment", root: "RequestPaymentConfiguration", check: checkPayer, initial: "<Payer>BucketOwner</Payer>"},
		{query: "accelerate", name: "BucketAccelerateConfiguration", root: "AccelerateConfiguration", check: checkAccelerate, initial: " "},
		{query: "abac", name: "BucketAbac", root: "AbacStatus", initial: "<Status>Disabled</Status>"},
		{query: "lifecycle", name: "BucketLifecycleConfiguration", root: "LifecycleConfiguration", check: checkLifecycle,
			none: none("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")},
		{query: "cors", name: "BucketCors", root: "CORSConfiguration", check: checkCORS,
			none: none("NoSuchCORSConfiguration", "The CORS configuration does not exist")},
		{query: "website", name: "BucketWebsite", root: "WebsiteConfiguration", check: checkWebsite,
			none: none("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")},
		{query: bucket.KindOwnership, name: "BucketOwnershipControls", root: "OwnershipControls", check: checkOwnership,
			none: none("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")},
		{query: bucket.KindPublicAccess, name: "PublicAccessBlock", root: "PublicAccessBlockConfiguration", check: checkPublicAccess,
			none: none("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")},
		{query: "replication", name: "BucketReplication", root: "ReplicationConfiguration", check: checkReplication,
			none: none("ReplicationConfigurationNotFoundError", "The replication configuration was not found")},
		{query: "object-lock", name: "ObjectLockConfiguration", root: "ObjectLockConfiguration",
			none: none("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")},
		{query: "analytics", name: "BucketAnalyticsConfiguration", root: "AnalyticsConfiguration", none: several, list: "ListBucketAnalyticsConfigurationsResult"},
		{query: "inventory", name: "BucketInventoryConfiguration", root: "InventoryConfiguration", none: several, list: "ListInventoryConfigurationsResult", status: http.StatusNoContent},
		{query: "metrics", name: "BucketMetricsConfiguration", root: "MetricsConfiguration", none: several, list: "ListMetricsConfigurationsResult"},
		{query: "intelligent-tiering", name: "BucketIntelligentTieringConfiguration", root: "IntelligentTieringConfiguration", none: several, list: "ListBucketIntelligentTieringConfigurationsOutput"},
	}
}

// configurations makes the routes of every kind.
func configurations() []route {
	var rs []route
	for _, k := range kinds() {
		rs = append(rs, route{"Get" + k.name, "GET", inBucket, k.query, "", k.get},
			route{"Delete" + k.name, "DELETE", inBucket, k.query, "", k.remove})
		if k.query != "object-lock" {
			rs = append(rs, route{"Put" + k.name, "PUT", inBucket, k.query, "", k.put})
		}
	}
	return rs
}

// id returns which of several is meant.
func (k kind) id(c *call) string {
	if k.list == "" {
		return ""
	}
	return c.query.Get("id")
}

func (k kind) put(c *call) error {
	data, err := c.read()
	if err != nil {
		return err
	}
	doc, err := parse(data, k.root)
	if err != nil {
		return err
	}
	if k.list != "" && (k.id(c) == "" || doc.child("Id").value() != k.id(c)) {
		return invalidArgument("id", k.id(c), "The id of the request and of the configuration must be the same.")
	}
	if k.check != nil {
		if err := k.check(c, doc); err != nil {
			return err
		}
	}
	conf := bucket.Configuration{ID: k.id(c), Body: doc.xml()}
	if err := c.store.PutConfiguration(c.ctx, c.bucket, k.query, conf); err != nil {
		return err
	}
	if k.done != nil {
		if err := k.done(c, doc); err != nil {
			return err
		}
	}
	if k.query == "lifecycle" {
		c.w.Header().Set(transitionHeader, transitionDefault)
	}
	return c.empty(max(k.status, http.StatusOK))
}

func (k kind) get(c *call) error {
	if k.list != "" && k.id(c) == "" {
		return k.all(c)
	}
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, k.query, k.id(c))
	if err != nil {
		return err
	}
	if !ok && k.initial == "" {
		return k.none().With("BucketName", c.name)
	}
	if !ok {
		body = "<" + k.root + ` xmlns="` + namespace + `">` + k.initial + "</" + k.root + ">"
	}
	if k.query == "lifecycle" {
		c.w.Header().Set(transitionHeader, transitionDefault)
	}
	return c.raw(http.StatusOK, "application/xml", []byte(xml.Header+body))
}

// The least size of objects that move to another class, which clients read back
// with the lifecycle.
const (
	transitionHeader  = "x-amz-transition-default-minimum-object-size"
	transitionDefault = "all_storage_classes_128K"
)

func (k kind) remove(c *call) error {
	if k.list != "" {
		_, ok, err := c.store.Configuration(c.ctx, c.bucket, k.query, k.id(c))
		if err != nil {
			return err
		}
		if !ok {
			return k.none()
		}
	}
	if err := c.store.DeleteConfiguration(c.ctx, c.bucket, k.query, k.id(c)); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// all lists the configurations of a kind, a hundred at a time.
func (k kind) all(c *call) error {
	const page = 100
	after, err := c.token("continuation-token")
	if err != nil {
		return err
	}
	list, err := c.store.Configurations(c.ctx, c.bucket, k.query, after, page+1)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<" + k.list + ` xmlns="` + namespace + `">`)
	more := len(list) > page
	element(&b, "IsTruncated", strconv.FormatBool(more))
	if more {
		list = slices.Clip(list[:page])
		element(&b, "NextContinuationToken", encodeToken(list[page-1].ID))
	}
	for _, conf := range list {
		b.WriteString(conf.Body)
	}
	b.WriteString("</" + k.list + ">")
	return c.raw(http.StatusOK, "application/xml", b.Bytes())
}
