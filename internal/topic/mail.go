package topic

import (
	"context"
	"fmt"

	"plumb/internal/mail"
)

// byMail reports whether the endpoints of a protocol are mail addresses: email gets the
// text of messages, email-json what an HTTP endpoint gets.
func byMail(protocol string) bool { return protocol == "email" || protocol == "email-json" }

// mailRetry is SNS's for mail: 50 retries in six hours. It is for a server that does not
// answer, or asks for another try; mail that is refused is not sent again.
var mailRetry = retryPolicy{MinDelay: 10, MaxDelay: 600, Retries: 50, MinDelayRetries: 2, MaxDelayRetries: 38, Backoff: "exponential"}

// The subjects of mail, as SNS's are.
const (
	confirmSubject = "AWS Notification - Subscription Confirmation"
	noSubject      = "AWS Notification Message"
)

// mailText is what a person reads.
func (s *Store) mailText(d delivery, confirm bool) []byte {
	if confirm {
		return fmt.Appendf(nil, "This address is to get the messages of the topic\n%s\n\nIf you want them, visit this link:\n%s\n\n"+
			"If not, there is nothing to do.\n", d.TopicARN(), s.confirmLink(d))
	}
	return fmt.Appendf(nil, "%s\n\n--\nTo get no more messages of this topic, visit this link:\n%s\n", d.m.bodyFor(d.Protocol), s.unsubscribeLink(d))
}

// mail sends a message to a mail address.
func (s *Store) mail(ctx context.Context, d delivery, kind string, body []byte) error {
	subject := d.m.Subject
	switch {
	case kind == "SubscriptionConfirmation":
		subject = confirmSubject
	case subject == "":
		subject = noSubject
	}
	err := s.o.Mail.Send(ctx, mail.Message{To: []string{d.Endpoint}, Subject: subject, Text: string(body), Headers: map[string]string{
		"X-Amz-Sns-Message-Type": kind, "X-Amz-Sns-Message-Id": d.m.ID, "X-Amz-Sns-Topic-Arn": d.TopicARN(),
	}})
	if err != nil {
		return fmt.Errorf("mail to subscriber: %w", err)
	}
	return nil
}
