package iot_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/settings"
)

// device connects a client of MQTT.
func device(t *testing.T, p *apptest.Plumb, id, user, password string) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + p.Listener("mqtt")).SetClientID(id).SetUsername(user).SetPassword(password).SetAutoReconnect(false).
		SetConnectTimeout(10 * time.Second).SetOrderMatters(false)
	c := mqtt.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(20 * time.Second) {
		t.Fatal("no answer to a connection")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, token.Error()
}

func (f *fixture) connect(id string) mqtt.Client {
	f.Helper()
	c, err := device(f.T, f.p, id, "", "")
	f.must(c, err)
	return c
}

func wait(t *testing.T, token mqtt.Token) error {
	t.Helper()
	if !token.WaitTimeout(20 * time.Second) {
		t.Fatal("no answer to a packet")
	}
	return token.Error()
}

// subscribe returns what a client gets for a filter: topic, payload and whether it was retained.
func subscribe(t *testing.T, c mqtt.Client, filter string) <-chan string {
	t.Helper()
	got := make(chan string, 100)
	err := wait(t, c.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) {
		text := m.Topic() + " " + string(m.Payload())
		if m.Retained() {
			text += " retained"
		}
		got <- text
	}))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func next(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case text := <-got:
		return text
	case <-time.After(20 * time.Second):
		t.Fatal("no message came")
		return ""
	}
}

func TestAMessageThatWasTakenOutlivesTheServer(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.must(nil, f.rule("r", "SELECT * FROM 'a'", f.invoke()))
		f.permit("r")
		f.must(nil, wait(t, f.connect("c").Publish("a", 1, true, `{"n": 1}`)))
		p.Restart(t)
		if got := f.printed(); !slices.Equal(got, []string{`{"n": 1}`}) {
			t.Errorf("the function got %v", got)
		}
		if got := next(t, subscribe(t, f.connect("d"), "+")); got != `a {"n": 1} retained` {
			t.Errorf("a subscriber got %s", got)
		}
	})
}

func TestSubscribersGetTheMessagesOfTheirPlace(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.must(f.iot.DescribeEndpoint(ctx, &iot.DescribeEndpointInput{}))
		c := f.connect("same")
		other, err := device(t, p, "same", "210987654321", "")
		f.must(other, err)
		mine, theirs := subscribe(t, c, "#"), subscribe(t, other, "#")
		f.must(nil, wait(t, c.Publish("a/b", 1, false, "1")))
		f.must(p.Client().Call(ctx, "iot-data", "Publish", map[string]any{"topic": "a/c", "payload": []byte("2"), "retain": true, "qos": 1}))
		f.must(nil, wait(t, other.Publish("a/d", 1, false, "3")))
		got := []string{next(t, mine), next(t, mine)}
		slices.Sort(got)
		if !slices.Equal(got, []string{"a/b 1", "a/c 2"}) {
			t.Errorf("a subscriber got %v", got)
		}
		if got := next(t, theirs); got != "a/d 3" {
			t.Errorf("one of another account got %s", got)
		}
		if got := next(t, subscribe(t, f.connect("late"), "a/+")); got != "a/c 2 retained" {
			t.Errorf("one who comes later got %s", got)
		}
		f.must(nil, wait(t, c.Unsubscribe("#")))
		f.retained()
	})
}

// retained reads the message that is retained, and deletes it.
func (f *fixture) retained() {
	f.Helper()
	ctx, c := f.Context(), f.p.Client()
	one, err := c.Call(ctx, "iot-data", "GetRetainedMessage", map[string]any{"topic": "a/c"})
	f.must(one, err)
	if one["payload"] != "Mg==" {
		f.Errorf("the retained message is %v", one)
	}
	all, err := c.Call(ctx, "iot-data", "ListRetainedMessages", nil)
	f.must(all, err)
	if list, _ := all["retainedTopics"].([]any); len(list) != 1 || list[0].(map[string]any)["topic"] != "a/c" {
		f.Errorf("retained are %v", all)
	}
	f.must(c.Call(ctx, "iot-data", "Publish", map[string]any{"topic": "a/c", "payload": []byte{}, "retain": true}))
	if _, err := c.Call(ctx, "iot-data", "GetRetainedMessage", map[string]any{"topic": "a/c"}); awsclient.Code(err) != "ResourceNotFoundException" {
		f.Errorf("after the deletion: %v", err)
	}
	if _, err := c.Call(ctx, "iot-data", "Publish", map[string]any{"topic": "a/+", "payload": []byte{}}); awsclient.Code(err) != "InvalidRequestException" {
		f.Errorf("a topic with a wildcard: %v", err)
	}
}

func TestInServerModeADeviceHasAnAccessKey(t *testing.T) {
	const id, secret = "AKIDEXAMPLE000000000", "a-secret-that-is-long-enough"
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.MQTTListen = settings.Server, "127.0.0.1:0"
		s.AccessKeys = []settings.AccessKey{{ID: id, Secret: settings.Secret(secret), Account: s.Account}}
	})
	for _, user := range [][2]string{{"", ""}, {id, "wrong"}, {"123456789012", ""}, {id, ""}} {
		if _, err := device(t, p, "c", user[0], user[1]); err == nil {
			t.Errorf("%v may connect", user)
		}
	}
	c, err := device(t, p, "c", id+"@eu-west-1", secret)
	if err != nil {
		t.Fatal(err)
	}
	got := subscribe(t, c, "a")
	if err := wait(t, c.Publish("a", 1, false, "1")); err != nil {
		t.Fatal(err)
	}
	if text := next(t, got); text != "a 1" {
		t.Errorf("the device got %s", text)
	}
}

func TestAMessageThatIsTooLargeEndsTheConnection(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.MQTTListen = "127.0.0.1:0" })
	f := &fixture{T: t, p: p}
	c := f.connect("c")
	if token := c.Publish("a", 1, false, make([]byte, 140<<10)); !token.WaitTimeout(20*time.Second) || token.Error() == nil && c.IsConnected() {
		t.Errorf("140 KiB were taken: %v", token.Error())
	}
}

func TestADeviceMayDoWhatThePoliciesOfItsUserAllow(t *testing.T) {
	const id, secret = "AKIDEXAMPLE000000000", "a-secret-that-is-long-enough"
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.MQTTListen = settings.Server, "127.0.0.1:0"
		s.AccessKeys = []settings.AccessKey{{ID: id, Secret: settings.Secret(secret), Account: s.Account}}
	}).Signing(id, secret)
	call := func(operation string, in map[string]any) map[string]any {
		t.Helper()
		out, err := p.Client().Call(t.Context(), "iam", operation, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	call("CreateUser", map[string]any{"UserName": "d"})
	call("PutUserPolicy", map[string]any{"UserName": "d", "PolicyName": "p", "PolicyDocument": `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:us-east-1:123456789012:client/mine"},
		{"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:us-east-1:123456789012:topic/mine/*"},
		{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:us-east-1:123456789012:topicfilter/mine/*"}]}`})
	key := call("CreateAccessKey", map[string]any{"UserName": "d"})["AccessKey"].(map[string]any)
	user, password := key["AccessKeyId"].(string), key["SecretAccessKey"].(string)
	if _, err := device(t, p, "other", user, password); err == nil {
		t.Error("a client of another name may connect")
	}
	c, err := device(t, p, "mine", user, password)
	if err != nil {
		t.Fatal(err)
	}
	got := subscribe(t, c, "mine/#")
	if token := c.Subscribe("#", 1, nil).(*mqtt.SubscribeToken); wait(t, token) == nil && token.Result()["#"] != 0x80 {
		t.Errorf("it may subscribe to everything: %v", token.Result())
	}
	if err := wait(t, c.Publish("mine/a", 1, false, "1")); err != nil {
		t.Fatal(err)
	}
	if text := next(t, got); text != "mine/a 1" {
		t.Errorf("the device got %s", text)
	}
	if token := c.Publish("theirs", 1, false, "1"); wait(t, token) == nil {
		t.Error("it may publish to another topic")
	}
}
