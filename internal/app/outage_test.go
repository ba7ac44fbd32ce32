package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// An aTopic is an outside SNS that can be out of order.
type aTopic struct {
	t       *testing.T
	address string
	mu      sync.Mutex
	server  *http.Server
	mode    string
	told    map[string][]string // by resource, what was told of it
}

func newTopic(t *testing.T) *aTopic {
	f := &aTopic{t: t, address: "127.0.0.1:0", told: map[string][]string{}}
	f.appear()
	t.Cleanup(f.disappear)
	return f
}

func (f *aTopic) appear() {
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.address = l.Addr().String()
	f.server = &http.Server{Handler: f}
	go f.server.Serve(l)
}

func (f *aTopic) disappear() { f.server.Close() }

func (f *aTopic) set(mode string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = mode
}

func (f *aTopic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	f.mu.Lock()
	mode := f.mode
	f.mu.Unlock()
	switch {
	case r.Form.Get("Action") != "Publish":
	case mode == "500":
		w.WriteHeader(500)
		io.WriteString(w, "<ErrorResponse><Error><Type>Receiver</Type><Code>InternalError</Code><Message>m</Message></Error></ErrorResponse>")
		return
	case mode == "429":
		w.WriteHeader(429)
		io.WriteString(w, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")
		return
	case mode == "refuses":
		w.WriteHeader(403)
		io.WriteString(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>")
		return
	case mode == "hangs":
		select {
		case <-r.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
		panic(http.ErrAbortHandler) // and the connection ends without an answer
	default:
		body := r.Form.Get("Message")
		if r.Form.Get("MessageStructure") == "json" { // with another body for mail
			var by map[string]string
			json.Unmarshal([]byte(body), &by)
			body = by["default"]
		}
		f.take(body)
	}
	action := r.Form.Get("Action")
	fmt.Fprintf(w, "<%sResponse><%sResult></%sResult></%sResponse>", action, action, action, action)
}

func (f *aTopic) take(body string) {
	var m struct {
		Item struct {
			Type  string         `json:"resourceType"`
			ID    string         `json:"resourceId"`
			Stand map[string]any `json:"configuration"`
		} `json:"configurationItem"`
	}
	if json.Unmarshal([]byte(body), &m) != nil || m.Item.Type != "Acme::Road::Car" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told[m.Item.ID] = append(f.told[m.Item.ID], fmt.Sprint(m.Item.Stand["n"]))
}

// Whatever the topic does, and although the server restarts meanwhile: nothing is
// lost, what is told of a resource comes in its order, and another account is told
// everything at once.
func TestNothingIsLostWhateverTheTopicDoes(t *testing.T) {
	f := newTopic(t)
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Endpoints.SNS, s.LogLevel = "http://"+f.address, "error"
		s.Accounts = []settings.Account{{Account: s.Account, AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}}
	})
	other := p.As("210987654321", p.Region())
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	recordAs(t, other)
	moveClock(t, p, `{"freeze": "now"}`)
	p.Drain(t)
	const rounds = 2
	n := 0
	for _, mode := range []string{"500", "429", "hangs", "refuses", "gone", "500"} {
		f.set(mode)
		if mode == "gone" {
			f.disappear()
		}
		before := told(t, other)
		for range rounds {
			for car := range 3 {
				putCar(t, p, fmt.Sprintf("car-%d", car), n)
			}
			putCar(t, other, "car-other", n)
			n++
			moveClock(t, p, `{"advance": "1m"}`)
			p.Drain(t)
		}
		if mode != "gone" {
			p.Restart(t)
		}
		if after := told(t, other); after < before+rounds {
			t.Errorf("while the topic of one account answers %s, another one was told %d of %d changes", mode, after-before, rounds)
		}
		f.set("")
		if mode == "gone" {
			p.Restart(t)
			f.appear()
		}
		if n%4 == 0 { // some outages follow each other without a pause
			moveClock(t, p, `{"advance": "6m"}`)
			p.Drain(t)
		}
	}
	moveClock(t, p, `{"advance": "6m"}`)
	p.Drain(t)
	f.check(n)
}

// moveClock moves the clock so that a server that restarts knows it.
func moveClock(t *testing.T, p *apptest.Plumb, order string) {
	t.Helper()
	if status, text := call(t, "POST", p.URL()+"/_plumb/clock", order); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
}

// recordAs has another account record custom resources, and a queue told of them.
func recordAs(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	ctx, name := t.Context(), aws.String(apptest.DeliveryQueue)
	topic := "arn:aws:sns:" + p.Region() + ":" + p.Account() + ":" + *name
	queue := "arn:aws:sqs:" + p.Region() + ":" + p.Account() + ":" + *name
	_, err1 := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("of-" + p.Account())})
	_, err2 := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: name})
	_, err3 := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name})
	_, err4 := p.SNS().Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue})
	_, err5 := p.Config().PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &configtypes.ConfigurationRecorder{
		Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + p.Account() + ":role/config")}})
	_, err6 := p.Config().PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &configtypes.DeliveryChannel{
		Name: aws.String("default"), S3BucketName: aws.String("of-" + p.Account()), SnsTopicARN: &topic}})
	_, err7 := p.Config().StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
}

// told counts the messages that lie in an account's queue.
func told(t *testing.T, p *apptest.Plumb) int {
	t.Helper()
	url := p.URL() + "/" + p.Account() + "/" + apptest.DeliveryQueue
	out, err := p.SQS().GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages}})
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	return n
}

func (f *aTopic) check(n int) {
	f.t.Helper()
	double := 0
	for car := range 3 {
		id := fmt.Sprintf("car-%d", car)
		var first []string
		for _, v := range f.told[id] {
			if slices.Contains(first, v) {
				double++
				continue
			}
			first = append(first, v)
		}
		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(i))
		}
		if !slices.Equal(first, want) {
			f.t.Errorf("%s: told %v", id, f.told[id])
		}
	}
	f.t.Logf("%d messages came twice", double)
}

func putCar(t *testing.T, p *apptest.Plumb, id string, n int) {
	t.Helper()
	_, err := p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new("Acme::Road::Car"), SchemaVersionId: new("1"), ResourceId: &id, Configuration: new(fmt.Sprintf(`{"n": %d}`, n)),
	})
	if err != nil {
		t.Fatal(err)
	}
}
