package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A way is where the messages of a lane go.
type way interface {
	// opens returns when messages may be sent next; now, or before, is at once. oldest
	// reads when the oldest was kept that waits for its first try, zero if none does.
	opens(now time.Time, oldest func() (time.Time, error)) (time.Time, error)
	// write writes the message of an entry; nil if there is nothing to tell.
	write(ctx context.Context, e entry) (*Message, error)
	// send sends messages and returns how each went.
	send(ctx context.Context, all []Message) []error
	// note keeps how the way goes for those who ask; failed is nil when all is well.
	note(ctx context.Context, failed error) error
	// log returns a log that says which way it is, and advice what may be done.
	log(log *slog.Logger) *slog.Logger
	advice(err error) string
}

// open returns the way of a lane, or nil if the place does not have it any more.
func (d *Delivery) open(ctx context.Context, k config.LaneKey) (way, error) {
	if strings.HasPrefix(k.Sink, channelSink) {
		return d.openChannel(k), nil
	}
	if k.Sink == config.SinkBus {
		return d.openBus(k), nil
	}
	c, ok, err := d.channel(ctx, k.Place)
	if err != nil || !ok || c.TopicARN == "" || k.Sink != config.SinkTopic {
		return nil, err
	}
	return topicWay{d, c}, nil
}

// A topicWay leads to the topic of a delivery channel.
type topicWay struct {
	*Delivery
	c config.DeliveryChannel
}

func (topicWay) opens(now time.Time, _ func() (time.Time, error)) (time.Time, error) {
	return now, nil
}

func (w topicWay) write(ctx context.Context, e entry) (*Message, error) {
	var m message
	var err error
	switch {
	case e.item != nil:
		m, err = w.itemMessage(ctx, w.c, e.item.version(w.c.Place), e.created)
	case e.change != nil:
		m, err = complianceMessage(w.c.Place, e.change.Change(), e.created)
	default:
		m = e.notice.message
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // forgotten since
	}
	return &Message{Subject: m.Subject, Body: m.Body}, err
}

func (w topicWay) send(ctx context.Context, all []Message) []error {
	return w.out.Publish(ctx, w.c.Place, w.c.TopicARN, all)
}

func (w topicWay) log(log *slog.Logger) *slog.Logger {
	return log.With("account", w.c.Account, "region", w.c.Region, "channel", w.c.Name, "topic", w.c.TopicARN)
}

// advice tells what may be done about a topic that takes nothing.
func (w topicWay) advice(err error) string {
	switch {
	case errors.Is(err, ErrNoSuchTopic):
		return "create the topic, or put the delivery channel with another one"
	case errors.Is(err, ErrAccessDenied):
		return "allow config.amazonaws.com sns:Publish in the topic's policy, for this account as aws:SourceAccount; " +
			"at an outside SNS, allow it to the account's credentials"
	}
	return "see that the topic's service answers; nothing is lost until delivery-age is over"
}

// note keeps in the channel's status how the stream of messages goes. It writes only
// when that changed.
func (w topicWay) note(ctx context.Context, failed error) error {
	if errors.Is(failed, context.Canceled) {
		return nil // the server is being stopped: that says nothing of the topic
	}
	c, now := w.c, config.DeliveryInfo{Status: config.StatusSuccess}
	if failed != nil {
		w.failed("message")
		now.Status, now.ErrorCode = config.StatusFailure, errorCode(failed)
		now.ErrorMessage = fmt.Sprintf("Failed to deliver notification to topic: %s for account %s in region %s.",
			c.TopicARN, c.Account, c.Region)
	}
	return w.noteStream(ctx, c.Place, now)
}

// oversizedAge is how long a message waits for a bucket that is out of order to take
// its item. Then it says that the item is not there.
const oversizedAge = 10 * time.Minute

// noteStream keeps the status of the stream unless it is the one that is kept.
func (d *Delivery) noteStream(ctx context.Context, p config.Place, now config.DeliveryInfo) error {
	var same bool
	if err := d.db.Read(ctx, func(tx *db.Tx) error {
		_, s, err := store.DeliveryChannel(ctx, tx, p)
		now.Changed = s.Stream.Changed
		same = now == s.Stream
		if errors.Is(err, store.ErrNotFound) {
			same, err = true, nil
		}
		return err
	}); err != nil || same {
		return err
	}
	return d.db.Write(ctx, func(tx *db.Tx) error {
		return store.UpdateDeliveryStatus(ctx, tx, p, func(s *config.DeliveryStatus) {
			now.Changed = s.Stream.Changed
			if s.Stream.Status != now.Status {
				now.Changed = d.now()
			}
			s.Stream = now
		})
	})
}
