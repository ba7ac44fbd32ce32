// Package mailtest is an SMTP server in tests of what sends mail. It is no part of
// the program.
//
//	s := mailtest.Serve(t)
//	sender := mail.New(mail.Options{Server: s.Address, From: "plumb@example.com", Security: mail.Plain})
//	s.Mails() // what was sent
package mailtest

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// A Server takes mail and keeps it. It refuses recipients that are called nobody for
// ever, and those that are called later for now.
type Server struct {
	Address string // HOST:PORT

	mu    sync.Mutex
	mails []Mail
}

// A Mail is one that was taken.
type Mail struct {
	To     []string // as the envelope says
	Raw    string
	Header mail.Header
	Text   string // decoded, with \n for line ends
}

// Serve opens a server that ends with the test.
func Serve(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: l.Addr().String()}
	server := smtp.NewServer(s)
	server.ErrorLog = silent{}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

type silent struct{}

// Printf says nothing.
func (silent) Printf(string, ...any) {}

// Println says nothing.
func (silent) Println(...any) {}

// Mails are all that were taken, in their order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// NewSession is go-smtp's.
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct {
	server *Server
	to     []string
}

// Mail is go-smtp's.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Reset is go-smtp's.
func (s *session) Reset() { s.to = nil }

// Logout is go-smtp's.
func (s *session) Logout() error { return nil }

// Rcpt is go-smtp's.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "nobody@"):
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	case strings.HasPrefix(to, "later@"):
		return &smtp.SMTPError{Code: 451, Message: "try again later"}
	}
	s.to = append(s.to, to)
	return nil
}

// Data is go-smtp's.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, Mail{s.to, string(raw), m.Header, strings.ReplaceAll(string(text), "\r\n", "\n")})
	return nil
}
