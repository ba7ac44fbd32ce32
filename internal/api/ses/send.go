package ses

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
	"plumb/internal/source/ses"
)

// SES's limits of a mail that is sent.
const (
	maxSent       = 10 << 20
	maxRecipients = 50
)

// SendEmail sends a mail that is made of its parts.
func (o operations) SendEmail(ctx context.Context, in *sesapi.SendEmailInput) (*sesapi.SendEmailOutput, error) {
	to := append(append(append([]string{}, in.Destination.ToAddresses...), in.Destination.CcAddresses...), in.Destination.BccAddresses...)
	text, err := compose(in)
	if err != nil {
		return nil, err
	}
	from := *in.Source
	if in.ReturnPath != nil {
		from = *in.ReturnPath
	}
	id, err := o.send(ctx, *in.Source, from, to, text)
	return &sesapi.SendEmailOutput{MessageId: &id}, err
}

// compose writes a mail as it is sent.
func compose(in *sesapi.SendEmailInput) ([]byte, error) {
	var b bytes.Buffer
	for _, h := range []struct {
		name string
		list []string
	}{{"From", []string{*in.Source}}, {"To", in.Destination.ToAddresses}, {"Cc", in.Destination.CcAddresses}, {"Reply-To", in.ReplyToAddresses}} {
		if len(h.list) == 0 {
			continue
		}
		line := strings.Join(h.list, ", ")
		if strings.ContainsAny(line, "\r\n") {
			return nil, invalid("Header %s has a line break.", h.name)
		}
		fmt.Fprintf(&b, "%s: %s\r\n", h.name, line)
	}
	fmt.Fprintf(&b, "Subject: %s\r\nMIME-Version: 1.0\r\n", mime.QEncoding.Encode("utf-8", model.Deref(in.Message.Subject.Data)))
	plain, html := in.Message.Body.Text, in.Message.Body.Html
	switch {
	case plain != nil && html != nil:
		const boundary = "=_alternatives_of_this_mail"
		fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary)
		fmt.Fprintf(&b, "--%s\r\n%s\r\n--%s\r\n%s\r\n--%s--\r\n", boundary, part("plain", plain), boundary, part("html", html), boundary)
	case html != nil:
		b.WriteString(part("html", html))
	case plain != nil:
		b.WriteString(part("plain", plain))
	default:
		return nil, invalid("The message has neither a text nor an HTML body.")
	}
	return b.Bytes(), nil
}

// part writes one body, in lines that every machine takes.
func part(kind string, c *sesapi.Content) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: text/%s; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
	text := base64.StdEncoding.EncodeToString([]byte(model.Deref(c.Data)))
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.String()
}

// SendRawEmail sends a mail as it is.
func (o operations) SendRawEmail(ctx context.Context, in *sesapi.SendRawEmailInput) (*sesapi.SendRawEmailOutput, error) {
	m, err := mail.ReadMessage(bytes.NewReader(in.RawMessage.Data))
	if err != nil {
		return nil, invalid("The message has no headers that can be read: %s", err)
	}
	from, to := model.Deref(in.Source), in.Destinations
	if from == "" {
		from = m.Header.Get("From")
	}
	if len(to) == 0 {
		for _, name := range []string{"To", "Cc", "Bcc"} {
			list, _ := m.Header.AddressList(name)
			for _, a := range list {
				to = append(to, a.Address)
			}
		}
	}
	id, err := o.send(ctx, from, from, to, in.RawMessage.Data)
	return &sesapi.SendRawEmailOutput{MessageId: &id}, err
}

func (o operations) send(ctx context.Context, source, from string, to []string, text []byte) (id string, err error) {
	switch {
	case len(text) > maxSent:
		return "", invalid("Message length is more than %d bytes long: %d", maxSent, len(text))
	case len(to) == 0:
		return "", invalid("Missing final '@domain'")
	case len(to) > maxRecipients:
		return "", invalid("Recipient count exceeds %d.", maxRecipients)
	}
	sender, err := bare(source)
	if err != nil {
		return "", err
	}
	from, err = bare(from)
	if err != nil {
		return "", err
	}
	recipients := make([]string, len(to))
	for i, address := range to {
		if recipients[i], err = bare(address); err != nil {
			return "", err
		}
	}
	p := caller.Place(ctx)
	err = o.mail.Write(ctx, func(tx *db.Tx) error {
		verified, err := ses.IsVerified(ctx, tx, p, sender)
		if err != nil {
			return err
		}
		if !verified {
			return sesapi.MessageRejected("Email address is not verified. The following identities failed the check in region %s: %s", strings.ToUpper(p.Region), sender)
		}
		id, err = o.mail.Send(ctx, tx, from, recipients, text)
		return err
	})
	return id, err
}

// bare returns an address without a name.
func bare(text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || !strings.Contains(a.Address, "@") {
		return "", invalid("Missing final '@domain'")
	}
	return a.Address, nil
}

// GetSendQuota answers the quota of a new account, of which nothing is used.
func (o operations) GetSendQuota(context.Context, *sesapi.GetSendQuotaInput) (*sesapi.GetSendQuotaOutput, error) {
	return &sesapi.GetSendQuotaOutput{Max24HourSend: new(200.0), MaxSendRate: new(1.0), SentLast24Hours: new(0.0)}, nil
}

// GetAccountSendingEnabled answers that mail may be sent.
func (o operations) GetAccountSendingEnabled(context.Context, *sesapi.GetAccountSendingEnabledInput) (*sesapi.GetAccountSendingEnabledOutput, error) {
	return &sesapi.GetAccountSendingEnabledOutput{Enabled: new(true)}, nil
}
