package wire

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"plumb/internal/model"
)

// An Identity is whom an access key belongs to.
type Identity struct {
	Account      string
	PrincipalARN string
	UserID       string
	SessionToken string // of temporary credentials; the request must carry the same
}

// A Secrets finds the secret of an access key. It answers ErrUnknownKey or ErrExpired, or any other error when it could
// not look.
type Secrets func(ctx context.Context, accessKeyID string) (secret string, id Identity, err error)

// What Secrets answers for keys that do not work.
var (
	ErrUnknownKey = errors.New("access key is not known")
	ErrExpired    = errors.New("temporary credentials have expired")
)

// authenticate finds out who sent a request. In server mode the signature must hold; in development mode any
// credentials do, and so do none.
func (h *Handler) authenticate(r *http.Request, c credential, credErr error, payload string) (Caller, string, error) {
	caller := h.describe(r, c)
	if !h.options.Verify {
		return h.believe(r.Context(), caller), "", nil
	}
	if errors.Is(credErr, errUnsigned) {
		return caller, "", model.MissingAuthenticationToken()
	}
	if credErr != nil {
		return caller, "", credErr
	}
	if h.options.Secrets == nil {
		return caller, "", model.UnrecognizedClientException()
	}
	secret, id, err := h.options.Secrets(r.Context(), c.accessKeyID)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return caller, "", model.UnrecognizedClientException()
	case errors.Is(err, ErrExpired):
		return caller, "", model.ExpiredTokenException()
	case err != nil:
		return caller, "", fmt.Errorf("look up access key %s: %w", c.accessKeyID, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.SessionToken), []byte(c.token)) != 1 {
		return caller, "", model.UnrecognizedClientException()
	}
	if err := checkSignature(r, c, secret, payload, h.options.Now()); err != nil {
		return caller, "", err
	}
	caller.become(id)
	caller.Verified = true
	return caller, secret, nil
}

// describe is what a request says of itself.
func (h *Handler) describe(r *http.Request, c credential) Caller {
	caller := Caller{
		Account: h.options.DefaultAccount, Region: c.region, AccessKeyID: c.accessKeyID,
		Endpoint: h.endpoint(r), RemoteAddr: r.RemoteAddr, UserAgent: r.UserAgent(),
	}
	if caller.Region == "" {
		caller.Region = h.options.DefaultRegion
	}
	return caller
}

func (h *Handler) endpoint(r *http.Request) string {
	switch {
	case h.options.PublicURL != "":
		return strings.TrimSuffix(h.options.PublicURL, "/")
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// believe takes development mode's credentials: those that Plumb gave out name their owner, an access key of twelve
// digits is the account, and anything else is the default account.
func (h *Handler) believe(ctx context.Context, caller Caller) Caller {
	id := Identity{Account: h.options.DefaultAccount}
	if isAccount(caller.AccessKeyID) {
		id.Account = caller.AccessKeyID
	} else if h.options.Secrets != nil && caller.AccessKeyID != "" {
		if _, known, err := h.options.Secrets(ctx, caller.AccessKeyID); err == nil {
			id = known
		}
	}
	caller.become(id)
	return caller
}

func (c *Caller) become(id Identity) {
	c.Account, c.PrincipalARN, c.UserID = id.Account, id.PrincipalARN, id.UserID
	if c.PrincipalARN == "" {
		c.PrincipalARN = "arn:aws:iam::" + id.Account + ":root"
	}
	if c.UserID == "" {
		c.UserID = id.Account
	}
}

func isAccount(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}

// checkScope refuses a signature that was made for another service.
func checkScope(c credential, service string) error {
	if c.service == "" || c.service == service {
		return nil
	}
	return model.InvalidSignatureException("Credential should be scoped to correct service: '%s'. ", service)
}
