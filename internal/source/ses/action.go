package ses

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
)

// service is SES's name in the policies of functions, buckets and topics.
const service = "ses.amazonaws.com"

// subject is that of messages to topics.
const subject = "Amazon SES Email Receipt Notification"

// maxPublished is how many bytes a mail has at most that is sent to a topic.
const maxPublished = 150 << 10

// waitForFunction is for how long a function is waited for that decides how it goes on.
const waitForFunction = 30 * time.Second

const scopeRuleSet = "RuleSet"

// sender is a rule, as the policies of what it sends to know it.
func sender(p config.Place, set, rule string) caller.Sender {
	return caller.Sender{Account: p.Account, Region: p.Region, Service: service, ARN: ruleARN(p, set, rule)}
}

// take takes the next action of a mail. What is outside the store is done before the
// transaction that notes it, and again if the server is killed between the two.
func (m *Mail) take(ctx context.Context, l *letter, text []byte) error {
	s := l.Steps[l.Next]
	from := sender(l.Place, l.Set, s.Rule)
	next, refusal := l.Next+1, error(nil)
	switch a := s.Action; {
	case a.Type == ActionS3:
		refusal = m.o.PutObject(ctx, from, a.Bucket, a.Prefix+l.ID, append([]byte(l.Added), text...), a.KMSKey)
	case a.Type == ActionLambda && a.Invocation == string(sesapi.InvocationTypeRequestResponse):
		next, refusal = m.ask(ctx, *l, s, text)
	case a.Type == ActionStop:
		next = len(l.Steps)
	}
	if err := m.refused(*l, s, refusal); err != nil {
		return err
	}
	return m.db.Write(ctx, func(tx *db.Tx) error {
		after := *l
		after.Next = next
		if s.Action.Type == ActionAddHeader {
			after.Added = s.Action.HeaderName + ": " + s.Action.HeaderValue + "\r\n" + after.Added
		}
		if refusal == nil {
			if err := m.refused(*l, s, m.hand(ctx, tx, from, *l, s, text)); err != nil {
				return err
			}
		}
		if err := keep(ctx, tx, after); err != nil {
			return err
		}
		tx.AfterCommit(func() { *l = after })
		return nil
	})
}

// refused logs a refusal, with which the mail goes on, and returns any other error.
func (m *Mail) refused(l letter, s step, err error) error {
	if _, named := model.Named(err); err == nil || !named {
		return err
	}
	m.log.Warn("an action of a receipt rule was refused", "account", l.Account, "region", l.Region, "rule", s.Rule, "action", s.Action.Type, "mail", l.ID, "err", err)
	return nil
}

// errMayNot is the refusal of a function whose policy does not let the rule in.
var errMayNot = &model.Error{Code: "AccessDeniedException", Status: 403, Message: "The function is gone or its policy does not let the receipt rule invoke it."}

// hand does what a step leaves in the store: an invocation, messages to topics, a bounce.
func (m *Mail) hand(ctx context.Context, tx *db.Tx, from caller.Sender, l letter, s step, text []byte) error {
	a := s.Action
	n := noteOf(l, s, text, m.now())
	switch {
	case a.Type == ActionLambda && a.Invocation == string(sesapi.InvocationTypeEvent):
		if err := m.invoke(ctx, tx, from, a.Function, n); err != nil {
			return err
		}
	case a.Type == ActionSNS:
		content := strings.ToValidUTF8(l.Added+string(text), "\uFFFD")
		if a.Encoding == string(sesapi.SNSActionEncodingBase64) {
			content = base64.StdEncoding.EncodeToString(append([]byte(l.Added), text...))
		}
		n.Content = &content
	case a.Type == ActionBounce:
		if err := m.bounce(ctx, tx, l, s, text); err != nil {
			return err
		}
	}
	if a.Topic == "" {
		return nil
	}
	n.Type = "Received"
	body, err := encode(n)
	if err != nil {
		return err
	}
	return m.o.Publish(ctx, tx, from, a.Topic, subject, string(body))
}

// encode writes JSON as AWS does, without escapes for web pages.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func payload(n note) ([]byte, error) { return encode(event{[]record{{"aws:ses", "1.0", n}}}) }

// invoke has a function invoked, if its policy lets the rule in.
func (m *Mail) invoke(ctx context.Context, tx *db.Tx, from caller.Sender, function string, n note) error {
	ref, err := m.mayInvoke(ctx, tx, from, function)
	if err != nil {
		return err
	}
	body, err := payload(n)
	if err != nil {
		return err
	}
	_, err = m.o.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: body})
	return err
}

func (m *Mail) mayInvoke(ctx context.Context, tx *db.Tx, from caller.Sender, function string) (lambda.Ref, error) {
	ref, err := lambda.ParseARN(function)
	if err != nil {
		return ref, errMayNot
	}
	may, err := lambda.MayInvoke(ctx, tx, function, service, from.ARN, from.Account)
	if err == nil && !may {
		err = errMayNot
	}
	return ref, err
}

// ask waits for a function's answer, and returns which step follows it. No answer, or
// an odd one, is CONTINUE.
func (m *Mail) ask(ctx context.Context, l letter, s step, text []byte) (next int, err error) {
	next = l.Next + 1
	var ref lambda.Ref
	err = m.db.Read(ctx, func(tx *db.Tx) (err error) {
		ref, err = m.mayInvoke(ctx, tx, sender(l.Place, l.Set, s.Rule), s.Action.Function)
		return err
	})
	if err != nil {
		return next, err
	}
	body, err := payload(noteOf(l, s, text, m.now()))
	if err != nil {
		return next, err
	}
	a, err := m.o.Functions.InvokeWithin(ctx, ref, lambda.Call{Payload: body}, waitForFunction)
	switch {
	case errors.Is(err, lambda.ErrNotInTime):
		m.log.Warn("a function of a receipt rule did not answer in time", "rule", s.Rule, "function", s.Action.Function, "mail", l.ID)
		return next, nil
	case err != nil:
		return next, err
	}
	return l.after(a), nil
}

// after returns the step that a function's answer leads to.
func (l letter) after(a lambda.Answer) int {
	var answer struct {
		Disposition string `json:"disposition"`
	}
	next := l.Next + 1
	if a.FunctionError != "" || json.Unmarshal(a.Payload, &answer) != nil {
		return next
	}
	switch answer.Disposition {
	case "STOP_RULE_SET":
		return len(l.Steps)
	case "STOP_RULE":
		for next < len(l.Steps) && l.Steps[next].Rule == l.Steps[l.Next].Rule {
			next++
		}
	}
	return next
}

// bounce answers a mail with one that says why it was not taken. It reaches senders
// who are received for here. A mail without a sender is itself a bounce.
func (m *Mail) bounce(ctx context.Context, tx *db.Tx, l letter, s step, text []byte) error {
	if l.Envelope.From == "" {
		return nil
	}
	a, boundary := s.Action, newToken()
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\r\nTo: <%s>\r\nSubject: Delivery Status Notification (Failure)\r\nDate: %s\r\nMessage-ID: <%s@%s.amazonses.com>\r\nAuto-Submitted: auto-replied\r\n",
		a.Sender, l.Envelope.From, m.now().UTC().Format(time.RFC1123Z), newToken(), l.Region)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n\r\n", boundary, a.Message)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; amazonses.com\r\n", boundary)
	for _, to := range s.To {
		status := a.Status
		if status == "" {
			status = a.ReplyCode[:1] + ".0.0"
		}
		fmt.Fprintf(&b, "\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s %s\r\n", to, status, a.ReplyCode, a.Message)
	}
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n--%s--\r\n", boundary, headerPart(text), boundary)
	_, err := m.deliver(ctx, tx, envelope{To: []string{l.Envelope.From}}, []byte(b.String()))
	return err
}

// deliver hands a mail that is sent from here to those of its recipients who are
// received for here. No mail goes to another machine.
func (m *Mail) deliver(ctx context.Context, tx *db.Tx, e envelope, text []byte) (id string, err error) {
	to := map[config.Place][]string{}
	for _, address := range e.To {
		found, _, err := m.takers(ctx, tx, address, e.IP)
		if err != nil {
			return "", err
		}
		for _, t := range found {
			to[t.set.Place] = append(to[t.set.Place], address)
		}
	}
	return m.accept(ctx, tx, e, to, text)
}

// Send takes a mail that a client sends, and returns its id.
func (m *Mail) Send(ctx context.Context, tx *db.Tx, from string, to []string, text []byte) (id string, err error) {
	if _, err := m.deliver(ctx, tx, envelope{From: from, To: to}, text); err != nil {
		return "", err
	}
	return newToken(), nil
}
