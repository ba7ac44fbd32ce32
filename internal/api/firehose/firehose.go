// Package firehose is the embedded Kinesis Data Firehose's API: it checks what a
// request means, asks package source/firehose, and answers in AWS's shapes. It keeps
// nothing.
package firehose

import (
	"plumb/internal/model"
	"plumb/internal/model/firehoseapi"
	"plumb/internal/source/firehose"
)

// New returns Firehose with its operations bound to the streams.
func New(s *firehose.Streams) *model.Registry {
	service := firehoseapi.NewService()
	register(service, operations{s})
	return service.Registry()
}

// register is the table of contents.
func register(s *firehoseapi.Service, o operations) {
	s.CreateDeliveryStream(o.CreateDeliveryStream)
	s.DescribeDeliveryStream(o.DescribeDeliveryStream)
	s.ListDeliveryStreams(o.ListDeliveryStreams)
	s.UpdateDestination(o.UpdateDestination)
	s.DeleteDeliveryStream(o.DeleteDeliveryStream)

	s.PutRecord(o.PutRecord)
	s.PutRecordBatch(o.PutRecordBatch)

	s.StartDeliveryStreamEncryption(o.StartDeliveryStreamEncryption)
	s.StopDeliveryStreamEncryption(o.StopDeliveryStreamEncryption)

	s.TagDeliveryStream(o.TagDeliveryStream)
	s.UntagDeliveryStream(o.UntagDeliveryStream)
	s.ListTagsForDeliveryStream(o.ListTagsForDeliveryStream)
}

type operations struct{ streams *firehose.Streams }

func invalid(format string, args ...any) error {
	return firehoseapi.InvalidArgumentException(format, args...)
}
