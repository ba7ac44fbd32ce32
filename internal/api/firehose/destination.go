package firehose

import (
	"cmp"

	"plumb/internal/model"
	"plumb/internal/model/firehoseapi"
	"plumb/internal/source/firehose"
)

var errOnlyS3 = invalid("Destinations in S3 are served here, and no others")

// created reads the destination of a new stream.
func created(in *firehoseapi.CreateDeliveryStreamInput) (d firehose.Destination, err error) {
	s3, extended := in.S3DestinationConfiguration, in.ExtendedS3DestinationConfiguration
	d.Output = firehose.Output{Size: firehose.DefaultSize, Interval: firehose.DefaultInterval, Compression: firehose.Uncompressed}
	switch {
	case (s3 == nil) == (extended == nil):
		return d, invalid("Exactly one destination configuration is supported for a Firehose")
	case s3 != nil:
		d.Plain = true
		return d, plain(&d.Output, (*firehoseapi.S3DestinationUpdate)(s3))
	}
	return d, extend(&d, &firehoseapi.ExtendedS3DestinationUpdate{
		RoleARN: extended.RoleARN, BucketARN: extended.BucketARN, Prefix: extended.Prefix, ErrorOutputPrefix: extended.ErrorOutputPrefix,
		BufferingHints: extended.BufferingHints, CompressionFormat: extended.CompressionFormat, EncryptionConfiguration: extended.EncryptionConfiguration,
		CloudWatchLoggingOptions: extended.CloudWatchLoggingOptions, ProcessingConfiguration: extended.ProcessingConfiguration,
		S3BackupMode: extended.S3BackupMode, S3BackupUpdate: (*firehoseapi.S3DestinationUpdate)(extended.S3BackupConfiguration),
		DataFormatConversionConfiguration: extended.DataFormatConversionConfiguration,
		DynamicPartitioningConfiguration:  extended.DynamicPartitioningConfiguration, FileExtension: extended.FileExtension, CustomTimeZone: extended.CustomTimeZone,
	})
}

// updated changes a destination as a request says.
func updated(d *firehose.Destination, in *firehoseapi.UpdateDestinationInput) error {
	s3, extended := in.S3DestinationUpdate, in.ExtendedS3DestinationUpdate
	switch {
	case (s3 == nil) == (extended == nil):
		return invalid("Exactly one destination update is supported for a Firehose")
	case s3 != nil:
		return plain(&d.Output, s3)
	}
	d.Plain = false
	return extend(d, extended)
}

// put sets what is named.
func put[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// plain changes an output.
func plain(o *firehose.Output, in *firehoseapi.S3DestinationUpdate) error {
	put(&o.Role, in.RoleARN)
	put(&o.Bucket, in.BucketARN)
	put(&o.Prefix, in.Prefix)
	put(&o.ErrorPrefix, in.ErrorOutputPrefix)
	o.Compression = cmp.Or(string(in.CompressionFormat), o.Compression)
	if h := in.BufferingHints; h != nil {
		if (h.SizeInMBs == nil) != (h.IntervalInSeconds == nil) {
			return invalid("Either both or none of SizeInMBs and IntervalInSeconds must be specified for BufferingHints")
		}
		if h.SizeInMBs != nil {
			o.Size, o.Interval = int(*h.SizeInMBs), int(*h.IntervalInSeconds)
		}
	}
	if e := in.EncryptionConfiguration; e != nil {
		if e.KMSEncryptionConfig != nil && e.NoEncryptionConfig != "" {
			return invalid("Exactly one of NoEncryptionConfig and KMSEncryptionConfig must be specified for EncryptionConfiguration")
		}
		o.Key = ""
		if e.KMSEncryptionConfig != nil {
			o.Key = *e.KMSEncryptionConfig.AWSKMSKeyARN
		}
	}
	if l := in.CloudWatchLoggingOptions; l != nil {
		put(&o.Logs, l.Enabled)
		put(&o.LogGroup, l.LogGroupName)
		put(&o.LogStream, l.LogStreamName)
	}
	return nil
}

// extend changes a destination.
func extend(d *firehose.Destination, in *firehoseapi.ExtendedS3DestinationUpdate) error {
	err := plain(&d.Output, &firehoseapi.S3DestinationUpdate{
		RoleARN: in.RoleARN, BucketARN: in.BucketARN, Prefix: in.Prefix, ErrorOutputPrefix: in.ErrorOutputPrefix, BufferingHints: in.BufferingHints,
		CompressionFormat: in.CompressionFormat, EncryptionConfiguration: in.EncryptionConfiguration, CloudWatchLoggingOptions: in.CloudWatchLoggingOptions,
	})
	if err != nil {
		return err
	}
	if c := in.DataFormatConversionConfiguration; c != nil && (c.Enabled == nil || *c.Enabled) {
		return invalid("Conversion of the data's format is not served here")
	}
	if c := in.DynamicPartitioningConfiguration; c != nil && model.Deref(c.Enabled) {
		return invalid("Dynamic partitioning is not served here")
	}
	put(&d.Extension, in.FileExtension)
	put(&d.Zone, in.CustomTimeZone)
	if p := in.ProcessingConfiguration; p != nil {
		put(&d.Process, p.Enabled)
		if p.Processors != nil {
			d.Steps = steps(p.Processors)
		}
	}
	if in.S3BackupUpdate != nil {
		if d.Backup == nil {
			d.Backup = &firehose.Output{Size: firehose.DefaultSize, Interval: firehose.DefaultInterval, Compression: firehose.Uncompressed}
		}
		if err := plain(d.Backup, in.S3BackupUpdate); err != nil {
			return err
		}
	}
	switch in.S3BackupMode {
	case firehoseapi.S3BackupModeEnabled:
		d.Backs = true
	case firehoseapi.S3BackupModeDisabled:
		if d.Backs {
			return invalid("S3BackupMode cannot be changed from Enabled to Disabled")
		}
	}
	return nil
}

func steps(in []firehoseapi.Processor) []firehose.Processor {
	out := []firehose.Processor{}
	for _, p := range in {
		step := firehose.Processor{Type: string(p.Type)}
		for _, v := range p.Parameters {
			step.Parameters = append(step.Parameters, firehose.Parameter{Name: string(v.ParameterName), Value: *v.ParameterValue})
		}
		out = append(out, step)
	}
	return out
}

// described is what is answered of a destination: in both of S3's shapes, as on AWS.
func described(d firehose.Destination) firehoseapi.DestinationDescription {
	s3 := outputShape(d.Output)
	out := firehoseapi.DestinationDescription{DestinationId: new(destinationID), S3DestinationDescription: s3}
	extended := &firehoseapi.ExtendedS3DestinationDescription{
		RoleARN: s3.RoleARN, BucketARN: s3.BucketARN, Prefix: s3.Prefix, ErrorOutputPrefix: s3.ErrorOutputPrefix, BufferingHints: s3.BufferingHints,
		CompressionFormat: s3.CompressionFormat, EncryptionConfiguration: s3.EncryptionConfiguration, CloudWatchLoggingOptions: s3.CloudWatchLoggingOptions,
		S3BackupMode: firehoseapi.S3BackupModeDisabled, FileExtension: model.Optional(d.Extension), CustomTimeZone: model.Optional(d.Zone),
	}
	if d.Backs {
		extended.S3BackupMode = firehoseapi.S3BackupModeEnabled
	}
	if d.Backup != nil {
		extended.S3BackupDescription = outputShape(*d.Backup)
	}
	if d.Process || d.Steps != nil {
		extended.ProcessingConfiguration = &firehoseapi.ProcessingConfiguration{Enabled: &d.Process, Processors: []firehoseapi.Processor{}}
		for _, step := range d.Steps {
			p := firehoseapi.Processor{Type: firehoseapi.ProcessorType(step.Type), Parameters: []firehoseapi.ProcessorParameter{}}
			for _, v := range step.Parameters {
				p.Parameters = append(p.Parameters, firehoseapi.ProcessorParameter{ParameterName: firehoseapi.ProcessorParameterName(v.Name), ParameterValue: &v.Value})
			}
			extended.ProcessingConfiguration.Processors = append(extended.ProcessingConfiguration.Processors, p)
		}
	}
	if !d.Plain {
		out.ExtendedS3DestinationDescription = extended
	}
	return out
}

func outputShape(o firehose.Output) *firehoseapi.S3DestinationDescription {
	out := &firehoseapi.S3DestinationDescription{
		RoleARN: &o.Role, BucketARN: &o.Bucket, Prefix: model.Optional(o.Prefix), ErrorOutputPrefix: model.Optional(o.ErrorPrefix),
		BufferingHints:    &firehoseapi.BufferingHints{SizeInMBs: new(int32(o.Size)), IntervalInSeconds: new(int32(o.Interval))},
		CompressionFormat: firehoseapi.CompressionFormat(o.Compression), EncryptionConfiguration: &firehoseapi.EncryptionConfiguration{},
		CloudWatchLoggingOptions: &firehoseapi.CloudWatchLoggingOptions{Enabled: &o.Logs, LogGroupName: model.Optional(o.LogGroup), LogStreamName: model.Optional(o.LogStream)},
	}
	if o.Key != "" {
		out.EncryptionConfiguration.KMSEncryptionConfig = &firehoseapi.KMSEncryptionConfig{AWSKMSKeyARN: &o.Key}
	} else {
		out.EncryptionConfiguration.NoEncryptionConfig = firehoseapi.NoEncryptionConfigNoEncryption
	}
	return out
}
