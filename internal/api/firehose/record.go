package firehose

import (
	"context"
	"errors"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/firehoseapi"
	"plumb/internal/source/firehose"
)

// maxBatch is how many bytes the records of a call may have.
const maxBatch = 4 << 20

// PutRecord accepts a record.
func (o operations) PutRecord(ctx context.Context, in *firehoseapi.PutRecordInput) (*firehoseapi.PutRecordOutput, error) {
	x, outcomes, err := o.put(ctx, *in.DeliveryStreamName, in.Record.Data)
	if err == nil {
		err = outcomes[0].Error
	}
	if err != nil {
		return nil, err
	}
	return &firehoseapi.PutRecordOutput{RecordId: &outcomes[0].ID, Encrypted: new(x.Encryption.Type != "")}, nil
}

// PutRecordBatch accepts records, each by itself.
func (o operations) PutRecordBatch(ctx context.Context, in *firehoseapi.PutRecordBatchInput) (*firehoseapi.PutRecordBatchOutput, error) {
	data, size := make([][]byte, len(in.Records)), 0
	for i, r := range in.Records {
		data[i], size = r.Data, size+len(r.Data)
	}
	if size > maxBatch {
		return nil, invalid("Records size exceeds 4 MB limit")
	}
	x, outcomes, err := o.put(ctx, *in.DeliveryStreamName, data...)
	if err != nil {
		return nil, err
	}
	out := &firehoseapi.PutRecordBatchOutput{Encrypted: new(x.Encryption.Type != ""), RequestResponses: make([]firehoseapi.PutRecordBatchResponseEntry, len(outcomes))}
	failed := int32(0)
	for i, r := range outcomes {
		if e, ok := errors.AsType[*model.Error](r.Error); ok {
			failed++
			out.RequestResponses[i] = firehoseapi.PutRecordBatchResponseEntry{ErrorCode: &e.Code, ErrorMessage: &e.Message}
			continue
		}
		out.RequestResponses[i].RecordId = &r.ID
	}
	out.FailedPutCount = &failed
	return out, nil
}

func (o operations) put(ctx context.Context, name string, data ...[]byte) (x firehose.Stream, out []firehose.Outcome, err error) {
	err = o.streams.Write(ctx, func(tx *db.Tx) error {
		x, out, err = o.streams.Put(ctx, tx, caller.Place(ctx), name, data)
		return err
	})
	return x, out, err
}
