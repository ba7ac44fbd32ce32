package sns_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/mail"
	"plumb/internal/mail/mailtest"
	"plumb/internal/topic"
)

func suiteOfMail(t *testing.T, f func(s *server, m *mailtest.Server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		m := mailtest.Serve(t)
		f(start(t, d, func(o *topic.Options) {
			o.Mail = mail.New(mail.Options{Server: m.Address, From: "no-reply@example.com", Security: mail.Plain})
		}), m)
	})
}

// visit follows the link of a mail.
func (s *server) visit(text string) {
	s.Helper()
	link := regexp.MustCompile(`http://\S+`).FindString(text)
	res, err := http.Get(link)
	s.must(err)
	res.Body.Close()
	s.equal(res.StatusCode, 200)
}

func TestMailIsSentToThoseWhoConfirmedUntilTheyUnsubscribe(t *testing.T) {
	suiteOfMail(t, func(s *server, m *mailtest.Server) {
		news := s.topic("news", nil)
		out, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: news, Protocol: new("email"), Endpoint: new("ann@example.com")})
		s.must(err)
		s.equal(*out.SubscriptionArn, "pending confirmation")
		s.drain()
		s.equal(len(m.Mails()), 1)
		s.equal(m.Mails()[0].Header.Get("Subject"), "AWS Notification - Subscription Confirmation")
		s.equal(strings.Join(m.Mails()[0].To, " "), "ann@example.com")
		s.equal(strings.Contains(m.Mails()[0].Text, *news), true)
		s.publish(news, "too early", nil)
		s.drain()
		s.equal(len(m.Mails()), 1)
		s.visit(m.Mails()[0].Text)
		s.clock.Advance(time.Second)
		_, err = s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: news, Subject: new("A subject"), MessageStructure: new("json"),
			Message: new(`{"default": "for others", "email": "for people"}`)})
		s.must(err)
		_, err = s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: news, Message: new("hello")})
		s.must(err)
		s.drain()
		texts := map[string]string{}
		for _, one := range m.Mails()[1:] {
			texts[one.Header.Get("Subject")] = one.Text
		}
		s.equal(len(texts), 2)
		s.equal(strings.HasPrefix(texts["A subject"], "for people\n"), true)
		s.equal(strings.HasPrefix(texts["AWS Notification Message"], "hello\n"), true)
		s.visit(texts["A subject"])
		list, err := s.client.ListSubscriptionsByTopic(s.ctx, &sdk.ListSubscriptionsByTopicInput{TopicArn: news})
		s.must(err)
		s.equal(len(list.Subscriptions), 0)
	})
}

func TestMailInJSONIsWhatAnHTTPEndpointGets(t *testing.T) {
	suiteOfMail(t, func(s *server, m *mailtest.Server) {
		news := s.topic("news", nil)
		_, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: news, Protocol: new("email-json"), Endpoint: new("ann@example.com")})
		s.must(err)
		s.drain()
		confirm := map[string]any{}
		s.must(json.Unmarshal([]byte(m.Mails()[0].Text), &confirm))
		s.signed(confirm, []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"})
		s.visit(confirm["SubscribeURL"].(string))
		s.clock.Advance(time.Second)
		s.publish(news, "hello", nil)
		s.drain()
		note := map[string]any{}
		s.must(json.Unmarshal([]byte(m.Mails()[1].Text), &note))
		s.equal(note["Message"], "hello")
		s.signed(note, []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"})
	})
}

func TestMailIsTriedAgainUnlessItIsRefused(t *testing.T) {
	suiteOfMail(t, func(s *server, m *mailtest.Server) {
		news := s.topic("news", nil)
		for _, address := range []string{"nobody@example.com", "later@example.com"} {
			s.subscribeMail(news, address)
		}
		s.publish(news, "hello", nil)
		s.drain()
		s.equal(strings.Count(s.bodies(dead), `"Message": "hello"`), 1) // of nobody
		s.clock.Advance(time.Minute)
		s.drain()
		s.equal(s.bodies(dead), "")
		err := s.db.Write(s.ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(s.ctx, `UPDATE topic_subscriptions SET endpoint = 'now@example.com' WHERE endpoint = 'later@example.com'`)
			return err
		})
		s.must(err)
		s.clock.Advance(11 * time.Minute)
		s.drain()
		s.equal(strings.Join(m.Mails()[0].To, " "), "now@example.com")
	})
}

// subscribeMail subscribes an address, and confirms for it.
func (s *server) subscribeMail(topicARN *string, address string) {
	s.Helper()
	out, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: topicARN, Protocol: new("email"), Endpoint: &address, ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + dead + `"}`}})
	s.must(err)
	err = s.db.Write(s.ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(s.ctx, `UPDATE topic_subscriptions SET confirmed = 1 WHERE endpoint = ?`, address)
		return err
	})
	s.must(err)
	s.equal(strings.HasPrefix(*out.SubscriptionArn, *topicARN), true)
}

func TestOnlyMailAddressesCanBeSubscribedByMail(t *testing.T) {
	suiteOfMail(t, func(s *server, _ *mailtest.Server) {
		news := s.topic("news", nil)
		for _, address := range []string{"ann", "ann@example.com, bob@example.com", "Ann <ann@example.com>", "ann@example.com\r\nBcc: bob@example.com"} {
			_, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: news, Protocol: new("email"), Endpoint: &address})
			s.fails(err, "InvalidParameter")
		}
		_, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: news, Protocol: new("email"), Endpoint: new("ann@example.com"),
			Attributes: map[string]string{"RawMessageDelivery": "true"}})
		s.fails(err, "InvalidParameter")
	})
}
