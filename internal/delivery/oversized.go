package delivery

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
)

// oversized puts the whole notification of an item into the bucket and returns
// the message that stands for it. Where the bucket will not take it, the message
// says so; other failures have the message wait, for a while.
func (d *Delivery) oversized(
	ctx context.Context, c config.DeliveryChannel, it config.Item, changeType string, whole []byte, created time.Time,
) ([]byte, error) {
	key := oversizedKey(c, it, created)
	err := d.putWhole(ctx, c, key, whole)
	switch {
	case err == nil:
		return config.OversizedNotification(it, changeType, config.S3Summary{Location: new(c.Bucket + "/" + key)}, created)
	case refused(err), d.now().Sub(created) >= oversizedAge:
		d.log.Warn("delivery of an oversized item failed", "account", c.Account, "region", c.Region, "channel", c.Name,
			"resource", it.ResourceKey.String(), "err", err, "do", bucketAdvice(err))
		return oversizedFailed(it, changeType, config.S3Summary{
			ErrorCode: new(errorCode(err)), ErrorMessage: new(bucketFailure(c, "notification")),
		}, created)
	default:
		return nil, unready{err}
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

// bucketAdvice tells what may be done about a bucket that takes nothing.
func bucketAdvice(err error) string {
	switch {
	case errors.Is(err, ErrNoSuchBucket):
		return "create the bucket, or put the delivery channel with another one"
	case errors.Is(err, ErrAccessDenied):
		return "allow config.amazonaws.com s3:GetBucketAcl, s3:ListBucket and s3:PutObject in the bucket's policy; " +
			"at an outside S3, allow them to the account's credentials, and the use of the KMS key if there is one"
	}
	if errors.Is(err, ErrKey) {
		return "enable the KMS key of the delivery channel, in the bucket's region, or put the channel with another one"
	}
	return "see that the bucket's service answers"
}
