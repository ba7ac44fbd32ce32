package delivery

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// noticeJob sends one message that was written when it became true.
type noticeJob struct {
	Place config.Place `json:"place"`
	message
}

// Kind names the job.
func (noticeJob) Kind() string { return "delivery.notice" }

// Owner is the place's account.
func (j noticeJob) Owner() string { return j.Place.Account }

func (d *Delivery) sendNotice(ctx context.Context, j job.Job[noticeJob]) (job.Commit, error) {
	c, ok, err := d.channel(ctx, j.Args.Place)
	if err != nil || !ok || c.TopicARN == "" {
		return nil, err
	}
	sent := sendEach(ctx, 1, func(int) error { return d.send(ctx, c, j.Args.message) })
	return d.settle(ctx, c, sent, j.Last(), j.Args)
}

// notify inserts a notice in tx, if the channel has a topic.
func (d *Delivery) notify(ctx context.Context, tx *db.Tx, c config.DeliveryChannel, m message) error {
	if c.TopicARN == "" {
		return nil
	}
	return d.insert(ctx, tx, noticeJob{c.Place, m})
}

func (d *Delivery) send(ctx context.Context, c config.DeliveryChannel, m message) error {
	if err := d.out.Publish(ctx, c.Place, c.TopicARN, m.Subject, m.Body); err != nil {
		return fmt.Errorf("publish to %s: %w", c.TopicARN, err)
	}
	return nil
}

// sending is how a batch went: which of its messages are left, and the first
// error.
type sending struct {
	total  int
	left   []int
	failed error
}

// maxFailures is after how many failures in a row the rest of a batch waits. More
// than one, so that a message which can never be sent does not hold up the
// others.
const maxFailures = 3

// sendEach sends the messages 0 to n-1 in order.
func sendEach(ctx context.Context, n int, send func(i int) error) sending {
	s := sending{total: n}
	row := 0
	for i := range n {
		if row < maxFailures && ctx.Err() == nil {
			err := send(i)
			if err == nil {
				row = 0
				continue
			}
			if row++; refused(err) {
				row = maxFailures
			}
			s.failed = firstOf(s.failed, err)
		}
		s.left = append(s.left, i)
	}
	if len(s.left) > 0 {
		s.failed = firstOf(s.failed, ctx.Err())
	}
	return s
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// settle ends a job that sent a batch. What is left goes into a job of its own
// when some were sent, so that those are not sent again; else the job is tried
// again, and given up at its last attempt.
func (d *Delivery) settle(ctx context.Context, c config.DeliveryChannel, s sending, last bool, rest job.Args) (job.Commit, error) {
	ctx = context.WithoutCancel(ctx) // what was sent is noted although the server is being stopped
	if err := d.noteStream(ctx, c, s.failed); err != nil {
		return nil, err
	}
	switch {
	case s.failed == nil:
		return nil, nil
	case len(s.left) < s.total:
		d.log.Warn("delivery failed, the rest is tried again", "account", c.Account, "region", c.Region, "channel", c.Name,
			"left", len(s.left), "err", s.failed)
		return func(ctx context.Context, tx *db.Tx) error { return d.insert(ctx, tx, rest) }, nil
	case last:
		return nil, job.Discard(fmt.Errorf("given up after %d attempts: %w", attempts, s.failed))
	default:
		return nil, s.failed
	}
}

// noteStream keeps in the channel's status how the stream of messages goes. It
// writes only when that changed.
func (d *Delivery) noteStream(ctx context.Context, c config.DeliveryChannel, failed error) error {
	if errors.Is(failed, context.Canceled) {
		return nil // the server is being stopped: that says nothing of the topic
	}
	now := config.DeliveryInfo{Status: config.StatusSuccess}
	if failed != nil {
		d.failed("message")
		now.Status, now.ErrorCode = config.StatusFailure, errorCode(failed)
		now.ErrorMessage = fmt.Sprintf("Failed to deliver notification to topic: %s for account %s in region %s.",
			c.TopicARN, c.Account, c.Region)
	}
	var same bool
	if err := d.db.Read(ctx, func(tx *db.Tx) error {
		_, s, err := store.DeliveryChannel(ctx, tx, c.Place)
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
		return store.UpdateDeliveryStatus(ctx, tx, c.Place, func(s *config.DeliveryStatus) {
			now.Changed = s.Stream.Changed
			if s.Stream.Status != now.Status {
				now.Changed = d.now()
			}
			s.Stream = now
		})
	})
}

// pick returns the elements at those indexes.
func pick[T any](all []T, at []int) []T {
	out := make([]T, 0, len(at))
	for _, i := range at {
		out = append(out, all[i])
	}
	return out
}
