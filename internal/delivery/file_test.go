package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/store"
)

// snapshot asks for one and returns its id.
func (b *bench) snapshot() (id string) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx *db.Tx) (err error) {
		id, err = b.delivery.Snapshot(ctx, tx, aChannel())
		return err
	})
	return id
}

// items returns the ids and state ids in a file of items, in their order.
func items(t *testing.T, text string) (ids []string) {
	t.Helper()
	var f struct {
		Version string        `json:"fileVersion"`
		ID      string        `json:"configSnapshotId"`
		Items   []config.Item `json:"configurationItems"`
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
	if f.Version != "1.0" || !isUUID.MatchString(f.ID) || f.Items == nil {
		t.Errorf("head of the file: %.300s", text)
	}
	for _, it := range f.Items {
		ids = append(ids, it.ID+" "+it.CaptureTime.Format("15:04"))
	}
	return ids
}

var isUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestASnapshotHoldsWhatIsThereAndIsAnnounced(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.record( // before there is a channel, so not announced
			b.group("sg-1", config.StatusDiscovered, map[string]any{"a": int64(1)}), b.group("sg-2", config.StatusDeleted, nil),
			b.group("sg-3", config.StatusNotRecorded, nil), b.group("sg-4", config.StatusDiscovered, map[string]any{"a": 1.5}))
		b.channel(aChannel())
		id := b.snapshot()
		b.drain()
		key := "AWSLogs/123456789012/Config/us-east-2/2016/9/7/ConfigSnapshot/123456789012_Config_us-east-2_ConfigSnapshot_20160907T183939Z_" + id + ".json.gz"
		wantSubjects(t, b.out,
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Started for Account 123456789012",
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Completed for Account 123456789012")
		wantSame(t, "started", b.out.took()[0].body, `{"configSnapshotId":"`+id+`","notificationCreationTime":"2016-09-07T18:39:39.853Z",`+
			`"messageType":"ConfigurationSnapshotDeliveryStarted","recordVersion":"1.1"}`)
		wantSame(t, "completed", b.out.took()[1].body, `{"configSnapshotId":"`+id+`","s3ObjectKey":"`+key+`","s3Bucket":"config-bucket",`+
			`"notificationCreationTime":"2016-09-07T18:39:39.853Z","messageType":"ConfigurationSnapshotDeliveryCompleted","recordVersion":"1.1"}`)
		text := b.out.file(t, "config-bucket/"+key)
		if !strings.HasPrefix(text, `{"fileVersion":"1.0","configSnapshotId":"`+id+`","configurationItems":[{"relatedEvents":[]`) {
			t.Errorf("file: %.200s", text)
		}
		if got := items(t, text); !slices.Equal(got, []string{"sg-1 18:39", "sg-4 18:39"}) {
			t.Errorf("items: %q", got)
		}
		if len(b.events) != 1 || b.events[0] != (config.SnapshotDelivered{Place: here, SnapshotID: id, Bucket: "config-bucket", Key: key}) {
			t.Errorf("events: %+v", b.events)
		}
		if s := b.status().Snapshot; s.Status != config.StatusSuccess || !s.Attempt.Equal(began) || !s.Success.Equal(began) || !s.Next.IsZero() {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestASnapshotOfNothingIsAnEmptyList(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	c := aChannel()
	c.Prefix, c.TopicARN, c.KMSKeyARN = "/a/b/", "", "arn:aws:kms:us-east-2:123456789012:key/1"
	b.channel(c)
	id := b.snapshot()
	b.drain()
	name := "config-bucket/a/b/AWSLogs/123456789012/Config/us-east-2/2016/9/7/ConfigSnapshot/123456789012_Config_us-east-2_ConfigSnapshot_20160907T183939Z_" + id + ".json.gz"
	wantSame(t, "file", b.out.file(t, name), `{"fileVersion":"1.0","configSnapshotId":"`+id+`","configurationItems":[]}`)
	wantSame(t, "key", b.out.keys[name], c.KMSKeyARN)
	wantSubjects(t, b.out)
}

func TestASnapshotLargerThanAPageHoldsEveryResourceOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		for page := range 3 {
			var batch []config.Item
			for i := range 401 {
				batch = append(batch, b.group(fmt.Sprintf("sg-%d-%03d", page, i), config.StatusDiscovered, map[string]any{}))
			}
			b.record(batch...)
		}
		b.channel(aChannel())
		b.snapshot()
		b.drain()
		got := items(t, b.out.file(t, b.out.puts[0]))
		if !slices.IsSorted(got) || len(slices.Compact(got)) != 1203 {
			t.Errorf("%d items", len(got))
		}
	})
}

func TestASnapshotThatFailsForAMomentIsWrittenOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(errors.New("timeout"), "config-bucket/")
		b.snapshot()
		b.drain()
		if s := b.status().Snapshot; s.Status != config.StatusFailure || s.ErrorCode != "InternalError" {
			t.Errorf("status: %+v", s)
		}
		b.out.failing(nil)
		b.advance(time.Hour)
		wantSubjects(t, b.out,
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Started for Account 123456789012",
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Completed for Account 123456789012")
		if len(b.out.puts) != 1 || !strings.Contains(b.out.puts[0], "_20160907T183939Z_") {
			t.Errorf("objects: %q", b.out.puts)
		}
		if s := b.status().Snapshot; s.Status != config.StatusSuccess || s.ErrorCode != "" {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestASnapshotIntoABucketThatIsGoneFails(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(fmt.Errorf("put: %w", delivery.ErrNoSuchBucket), "config-bucket/")
		id := b.snapshot()
		b.drain()
		wantSubjects(t, b.out,
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Started for Account 123456789012",
			"[AWS Config:us-east-2] Configuration Snapshot Delivery Failed for Account 123456789012")
		wantSame(t, "failed", b.out.took()[1].body, `{"configSnapshotId":"`+id+`","s3Bucket":"config-bucket","errorCode":"NoSuchBucket",`+
			`"errorMessage":"Failed to deliver configuration snapshot to bucket: config-bucket for account 123456789012 in region us-east-2.",`+
			`"notificationCreationTime":"2016-09-07T18:39:39.853Z","messageType":"ConfigurationSnapshotDeliveryFailed","recordVersion":"1.1"}`)
		b.advance(time.Hour)
		if n := len(b.out.took()); n != 2 || len(b.events) != 0 {
			t.Errorf("%d messages, events %v", n, b.events)
		}
	})
}

func TestPeriodicSnapshotsComeAtTheChannelsFrequency(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		c := aChannel()
		c.Frequency, c.TopicARN = "One_Hour", ""
		b.channel(c)
		b.channel(c) // again: nothing is due twice
		b.advance(59 * time.Minute)
		if len(b.out.puts) != 0 {
			t.Fatalf("too early: %q", b.out.puts)
		}
		b.advance(time.Minute)
		if s := b.status().Snapshot; len(b.out.puts) != 1 || !s.Next.Equal(began.Add(2*time.Hour)) {
			t.Fatalf("objects %q, status %+v", b.out.puts, s)
		}
		b.advance(150 * time.Minute) // the server was away: one is made up for, not two
		if s := b.status().Snapshot; len(b.out.puts) != 2 || !s.Next.Equal(began.Add(4*time.Hour)) {
			t.Fatalf("objects %q, status %+v", b.out.puts, s)
		}
		c.Frequency = "Six_Hours"
		b.channel(c)
		b.advance(4 * time.Hour)
		if n := snapshots(b.out.puts); n != 2 {
			t.Errorf("%d snapshots by the frequency that was replaced", n)
		}
		b.advance(2 * time.Hour)
		if n := snapshots(b.out.puts); n != 3 {
			t.Errorf("%d snapshots, want 3", n)
		}
		c.Frequency = ""
		b.channel(c)
		b.advance(48 * time.Hour)
		if n := snapshots(b.out.puts); n != 3 {
			t.Errorf("%d snapshots after the frequency was taken away", n)
		}
	})
}

func snapshots(puts []string) (n int) {
	for _, p := range puts {
		if strings.Contains(p, "/ConfigSnapshot/") {
			n++
		}
	}
	return n
}

func TestNoPeriodicSnapshotWhileTheRecorderStands(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	c := aChannel()
	c.Frequency = "One_Hour"
	b.channel(c)
	b.write(func(ctx context.Context, tx *db.Tx) error {
		return store.SetRecorderStatus(ctx, tx, config.Recorder{Place: here, Name: "default"}, config.RecorderStatus{})
	})
	b.advance(time.Hour)
	b.recording()
	if len(b.out.puts) != 0 {
		t.Errorf("objects: %q", b.out.puts)
	}
	b.advance(time.Hour)
	if len(b.out.puts) != 1 {
		t.Errorf("objects: %q", b.out.puts)
	}
}

func TestHistoryFilesHoldWhatWasCapturedSinceTheLast(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		c := aChannel()
		b.channel(c)
		queue := b.group("q", config.StatusDiscovered, nil)
		queue.Type = "AWS::SQS::Queue"
		b.advance(time.Minute)
		b.record(b.group("sg-1", config.StatusDiscovered, nil), queue)
		b.advance(time.Minute)
		b.record(b.group("sg-2", config.StatusDiscovered, nil), b.group("sg-1", config.StatusDeleted, nil))
		b.drain()
		b.out.messages = nil
		b.clock.Freeze(began.Add(6*time.Hour - time.Minute))
		b.record(b.group("sg-3", config.StatusDiscovered, nil)) // too new for these files
		b.advance(time.Minute)

		folder := "AWSLogs/123456789012/Config/us-east-2/2016/9/8/ConfigHistory/123456789012_Config_us-east-2_ConfigHistory_"
		groups := folder + "AWS::EC2::SecurityGroup_20160907T184039Z_20160907T184139Z_1.json.gz"
		queues := folder + "AWS::SQS::Queue_20160907T183939Z_20160907T183939Z_1.json.gz"
		if !slices.Equal(b.out.puts, []string{"config-bucket/" + groups, "config-bucket/" + queues}) {
			t.Fatalf("objects: %q", b.out.puts)
		}
		if got := items(t, b.out.file(t, "config-bucket/"+groups)); !slices.Equal(got, []string{"sg-1 18:41", "sg-2 18:41", "sg-1 18:40"}) {
			t.Errorf("items: %q", got)
		}
		var told []string
		for _, m := range b.out.took() {
			if m.subject == "[AWS Config:us-east-2] Configuration History Delivery Completed for Account 123456789012" {
				told = append(told, m.body)
			}
		}
		slices.Sort(told)
		wantSame(t, "messages", strings.Join(told, "\n"), historyBody(groups)+"\n"+historyBody(queues))
		if s := b.status().History; s.Status != config.StatusSuccess || !s.Next.Equal(began.Add(12*time.Hour)) {
			t.Errorf("status: %+v", s)
		}
		b.out.puts = nil
		b.advance(6 * time.Hour)
		if len(b.out.puts) != 1 {
			t.Fatalf("objects: %q", b.out.puts)
		}
		if got := items(t, b.out.file(t, b.out.puts[0])); !slices.Equal(got, []string{"sg-3 00:38"}) {
			t.Errorf("items: %q", got)
		}
		b.out.puts = nil
		b.advance(6 * time.Hour)
		if len(b.out.puts) != 0 {
			t.Errorf("files without changes: %q", b.out.puts)
		}
	})
}

func historyBody(key string) string {
	return `{"s3ObjectKey":"` + key + `","s3Bucket":"config-bucket","notificationCreationTime":"2016-09-08T00:39:39.853Z",` +
		`"messageType":"ConfigurationHistoryDeliveryCompleted","recordVersion":"1.1"}`
}

func TestHistoryThatBreaksOffGoesOnWithTheNextFile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.advance(time.Minute)
		var batch []config.Item
		for _, kind := range []string{"A::A::A", "B::B::B", "C::C::C"} {
			it := b.group("x", config.StatusDiscovered, nil)
			it.Type = kind
			batch = append(batch, it)
		}
		b.record(batch...)
		b.drain()
		b.out.failing(delivery.ErrAccessDenied, "B::B::B")
		b.advance(6 * time.Hour)
		if s := b.status().History; len(b.out.puts) != 1 || s.Status != config.StatusFailure || s.ErrorCode != "AccessDenied" ||
			s.ErrorMessage != "Failed to deliver configuration history to bucket: config-bucket for account 123456789012 in region us-east-2." {
			t.Fatalf("objects %q, status %+v", b.out.puts, s)
		}
		for range 10 {
			b.advance(time.Hour)
		}
		b.out.failing(nil)
		b.advance(time.Hour)
		if len(b.out.puts) != 3 || !strings.Contains(b.out.puts[1], "B::B::B") || !strings.Contains(b.out.puts[2], "C::C::C") {
			t.Errorf("objects: %q", b.out.puts)
		}
		if s := b.status().History; s.Status != config.StatusSuccess || !s.Next.Equal(began.Add(18*time.Hour)) {
			t.Errorf("status: %+v", s)
		}
		b.advance(24 * time.Hour)
		if len(b.out.puts) != 3 {
			t.Errorf("delivered again: %q", b.out.puts)
		}
	})
}

func TestALongHistoryIsCutIntoParts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		want := 0
		for page := range 26 {
			b.clock.Advance(time.Second)
			var batch []config.Item
			for i := range 400 {
				batch = append(batch, b.group(fmt.Sprintf("sg-%d-%03d", page%3, i), config.StatusOK, nil))
			}
			b.out.failing(delivery.ErrNoSuchTopic, "[AWS Config") // messages are not what is looked at
			b.record(batch...)
			want += len(batch)
		}
		b.advance(6 * time.Hour)
		var got []string
		for i, name := range b.out.puts {
			if !strings.HasSuffix(name, fmt.Sprintf("_%d.json.gz", i+1)) {
				t.Errorf("part %d: %s", i+1, name)
			}
			got = append(got, b.out.file(t, name))
		}
		n := 0
		for _, text := range got {
			n += len(items(t, text))
		}
		if len(got) != 3 || n != want {
			t.Errorf("%d items in %d files, want %d in 3", n, len(got), want)
		}
	})
}

// What a snapshot is written into has no name while it goes to the bucket, so a server that
// is killed leaves nothing on the disk.
func TestASnapshotThatIsCutOffLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files keep their names")
	}
	b := newBench(t, dbtest.Open(t), withTables)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	looked := 0
	b.out.reached = func(string) {
		looked++
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%v is there (%v)", left, err)
		}
	}
	fillTables(b)
	if looked == 0 {
		t.Error("nothing was put")
	}
}
