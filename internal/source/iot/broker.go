package iot

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"plumb/internal/arn"
	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
)

// MaxConnections is how many connections of MQTT a server has at a time.
const MaxConnections = 512

// Bounds of what devices send, and of what waits for them.
const (
	maxPacket      = 146 << 10
	maxWaiting     = 64  // messages for a device that is slow to take them
	maxUnanswered  = 100 // messages of the quality of service 1, either way
	sessionSeconds = 3600
)

// BrokerOptions are what a Broker asks.
type BrokerOptions struct {
	// Engine is asked for each message: a reset puts another one in its place.
	Engine func() *Engine
	// Identify returns who a user name stands for, and the password that proves it; none
	// where everybody is believed.
	Identify func(ctx context.Context, username string) (password string, who caller.Caller, err error)
	// Authorize refuses what the caller of ctx may not do; nil refuses nothing.
	Authorize func(ctx context.Context, action, resource string) error
	// Note is told of each device that is refused something, by its address; nil is told
	// nothing.
	Note func(address string, who caller.Caller, e audit.Event)
}

// A Broker is the side that devices talk MQTT to. Those of one place share topics, and
// know nothing of those of another one. What it has in memory are sessions and who is
// subscribed; messages are the Engine's.
type Broker struct {
	log    *slog.Logger
	o      BrokerOptions
	server atomic.Pointer[mqtt.Server] // nil while nobody listens
}

// NewBroker returns a broker that does not listen yet.
func NewBroker(log *slog.Logger, o BrokerOptions) *Broker { return &Broker{log: log, o: o} }

// Serve answers devices on a listener until what it returns is called.
func (b *Broker) Serve(l net.Listener) (stop func(ctx context.Context), err error) {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumQos, c.MaximumPacketSize, c.MaximumSessionExpiryInterval = 1, maxPacket, sessionSeconds
	c.MaximumClientWritesPending, c.MaximumInflight, c.ReceiveMaximum, c.TopicAliasMaximum = maxWaiting, maxUnanswered, maxUnanswered, 8
	s := mqtt.New(&mqtt.Options{Capabilities: c, Logger: slog.New(quiet{b.log.Handler()}), SysTopicResendInterval: sessionSeconds, InlineClient: true})
	if err := s.AddHook(&hook{b: b, server: s}, nil); err != nil {
		return nil, err
	}
	if err := s.AddListener(listeners.NewNet("mqtt", l)); err != nil {
		return nil, err
	}
	if err := s.Serve(); err != nil {
		return nil, err
	}
	b.server.Store(s)
	return func(ctx context.Context) {
		b.server.Store(nil)
		done := make(chan struct{})
		go func() { s.Close(); close(done) }()
		select {
		case <-done:
		case <-ctx.Done():
		}
	}, nil
}

// Deliver hands a message that came another way to the subscribers.
func (b *Broker) Deliver(m Message) {
	if s := b.server.Load(); s != nil {
		if err := s.Publish(within(m.Place)+m.Topic, m.Payload, false, m.QoS); err != nil {
			b.log.Debug("a message was not handed to subscribers", "err", err)
		}
	}
}

// quiet has what the library logs be details: strangers cause most of it.
type quiet struct{ slog.Handler }

// Enabled reports whether details are logged.
func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle logs a record as a detail.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return q.Handler.Handle(ctx, r)
}

// WithAttrs keeps the handler quiet.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup keeps the handler quiet.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// within begins the topics, filters and client ids of a place, as the library knows them.
func within(p config.Place) string { return p.Account + "/" + p.Region + "/" }

// split takes the place from such a name.
func split(name string) (p config.Place, rest string) {
	account, name, _ := strings.Cut(name, "/")
	region, rest, _ := strings.Cut(name, "/")
	return config.Place{Account: account, Region: region}, rest
}

// filterWithin puts a filter of a client's into its place, also one that is shared.
func filterWithin(p config.Place, filter string) string {
	const shared = "$share/"
	if len(filter) > len(shared) && strings.EqualFold(filter[:len(shared)], shared) {
		group, rest, _ := strings.Cut(filter[len(shared):], "/")
		return shared + group + "/" + within(p) + rest
	}
	return within(p) + filter
}

// neverMatches is a filter that is refused.
const neverMatches = "#/refused"

// A hook is what the library asks.
type hook struct {
	mqtt.HookBase
	b      *Broker
	server *mqtt.Server
}

// ID names the hook.
func (h *hook) ID() string { return "plumb" }

// Provides says which of its methods the library calls.
func (h *hook) Provides(method byte) bool {
	switch method {
	case mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnSubscribe, mqtt.OnUnsubscribe, mqtt.OnPacketEncode, mqtt.OnPacketProcessed, mqtt.OnWill:
		return true
	}
	return false
}

// askTimeout is how long the store has for an answer.
const askTimeout = 30 * time.Second

func asking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), askTimeout)
}

// OnConnectAuthenticate finds out who connects, and puts the session into its place.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	ctx, cancel := asking()
	defer cancel()
	password, who, err := h.b.o.Identify(ctx, string(cl.Properties.Username))
	if err != nil || password != "" && subtle.ConstantTimeCompare([]byte(password), pk.Connect.Password) != 1 {
		h.refused(cl, who, "Connect", "client/"+cl.ID)
		return false
	}
	p, who := config.Place{Account: who.Account, Region: who.Region}, proven(who, password)
	if err := h.authorize(ctx, who, "iot:Connect", "client/"+cl.ID); err != nil {
		h.refused(cl, who, "Connect", "client/"+cl.ID)
		return false
	}
	cl.ID = within(p) + cl.ID
	return true
}

// proven notes that a caller proved who they are, where there is a password.
func proven(who caller.Caller, password string) caller.Caller {
	who.Verified = password != ""
	return who
}

// refused tells that a device was refused something.
func (h *hook) refused(cl *mqtt.Client, who caller.Caller, operation, resource string) {
	if h.b.o.Note == nil {
		return
	}
	e := audit.Event{Service: "iot", Operation: operation, Code: "AccessDenied", Resources: []string{resource[:min(len(resource), maxResource)]}}
	if who.Verified {
		e.Place = config.Place{Account: who.Account, Region: who.Region}
	}
	h.b.o.Note(cl.Net.Remote, who, e)
}

// maxResource bounds what is told of a name that a device says.
const maxResource = 512

func (h *hook) authorize(ctx context.Context, who caller.Caller, action, resource string) error {
	if h.b.o.Authorize == nil {
		return nil
	}
	return h.b.o.Authorize(caller.With(ctx, who), action, arn.New("iot", who.Region, who.Account, resource).String())
}

// may asks anew who a client is: a key may have been taken back.
func (h *hook) may(ctx context.Context, cl *mqtt.Client, action, resource string) (who caller.Caller, err error) {
	password, who, err := h.b.o.Identify(ctx, string(cl.Properties.Username))
	if err == nil {
		who = proven(who, password)
		err = h.authorize(ctx, who, action, resource)
	}
	if err != nil {
		h.refused(cl, who, strings.TrimPrefix(action, "iot:"), resource)
	}
	return who, err
}

// OnACLCheck allows everything: what a client may is asked where its names are still its own.
func (h *hook) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// OnSubscribe puts filters into the client's place.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	ctx, cancel := asking()
	defer cancel()
	p, _ := split(cl.ID)
	filters := make(packets.Subscriptions, len(pk.Filters))
	for i, f := range pk.Filters {
		if _, err := h.may(ctx, cl, "iot:Subscribe", "topicfilter/"+f.Filter); err != nil {
			f.Filter = neverMatches
		} else {
			f.Filter = filterWithin(p, f.Filter)
		}
		filters[i] = f
	}
	pk.Filters = filters
	return pk
}

// OnUnsubscribe puts filters into the client's place.
func (h *hook) OnUnsubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	p, _ := split(cl.ID)
	filters := make(packets.Subscriptions, len(pk.Filters))
	for i, f := range pk.Filters {
		f.Filter = filterWithin(p, f.Filter)
		filters[i] = f
	}
	pk.Filters = filters
	return pk
}

// OnPublish has a message be kept before its sender is told that it was taken. One that
// is refused is answered where the protocol has an answer; else the connection ends.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	p, _ := split(cl.ID)
	if err := h.accept(cl, pk.TopicName, pk.Payload, pk.FixedHeader.Qos, pk.FixedHeader.Retain); err != nil {
		if cl.Properties.ProtocolVersion == 5 && pk.FixedHeader.Qos > 0 {
			return pk, packets.ErrImplementationSpecificError
		}
		cl.Stop(err)
		return pk, packets.ErrRejectPacket
	}
	if strings.HasPrefix(pk.TopicName, rulesTopic) {
		return pk, packets.CodeSuccessIgnore
	}
	pk.TopicName, pk.FixedHeader.Retain = within(p)+pk.TopicName, false
	return pk, nil
}

func (h *hook) accept(cl *mqtt.Client, topic string, payload []byte, qos byte, retain bool) error {
	ctx, cancel := asking()
	defer cancel()
	p, id := split(cl.ID)
	who, err := h.may(ctx, cl, "iot:Publish", "topic/"+topic)
	if err == nil {
		err = h.b.o.Engine().Accept(ctx, Message{Place: p, Topic: topic, Payload: payload, QoS: qos, Retain: retain, Client: id, Principal: who.UserID})
	}
	if err != nil {
		h.b.log.Warn("a message of a device was refused", "account", p.Account, "region", p.Region, "client", id, "topic", topic, "err", err)
	}
	return err
}

// OnWill has the last message of a client be kept.
func (h *hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	p, _ := split(cl.ID)
	err := h.accept(cl, will.TopicName, will.Payload, will.Qos, will.Retain)
	if err != nil || strings.HasPrefix(will.TopicName, rulesTopic) {
		will.TopicName, will.Retain = "", false
		return will, nil
	}
	will.TopicName, will.Retain = within(p)+will.TopicName, false
	return will, nil
}

// OnPacketEncode gives clients the names that they know.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Publish && pk.TopicName != "" { // an alias may stand for it
		_, pk.TopicName = split(pk.TopicName)
	}
	return pk
}

// OnPacketProcessed hands a client that subscribed the retained messages.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, err error) {
	if pk.FixedHeader.Type != packets.Subscribe || err != nil || cl.Net.Inline {
		return
	}
	ctx, cancel := asking()
	defer cancel()
	p, _ := split(cl.ID)
	for _, f := range pk.Filters {
		const never = 2
		if _, ok := cl.State.Subscriptions.Get(within(p) + f.Filter); !ok || f.RetainHandling == never {
			continue
		}
		all, err := h.b.o.Engine().retainedOf(ctx, p, f.Filter)
		if err != nil {
			h.b.log.Error("retained messages were not read", "err", err)
			return
		}
		for _, r := range all {
			out := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: within(p) + r.Topic, Payload: r.Payload}
			if cl.WritePacket(out) != nil {
				return
			}
		}
	}
}
