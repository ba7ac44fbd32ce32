package delivery

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
)

// oversized puts the whole notification of an item into the bucket and returns
// the message that stands for it. Where the bucket will not take it, the message
// says so; other failures are an error, until the last attempt.
func (d *Delivery) oversized(
	ctx context.Context, c config.DeliveryChannel, it config.Item, changeType string, whole []byte, created time.Time, last bool,
) ([]byte, error) {
	key := oversizedKey(c, it, created)
	err := d.putWhole(ctx, c, key, whole)
	switch {
	case err == nil:
		return config.OversizedNotification(it, changeType, config.S3Summary{Location: new(c.Bucket + "/" + key)}, created)
	case last, refused(err):
		d.log.Warn("delivery of an oversized item failed", "account", c.Account, "region", c.Region, "channel", c.Name,
			"resource", it.ResourceKey.String(), "err", err)
		return oversizedFailed(it, changeType, config.S3Summary{
			ErrorCode: new(errorCode(err)), ErrorMessage: new(bucketFailure(c, "notification")),
		}, created)
	default:
		return nil, err
	}
}

func (d *Delivery) putWhole(ctx context.Context, c config.DeliveryChannel, key string, whole []byte) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(whole); err != nil {
		return fmt.Errorf("compress notification: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress notification: %w", err)
	}
	return d.put(ctx, c, key, bytes.NewReader(b.Bytes()), int64(b.Len()))
}

// oversizedFailed is the oversized notification under the type that says that
// its object is missing.
func oversizedFailed(it config.Item, changeType string, s3 config.S3Summary, created time.Time) ([]byte, error) {
	b, err := config.OversizedNotification(it, changeType, s3, created)
	if err != nil {
		return nil, err
	}
	var m struct {
		Summary json.RawMessage `json:"configurationItemSummary"`
		S3      json.RawMessage `json:"s3DeliverySummary"`
		Created string          `json:"notificationCreationTime"`
		Type    string          `json:"messageType"`
		Version string          `json:"recordVersion"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	m.Type = messageOversizedFailed
	return json.Marshal(m)
}

// bucketFailure is the errorMessage that messages and statuses tell when a bucket
// did not take something.
func bucketFailure(c config.DeliveryChannel, what string) string {
	return fmt.Sprintf("Failed to deliver %s to bucket: %s for account %s in region %s.", what, c.Bucket, c.Account, c.Region)
}
