package config

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type deliveryChannels struct {
	db       *db.DB
	delivery *delivery.Delivery
}

func (d deliveryChannels) register(s *configapi.Service) {
	s.PutDeliveryChannel(d.PutDeliveryChannel)
	s.DeleteDeliveryChannel(d.DeleteDeliveryChannel)
	s.DescribeDeliveryChannels(d.DescribeDeliveryChannels)
	s.DescribeDeliveryChannelStatus(d.DescribeDeliveryChannelStatus)
	s.DeliverConfigSnapshot(d.DeliverConfigSnapshot)
}

// PutDeliveryChannel creates the place's channel or replaces it wholesale: what
// is left out is cleared. The bucket and the topic are tried before.
func (d deliveryChannels) PutDeliveryChannel(
	ctx context.Context, in *configapi.PutDeliveryChannelInput,
) (*configapi.PutDeliveryChannelOutput, error) {
	c := channelFromShape(caller.Place(ctx), in.DeliveryChannel)
	err := d.db.Read(ctx, func(tx *db.Tx) error { return d.delivery.Allowed(ctx, tx, c.Place, c.Name) })
	if err != nil {
		return nil, err
	}
	if err := checkChannel(in.DeliveryChannel, c); err != nil {
		return nil, err
	}
	if err := d.delivery.Reach(ctx, c); err != nil {
		return nil, err
	}
	err = d.db.Write(ctx, func(tx *db.Tx) error { return d.delivery.Put(ctx, tx, c) })
	if err != nil {
		return nil, fmt.Errorf("put delivery channel %s: %w", c.Name, err)
	}
	return &configapi.PutDeliveryChannelOutput{}, nil
}

// channelFromShape returns the channel that was put; a channel without a name is
// called default.
func channelFromShape(p config.Place, in *configapi.DeliveryChannel) config.DeliveryChannel {
	c := config.DeliveryChannel{
		Place: p, Name: "default", Bucket: text(in.S3BucketName), Prefix: text(in.S3KeyPrefix),
		KMSKeyARN: text(in.S3KmsKeyArn), TopicARN: text(in.SnsTopicARN),
	}
	if in.Name != nil {
		c.Name = *in.Name
	}
	if f := in.ConfigSnapshotDeliveryProperties; f != nil {
		c.Frequency = string(f.DeliveryFrequency)
	}
	return c
}

// checkChannel checks what can be told without a call. An empty text is not an
// absent one: it is refused.
func checkChannel(in *configapi.DeliveryChannel, c config.DeliveryChannel) error {
	switch {
	case strings.TrimSpace(c.Bucket) == "":
		return configapi.NoSuchBucketException("Cannot find a S3 bucket with an empty bucket name.")
	case in.S3KeyPrefix != nil && strings.Trim(c.Prefix, "/ ") == "":
		return configapi.InvalidS3KeyPrefixException("The s3 key prefix '%s' is not valid, empty s3 key prefix.", c.Prefix)
	case in.S3KmsKeyArn != nil && !isKeyARN(c.KMSKeyARN):
		return configapi.InvalidS3KmsKeyArnException("The arn '%s' is not a valid kms key or alias arn.", c.KMSKeyARN)
	case in.SnsTopicARN != nil && !isTopicARN(c.TopicARN, c.Region):
		return configapi.InvalidSNSTopicARNException("The sns topic arn '%s' is not valid.", c.TopicARN)
	}
	return nil
}

func isKeyARN(s string) bool {
	a, err := arn.Parse(s)
	if err != nil || a.Service != "kms" || a.Region == "" || !arn.IsAccount(a.Account) {
		return false
	}
	kind, id, _ := strings.Cut(a.Resource, "/")
	return id != "" && (kind == "key" || kind == "alias")
}

// topicName is the form of a standard topic's name. Config cannot publish to a
// FIFO topic, whose name has a dot.
var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// isTopicARN reports whether s names a topic of the channel's region; it may be
// of another account.
func isTopicARN(s, region string) bool {
	a, err := arn.Parse(s)
	return err == nil && a.Service == "sns" && a.Region == region && arn.IsAccount(a.Account) && topicName.MatchString(a.Resource)
}

// DeleteDeliveryChannel forgets a channel, unless the recorder runs.
func (d deliveryChannels) DeleteDeliveryChannel(
	ctx context.Context, in *configapi.DeleteDeliveryChannelInput,
) (*configapi.DeleteDeliveryChannelOutput, error) {
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		c, _, err := namedChannel(ctx, tx, caller.Place(ctx), text(in.DeliveryChannelName))
		if err != nil {
			return err
		}
		_, status, err := store.Recorder(ctx, tx, c.Place)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if status.Recording {
			return configapi.LastDeliveryChannelDeleteFailedException( // as recorded from AWS: hashicorp/terraform-provider-aws#2910
				"Failed to delete last specified delivery channel with name '%s', because there is a running configuration recorder.", c.Name)
		}
		return store.DeleteDeliveryChannel(ctx, tx, c)
	})
	if err != nil {
		return nil, fmt.Errorf("delete delivery channel: %w", err)
	}
	return &configapi.DeleteDeliveryChannelOutput{}, nil
}

// namedChannel returns the place's channel if it has that name.
func namedChannel(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.DeliveryChannel, config.DeliveryStatus, error) {
	c, s, err := store.DeliveryChannel(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Name != name {
		err = configapi.NoSuchDeliveryChannelException("Cannot find delivery channel with specified name '%s'.", name)
	}
	return c, s, err
}

// eachChannel calls f with the channels of those names, or with every channel if
// there are none. A name that is unknown is an error.
func (d deliveryChannels) eachChannel(ctx context.Context, names []string, f func(config.DeliveryChannel, config.DeliveryStatus)) error {
	return d.db.Read(ctx, func(tx *db.Tx) error {
		for _, name := range names {
			if _, _, err := namedChannel(ctx, tx, caller.Place(ctx), name); err != nil {
				return err
			}
		}
		c, s, err := store.DeliveryChannel(ctx, tx, caller.Place(ctx)) // a place has at most one
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			f(c, s)
		}
		return err
	})
}

// DescribeDeliveryChannels returns channels as they were put.
func (d deliveryChannels) DescribeDeliveryChannels(
	ctx context.Context, in *configapi.DescribeDeliveryChannelsInput,
) (*configapi.DescribeDeliveryChannelsOutput, error) {
	out := &configapi.DescribeDeliveryChannelsOutput{DeliveryChannels: []configapi.DeliveryChannel{}}
	err := d.eachChannel(ctx, in.DeliveryChannelNames, func(c config.DeliveryChannel, _ config.DeliveryStatus) {
		out.DeliveryChannels = append(out.DeliveryChannels, channelShape(c))
	})
	return out, err
}

func channelShape(c config.DeliveryChannel) configapi.DeliveryChannel {
	out := configapi.DeliveryChannel{
		Name: &c.Name, S3BucketName: &c.Bucket, S3KeyPrefix: optional(c.Prefix), S3KmsKeyArn: optional(c.KMSKeyARN),
		SnsTopicARN: optional(c.TopicARN),
	}
	if c.Frequency != "" {
		out.ConfigSnapshotDeliveryProperties = &configapi.ConfigSnapshotDeliveryProperties{
			DeliveryFrequency: configapi.MaximumExecutionFrequency(c.Frequency),
		}
	}
	return out
}

// DescribeDeliveryChannelStatus returns how deliveries went. The three parts are
// always there, as the CLI's get-status indexes them; empty until something
// happened.
func (d deliveryChannels) DescribeDeliveryChannelStatus(
	ctx context.Context, in *configapi.DescribeDeliveryChannelStatusInput,
) (*configapi.DescribeDeliveryChannelStatusOutput, error) {
	out := &configapi.DescribeDeliveryChannelStatusOutput{DeliveryChannelsStatus: []configapi.DeliveryChannelStatus{}}
	err := d.eachChannel(ctx, in.DeliveryChannelNames, func(c config.DeliveryChannel, s config.DeliveryStatus) {
		out.DeliveryChannelsStatus = append(out.DeliveryChannelsStatus, configapi.DeliveryChannelStatus{
			Name: &c.Name, ConfigSnapshotDeliveryInfo: exportShape(s.Snapshot),
			ConfigHistoryDeliveryInfo: exportShape(s.History), ConfigStreamDeliveryInfo: streamShape(s.Stream),
		})
	})
	return out, err
}

func exportShape(i config.DeliveryInfo) *configapi.ConfigExportDeliveryInfo {
	if i.Status == "" {
		return &configapi.ConfigExportDeliveryInfo{}
	}
	return &configapi.ConfigExportDeliveryInfo{
		LastStatus: configapi.DeliveryStatus(i.Status), LastErrorCode: optional(i.ErrorCode), LastErrorMessage: optional(i.ErrorMessage),
		LastAttemptTime: model.Moment(i.Attempt), LastSuccessfulTime: model.Moment(i.Success), NextDeliveryTime: model.Moment(i.Next),
	}
}

func streamShape(i config.DeliveryInfo) *configapi.ConfigStreamDeliveryInfo {
	return &configapi.ConfigStreamDeliveryInfo{
		LastStatus: configapi.DeliveryStatus(i.Status), LastErrorCode: optional(i.ErrorCode), LastErrorMessage: optional(i.ErrorMessage),
		LastStatusChangeTime: model.Moment(i.Changed),
	}
}

// DeliverConfigSnapshot asks for a snapshot and returns its id at once.
func (d deliveryChannels) DeliverConfigSnapshot(
	ctx context.Context, in *configapi.DeliverConfigSnapshotInput,
) (*configapi.DeliverConfigSnapshotOutput, error) {
	var id string
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		c, _, err := namedChannel(ctx, tx, caller.Place(ctx), text(in.DeliveryChannelName))
		if err != nil {
			return err
		}
		_, status, err := store.Recorder(ctx, tx, c.Place)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return configapi.NoAvailableConfigurationRecorderException("Configuration recorder is not available to deliver configuration snapshot.")
		case err != nil:
			return err
		case !status.Recording:
			return configapi.NoRunningConfigurationRecorderException("There is no running configuration recorder to deliver configuration snapshot.")
		}
		id, err = d.delivery.Snapshot(ctx, tx, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("deliver snapshot: %w", err)
	}
	return &configapi.DeliverConfigSnapshotOutput{ConfigSnapshotId: &id}, nil
}
