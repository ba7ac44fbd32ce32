// Package mail sends mail to people through the SMTP server that the settings name:
// what channels tell, and what e-mail subscriptions of topics are sent. It receives
// none, which is package source/ses's, and stores nothing: who sends has to try again.
//
//	m := mail.New(mail.Options{Server: "smtp.example.com:587", From: "plumb@example.com", Security: mail.StartTLS})
//	err := m.Send(ctx, mail.Message{To: []string{"a@example.com"}, Subject: "...", Text: "..."})
package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

// The ways to encrypt.
const (
	StartTLS = "starttls" // the connection is encrypted before anything is sent
	TLS      = "tls"      // from the first byte
	Plain    = "none"
)

var (
	// ErrNoServer is that there is no SMTP server to send through.
	ErrNoServer = errors.New("no mail can be sent: the setting smtp-server is empty")
	// ErrRefused is that the server will not take this mail, tried again or not.
	ErrRefused = errors.New("the SMTP server refused the mail")
)

// sendTimeout is how long a mail may take in all.
const sendTimeout = 15 * time.Second

// Options say how mail is sent.
type Options struct {
	Server         string // HOST:PORT; empty: no mail is sent
	From           string // an address, with a name or without
	User, Password string // empty User: without authentication
	Security       string // StartTLS, TLS or Plain; empty is StartTLS
	Roots          *tls.Config
}

// A Message is one mail.
type Message struct {
	To      []string // addresses
	Subject string
	Text    string
	Headers map[string]string // further ones
}

// A Sender sends mail. It is safe for concurrent use.
type Sender struct{ o Options }

// New returns a Sender.
func New(o Options) *Sender { return &Sender{o} }

// Sends reports whether there is a server to send through.
func (s *Sender) Sends() bool { return s.o.Server != "" }

// Check reports what is wrong with an address.
func Check(address string) error {
	a, err := mail.ParseAddress(address)
	if err != nil || strings.ContainsAny(address, "\r\n") || !strings.Contains(a.Address, "@") {
		return fmt.Errorf("%q is no mail address", address)
	}
	return nil
}

// Send sends one mail, to all its recipients or to none: one that the server refuses
// is ErrRefused.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if !s.Sends() {
		return ErrNoServer
	}
	from, err := mail.ParseAddress(s.o.From)
	if err != nil {
		return fmt.Errorf("address of the sender: %w", err)
	}
	var to []string
	for _, address := range m.To {
		a, err := mail.ParseAddress(address)
		if err != nil {
			return fmt.Errorf("%w: address of a recipient: %w", ErrRefused, err)
		}
		to = append(to, a.Address)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := submit(c, from.Address, to, m.bytes(from, time.Now())); err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	return nil
}

// dial opens a connection that is encrypted and authenticated as the options say.
func (s *Sender) dial(ctx context.Context) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(s.o.Server)
	if err != nil {
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.o.Server)
	if err != nil {
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that is broken shows it at the next call
	}
	secure := &tls.Config{}
	if s.o.Roots != nil {
		secure = s.o.Roots.Clone()
	}
	secure.ServerName = host
	if s.o.Security == TLS {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	if err := s.begin(c, host, secure); err != nil {
		c.Close()
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	return c, nil
}

func (s *Sender) begin(c *smtp.Client, host string, secure *tls.Config) error {
	if s.o.Security == StartTLS || s.o.Security == "" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("it does not offer STARTTLS: set smtp-security to tls, or to none if the way to it is safe")
		}
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if s.o.User == "" {
		return nil
	}
	return c.Auth(smtp.PlainAuth("", s.o.User, s.o.Password, host))
}

func submit(c *smtp.Client, from string, to []string, body []byte) error {
	if err := c.Mail(from); err != nil {
		return answered("sender", err)
	}
	for _, a := range to {
		if err := c.Rcpt(a); err != nil {
			return answered("recipient "+a, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return answered("mail", err)
	}
	if _, err := w.Write(body); err != nil {
		return answered("mail", err)
	}
	if err := w.Close(); err != nil {
		return answered("mail", err)
	}
	_ = c.Quit() // the mail is taken
	return nil
}

// answered says what the server did not take, and whether that is its last word.
func answered(what string, err error) error {
	var code *textproto.Error
	if errors.As(err, &code) && code.Code >= 500 && code.Code < 600 {
		return fmt.Errorf("%s: %w: %w", what, ErrRefused, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// bytes writes a mail as it is sent.
func (m Message) bytes(from *mail.Address, now time.Time) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, flat(value)) }
	header("From", from.String())
	header("To", strings.Join(m.To, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", flat(m.Subject)))
	header("Date", now.Format(time.RFC1123Z))
	header("Message-ID", "<"+newID()+"@"+domain(from.Address)+">")
	header("Auto-Submitted", "auto-generated")
	for name, value := range m.Headers {
		header(name, value)
	}
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(m.Text)) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

// flat makes one line of a text, so that it cannot begin another header.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	return hex.EncodeToString(b[:])
}
