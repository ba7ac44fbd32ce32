package ses

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/sesapi"
)

// Bounds of what strangers send.
const (
	maxSize     = 40 << 20  // of a mail
	maxAtOnce   = 256 << 20 // of all that are being received
	maxTo       = 100       // recipients of a mail
	idleTimeout = 5 * time.Minute
)

// MaxConnections is how many connections of SMTP a server has at a time.
const MaxConnections = 64

// The answers that SES gives.
var (
	errMailbox = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "Requested action not taken: mailbox unavailable"}
	errBlocked = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Requested action not taken: the sender's address is blocked"}
	errTLS     = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	errLarge   = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "Message size exceeds fixed maximum message size"}
	errLocal   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Requested mail action aborted: local error in processing"}
	errRoom    = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Requested action not taken: insufficient system storage"}
	errSyntax  = &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 1, 7}, Message: "Requested action not taken: mailbox name not allowed"}
)

// SMTP answers mail clients on a listener until what it returns is called. mail is asked for each
// connection: a reset puts another one in its place.
func SMTP(log *slog.Logger, l net.Listener, region string, certificate *tls.Config, mail func() *Mail) (stop func(ctx context.Context)) {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		var ip netip.Addr
		if a, err := netip.ParseAddrPort(c.Conn().RemoteAddr().String()); err == nil {
			ip = a.Addr().Unmap()
		}
		return &session{m: mail(), c: c, envelope: envelope{IP: ip}}, nil
	}))
	s.Domain = "inbound-smtp." + region + ".amazonaws.com"
	s.TLSConfig, s.MaxRecipients, s.MaxMessageBytes = certificate, maxTo, maxSize
	s.ReadTimeout, s.WriteTimeout, s.EnableSMTPUTF8 = idleTimeout, idleTimeout, true
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	var done sync.WaitGroup
	done.Go(func() { s.Serve(l) }) // until it is shut down
	return func(ctx context.Context) {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		done.Wait()
	}
}

// A session is one connection.
type session struct {
	m        *Mail
	c        *smtp.Conn
	envelope envelope
	to       map[config.Place][]string
	topic    bool // a rule sends the mail to a topic
}

// Reset forgets the mail that was begun.
func (s *session) Reset() {
	s.envelope.From, s.envelope.To, s.to, s.topic = "", nil, nil, false
}

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Mail begins a mail.
func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.Reset()
	s.envelope.From, s.envelope.Helo = from, s.c.Hostname()
	return nil
}

// Rcpt takes a recipient who is received for here.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, _, ok := cutAddress(to); !ok || len(to) > 320 {
		return errSyntax
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var found []taker
	var blocks bool
	err := s.m.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, blocks, err = s.m.takers(ctx, tx, to, s.envelope.IP)
		return err
	})
	switch {
	case err != nil:
		s.m.log.Error("a recipient was not found out about", "err", err)
		return errLocal
	case len(found) == 0 && blocks:
		return errBlocked
	case len(found) == 0:
		return errMailbox
	}
	_, encrypted := s.c.TLSConnectionState()
	for _, t := range found {
		needs := func(r Rule) bool { return r.TLS == string(sesapi.TlsPolicyRequire) }
		if slices.ContainsFunc(t.rules, needs) && !encrypted {
			return errTLS
		}
	}
	if s.to == nil {
		s.to = map[config.Place][]string{}
	}
	s.envelope.To = append(s.envelope.To, to)
	for _, t := range found {
		s.to[t.set.Place] = append(s.to[t.set.Place], to)
		for _, r := range t.rules {
			s.topic = s.topic || slices.ContainsFunc(r.Actions, func(a Action) bool { return a.Type == ActionSNS })
		}
	}
	return nil
}

// Data reads a mail and keeps it. Its sender is told of that when it is on disk.
func (s *session) Data(r io.Reader) error {
	limit := int64(maxSize)
	if s.topic {
		limit = maxPublished
	}
	text, release, err := s.m.read(r, limit)
	defer release()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var id string
	err = s.m.db.Write(ctx, func(tx *db.Tx) (err error) {
		id, err = s.m.accept(ctx, tx, s.envelope, s.to, text)
		return err
	})
	if err != nil {
		s.m.log.Error("a mail was not kept", "err", err)
		return errLocal
	}
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.NoEnhancedCode, Message: "OK " + id}
}

// read reads a mail piece by piece, as far as there is room for it.
func (m *Mail) read(r io.Reader, limit int64) (text []byte, release func(), err error) {
	const piece = 64 << 10
	share := m.receiving.Share()
	release = share.Release
	for {
		if share.Take(piece) != nil {
			return nil, release, errRoom
		}
		part := make([]byte, piece)
		n, err := io.ReadFull(r, part)
		text = append(text, part[:n]...)
		switch {
		case int64(len(text)) > limit || errors.Is(err, smtp.ErrDataTooLarge):
			return nil, release, errLarge
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && n < piece && isEnd(r):
			return text, release, nil
		case err != nil:
			return nil, release, err
		}
	}
}

// isEnd reports whether a reader has ended. ReadFull has one error for that and for a
// connection that broke.
func isEnd(r io.Reader) bool {
	_, err := r.Read(make([]byte, 1))
	return err == io.EOF
}
