package topic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/mail"
)

// push is the job that posts a message, or the request to confirm, to an HTTP
// endpoint, or sends it as mail.
type push struct {
	Subscription string  `json:"subscription"`
	Confirm      bool    `json:"confirm,omitempty"`
	Message      message `json:"message"`
	Published    int64   `json:"published"`
	Version      string  `json:"version,omitempty"`
	Retry        int     `json:"retry,omitempty"` // how often it was tried before
}

// Kind names the job.
func (push) Kind() string { return "topic.push" }

// Owner is the topic's account.
func (p push) Owner() string { return accountOf(p.Subscription) }

// throttle returns when a message may go to a subscription: zero is at once.
func (s *Store) throttle(ctx context.Context, tx *db.Tx, d delivery) (at time.Time, err error) {
	if d.policy.Throttle == nil {
		return at, nil
	}
	now, apart := db.Micros(s.now()), time.Second.Microseconds()/int64(d.policy.Throttle.PerSecond)
	var next int64
	err = tx.QueryRow(ctx, `INSERT INTO topic_throttle (subscription, free) VALUES (?, ?) ON CONFLICT (subscription) DO UPDATE
		SET free = CASE WHEN topic_throttle.free > ? THEN topic_throttle.free ELSE ? END + ? RETURNING free`,
		d.ARN(), now+apart, now, now, apart).Scan(&next)
	if err != nil {
		return at, fmt.Errorf("throttle %s: %w", d.ARN(), err)
	}
	if next -= apart; next > now {
		at = db.Time(next)
	}
	return at, nil
}

func (s *Store) handlePush() {
	job.HandlePrepared(s.jobs, s.push, job.Policy{Timeout: 30 * time.Second})
}

// push posts once. What comes of it, a retry as the delivery policy says or the end, is
// recorded with the end of the job.
func (s *Store) push(ctx context.Context, j job.Job[push]) (job.Commit, error) {
	var d delivery
	var body []byte
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		sub, err := FindSubscription(ctx, tx, j.Args.Subscription)
		if err != nil {
			return err
		}
		t, err := Find(ctx, tx, sub.TopicARN())
		if err != nil {
			return err
		}
		d = delivery{sub, j.Args.Message, db.Time(j.Args.Published), j.Args.Version, effective(t.Attributes["DeliveryPolicy"], sub.Attributes["DeliveryPolicy"])}
		body, err = s.pushBody(ctx, tx, d, j.Args.Confirm)
		return err
	})
	if isNotFound(err) {
		return nil, nil // unsubscribed since
	}
	if err != nil {
		return nil, err
	}
	kind := "Notification"
	if j.Args.Confirm {
		kind, d.policy = "SubscriptionConfirmation", effective("", "")
	}
	send := s.post
	if byMail(d.Protocol) {
		send, d.policy = s.mail, deliveryPolicy{Retry: &mailRetry}
	}
	if err = send(ctx, d, kind, body); err == nil {
		return nil, nil
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, err // the server is being stopped
	}
	return func(ctx context.Context, tx *db.Tx) error { return s.notPushed(ctx, tx, d, j.Args, err) }, nil
}

// notPushed has a message tried again, or gives it up.
func (s *Store) notPushed(ctx context.Context, tx *db.Tx, d delivery, p push, reason error) error {
	if retry := d.policy.Retry; p.Retry < retry.Retries && !errors.Is(reason, errNoURL) && !errors.Is(reason, mail.ErrRefused) {
		delay := retry.delay(p.Retry)
		s.log.DebugContext(ctx, "message is tried again", "subscription", d.ARN(), "attempt", p.Retry+1, "after", delay, "err", reason)
		p.Retry++
		return s.jobs.Insert(ctx, tx, p, job.Options{Queue: job.Push, At: s.now().Add(delay)})
	}
	if p.Confirm {
		s.log.WarnContext(ctx, "an endpoint did not take the request to confirm", "subscription", d.ARN(), "endpoint", shown(d.Endpoint), "err", reason)
		return nil
	}
	return s.toDeadLetters(ctx, tx, d, reason)
}

var errNoURL = errors.New("not a URL")

func (s *Store) pushBody(ctx context.Context, tx *db.Tx, d delivery, confirm bool) ([]byte, error) {
	switch {
	case d.Protocol == "email":
		return s.mailText(d, confirm), nil
	case confirm:
		return s.confirmation(ctx, tx, d)
	case d.Attributes["RawMessageDelivery"] == "true":
		return []byte(d.m.bodyFor(d.Protocol)), nil
	}
	return s.envelope(ctx, tx, d)
}

// post sends a message with the headers by which endpoints tell what it is.
func (s *Store) post(ctx context.Context, d delivery, kind string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to the endpoint of %s: %w", d.ARN(), errNoURL) // err has the URL, with its password
	}
	r.Header.Set("Content-Type", d.policy.Request.ContentType)
	r.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	r.Header.Set("x-amz-sns-message-type", kind)
	r.Header.Set("x-amz-sns-message-id", d.m.ID)
	r.Header.Set("x-amz-sns-topic-arn", d.TopicARN())
	if kind == "Notification" {
		r.Header.Set("x-amz-sns-subscription-arn", d.ARN())
		if d.Attributes["RawMessageDelivery"] == "true" {
			r.Header.Set("x-amz-sns-rawdelivery", "true")
		}
	}
	res, err := s.o.Client.Do(r)
	if err != nil {
		return fmt.Errorf("post to subscriber: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode >= 300 {
		return fmt.Errorf("post to %s: answered %s", r.URL.Redacted(), res.Status)
	}
	return nil
}
