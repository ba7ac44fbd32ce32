package mail_test

import (
	"errors"
	"strings"
	"testing"

	"plumb/internal/mail"
	"plumb/internal/mail/mailtest"
)

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	s := mailtest.Serve(t)
	sender := mail.New(mail.Options{Server: s.Address, From: "Plumb <plumb@example.com>", Security: mail.Plain})
	text := "größe\n.\n" + strings.Repeat("long ", 300) + "\n"
	err := sender.Send(t.Context(), mail.Message{
		To: []string{"Ann <a@example.com>", "b@example.com"}, Subject: "größe\r\nBcc: c@example.com", Text: text,
		Headers: map[string]string{"X-Topic": "a\r\nBcc: d@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Mails()[0]
	if m.Text != text {
		t.Errorf("text %q", m.Text)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("From") != `"Plumb" <plumb@example.com>` || m.Header.Get("Subject") != "=?utf-8?q?gr=C3=B6=C3=9Fe_Bcc:_c@example.com?=" ||
		!strings.HasSuffix(m.Header.Get("Message-ID"), "@example.com>") {
		t.Errorf("%v", m.Header)
	}
	if got := strings.Join(m.To, " "); got != "a@example.com b@example.com" {
		t.Error(got)
	}
	for _, line := range strings.Split(m.Raw, "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

func TestWhatTheServerAnswersSaysWhetherItMayBeTriedAgain(t *testing.T) {
	s := mailtest.Serve(t)
	sender := mail.New(mail.Options{Server: s.Address, From: "plumb@example.com", Security: mail.Plain})
	err := sender.Send(t.Context(), mail.Message{To: []string{"nobody@example.com"}})
	if !errors.Is(err, mail.ErrRefused) || !strings.Contains(err.Error(), "recipient nobody@example.com") {
		t.Error(err)
	}
	if err := sender.Send(t.Context(), mail.Message{To: []string{"later@example.com"}}); err == nil || errors.Is(err, mail.ErrRefused) {
		t.Error(err)
	}
	if err := mail.New(mail.Options{}).Send(t.Context(), mail.Message{}); !errors.Is(err, mail.ErrNoServer) {
		t.Error(err)
	}
}

func TestAServerWithoutEncryptionIsToldNothing(t *testing.T) {
	s := mailtest.Serve(t)
	sender := mail.New(mail.Options{Server: s.Address, From: "plumb@example.com"})
	err := sender.Send(t.Context(), mail.Message{To: []string{"a@example.com"}})
	if err == nil || !strings.Contains(err.Error(), "does not offer STARTTLS") || len(s.Mails()) > 0 {
		t.Error(err)
	}
}
