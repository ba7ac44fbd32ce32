package crashtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/db/dbtest"
)

// A sink is an outside SNS that is out of order in every way that one can be.
type sink struct {
	address string
	mu      sync.Mutex
	server  *http.Server
	mode    string
	got     map[string][]string // the changes that it took, by resource
}

// outages are what a sink does; with "" it takes what it is sent.
var outages = []string{"500", "429", "hangs", "refuses", "gone", ""}

func newSink(t *testing.T) *sink {
	k := &sink{address: freeAddress(t), got: map[string][]string{}}
	k.appear(t)
	t.Cleanup(k.disappear)
	return k
}

func (k *sink) appear(t *testing.T) {
	l, err := net.Listen("tcp", k.address)
	if err != nil {
		t.Fatal(err)
	}
	k.server = &http.Server{Handler: k}
	go k.server.Serve(l)
}

func (k *sink) disappear() { k.server.Close() }

func (k *sink) become(t *testing.T, mode string) {
	k.mu.Lock()
	before := k.mode
	k.mode = mode
	k.mu.Unlock()
	if before == "gone" && mode != "gone" {
		k.appear(t)
	}
	if before != "gone" && mode == "gone" {
		k.disappear()
	}
}

// ServeHTTP answers a call.
func (k *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	action := r.Form.Get("Action")
	k.mu.Lock()
	mode := k.mode
	k.mu.Unlock()
	if action != "Publish" {
		mode = ""
	}
	fail := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Receiver</Type><Code>%s</Code><Message>m</Message></Error></ErrorResponse>", code)
	}
	switch mode {
	case "500":
		fail(500, "InternalError")
	case "429":
		fail(429, "Throttling")
	case "refuses":
		fail(403, "AuthorizationError")
	case "hangs":
		select {
		case <-r.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
		panic(http.ErrAbortHandler) // and the connection ends without an answer
	default:
		if action == "Publish" {
			k.take(r.Form.Get("Message"))
		}
		fmt.Fprintf(w, "<%sResponse><%sResult></%sResult></%sResponse>", action, action, action, action)
	}
}

func (k *sink) take(message string) {
	var by struct{ Default *string }
	if json.Unmarshal([]byte(message), &by) == nil && by.Default != nil { // with another body for mail
		message = *by.Default
	}
	if car, n := changeOf(message); car != "" {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.got[car] = append(k.got[car], n)
	}
}

// of returns the changes of a resource that the sink took.
func (k *sink) of(car string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.got[car])
}

// changeOf returns the car of a message and the number in its configuration.
func changeOf(message string) (car, n string) {
	var m struct {
		Item struct {
			Type  string         `json:"resourceType"`
			ID    string         `json:"resourceId"`
			Stand map[string]any `json:"configuration"`
		} `json:"configurationItem"`
	}
	if json.Unmarshal([]byte(message), &m) != nil || m.Item.Type != "Acme::Road::Car" {
		return "", ""
	}
	return m.Item.ID, fmt.Sprint(m.Item.Stand["n"])
}

// A road is a server with two accounts that have cars: changes of the one's go to a sink
// that is out of order, changes of the other's to an embedded topic.
type road struct {
	*testing.T
	*server
	*sink
	inbox string
	got   []string // the changes of the other account's car
}

const otherAccount = "210987654321"

// call calls an operation until it is answered: the server may be dead meanwhile.
func (d *road) call(account, service, operation string, in map[string]any) map[string]any {
	d.Helper()
	client := awsclient.New(awsclient.Options{Endpoint: d.url(), Region: region, Credentials: awsclient.Static(account, "any", "")})
	for until := time.Now().Add(2 * time.Minute); ; {
		out, err := client.Call(d.Context(), service, operation, in)
		if err == nil {
			return out
		}
		if time.Now().After(until) {
			d.Fatalf("%s: %v\n%s", operation, err, d.tail())
		}
		if err := d.wait(d.Context()); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *road) build() {
	d.call(otherAccount, "sns", "CreateTopic", map[string]any{"Name": "news"})
	queue := "arn:aws:sqs:" + region + ":" + otherAccount + ":inbox"
	d.inbox = d.call(otherAccount, "sqs", "CreateQueue", map[string]any{"QueueName": "inbox", "Attributes": map[string]any{"VisibilityTimeout": "43200"}})["QueueUrl"].(string)
	d.call(otherAccount, "sns", "Subscribe", map[string]any{"TopicArn": "arn:aws:sns:" + region + ":" + otherAccount + ":news", "Protocol": "sqs", "Endpoint": queue,
		"Attributes": map[string]any{"RawMessageDelivery": "true"}})
	for _, a := range []string{account, otherAccount} {
		d.call(a, "s3", "CreateBucket", map[string]any{"Bucket": "of-" + a})
		d.call(a, "config", "PutConfigurationRecorder", map[string]any{"ConfigurationRecorder": map[string]any{"name": "default", "roleARN": "arn:aws:iam::" + a + ":role/config"}})
		d.call(a, "config", "PutDeliveryChannel", map[string]any{"DeliveryChannel": map[string]any{
			"name": "default", "s3BucketName": "of-" + a, "snsTopicARN": "arn:aws:sns:" + region + ":" + a + ":news"}})
		d.call(a, "config", "StartConfigurationRecorder", map[string]any{"ConfigurationRecorderName": "default"})
	}
}

func (d *road) put(account, car string, n int) {
	d.call(account, "config", "PutResourceConfig", map[string]any{"ResourceType": "Acme::Road::Car", "SchemaVersionId": "1", "ResourceId": car,
		"Configuration": fmt.Sprintf(`{"n": %d}`, n)})
}

// rest moves the clock on and waits until nothing is due.
func (d *road) rest(advance string) {
	d.Helper()
	d.post(d, "/_plumb/clock", `{"advance": "`+advance+`"}`)
	d.post(d, "/_plumb/drain", "")
}

// receive takes the messages of the other account.
func (d *road) receive() {
	for {
		messages, _ := d.call(otherAccount, "sqs", "ReceiveMessage", map[string]any{"QueueUrl": d.inbox, "MaxNumberOfMessages": 10})["Messages"].([]any)
		if len(messages) == 0 {
			return
		}
		for _, m := range messages {
			if car, n := changeOf(m.(map[string]any)["Body"].(string)); car != "" {
				d.got = append(d.got, n)
			}
		}
	}
}

// TestTheTopicIsToldEverythingWhenServersAreKilled kills a server again and again while
// the topic of one account answers errors, hangs, refuses and is gone. Nothing is lost,
// changes of a resource come in their order, and the other account, whose topic works, gets
// its messages at once: before the server's clock goes on by as much as a retry takes.
func TestTheTopicGetsEverythingWhenServersAreKilled(t *testing.T) {
	plumb, _ := programs(t)
	t.Run("SQLite", func(t *testing.T) { killedWhileTheTopicFails(t, plumb, "") })
	t.Run("PostgreSQL", func(t *testing.T) { killedWhileTheTopicFails(t, plumb, dbtest.PostgresURL(t)) })
}

func killedWhileTheTopicFails(t *testing.T, plumb, database string) {
	kills, seed := number("PLUMB_CRASH_KILLS", 5), number("PLUMB_CRASH_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("%d kills, PLUMB_CRASH_SEED=%d", kills, seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	k := newSink(t)
	t.Setenv("PLUMB_ACCOUNTS", fmt.Sprintf(`[{account: %q, endpoints: {sns: "http://%s"}, access-key-id: AKIAEXAMPLE, secret-access-key: secret}]`, account, k.address))
	d := &road{T: t, server: newServer(plumb, dbtest.Folder(t), freeAddress(t), database), sink: k}
	d.start(t)
	t.Cleanup(func() { d.end(t) })
	if err := d.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.build()
	d.post(t, "/_plumb/clock", `{"freeze": "now"}`)
	late := 0
	for n := range kills {
		k.become(t, outages[(n+random.IntN(2))%len(outages)])
		killed, moment := make(chan bool), time.Duration(random.Int64N(int64(100*time.Millisecond)))
		go func() {
			defer close(killed)
			time.Sleep(moment) // it is the input
			d.kill(t)
			d.start(t)
		}()
		for car := range 3 {
			d.put(account, fmt.Sprintf("car-%d", car), n)
		}
		d.put(otherAccount, "car-other", n)
		<-killed
		if err := d.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.rest("1s")
		if d.receive(); !slices.Contains(d.got, fmt.Sprint(n)) {
			late++
		}
	}
	k.become(t, "")
	for range 3 { // what is held is tried again after minutes
		d.rest("1h")
	}
	d.receive()
	if late > 0 {
		t.Errorf("the other account did not get %d of %d changes before the clock moved on", late, kills)
	}
	double := 0
	for car := range 3 {
		double += inOrder(t, fmt.Sprintf("car-%d", car), k.of(fmt.Sprintf("car-%d", car)), kills)
	}
	t.Logf("%d of %d messages came twice from the topic that fails, %d of %d from the other", double, 3*kills, inOrder(t, "car-other", d.got, kills), kills)
	if lines := d.lines; len(lines) > 0 {
		t.Logf("errors in the log: %v", lines)
	}
}

// inOrder checks that each of n changes came, in their order, and returns how often one
// came again.
func inOrder(t *testing.T, car string, got []string, n int) (double int) {
	t.Helper()
	var first, want []string
	for _, v := range got {
		if slices.Contains(first, v) {
			double++
			continue
		}
		first = append(first, v)
	}
	for i := range n {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(first, want) {
		t.Errorf("%s: got %v", car, got)
	}
	return double
}
