package topic

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/mail"
	"plumb/internal/model/snsapi"
)

// A Subscription leads from a topic to an endpoint.
type Subscription struct {
	config.Place // the topic's
	Topic        string
	ID           string
	Owner        string
	Protocol     string // sqs, lambda, http, https, email, email-json
	Endpoint     string
	Attributes   map[string]string
	Confirmed    time.Time // zero while who must confirm has not
	Created      time.Time

	token string
}

// TopicARN returns the ARN of the subscription's topic.
func (s Subscription) TopicARN() string {
	return Topic{Place: s.Place, Name: s.Topic}.ARN()
}

// ARN returns the subscription's ARN.
func (s Subscription) ARN() string { return s.TopicARN() + ":" + s.ID }

// Pending reports whether the endpoint must still confirm.
func (s Subscription) Pending() bool { return s.Confirmed.IsZero() }

// checkEndpoint wants an endpoint that fits its protocol.
func checkEndpoint(protocol, endpoint string) error {
	switch protocol {
	case "http", "https":
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != protocol || u.Host == "" {
			return invalid("Endpoint must match the specified protocol")
		}
	case "sqs":
		if a, err := arn.Parse(endpoint); err != nil || a.Service != "sqs" {
			return invalid("SQS endpoint ARN")
		}
	case "lambda":
		if a, err := arn.Parse(endpoint); err != nil || a.Service != "lambda" || !strings.HasPrefix(a.Resource, "function:") {
			return invalid("Lambda endpoint ARN")
		}
	case "email", "email-json":
		if mail.Check(endpoint) != nil || strings.ContainsAny(endpoint, "<> ,") {
			return invalid("Email address")
		}
	case "sms", "application", "firehose":
		return invalid("Protocol: Plumb delivers to sqs, lambda, http, https, email and email-json, not to %s", protocol)
	default:
		return invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	return nil
}

// Subscribe adds a subscription, or returns the one that is there if it is the
// same. Queues and functions are confirmed at once; an HTTP endpoint and a mail
// address are sent a message to confirm with.
func (s *Store) Subscribe(ctx context.Context, topicARN string, sub Subscription) (Subscription, error) {
	if err := checkEndpoint(sub.Protocol, sub.Endpoint); err != nil {
		return sub, err
	}
	if byMail(sub.Protocol) && !s.o.Mail.Sends() {
		return sub, invalid("Protocol: no mail is sent from here: the setting smtp-server is empty")
	}
	for name, value := range sub.Attributes {
		if err := checkSubscriptionAttribute(sub, name, value); err != nil {
			return sub, err
		}
	}
	if err := checkFilter(sub.Attributes); err != nil {
		return sub, err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, topicARN); err != nil {
			return err
		}
		t, err := Find(ctx, tx, topicARN)
		if err != nil {
			return err
		}
		if t.FIFO() && sub.Protocol != "sqs" {
			return invalid("Endpoint Reason: Topics in FIFO order can only be subscribed to by queues")
		}
		if !t.FIFO() && strings.HasSuffix(sub.Endpoint, ".fifo") && sub.Protocol == "sqs" {
			return invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
		sub.Place, sub.Topic = t.Place, t.Name
		old, err := s.byEndpoint(ctx, tx, sub)
		if err == nil {
			return sub.becomes(old)
		}
		if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		return s.insertSubscription(ctx, tx, &sub)
	})
	return sub, err
}

// becomes is the answer to subscribing twice.
func (s *Subscription) becomes(old Subscription) error {
	if len(s.Attributes) > 0 && !maps.Equal(s.Attributes, old.Attributes) {
		return invalid("Attributes Reason: Subscription already exists with different attributes")
	}
	*s = old
	return nil
}

func (s *Store) insertSubscription(ctx context.Context, tx *db.Tx, sub *Subscription) error {
	sub.ID, sub.token, sub.Created = newUUID(), newToken(), s.now()
	confirms := strings.HasPrefix(sub.Protocol, "http") || byMail(sub.Protocol)
	if !confirms {
		sub.Confirmed = sub.Created
	}
	attributes, _ := json.Marshal(sub.Attributes) // a map of text cannot fail
	_, err := tx.Exec(ctx, `INSERT INTO topic_subscriptions (account, region, topic, id, owner, protocol, endpoint, attributes, token, confirmed, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, sub.Account, sub.Region, sub.Topic, sub.ID, sub.Owner, sub.Protocol, sub.Endpoint,
		string(attributes), sub.token, db.Micros(sub.Confirmed), db.Micros(sub.Created))
	if err != nil {
		return fmt.Errorf("insert subscription: %w", err)
	}
	if !confirms {
		return nil
	}
	p := push{Subscription: sub.ARN(), Confirm: true, Message: message{ID: newUUID()}, Published: db.Micros(s.now())}
	return s.jobs.Insert(ctx, tx, p, job.Options{Queue: job.Push})
}

const subscriptionColumns = `account, region, topic, id, owner, protocol, endpoint, attributes, token, confirmed, created`

func scanSubscription(scan func(...any) error) (Subscription, error) {
	var sub Subscription
	var attributes string
	var confirmed, created int64
	err := scan(&sub.Account, &sub.Region, &sub.Topic, &sub.ID, &sub.Owner, &sub.Protocol, &sub.Endpoint, &attributes, &sub.token, &confirmed, &created)
	if err != nil {
		return sub, err
	}
	sub.Confirmed, sub.Created = db.Time(confirmed), db.Time(created)
	err = json.Unmarshal([]byte(attributes), &sub.Attributes) // before the return, which may copy sub first
	return sub, err
}

func (s *Store) byEndpoint(ctx context.Context, tx *db.Tx, sub Subscription) (Subscription, error) {
	return scanSubscription(tx.QueryRow(ctx, `SELECT `+subscriptionColumns+` FROM topic_subscriptions
		WHERE account = ? AND region = ? AND topic = ? AND protocol = ? AND endpoint = ?`,
		sub.Account, sub.Region, sub.Topic, sub.Protocol, sub.Endpoint).Scan)
}

// FindSubscription returns the subscription that an ARN names, or NotFound.
func FindSubscription(ctx context.Context, tx *db.Tx, subscriptionARN string) (Subscription, error) {
	i := strings.LastIndexByte(subscriptionARN, ':')
	if i < 0 || strings.Count(subscriptionARN, ":") != 6 {
		return Subscription{}, invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", strings.Count(subscriptionARN, ":")+1)
	}
	t, err := parseARN(subscriptionARN[:i])
	if err != nil {
		return Subscription{}, err
	}
	sub, err := scanSubscription(tx.QueryRow(ctx, `SELECT `+subscriptionColumns+` FROM topic_subscriptions
		WHERE account = ? AND region = ? AND topic = ? AND id = ?`, t.Account, t.Region, t.Name, subscriptionARN[i+1:]).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return sub, snsapi.NotFoundException("Subscription does not exist")
	}
	return sub, err
}

// Subscriptions lists subscriptions after a place in the list: those of one
// topic, or all of an account and region if topic is "".
func (s *Store) Subscriptions(ctx context.Context, p config.Place, topic, after string, limit int) (out []Subscription, err error) {
	afterTopic, afterID, _ := strings.Cut(after, ":")
	where, args := `account = ? AND region = ? AND (topic, id) > (?, ?)`, []any{p.Account, p.Region, afterTopic, afterID}
	if topic != "" {
		where, args = `account = ? AND region = ? AND topic = ? AND id > ?`, []any{p.Account, p.Region, topic, afterID}
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			sub, err := scanSubscription(scan)
			out = append(out, sub)
			return err
		}, `SELECT `+subscriptionColumns+` FROM topic_subscriptions WHERE `+where+` ORDER BY topic, id LIMIT ?`, append(args, limit)...)
	})
	return out, err
}

// Position is where a subscription stands in the list.
func (s Subscription) Position() string { return s.Topic + ":" + s.ID }

// Confirm ends the wait of the subscription that the token belongs to.
func (s *Store) Confirm(ctx context.Context, topicARN, token string) (sub Subscription, changed bool, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		t, err := Find(ctx, tx, topicARN)
		if err != nil {
			return err
		}
		found := false
		err = db.Each(ctx, tx, func(scan func(...any) error) error {
			one, err := scanSubscription(scan)
			if err == nil && subtle.ConstantTimeCompare([]byte(one.token), []byte(token)) == 1 {
				sub, found = one, true
			}
			return err
		}, `SELECT `+subscriptionColumns+` FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ?`, t.Account, t.Region, t.Name)
		if err != nil {
			return fmt.Errorf("read subscriptions of %s: %w", t.Name, err)
		}
		if !found {
			return invalid("Token")
		}
		if !sub.Pending() {
			return nil
		}
		sub.Confirmed, changed = s.now(), true
		_, err = tx.Exec(ctx, `UPDATE topic_subscriptions SET confirmed = ? WHERE account = ? AND region = ? AND topic = ? AND id = ?`,
			db.Micros(sub.Confirmed), sub.Account, sub.Region, sub.Topic, sub.ID)
		return err
	})
	return sub, changed, err
}

// Unsubscribe removes a subscription, and reports whether it was there: one that is not
// there is no error.
func (s *Store) Unsubscribe(ctx context.Context, subscriptionARN string) (removed bool, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		sub, err := FindSubscription(ctx, tx, subscriptionARN)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ? AND id = ?`,
			sub.Account, sub.Region, sub.Topic, sub.ID)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM topic_throttle WHERE subscription = ?`, sub.ARN())
		}
		removed = err == nil
		return err
	})
	return removed, err
}

// SetSubscriptionAttribute changes one attribute; "" or "{}" removes a policy.
func (s *Store) SetSubscriptionAttribute(ctx context.Context, subscriptionARN, name, value string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		sub, err := FindSubscription(ctx, tx, subscriptionARN)
		if err != nil {
			return err
		}
		if err := checkSubscriptionAttribute(sub, name, value); err != nil {
			return err
		}
		if sub.Attributes == nil {
			sub.Attributes = map[string]string{}
		}
		if value == "" || strings.TrimSpace(value) == "{}" {
			delete(sub.Attributes, name)
		} else {
			sub.Attributes[name] = value
		}
		if err := checkFilter(sub.Attributes); err != nil {
			return err
		}
		attributes, _ := json.Marshal(sub.Attributes) // a map of text cannot fail
		_, err = tx.Exec(ctx, `UPDATE topic_subscriptions SET attributes = ? WHERE account = ? AND region = ? AND topic = ? AND id = ?`,
			string(attributes), sub.Account, sub.Region, sub.Topic, sub.ID)
		return err
	})
}

func checkSubscriptionAttribute(sub Subscription, name, value string) error {
	ok := true
	switch name {
	case "RawMessageDelivery":
		ok = value == "true" || value == "false"
		if ok && value == "true" && (sub.Protocol == "lambda" || byMail(sub.Protocol)) {
			return invalid("Attributes Reason: RawMessageDelivery: raw delivery is not possible to the protocol %s", sub.Protocol)
		}
	case "FilterPolicy":
	case "FilterPolicyScope":
		ok = value == "" || value == scopeAttributes || value == scopeBody
	case "RedrivePolicy":
		ok = value == "" || deadLetterTarget(value) != ""
	case "DeliveryPolicy":
		if !strings.HasPrefix(sub.Protocol, "http") {
			return invalid("Attributes Reason: Delivery policy is not supported for the protocol %s", sub.Protocol)
		}
		if value != "" && strings.TrimSpace(value) != "{}" {
			return checkSubscriptionPolicy(value)
		}
	case "SubscriptionRoleArn", "ReplayPolicy":
		return invalid("Attributes Reason: %s is not built into Plumb's SNS", name)
	default:
		return invalid("AttributeName")
	}
	if !ok {
		return invalid("Attributes Reason: %s", name)
	}
	return nil
}

// deadLetterTarget returns the queue of a redrive policy, or "".
func deadLetterTarget(policy string) string {
	var p struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return ""
	}
	if a, err := arn.Parse(p.Target); err != nil || a.Service != "sqs" {
		return ""
	}
	return p.Target
}

// Described returns all attributes of a subscription of a topic.
func (s Subscription) Described(t Topic) map[string]string {
	out := map[string]string{
		"SubscriptionArn": s.ARN(), "TopicArn": s.TopicARN(), "Owner": s.Owner, "Protocol": s.Protocol, "Endpoint": s.Endpoint,
		"PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true", "RawMessageDelivery": "false",
		"SubscriptionPrincipal": "arn:" + arn.Partition(s.Region) + ":iam::" + s.Owner + ":root",
	}
	if s.Pending() {
		out["PendingConfirmation"], out["ConfirmationWasAuthenticated"] = "true", "false"
	}
	if s.Attributes["FilterPolicy"] != "" {
		out["FilterPolicyScope"] = scopeAttributes
	}
	if strings.HasPrefix(s.Protocol, "http") {
		out["EffectiveDeliveryPolicy"] = effective(t.Attributes["DeliveryPolicy"], s.Attributes["DeliveryPolicy"]).text()
	}
	maps.Copy(out, s.Attributes)
	return out
}

func newToken() string {
	var b [64]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	return hex.EncodeToString(b[:])
}

// newUUID returns a random UUID, which is what message and subscription ids are.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// HasMail reports whether a topic has a subscription that gets a message's text by mail.
func HasMail(ctx context.Context, tx *db.Tx, topicARN string) (has bool, err error) {
	t, err := parseARN(topicARN)
	if err != nil {
		return false, nil // which publishing says
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM topic_subscriptions
		WHERE account = ? AND region = ? AND topic = ? AND protocol = 'email' AND confirmed > 0)`, t.Account, t.Region, t.Name).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("subscriptions of %s: %w", topicARN, err)
	}
	return has, nil
}
