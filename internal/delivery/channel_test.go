package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/channel"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/settings"
)

// aReceiver takes posts of a webhook channel, or answers what it was told to.
type aReceiver struct {
	url    string
	mu     sync.Mutex
	answer func(body string) int
	tries  int
	posts  [][]channel.Line
}

func newReceiver(t *testing.T) *aReceiver {
	r := &aReceiver{answer: func(string) int { return 200 }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tries++
		status := r.answer(string(body))
		if status < 300 {
			var post struct {
				Lines []channel.Line `json:"lines"`
			}
			if err := json.Unmarshal(body, &post); err != nil {
				t.Error(err)
			}
			r.posts = append(r.posts, post.Lines)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *aReceiver) answering(f func(body string) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func status(n int) func(string) int { return func(string) int { return n } }

// told are the resources of each post.
func (r *aReceiver) told() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, post := range r.posts {
		var ids []string
		for _, l := range post {
			ids = append(ids, l.ResourceID)
		}
		out = append(out, strings.Join(ids, " "))
	}
	return out
}

func (r *aReceiver) want(t *testing.T, want ...string) {
	t.Helper()
	if got := r.told(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// withChannels makes a Delivery that has channels.
func withChannels(t *testing.T, all ...settings.Channel) func(*bench, *delivery.Options) {
	return func(b *bench, o *delivery.Options) {
		var err error
		if o.Channels, err = channel.New(all, channel.Options{Client: http.DefaultClient, Now: b.clock.Now}); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *aReceiver) channel(name string, change ...func(*settings.Channel)) settings.Channel {
	c := settings.Channel{Name: name, Kind: settings.ChannelWebhook, URL: settings.Secret(r.url)}
	for _, f := range change {
		f(&c)
	}
	return c
}

// worse has resources become NON_COMPLIANT.
func (b *bench) worse(ids ...string) {
	b.t.Helper()
	var e config.ComplianceChanged
	e.Place = here
	for _, id := range ids {
		e.Changes = append(e.Changes, config.VerdictChange{New: config.Verdict{
			Rule: "restricted-ssh", Invoked: b.clock.Now(), Recorded: b.clock.Now(),
			Evaluation: config.Evaluation{ResourceType: "AWS::EC2::SecurityGroup", ResourceID: id, Compliance: config.NonCompliant, Ordering: b.clock.Now()},
		}})
	}
	b.write(func(ctx context.Context, tx *db.Tx) error { return b.delivery.OnComplianceChanged(ctx, tx, e) })
}

func TestAChannelIsToldWithoutATopicAndInOnePost(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		b := newBench(t, d, withChannels(t, r.channel("ops"), r.channel("files", func(c *settings.Channel) { c.Events = []string{"deliveries"} })))
		b.worse("sg-1", "sg-2")
		b.worse("sg-3")
		b.drain()
		if got := strings.Join(r.told(), " "); got != "sg-1 sg-2 sg-3" {
			t.Errorf("told %q", got)
		}
		b.worse("sg-4")
		b.drain()
		if told := r.told(); told[len(told)-1] != "sg-4" {
			t.Errorf("told %q", told)
		}
		b.channel(aChannel())
		b.snapshot()
		b.drain()
		if last := r.posts[len(r.posts)-1]; len(last) != 1 || !strings.HasPrefix(last[0].Text, "Snapshot was delivered: s3://config-bucket/AWSLogs/") {
			t.Errorf("%+v", last)
		}
	})
}

func TestADeadChannelDelaysNobodyAndLosesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		good, bad := newReceiver(t), newReceiver(t)
		b := newBench(t, d, withChannels(t, bad.channel("bad"), good.channel("good")))
		b.channel(aChannel())
		for _, answer := range []int{500, 429, 404} {
			bad.answering(status(answer))
			b.worse(fmt.Sprint("sg-", answer))
			b.drain()
		}
		good.want(t, "sg-500", "sg-429", "sg-404")
		if n := len(b.out.subjects()); n != 3 {
			t.Errorf("the topic has %d messages", n)
		}
		bad.want(t)
		if bad.tries != 1 {
			t.Errorf("a channel that is down was called %d times", bad.tries)
		}
		bad.answering(status(200))
		b.advance(time.Hour)
		bad.want(t, "sg-500 sg-429 sg-404")
	})
}

func TestALineThatIsNotTakenHoldsUpNoOther(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		r.answering(func(body string) int {
			if strings.Contains(body, "sg-bad") {
				return 400
			}
			return 200
		})
		b := newBench(t, d, withChannels(t, r.channel("ops")))
		b.worse("sg-1", "sg-bad", "sg-2")
		b.drain()
		r.want(t, "sg-1", "sg-2")
		b.advance(80 * time.Hour)
		all, err := b.delivery.Undelivered(t.Context(), delivery.Selection{})
		if err != nil || len(all) != 1 || all[0].Sink != "channel:ops" || !slices.Equal(all[0].Of, []string{"AWS::EC2::SecurityGroup sg-bad"}) ||
			!strings.Contains(all[0].Error, "it answered 400 Bad Request") {
			t.Fatalf("%+v, %v", all, err)
		}
		written, err := b.delivery.Write(t.Context(), all[0].ID)
		if err != nil || len(written) != 1 || !strings.HasPrefix(written[0].Subject, "AWS::EC2::SecurityGroup sg-bad is NON_COMPLIANT with restricted-ssh") {
			t.Errorf("%+v, %v", written, err)
		}
		r.answering(status(200))
		if n, err := b.delivery.Retry(t.Context(), delivery.Selection{ID: all[0].ID}); n != 1 || err != nil {
			t.Error(n, err)
		}
		b.drain()
		r.want(t, "sg-1", "sg-2", "sg-bad")
	})
}

func TestWhatADeadChannelWasNotToldIsUndeliveredAfterTheSameAge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		r.answering(status(503))
		b := newBench(t, d, withChannels(t, r.channel("ops")))
		b.worse("sg-1", "sg-2")
		b.drain()
		b.advance(71 * time.Hour)
		if all, err := b.delivery.Undelivered(t.Context(), delivery.Selection{}); err != nil || len(all) != 0 {
			t.Fatalf("%+v, %v", all, err)
		}
		b.advance(2 * time.Hour)
		all, err := b.delivery.Undelivered(t.Context(), delivery.Selection{})
		if err != nil || len(all) != 1 || all[0].Messages != 2 || !strings.Contains(all[0].Error, "503") {
			t.Fatalf("%+v, %v", all, err)
		}
	})
}

// crashing is a transport after whose first answer the server is as if it was killed.
type crashing struct{ once sync.Once }

func (c *crashing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	c.once.Do(func() { panic("killed after everything was sent") })
	return res, err
}

// What a server that is killed sent but did not note is sent again, under the same id.
func TestAServerThatIsKilledLosesNoLine(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		b := newBench(t, d, func(b *bench, o *delivery.Options) {
			var err error
			client := &http.Client{Transport: &crashing{}}
			if o.Channels, err = channel.New([]settings.Channel{r.channel("ops")}, channel.Options{Client: client, Now: b.clock.Now}); err != nil {
				t.Fatal(err)
			}
		})
		b.worse("sg-1", "sg-2")
		b.drain()
		b.advance(time.Hour)
		r.want(t, "sg-1 sg-2", "sg-1 sg-2")
		if r.posts[0][0].ID != r.posts[1][0].ID || r.posts[0][0].ID == r.posts[0][1].ID {
			t.Errorf("%+v", r.posts)
		}
	})
}

func TestADigestIsOnePostAndQuietHoursAreQuiet(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		b := newBench(t, d, withChannels(t, r.channel("ops", func(c *settings.Channel) {
			c.Digest, c.Quiet = settings.Span(10*time.Minute), settings.Quiet{From: "19:00", To: "06:00"}
		})))
		b.worse("sg-1") // at 18:39:39
		b.drain()
		b.advance(9 * time.Minute)
		b.worse("sg-2")
		b.drain()
		r.want(t)
		b.advance(time.Minute)
		r.want(t, "sg-1 sg-2")
		b.advance(5 * time.Minute)
		b.worse("sg-3") // its digest would be at 19:04
		b.drain()
		b.advance(time.Hour)
		b.worse("sg-4")
		b.drain()
		b.advance(10 * time.Hour) // 05:54
		r.want(t, "sg-1 sg-2")
		b.advance(6 * time.Minute)
		r.want(t, "sg-1 sg-2", "sg-3 sg-4")
		b.worse("sg-5")
		b.drain()
		r.want(t, "sg-1 sg-2", "sg-3 sg-4")
		b.advance(10 * time.Minute)
		r.want(t, "sg-1 sg-2", "sg-3 sg-4", "sg-5")
	})
}

func TestAChannelChoosesByTheTagsOfResources(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		b := newBench(t, d, withChannels(t, r.channel("ops", func(c *settings.Channel) {
			c.Events, c.Tags = []string{"items", "compliance"}, map[string]string{"team": "payments"}
		})))
		mine := b.group("sg-mine", config.StatusDiscovered, nil)
		mine.Tags = map[string]string{"team": "payments"}
		b.record(mine, b.group("sg-other", config.StatusDiscovered, nil))
		b.worse("sg-other", "sg-mine", "sg-unknown")
		b.drain()
		if got := strings.Join(r.told(), " "); got != "sg-mine sg-mine" {
			t.Errorf("told %q", got)
		}
		b.advance(time.Minute)
		b.record(b.group("sg-mine", config.StatusDeleted, nil))
		b.drain()
		if l := r.posts[len(r.posts)-1][0]; l.Text != "AWS::EC2::SecurityGroup sg-mine was deleted (account 123456789012, us-east-2)" || l.ChangeType != config.ChangeDelete {
			t.Errorf("%+v", l)
		}
	})
}

// Servers that share a store may not have read the same settings yet.
func TestAChannelThatIsNotInTheSettingsKeepsWhatWaits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newReceiver(t)
		r.answering(status(500))
		b := newBench(t, d, withChannels(t, r.channel("ops")))
		b.worse("sg-1")
		b.drain()
		b.queue.Stop(context.Background())
		without := newBench(t, d)
		without.advance(time.Hour)
		without.queue.Stop(context.Background())
		r.answering(status(200))
		again := newBench(t, d, withChannels(t, r.channel("ops")))
		again.advance(2 * time.Hour)
		r.want(t, "sg-1")
	})
}

func TestATestOfAChannelIsSentAtOnce(t *testing.T) {
	r := newReceiver(t)
	b := newBench(t, dbtest.Open(t), withChannels(t, r.channel("ops", func(c *settings.Channel) {
		c.Digest, c.Quiet = settings.Span(time.Hour), settings.Quiet{From: "00:00", To: "23:59"}
	})))
	if err := b.delivery.TestChannel(t.Context(), here, "ops"); err != nil {
		t.Fatal(err)
	}
	r.want(t, "example-bucket")
	if err := b.delivery.TestChannel(t.Context(), here, "opps"); err == nil || !strings.Contains(err.Error(), `the settings have no channel "opps"`) {
		t.Error(err)
	}
}
