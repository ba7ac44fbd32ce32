package delivery_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/job"
	"plumb/internal/store"
)

var (
	here  = config.Place{Account: "123456789012", Region: "us-east-2"}
	began = time.Date(2016, 9, 7, 18, 39, 39, 853e6, time.UTC)
)

const topicARN = "arn:aws:sns:us-east-2:123456789012:config-topic"

// anOutlet records what it was given, and fails when it was told to.
type anOutlet struct {
	mu       sync.Mutex
	messages []aMessage
	tries    int
	hang     func(config.Place)
	crash    bool              // as if the server was killed after the next batch
	objects  map[string][]byte // bucket/key
	keys     map[string]string // bucket/key -> KMS key
	puts     []string
	fail     func(what string) error // what is the subject, or bucket/key
	reached  func(point string)      // may panic; nil is nothing
	buckets  []string
	topics   []string
}

type aMessage struct{ topic, subject, body string }

func newOutlet() *anOutlet {
	return &anOutlet{
		objects: map[string][]byte{}, keys: map[string]string{}, fail: func(string) error { return nil },
		buckets: []string{"config-bucket"}, topics: []string{topicARN},
	}
}

func (o *anOutlet) Publish(ctx context.Context, p config.Place, topic string, all []delivery.Message) []error {
	defer func() {
		if o.crash {
			o.crash = false
			panic("killed after everything was sent")
		}
	}()
	return delivery.SendEach(ctx, all, 1, func(_ context.Context, m delivery.Message) error {
		if o.hang != nil {
			o.hang(p)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.tries++
		if err := o.fail(m.Subject); err != nil {
			return err
		}
		o.messages = append(o.messages, aMessage{topic, m.Subject, m.Body})
		return nil
	})
}

func (o *anOutlet) PutObject(_ context.Context, _ config.Place, bucket, key string, body io.ReadSeeker, size int64, kms string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.fail(bucket + "/" + key); err != nil {
		return err
	}
	o.reach("before a file is put")
	defer o.reach("after a file was put")
	if _, err := io.CopyN(io.Discard, body, size/2); err != nil {
		return err
	}
	o.reach("while a file is put")
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil || int64(len(b)) != size {
		return fmt.Errorf("read %d bytes of %d: %w", len(b), size, err)
	}
	o.objects[bucket+"/"+key], o.keys[bucket+"/"+key] = b, kms
	o.puts = append(o.puts, bucket+"/"+key)
	return nil
}

func (o *anOutlet) reach(point string) {
	if o.reached != nil {
		o.reached(point)
	}
}

func (o *anOutlet) BucketExists(_ context.Context, _ config.Place, bucket string) (bool, error) {
	return slices.Contains(o.buckets, bucket), nil
}

func (o *anOutlet) TopicExists(_ context.Context, _ config.Place, topic string) (bool, error) {
	return slices.Contains(o.topics, topic), nil
}

// failing sets which subjects or objects fail, by a part of their name.
func (o *anOutlet) failing(err error, parts ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = func(what string) error {
		for _, p := range parts {
			if strings.Contains(what, p) {
				return err
			}
		}
		return nil
	}
}

func (o *anOutlet) took() []aMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.messages)
}

func (o *anOutlet) subjects() []string {
	var out []string
	for _, m := range o.took() {
		out = append(out, m.subject)
	}
	return out
}

// file returns an object's content, which is compressed.
func (o *anOutlet) file(t *testing.T, name string) string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	z, err := gzip.NewReader(bytes.NewReader(o.objects[name]))
	if err != nil {
		t.Fatalf("object %q among %q: %v", name, o.puts, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bench is a Delivery on a frozen clock with an outlet that records.
type bench struct {
	t        *testing.T
	db       *db.DB
	clock    *clock.Clock
	queue    *job.Queue
	out      *anOutlet
	delivery *delivery.Delivery
	mu       sync.Mutex
	events   []any
}

func newBench(t *testing.T, d *db.DB, change ...func(*bench, *delivery.Options)) *bench {
	t.Helper()
	b := &bench{t: t, db: d, clock: &clock.Clock{}, out: newOutlet()}
	b.clock.Freeze(began)
	var err error
	log := slog.New(slog.DiscardHandler)
	if b.queue, err = job.New(t.Context(), d, log, b.clock, "server-1"); err != nil {
		t.Fatal(err)
	}
	o := delivery.Options{}
	for _, f := range change {
		f(b, &o)
	}
	b.delivery = delivery.New(log, d, b.queue, b.out, b.happened, b.clock.Now, o)
	if err := b.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.queue.Stop(context.Background()) })
	return b
}

func (b *bench) happened(_ context.Context, _ *db.Tx, event any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, event)
	return nil
}

func (b *bench) write(f func(ctx context.Context, tx *db.Tx) error) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), func(tx *db.Tx) error { return f(b.t.Context(), tx) }); err != nil {
		b.t.Fatal(err)
	}
}

// recording puts a recorder that runs.
func (b *bench) recording() {
	b.t.Helper()
	b.write(func(ctx context.Context, tx *db.Tx) error {
		r := config.Recorder{Place: here, Name: "default"}
		if err := store.PutRecorder(ctx, tx, r); err != nil {
			return err
		}
		return store.SetRecorderStatus(ctx, tx, r, config.RecorderStatus{Recording: true})
	})
}

func aChannel() config.DeliveryChannel {
	return config.DeliveryChannel{Place: here, Name: "default", Bucket: "config-bucket", TopicARN: topicARN}
}

// channel puts a channel, with a recorder that runs.
func (b *bench) channel(c config.DeliveryChannel) {
	b.t.Helper()
	b.recording()
	b.write(func(ctx context.Context, tx *db.Tx) error { return b.delivery.Put(ctx, tx, c) })
}

// record stores items as the recorder does, and tells of them.
func (b *bench) record(items ...config.Item) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx *db.Tx) error {
		batch := make([]store.NewItem, len(items))
		for i, it := range items {
			body, err := json.Marshal(it)
			if err != nil {
				return err
			}
			batch[i] = store.NewItem{Item: it, Body: body, Digest: []byte{1}}
		}
		if err := store.AppendItems(ctx, tx, batch); err != nil {
			return err
		}
		return b.delivery.OnItemsRecorded(ctx, tx, config.ItemsRecorded{Place: items[0].Place, Items: items})
	})
}

func (b *bench) drain() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	if err := b.queue.Drain(ctx); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	b.clock.Advance(d)
	b.drain()
}

func (b *bench) status() config.DeliveryStatus {
	b.t.Helper()
	var s config.DeliveryStatus
	b.write(func(ctx context.Context, tx *db.Tx) (err error) {
		_, s, err = store.DeliveryChannel(ctx, tx, here)
		return err
	})
	return s
}

// group returns an item of a security group, captured now.
func (b *bench) group(id string, status config.ItemStatus, configuration any) config.Item {
	at := b.clock.Now().Truncate(time.Millisecond)
	return config.Item{
		ResourceKey: config.ResourceKey{Place: here, Type: "AWS::EC2::SecurityGroup", ID: id},
		ARN:         "arn:aws:ec2:us-east-2:123456789012:security-group/" + id,
		AZ:          "Not Applicable", Status: status, CaptureTime: at, StateID: at.UnixMilli(),
		Configuration: configuration,
	}
}

func wantSame(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func wantSubjects(t *testing.T, o *anOutlet, want ...string) {
	t.Helper()
	if got := o.subjects(); !slices.Equal(got, want) {
		t.Errorf("subjects:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}
