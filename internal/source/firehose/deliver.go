package firehose

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
)

// keepsTrying is how long a buffer is tried to be delivered, as on AWS; then it is lost.
const keepsTrying = 24 * time.Hour

// deliver writes a buffer to its bucket.
func (s *Streams) deliver(ctx context.Context, j job.Job[delivery]) (job.Commit, error) {
	x, b, ok, err := s.take(ctx, j.Args.flush)
	if err != nil || !ok {
		return nil, err
	}
	why, err := s.write(ctx, x, b)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if why == nil {
			_, err := end(ctx, tx, b)
			return err
		}
		if err := s.note(ctx, tx, x, *why); err != nil {
			return err
		}
		if s.now().Sub(b.opened) > keepsTrying {
			s.log.Error("records of a delivery stream are lost: they could not be delivered for a day", "stream", x.ARN(), "records", b.records)
			_, err := end(ctx, tx, b)
			return err
		}
		return s.again(ctx, tx, x, b, min(backOff(b.attempts), time.Minute))
	}, nil
}

// write makes an object of a buffer; why is what S3 has against it.
func (s *Streams) write(ctx context.Context, x Stream, b buffer) (why *failure, err error) {
	f, err := os.CreateTemp("", "plumb-firehose-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for what is delivered: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	o := x.outputOf(b.kind)
	delimiter := ""
	if b.kind == toDeliver {
		delimiter = x.Destination.delimiter()
	}
	if err := s.spool(ctx, b, f, o.Compression == Gzip, delimiter); err != nil {
		return nil, fmt.Errorf("write out a buffer: %w", err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	err = s.o.Write(ctx, Object{Place: x.Place, Role: o.Role, Bucket: bucketName(o.Bucket), Key: x.keyOf(b), File: f, Size: size,
		Type: "application/octet-stream", KMSKey: o.Key})
	if err == nil {
		return nil, nil
	}
	if e, ok := errors.AsType[*model.Error](err); ok {
		return &failure{"S3." + e.Code, e.Message}, nil
	}
	s.log.Warn("a bucket could not be reached, what is for it is kept", "stream", x.ARN(), "bucket", o.Bucket, "err", err)
	return &failure{"S3.InternalError", "The bucket could not be reached."}, nil
}

// pageOfRecords is how many records are read at once: up to 500 MB if all are large,
// which they are not.
const pageOfRecords = 64

// spool writes the records of a buffer to a file.
func (s *Streams) spool(ctx context.Context, b buffer, to io.Writer, compress bool, delimiter string) error {
	buffered := bufio.NewWriterSize(to, 64<<10)
	var w io.Writer = buffered
	closing := func() error { return nil }
	if compress {
		z := gzip.NewWriter(buffered)
		w, closing = z, z.Close
	}
	for from := 0; from < b.records; {
		var page []record
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = records(ctx, tx, b.id, from, pageOfRecords)
			return err
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break // another job has ended it
		}
		for _, r := range page {
			if _, err := w.Write(r.data); err != nil {
				return err
			}
			if _, err := io.WriteString(w, delimiter); err != nil {
				return err
			}
		}
		from = page[len(page)-1].seq + 1
	}
	if err := closing(); err != nil {
		return err
	}
	return buffered.Flush()
}
