package s3

import (
	"strings"

	"plumb/internal/lambda"
	events "plumb/internal/source/s3"
)

// checkNotification wants destinations that exist and let the bucket in. Rules
// without a name get one.
func checkNotification(c *call, doc *node) error {
	for _, n := range doc.children {
		if strings.HasSuffix(n.name, "Configuration") && n.name != "EventBridgeConfiguration" && n.child("Id").value() == "" {
			n.set("Id", lambda.NewID())
		}
	}
	conf, err := events.Parse([]byte(doc.xml()))
	if err != nil {
		return err
	}
	return c.h.events.Check(c.ctx, c.bucket, conf, strings.EqualFold(c.r.Header.Get("x-amz-skip-destination-validation"), "true"))
}

// tellTargets sends the test event to the queues and topics of a configuration.
func tellTargets(c *call, doc *node) error {
	conf, err := events.Parse([]byte(doc.xml()))
	if err != nil {
		return err
	}
	return c.h.events.Configured(c.ctx, c.bucket, conf)
}
