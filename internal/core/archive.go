package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"plumb/internal/archive"
	"plumb/internal/awsclient"
	"plumb/internal/bucket"
	"plumb/internal/config"
)

// Import records the items of the files that AWS Config wrote: in a folder of this
// machine, or below s3://BUCKET/PREFIX, of the default account's S3.
func (m *Machine) Import(ctx context.Context, from string, o archive.Order, progress func(archive.Report)) (archive.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-m.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	source, end, err := m.archive(ctx, from)
	if err != nil {
		return archive.Report{}, err
	}
	defer end()
	if o.Global == "" {
		o.Global = m.options.Settings.Region
	}
	i := &archive.Importer{DB: m.DB, Recorder: m.Recorder, Evaluate: m.Rules.EvaluateAll}
	return i.Run(ctx, source, o, progress)
}

func (m *Machine) archive(ctx context.Context, from string) (s archive.Source, end func(), err error) {
	rest, isBucket := strings.CutPrefix(from, "s3://")
	if !isBucket {
		f, err := archive.OpenFolder(from)
		if err != nil {
			return nil, nil, err
		}
		return f, f.Close, nil
	}
	name, prefix, _ := strings.Cut(rest, "/")
	if name == "" {
		return nil, nil, fmt.Errorf("%s: want s3://BUCKET/PREFIX", from)
	}
	p := config.Place{Account: m.options.Settings.Account, Region: m.options.Settings.Region}
	client, err := m.Outside.Service(ctx, p, "s3")
	if err != nil {
		return nil, nil, err
	}
	at := bucketFiles{name, prefix}
	if client != nil {
		return outsideFiles{at, client}, func() {}, nil
	}
	b, err := m.Buckets.Find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return embeddedFiles{at, m.Buckets, b}, func() {}, nil
}

// bucketFiles are the files of a bucket, by their keys behind a prefix.
type bucketFiles struct{ bucket, prefix string }

// Name is the address of the bucket and prefix.
func (b bucketFiles) Name() string { return "s3://" + b.bucket + "/" + b.prefix }

// Referred returns the key of an object, if it is in the same bucket.
func (b bucketFiles) Referred(location string) (string, bool) {
	return strings.CutPrefix(location, b.bucket+"/")
}

// maxKeys is how many objects one list has.
const maxKeys = 1000

type embeddedFiles struct {
	bucketFiles
	store *bucket.Store
	of    bucket.Bucket
}

// Files yields the objects.
func (e embeddedFiles) Files(ctx context.Context) iter.Seq2[archive.File, error] {
	return func(yield func(archive.File, error) bool) {
		r := bucket.ListRequest{Prefix: e.prefix, Limit: maxKeys}
		for {
			l, err := e.store.ListObjects(ctx, e.of, r)
			if err != nil {
				yield(archive.File{}, err)
				return
			}
			for _, o := range l.Objects {
				if archive.Wanted(o.Key) && !yield(archive.File{Name: o.Key, Version: o.ETag}, nil) {
					return
				}
			}
			if !l.Truncated {
				return
			}
			r.After = l.Last
		}
	}
}

// Open opens an object.
func (e embeddedFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := e.store.Object(ctx, e.of, name, "")
	if err != nil {
		return nil, err
	}
	return e.store.Open(ctx, o, 0, o.Size)
}

type outsideFiles struct {
	bucketFiles
	client *awsclient.Client
}

// Files yields the objects.
func (o outsideFiles) Files(ctx context.Context) iter.Seq2[archive.File, error] {
	return func(yield func(archive.File, error) bool) {
		in := map[string]any{"Bucket": o.bucket, "Prefix": o.prefix, "MaxKeys": int64(maxKeys)}
		for {
			out, err := o.client.Call(ctx, "s3", "ListObjectsV2", in)
			if err != nil {
				yield(archive.File{}, err)
				return
			}
			all, _ := out["Contents"].([]any)
			for _, one := range all {
				object, _ := one.(map[string]any)
				key, _ := object["Key"].(string)
				tag, _ := object["ETag"].(string)
				if archive.Wanted(key) && !yield(archive.File{Name: key, Version: tag}, nil) {
					return
				}
			}
			token, _ := out["NextContinuationToken"].(string)
			if token == "" {
				return
			}
			in["ContinuationToken"] = token
		}
	}
}

// Open opens an object, which is read in pieces: it may be larger than memory.
func (o outsideFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &pieces{ctx: ctx, client: o.client, bucket: o.bucket, key: name}
	return io.NopCloser(r), r.next()
}

// pieceSize is how much of an object is read at once.
const pieceSize = 8 << 20

// pieces reads an object of an outside S3.
type pieces struct {
	ctx         context.Context
	client      *awsclient.Client
	bucket, key string
	tag         string // of the object that was begun
	at          int64
	piece       []byte
	last        bool
}

// Read reads from the present piece, or gets the next one.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.piece) == 0 {
		if p.last {
			return 0, io.EOF
		}
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.piece)
	p.piece = p.piece[n:]
	return n, nil
}

func (p *pieces) next() error {
	in := map[string]any{"Bucket": p.bucket, "Key": p.key, "Range": fmt.Sprintf("bytes=%d-%d", p.at, p.at+pieceSize-1)}
	if p.tag != "" {
		in["IfMatch"] = p.tag
	}
	out, err := p.client.Call(p.ctx, "s3", "GetObject", in)
	if e, ok := errors.AsType[*awsclient.Error](err); ok && e.Code == "InvalidRange" { // what was read ended where a piece does
		p.last = true
		return nil
	}
	if err != nil {
		return err
	}
	body, ok := out["Body"].([]byte)
	if !ok {
		return fmt.Errorf("read s3://%s/%s: the answer has no body", p.bucket, p.key)
	}
	p.tag, _ = out["ETag"].(string)
	p.piece, p.at = body, p.at+int64(len(body))
	p.last = len(body) != pieceSize
	return nil
}
