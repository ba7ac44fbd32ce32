package firehose

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/firehoseapi"
	"plumb/internal/source/firehose"
)

// directPut is the one type of streams that are served.
const directPut = firehoseapi.DeliveryStreamTypeDirectPut

// CreateDeliveryStream makes a stream.
func (o operations) CreateDeliveryStream(
	ctx context.Context, in *firehoseapi.CreateDeliveryStreamInput,
) (*firehoseapi.CreateDeliveryStreamOutput, error) {
	if (in.DeliveryStreamType != "" && in.DeliveryStreamType != directPut) || in.KinesisStreamSourceConfiguration != nil ||
		in.MSKSourceConfiguration != nil || in.DatabaseSourceConfiguration != nil {
		return nil, invalid("Delivery streams of the type DirectPut are served here, and no other sources")
	}
	if in.RedshiftDestinationConfiguration != nil || in.ElasticsearchDestinationConfiguration != nil || in.AmazonopensearchserviceDestinationConfiguration != nil ||
		in.SplunkDestinationConfiguration != nil || in.HttpEndpointDestinationConfiguration != nil || in.AmazonOpenSearchServerlessDestinationConfiguration != nil ||
		in.SnowflakeDestinationConfiguration != nil || in.IcebergDestinationConfiguration != nil {
		return nil, errOnlyS3
	}
	d, err := created(in)
	if err != nil {
		return nil, err
	}
	x := firehose.Stream{Place: caller.Place(ctx), Name: *in.DeliveryStreamName, Destination: d, Tags: tagsOf(in.Tags)}
	if e := in.DeliveryStreamEncryptionConfigurationInput; e != nil {
		x.Encryption = encryptionOf(e)
	}
	err = o.streams.Write(ctx, func(tx *db.Tx) (err error) {
		x, err = o.streams.Create(ctx, tx, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &firehoseapi.CreateDeliveryStreamOutput{DeliveryStreamARN: new(x.ARN())}, nil
}

// destinationID is that of the one destination that a stream has.
const destinationID = "destinationId-000000000001"

// DescribeDeliveryStream tells of a stream.
func (o operations) DescribeDeliveryStream(
	ctx context.Context, in *firehoseapi.DescribeDeliveryStreamInput,
) (*firehoseapi.DescribeDeliveryStreamOutput, error) {
	x, err := o.find(ctx, *in.DeliveryStreamName)
	if err != nil {
		return nil, err
	}
	out := &firehoseapi.DeliveryStreamDescription{
		DeliveryStreamName: &x.Name, DeliveryStreamARN: new(x.ARN()), DeliveryStreamStatus: firehoseapi.DeliveryStreamStatusActive, DeliveryStreamType: directPut,
		VersionId: new(strconv.Itoa(x.Version)), CreateTimestamp: &x.Created, LastUpdateTimestamp: model.Moment(x.Updated), HasMoreDestinations: new(false),
		DeliveryStreamEncryptionConfiguration: &firehoseapi.DeliveryStreamEncryptionConfiguration{Status: firehoseapi.DeliveryStreamEncryptionStatusDisabled},
		Destinations:                          []firehoseapi.DestinationDescription{},
	}
	if x.Encryption.Type != "" {
		out.DeliveryStreamEncryptionConfiguration = &firehoseapi.DeliveryStreamEncryptionConfiguration{
			KeyType: firehoseapi.KeyType(x.Encryption.Type), KeyARN: model.Optional(x.Encryption.Key), Status: firehoseapi.DeliveryStreamEncryptionStatusEnabled,
		}
	}
	if model.Deref(in.ExclusiveStartDestinationId) < destinationID {
		out.Destinations = append(out.Destinations, described(x.Destination))
	}
	return &firehoseapi.DescribeDeliveryStreamOutput{DeliveryStreamDescription: out}, nil
}

func (o operations) find(ctx context.Context, name string) (x firehose.Stream, err error) {
	err = o.streams.Read(ctx, func(tx *db.Tx) error {
		x, err = firehose.Find(ctx, tx, caller.Place(ctx), name)
		return err
	})
	return x, err
}

// ListDeliveryStreams lists names of streams.
func (o operations) ListDeliveryStreams(ctx context.Context, in *firehoseapi.ListDeliveryStreamsInput) (*firehoseapi.ListDeliveryStreamsOutput, error) {
	limit := 10
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &firehoseapi.ListDeliveryStreamsOutput{DeliveryStreamNames: []string{}, HasMoreDeliveryStreams: new(false)}
	if in.DeliveryStreamType != "" && in.DeliveryStreamType != directPut {
		return out, nil
	}
	var list []firehose.Stream
	err := o.streams.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = firehose.List(ctx, tx, caller.Place(ctx), model.Deref(in.ExclusiveStartDeliveryStreamName), limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(list) > limit {
		list, out.HasMoreDeliveryStreams = list[:limit], new(true)
	}
	for _, x := range list {
		out.DeliveryStreamNames = append(out.DeliveryStreamNames, x.Name)
	}
	return out, nil
}

// DeleteDeliveryStream removes a stream.
func (o operations) DeleteDeliveryStream(
	ctx context.Context, in *firehoseapi.DeleteDeliveryStreamInput,
) (*firehoseapi.DeleteDeliveryStreamOutput, error) {
	err := o.streams.Write(ctx, func(tx *db.Tx) error { return o.streams.Delete(ctx, tx, caller.Place(ctx), *in.DeliveryStreamName) })
	return &firehoseapi.DeleteDeliveryStreamOutput{}, err
}

// UpdateDestination changes a stream's destination: what is not named stays.
func (o operations) UpdateDestination(ctx context.Context, in *firehoseapi.UpdateDestinationInput) (*firehoseapi.UpdateDestinationOutput, error) {
	if in.RedshiftDestinationUpdate != nil || in.ElasticsearchDestinationUpdate != nil || in.AmazonopensearchserviceDestinationUpdate != nil ||
		in.SplunkDestinationUpdate != nil || in.HttpEndpointDestinationUpdate != nil || in.AmazonOpenSearchServerlessDestinationUpdate != nil ||
		in.SnowflakeDestinationUpdate != nil || in.IcebergDestinationUpdate != nil {
		return nil, errOnlyS3
	}
	err := o.streams.Write(ctx, func(tx *db.Tx) error {
		return o.streams.Change(ctx, tx, caller.Place(ctx), *in.DeliveryStreamName, true, func(x *firehose.Stream) error {
			if is := strconv.Itoa(x.Version); *in.CurrentDeliveryStreamVersionId != is {
				return firehoseapi.ConcurrentModificationException(
					"Cannot update firehose: %s since the current version id: %s and specified version id: %s do not match", x.Name, is, *in.CurrentDeliveryStreamVersionId)
			}
			if *in.DestinationId != destinationID {
				return invalid("Destination Id %s not found", *in.DestinationId)
			}
			return updated(&x.Destination, in)
		})
	})
	return &firehoseapi.UpdateDestinationOutput{}, err
}

func (o operations) change(ctx context.Context, name string, change func(x *firehose.Stream)) error {
	return o.streams.Write(ctx, func(tx *db.Tx) error {
		return o.streams.Change(ctx, tx, caller.Place(ctx), name, false, func(x *firehose.Stream) error { change(x); return nil })
	})
}

func encryptionOf(in *firehoseapi.DeliveryStreamEncryptionConfigurationInput) firehose.Encryption {
	return firehose.Encryption{Type: string(in.KeyType), Key: model.Deref(in.KeyARN)}
}

// StartDeliveryStreamEncryption notes that a stream is encrypted.
func (o operations) StartDeliveryStreamEncryption(
	ctx context.Context, in *firehoseapi.StartDeliveryStreamEncryptionInput,
) (*firehoseapi.StartDeliveryStreamEncryptionOutput, error) {
	e := firehose.Encryption{Type: string(firehoseapi.KeyTypeAwsOwnedCmk)}
	if in.DeliveryStreamEncryptionConfigurationInput != nil {
		e = encryptionOf(in.DeliveryStreamEncryptionConfigurationInput)
	}
	err := o.change(ctx, *in.DeliveryStreamName, func(x *firehose.Stream) { x.Encryption = e })
	return &firehoseapi.StartDeliveryStreamEncryptionOutput{}, err
}

// StopDeliveryStreamEncryption notes that a stream is not.
func (o operations) StopDeliveryStreamEncryption(
	ctx context.Context, in *firehoseapi.StopDeliveryStreamEncryptionInput,
) (*firehoseapi.StopDeliveryStreamEncryptionOutput, error) {
	err := o.change(ctx, *in.DeliveryStreamName, func(x *firehose.Stream) { x.Encryption = firehose.Encryption{} })
	return &firehoseapi.StopDeliveryStreamEncryptionOutput{}, err
}

func tagsOf(list []firehoseapi.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[*t.Key] = model.Deref(t.Value)
	}
	return out
}

// TagDeliveryStream adds tags.
func (o operations) TagDeliveryStream(ctx context.Context, in *firehoseapi.TagDeliveryStreamInput) (*firehoseapi.TagDeliveryStreamOutput, error) {
	err := o.change(ctx, *in.DeliveryStreamName, func(x *firehose.Stream) { maps.Copy(x.Tags, tagsOf(in.Tags)) })
	return &firehoseapi.TagDeliveryStreamOutput{}, err
}

// UntagDeliveryStream removes tags.
func (o operations) UntagDeliveryStream(ctx context.Context, in *firehoseapi.UntagDeliveryStreamInput) (*firehoseapi.UntagDeliveryStreamOutput, error) {
	err := o.change(ctx, *in.DeliveryStreamName, func(x *firehose.Stream) {
		for _, k := range in.TagKeys {
			delete(x.Tags, k)
		}
	})
	return &firehoseapi.UntagDeliveryStreamOutput{}, err
}

// ListTagsForDeliveryStream lists tags by key.
func (o operations) ListTagsForDeliveryStream(
	ctx context.Context, in *firehoseapi.ListTagsForDeliveryStreamInput,
) (*firehoseapi.ListTagsForDeliveryStreamOutput, error) {
	x, err := o.find(ctx, *in.DeliveryStreamName)
	if err != nil {
		return nil, err
	}
	limit := 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &firehoseapi.ListTagsForDeliveryStreamOutput{Tags: []firehoseapi.Tag{}, HasMoreTags: new(false)}
	for _, k := range slices.Sorted(maps.Keys(x.Tags)) {
		switch {
		case k <= model.Deref(in.ExclusiveStartTagKey):
		case len(out.Tags) == limit:
			out.HasMoreTags = new(true)
		default:
			out.Tags = append(out.Tags, firehoseapi.Tag{Key: &k, Value: new(x.Tags[k])})
		}
	}
	return out, nil
}
