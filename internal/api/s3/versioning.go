package s3

import (
	"encoding/xml"
	"net/http"

	"plumb/internal/bucket"
)

func versioning() []route {
	return []route{
		{"GetBucketVersioning", "GET", inBucket, "versioning", "", (*call).getVersioning},
		{"PutBucketVersioning", "PUT", inBucket, "versioning", "", (*call).putVersioning},
	}
}

type versioningResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (c *call) getVersioning() error {
	return c.document(versioningResult{Status: c.bucket.Versioning})
}

func (c *call) putVersioning() error {
	data, err := c.read()
	if err != nil {
		return err
	}
	doc, err := parse(data, "VersioningConfiguration")
	if err != nil {
		return err
	}
	state := doc.child("Status").value()
	if !oneOf(state, bucket.VersioningEnabled, bucket.VersioningSuspended) {
		return fault(http.StatusBadRequest, "IllegalVersioningConfigurationException",
			"The Versioning element must be specified")
	}
	if doc.child("MfaDelete").value() == "Enabled" {
		return notImplemented("MFA delete")
	}
	if err := c.store.SetVersioning(c.ctx, c.bucket, state); err != nil {
		return err
	}
	return c.empty(http.StatusOK)
}
