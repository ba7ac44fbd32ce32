package s3

import (
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/bucket"
)

// defaultEncryption is what every bucket has since 2023 when it was told
// nothing else.
const defaultEncryption = `<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>` +
	`</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>`

// blockAll is the public access block that every new bucket has since 2023.
const blockAll = `<PublicAccessBlockConfiguration xmlns="` + namespace + `"><BlockPublicAcls>true</BlockPublicAcls>` +
	`<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>` +
	`<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`

func checkEncryption(_ *call, doc *node) error {
	rules := doc.all("Rule")
	if len(rules) != 1 {
		return malformedXML()
	}
	by := rules[0].child("ApplyServerSideEncryptionByDefault")
	algorithm, key := by.child("SSEAlgorithm").value(), by.child("KMSMasterKeyID").value()
	if !oneOf(algorithm, "AES256", "aws:kms", "aws:kms:dsse") {
		return malformedXML()
	}
	if algorithm == "AES256" && key != "" {
		return invalidArgument("KMSMasterKeyID", key,
			"a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	if len(rules[0].all("BucketKeyEnabled")) == 0 {
		rules[0].children = append(rules[0].children, &node{name: "BucketKeyEnabled", text: "false"})
	}
	return nil
}

// checkLogging wants a target that exists and has the same owner and region.
func checkLogging(c *call, doc *node) error {
	on := doc.all("LoggingEnabled")
	if len(on) == 0 {
		return nil
	}
	target := on[0].child("TargetBucket").value()
	if target == "" || len(on[0].all("TargetPrefix")) == 0 {
		return malformedXML()
	}
	b, err := c.store.Find(c.ctx, target)
	if isCode(err, "NoSuchBucket") || (err == nil && b.Account != c.Account) {
		return fault(http.StatusBadRequest, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist").
			With("TargetBucket", target)
	}
	if err == nil && b.Region != c.bucket.Region {
		return fault(http.StatusForbidden, "CrossLocationLoggingProhibited",
			"Cross S3 location logging not allowed. ").With("TargetBucketLocation", b.Region)
	}
	return err
}

func checkPayer(_ *call, doc *node) error {
	if !oneOf(doc.child("Payer").value(), "BucketOwner", "Requester") {
		return malformedXML()
	}
	return nil
}

func checkAccelerate(c *call, doc *node) error {
	if !oneOf(doc.child("Status").value(), "Enabled", "Suspended") {
		return malformedXML()
	}
	if strings.Contains(c.name, ".") {
		return invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
	}
	return nil
}

// checkLifecycle wants rules that do something, and gives ids to those without.
func checkLifecycle(_ *call, doc *node) error {
	rules := doc.all("Rule")
	if len(rules) == 0 || len(rules) > 1000 {
		return malformedXML()
	}
	seen := map[string]bool{}
	for i, r := range rules {
		if !oneOf(r.child("Status").value(), "Enabled", "Disabled") {
			return malformedXML()
		}
		id := r.child("ID").value()
		if id == "" {
			id = encodeToken(strconv.Itoa(i) + "." + doc.xml())[:48]
			r.set("ID", id)
		}
		if len(id) > 255 {
			return invalidArgument("ID", id, "ID length should not exceed allowed limit of 255")
		}
		if seen[id] {
			return invalidArgument("ID", id, "Rule ID must be unique. Found same ID for more than one rule")
		}
		seen[id] = true
		if !hasAction(r) {
			return invalidRequest("At least one action needs to be specified in a rule.")
		}
	}
	return nil
}

func hasAction(rule *node) bool {
	for _, c := range rule.children {
		switch c.name {
		case "Expiration", "Transition", "NoncurrentVersionExpiration", "NoncurrentVersionTransition", "AbortIncompleteMultipartUpload":
			return true
		}
	}
	return false
}

func checkCORS(_ *call, doc *node) error {
	rules := doc.all("CORSRule")
	if len(rules) == 0 || len(rules) > 100 {
		return malformedXML()
	}
	for _, r := range rules {
		methods := r.all("AllowedMethod")
		if len(methods) == 0 || len(r.all("AllowedOrigin")) == 0 {
			return malformedXML()
		}
		for _, m := range methods {
			if !oneOf(m.value(), "GET", "PUT", "HEAD", "POST", "DELETE") {
				return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " + m.value())
			}
		}
	}
	return nil
}

func checkWebsite(_ *call, doc *node) error {
	redirect := len(doc.all("RedirectAllRequestsTo")) > 0
	suffix := doc.child("IndexDocument", "Suffix").value()
	switch {
	case redirect && doc.child("RedirectAllRequestsTo", "HostName").value() == "":
		return malformedXML()
	case !redirect && suffix == "":
		return invalidArgument("IndexDocument", "null", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	case strings.Contains(suffix, "/"):
		return invalidArgument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed")
	}
	return nil
}

func checkOwnership(_ *call, doc *node) error {
	rules := doc.all("Rule")
	if len(rules) != 1 || !oneOf(rules[0].child("ObjectOwnership").value(), "BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced") {
		return malformedXML()
	}
	return nil
}

func ownershipDocument(value string) string {
	n := node{name: "OwnershipControls", children: []*node{{name: "Rule", children: []*node{{name: "ObjectOwnership", text: value}}}}}
	return n.xml()
}

// checkPublicAccess fills in the settings that were left out, which are off.
func checkPublicAccess(_ *call, doc *node) error {
	var all []*node
	for _, name := range []string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"} {
		v := strings.ToLower(doc.child(name).value())
		if v == "" {
			v = "false"
		}
		if !oneOf(v, "true", "false") {
			return malformedXML()
		}
		all = append(all, &node{name: name, text: v})
	}
	doc.children = all
	return nil
}

func checkReplication(c *call, doc *node) error {
	if doc.child("Role").value() == "" || len(doc.all("Rule")) == 0 {
		return malformedXML()
	}
	if c.bucket.Versioning != bucket.VersioningEnabled {
		return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	return nil
}

// blocked reports whether the bucket's public access block has a setting on.
func (c *call) blocked(setting string) (bool, error) {
	body, ok, err := c.store.Configuration(c.ctx, c.bucket, bucket.KindPublicAccess, "")
	if err != nil || !ok {
		return false, err
	}
	doc, err := parse([]byte(body), "PublicAccessBlockConfiguration")
	return err == nil && doc.child(setting).value() == "true", err
}
