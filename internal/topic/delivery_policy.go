package topic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"strings"
	"time"
)

// A deliveryPolicy says how a message is tried again at an HTTP endpoint, how many
// go there a second, and what they are called. Its form is the one of a subscription.
type deliveryPolicy struct {
	Retry     *retryPolicy    `json:"healthyRetryPolicy"`
	Sickly    json.RawMessage `json:"sicklyRetryPolicy"` // was never used
	Throttle  *throttlePolicy `json:"throttlePolicy"`
	Request   *requestPolicy  `json:"requestPolicy"`
	Guarantee bool            `json:"guaranteed"` // the same
}

// A topicPolicy is what a topic says for those of its subscriptions that say nothing.
type topicPolicy struct {
	HTTP struct {
		Retry       *retryPolicy    `json:"defaultHealthyRetryPolicy"`
		Sickly      json.RawMessage `json:"defaultSicklyRetryPolicy,omitempty"`
		NoOverrides bool            `json:"disableSubscriptionOverrides"`
		Throttle    *throttlePolicy `json:"defaultThrottlePolicy,omitempty"`
		Request     *requestPolicy  `json:"defaultRequestPolicy"`
	} `json:"http"`
}

// A retryPolicy has four phases: retries at once, some after the least delay, some
// after delays that grow, some after the greatest delay. Delays are in seconds.
type retryPolicy struct {
	MinDelay        int    `json:"minDelayTarget"`
	MaxDelay        int    `json:"maxDelayTarget"`
	Retries         int    `json:"numRetries"` // of all phases
	MaxDelayRetries int    `json:"numMaxDelayRetries"`
	NoDelayRetries  int    `json:"numNoDelayRetries"`
	MinDelayRetries int    `json:"numMinDelayRetries"`
	Backoff         string `json:"backoffFunction"`
}

type throttlePolicy struct {
	PerSecond int `json:"maxReceivesPerSecond"`
}

type requestPolicy struct {
	ContentType string `json:"headerContentType"`
}

// SNS's limits.
const (
	maxRetries    = 100
	maxDelay      = 3600 // seconds, of one delay and of all together
	maxPerSecond  = 100_000
	defaultHeader = "text/plain; charset=UTF-8"
)

// UnmarshalJSON fills in what is not given.
func (p *retryPolicy) UnmarshalJSON(b []byte) error {
	type plain retryPolicy
	out := plain(defaultRetry())
	if err := strictly(b, &out); err != nil {
		return err
	}
	*p = retryPolicy(out)
	return nil
}

// defaultRetry is SNS's: three retries, twenty seconds apart.
func defaultRetry() retryPolicy {
	return retryPolicy{MinDelay: 20, MaxDelay: 20, Retries: 3, Backoff: "linear"}
}

func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind it")
	}
	return nil
}

// check returns what is wrong with a policy of that name.
func (p *retryPolicy) check(name string) error {
	if p == nil {
		return nil
	}
	for _, n := range []struct {
		name         string
		value, least int
		most         int
	}{
		{"minDelayTarget", p.MinDelay, 1, p.MaxDelay}, {"maxDelayTarget", p.MaxDelay, p.MinDelay, maxDelay}, {"numRetries", p.Retries, 0, maxRetries},
		{"numNoDelayRetries", p.NoDelayRetries, 0, p.Retries}, {"numMinDelayRetries", p.MinDelayRetries, 0, p.Retries},
		{"numMaxDelayRetries", p.MaxDelayRetries, 0, p.Retries},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("%s.%s must be between %d and %d", name, n.name, n.least, n.most)
		}
	}
	if p.growing() < 0 {
		return fmt.Errorf("%s.numRetries must be at least the sum of numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries", name)
	}
	if _, ok := growth[p.Backoff]; !ok {
		return fmt.Errorf("%s.backoffFunction must be one of arithmetic, exponential, geometric and linear", name)
	}
	var all time.Duration
	for n := range p.Retries {
		all += p.delay(n)
	}
	if all > maxDelay*time.Second {
		return fmt.Errorf("%s: all delays together must be at most %d seconds", name, maxDelay)
	}
	return nil
}

func (p *throttlePolicy) check(name string) error {
	if p != nil && (p.PerSecond < 1 || p.PerSecond > maxPerSecond) {
		return fmt.Errorf("%s.maxReceivesPerSecond must be between 1 and %d", name, maxPerSecond)
	}
	return nil
}

func (p *requestPolicy) check(name string) error {
	if p == nil || p.ContentType == "" {
		return nil
	}
	if _, _, err := mime.ParseMediaType(p.ContentType); err != nil || strings.ContainsAny(p.ContentType, "\r\n") {
		return fmt.Errorf("%s.headerContentType must be a media type", name)
	}
	return nil
}

// growing returns how many retries have delays that grow.
func (p *retryPolicy) growing() int {
	return p.Retries - p.NoDelayRetries - p.MinDelayRetries - p.MaxDelayRetries
}

// growth is how far the delay of the n-th of some retries, from 0, is on its way from
// the least to the greatest, by the function's name. AWS says of the functions which
// one is above which, and not what they are.
var growth = map[string]func(p *retryPolicy, n, last float64) float64{
	"linear":     func(_ *retryPolicy, n, last float64) float64 { return n / last },
	"arithmetic": func(_ *retryPolicy, n, last float64) float64 { return n * (n + 1) / (last * (last + 1)) },
	"geometric": func(p *retryPolicy, n, last float64) float64 {
		if p.MaxDelay == p.MinDelay {
			return 0
		}
		ratio := float64(p.MaxDelay) / float64(p.MinDelay)
		return (math.Pow(ratio, n/last) - 1) / (ratio - 1)
	},
	"exponential": func(_ *retryPolicy, n, last float64) float64 { return math.Expm1(n) / math.Expm1(last) },
}

// delay returns how long to wait before a retry; the first is 0.
func (p *retryPolicy) delay(n int) time.Duration {
	least, greatest := time.Duration(p.MinDelay)*time.Second, time.Duration(p.MaxDelay)*time.Second
	if n < p.NoDelayRetries {
		return 0
	}
	if n -= p.NoDelayRetries; n < p.MinDelayRetries {
		return least
	}
	n -= p.MinDelayRetries
	switch last := p.growing() - 1; {
	case n > last:
		return greatest
	case last == 0:
		return least
	default:
		grown := growth[p.Backoff](p, float64(n), float64(last))
		return least + time.Duration(float64(greatest-least)*grown)
	}
}

// checkTopicPolicy returns what is wrong with the DeliveryPolicy of a topic.
func checkTopicPolicy(text string) error {
	var p topicPolicy
	if err := strictly([]byte(text), &p); err != nil {
		return invalid("DeliveryPolicy: %v", err)
	}
	err := errors.Join(p.HTTP.Retry.check("http.defaultHealthyRetryPolicy"), p.HTTP.Throttle.check("http.defaultThrottlePolicy"),
		p.HTTP.Request.check("http.defaultRequestPolicy"))
	if err != nil {
		return invalid("DeliveryPolicy: %v", err)
	}
	return nil
}

// checkSubscriptionPolicy returns what is wrong with the DeliveryPolicy of a
// subscription.
func checkSubscriptionPolicy(text string) error {
	var p deliveryPolicy
	if err := strictly([]byte(text), &p); err != nil {
		return invalid("DeliveryPolicy: %v", err)
	}
	err := errors.Join(p.Retry.check("healthyRetryPolicy"), p.Throttle.check("throttlePolicy"), p.Request.check("requestPolicy"))
	if err != nil {
		return invalid("DeliveryPolicy: %v", err)
	}
	return nil
}

// effective returns the policy that counts for a subscription: its own, else the one of
// its topic, else SNS's, each part by itself. A topic can have its own count alone.
func effective(ofTopic, ofSubscription string) deliveryPolicy {
	var t topicPolicy
	var s deliveryPolicy
	if ofTopic != "" && strictly([]byte(ofTopic), &t) != nil { // of before policies were checked
		t = topicPolicy{}
	}
	if t.HTTP.NoOverrides || ofSubscription != "" && strictly([]byte(ofSubscription), &s) != nil {
		s = deliveryPolicy{}
	}
	if s.Request != nil && s.Request.ContentType == "" {
		s.Request = nil
	}
	if t.HTTP.Request != nil && t.HTTP.Request.ContentType == "" {
		t.HTTP.Request = nil
	}
	return deliveryPolicy{
		Retry: cmp.Or(s.Retry, t.HTTP.Retry, new(defaultRetry())), Throttle: cmp.Or(s.Throttle, t.HTTP.Throttle),
		Request: cmp.Or(s.Request, t.HTTP.Request, &requestPolicy{defaultHeader}),
	}
}

// effectiveTopicPolicy returns the policy of a topic with what it does not say.
func effectiveTopicPolicy(text string) string {
	var p topicPolicy
	if text != "" && strictly([]byte(text), &p) != nil {
		return text
	}
	e := effective(text, "")
	p.HTTP.Retry, p.HTTP.Request = e.Retry, e.Request
	b, _ := json.Marshal(p) // texts, numbers and valid JSON
	return string(b)
}

func (p deliveryPolicy) text() string {
	b, _ := json.Marshal(p) // texts and numbers
	return string(b)
}
