package delivery

import (
	"context"
	"errors"
	"io"

	"plumb/internal/channel"
	"plumb/internal/config"
)

// An Outlet reaches the topics and buckets that the channels of a place name:
// those embedded here, or those of an outside service. Its errors wrap the ones
// below where they are the reason.
type Outlet interface {
	// Publish sends messages to a topic, and returns how each of them went. A message
	// that was not sent has an error, too.
	Publish(ctx context.Context, p config.Place, topicARN string, all []Message) []error
	// PutObject writes one object. An empty kmsKeyARN leaves encryption to the bucket.
	PutObject(ctx context.Context, p config.Place, bucket, key string, body io.ReadSeeker, size int64, kmsKeyARN string) error
	// BucketExists reports whether a bucket is there.
	BucketExists(ctx context.Context, p config.Place, bucket string) (bool, error)
	// TopicExists reports whether a topic is there.
	TopicExists(ctx context.Context, p config.Place, topicARN string) (bool, error)
}

// The reasons of an Outlet's errors that waiting does not mend by itself.
var (
	ErrNoSuchBucket = errors.New("no such bucket")
	ErrNoSuchTopic  = errors.New("no such topic")
	ErrAccessDenied = errors.New("access denied")
	ErrKey          = errors.New("the KMS key cannot be used")
	ErrInvalid      = errors.New("the service does not take such a message")
)

// errorCode returns the code that a channel's status and messages name for an
// error of the Outlet.
func errorCode(err error) string {
	switch {
	case errors.Is(err, ErrNoSuchBucket):
		return "NoSuchBucket"
	case errors.Is(err, ErrNoSuchTopic):
		return "NotFound" // SNS's own word
	case errors.Is(err, ErrAccessDenied):
		return "AccessDenied"
	case errors.Is(err, ErrKey):
		return "KMS.InvalidKey"
	case errors.Is(err, ErrInvalid):
		return "InvalidParameter"
	default:
		return "InternalError"
	}
}

// refused reports whether the service answered that it will not take it, so that
// trying again at once is in vain.
func refused(err error) bool {
	return errors.Is(err, ErrNoSuchBucket) || errors.Is(err, ErrNoSuchTopic) || errors.Is(err, ErrAccessDenied) || errors.Is(err, ErrKey) ||
		errors.Is(err, channel.ErrRefused) || errors.Is(err, ErrNoSuchBus) || errors.Is(err, errNoChannel) || errors.Is(err, errNoBus)
}
