package topic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
)

// push is the job that posts a message, or the request to confirm, to an HTTP
// endpoint.
type push struct {
	Subscription string  `json:"subscription"`
	Confirm      bool    `json:"confirm,omitempty"`
	Message      message `json:"message"`
	Published    int64   `json:"published"`
	Version      string  `json:"version,omitempty"`
}

// Kind names the job.
func (push) Kind() string { return "topic.push" }

// Owner is the topic's account.
func (p push) Owner() string { return accountOf(p.Subscription) }

// SNS's default delivery policy for HTTP.
const (
	defaultRetries = 3
	retryDelay     = 20 * time.Second
)

// retries reads how often a subscription's delivery policy has it tried again.
// Of the policy's other parts, delays and their growth, nothing is read.
func retries(policy string) int {
	var p struct {
		Healthy struct {
			Retries *int `json:"numRetries"`
		} `json:"healthyRetryPolicy"`
	}
	if json.Unmarshal([]byte(policy), &p) != nil || p.Healthy.Retries == nil {
		return defaultRetries
	}
	return min(max(*p.Healthy.Retries, 0), 100)
}

func (s *Store) handlePush() {
	job.HandlePrepared(s.jobs, s.push, job.Policy{Timeout: 30 * time.Second, Retry: func(int) time.Duration { return retryDelay }})
}

func (s *Store) push(ctx context.Context, j job.Job[push]) (job.Commit, error) {
	var d delivery
	var body []byte
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		sub, err := FindSubscription(ctx, tx, j.Args.Subscription)
		if err != nil {
			return err
		}
		d = delivery{sub, j.Args.Message, db.Time(j.Args.Published), j.Args.Version}
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
		kind = "SubscriptionConfirmation"
	}
	err = s.post(ctx, d, kind, body)
	if err == nil || !j.Last() || j.Args.Confirm {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx) error { return s.toDeadLetters(ctx, tx, d, err) }, nil
}

func (s *Store) pushBody(ctx context.Context, tx *db.Tx, d delivery, confirm bool) ([]byte, error) {
	switch {
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
		return job.Discard(fmt.Errorf("post to the endpoint of %s: not a URL", d.ARN())) // err has the URL, with its password
	}
	r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
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
