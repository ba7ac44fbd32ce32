package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"plumb/internal/config"
	"plumb/internal/mail"
	"plumb/internal/outgoing"
	"plumb/internal/settings"
)

var (
	// ErrInvalid is that the other side does not take what was written.
	ErrInvalid = errors.New("the channel does not take such a post")
	// ErrRefused is that the other side takes nothing at all, for now.
	ErrRefused = errors.New("the channel refuses")
)

// SignatureHeader names the header of a webhook's signature: t=UNIX SECONDS,v1=HEX. v1
// is the HMAC-SHA256, by the channel's secret, of the seconds, a dot and the body.
const SignatureHeader = "Plumb-Signature"

// Send sends lines, one at least, all of one place, in one post.
func (c *Channel) Send(ctx context.Context, p config.Place, lines []Line) error {
	var body []byte
	var err error
	switch c.set.Kind {
	case settings.ChannelEmail:
		return c.mail(ctx, p, lines)
	case settings.ChannelSlack:
		body, err = slackBody(p, lines)
	case settings.ChannelTeams:
		body, err = teamsBody(p, lines)
	default:
		body, err = webhookBody(c.set.Name, p, lines)
	}
	if err != nil {
		return fmt.Errorf("write the post: %w", err)
	}
	return c.post(ctx, body)
}

func (c *Channel) mail(ctx context.Context, p config.Place, lines []Line) error {
	err := c.o.Mail.Send(ctx, mail.Message{To: c.set.To, Subject: short("[Plumb] "+headline(p, lines), 150), Text: mailText(p, lines)})
	if errors.Is(err, mail.ErrRefused) || errors.Is(err, mail.ErrNoServer) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

func (c *Channel) post(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.set.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: its url is none", ErrRefused) // err has the URL, which is a secret
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Plumb")
	if key := c.set.Secret.Reveal(); key != "" {
		r.Header.Set(SignatureHeader, signature(key, c.o.Now().Unix(), body))
	}
	res, err := c.o.Client.Do(r)
	if err != nil {
		return unaddressed(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return answered(res.StatusCode, short(flat(string(text)), 200))
}

func signature(key string, seconds int64, body []byte) string {
	h := hmac.New(sha256.New, []byte(key))
	at := strconv.FormatInt(seconds, 10)
	h.Write([]byte(at + "."))
	h.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// unaddressed is an error of a call without the URL, which is a secret.
func unaddressed(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, outgoing.ErrRefused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("post to the channel: %w", err)
}

func answered(status int, body string) error {
	if status >= 200 && status < 300 {
		return nil
	}
	err := fmt.Errorf("it answered %d %s %s", status, http.StatusText(status), body)
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
