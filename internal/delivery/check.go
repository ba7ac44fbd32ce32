package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// Allowed says whether a channel of that name may be put into a place: it needs a
// recorder, a name, and no channel of another name. Its errors are AWS's.
func (d *Delivery) Allowed(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	_, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return configapi.NoAvailableConfigurationRecorderException("Configuration recorder is not available to put delivery channel.")
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(name) == "" {
		return configapi.InvalidDeliveryChannelNameException("The delivery channel name '%s' is not valid, blank string.", name)
	}
	c, _, err := store.DeliveryChannel(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Name == name {
		return nil
	}
	if err != nil {
		return err
	}
	return configapi.MaxNumberOfDeliveryChannelsExceededException(
		"Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is reached.", name)
}

// Reach says whether what a channel names can be reached: the bucket is there and
// takes an object, the topic is there. It calls them, so it runs outside of any
// transaction. Its errors are AWS's where the channel is at fault.
func (d *Delivery) Reach(ctx context.Context, c config.DeliveryChannel) error {
	ok, err := d.out.BucketExists(ctx, c.Place, c.Bucket)
	if err == nil && ok {
		err = d.put(ctx, c, writabilityKey(c), bytes.NewReader(nil), 0)
	}
	switch {
	case err == nil && !ok, errors.Is(err, ErrNoSuchBucket):
		return configapi.NoSuchBucketException("Cannot find a S3 bucket with the bucket name %s.", c.Bucket)
	case errors.Is(err, ErrAccessDenied):
		return configapi.InsufficientDeliveryPolicyException(
			"Insufficient delivery policy to s3 bucket: %s, unable to write to bucket, provided s3 key prefix is '%s', provided kms key is '%s'.",
			c.Bucket, orNull(c.Prefix), orNull(c.KMSKeyARN))
	case errors.Is(err, ErrKey):
		return configapi.InvalidS3KmsKeyArnException("The arn '%s' is not a valid kms key or alias arn.", c.KMSKeyARN)
	case err != nil:
		return fmt.Errorf("check bucket %s: %w", c.Bucket, err)
	case c.TopicARN == "":
		return nil
	}
	return d.reachTopic(ctx, c)
}

func (d *Delivery) reachTopic(ctx context.Context, c config.DeliveryChannel) error {
	ok, err := d.out.TopicExists(ctx, c.Place, c.TopicARN)
	switch {
	case err == nil && ok:
		return nil
	case err == nil, refused(err):
		return configapi.InvalidSNSTopicARNException("The sns topic arn '%s' is not valid.", c.TopicARN)
	default:
		return fmt.Errorf("check topic %s: %w", c.TopicARN, err)
	}
}

// orNull prints an absent value as AWS's text does.
func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}
