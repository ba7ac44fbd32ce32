package wire

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// A Secrets finds the secret of an access key. It answers caller.ErrUnknownKey or caller.ErrExpired, or any other error when it could
// not look.
type Secrets func(ctx context.Context, accessKeyID string) (secret string, id caller.Identity, err error)

// An admission is what is known of a sender before the body is read.
type admission struct {
	who    caller.Caller
	secret string
}

// admit finds out who sent a request, as far as its headers tell. In server mode the key must be known, and date and signed
// headers must hold; in development mode any credentials do, and so do none.
func (h *Handler) admit(r *http.Request, c credential, credErr error) (admission, error) {
	a := admission{who: h.describe(r, c)}
	if !h.options.Verify {
		a.who = h.believe(r.Context(), a.who)
		return a, nil
	}
	if errors.Is(credErr, errUnsigned) {
		return a, model.MissingAuthenticationToken()
	}
	if credErr != nil {
		return a, credErr
	}
	if h.options.Secrets == nil {
		return a, model.UnrecognizedClientException()
	}
	secret, id, err := h.options.Secrets(r.Context(), c.accessKeyID)
	switch {
	case errors.Is(err, caller.ErrUnknownKey):
		return a, model.UnrecognizedClientException()
	case errors.Is(err, caller.ErrExpired):
		return a, model.ExpiredTokenException()
	case err != nil:
		return a, fmt.Errorf("look up access key %s: %w", c.accessKeyID, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.SessionToken), []byte(c.token)) != 1 {
		return a, model.UnrecognizedClientException()
	}
	if err := checkEnvelope(r, c, h.options.Now()); err != nil {
		return a, err
	}
	a.who.Become(id)
	a.secret = secret
	return a, nil
}

// Identify says who signed a request that is not an operation of a service served
// here. In development mode any signature does; without one there is an error in every
// mode.
func (h *Handler) Identify(r *http.Request, body []byte, service string) (caller.Caller, error) {
	c, err := readCredential(r)
	if errors.Is(err, errUnsigned) {
		err = model.MissingAuthenticationToken()
	}
	if err != nil {
		return caller.Caller{}, err
	}
	if h.options.Verify {
		if err := checkScope(c, service); err != nil {
			return caller.Caller{}, err
		}
	}
	a, err := h.admit(r, c, nil)
	if err != nil {
		return caller.Caller{}, err
	}
	err = h.verify(r, c, &a, payloadHash(r, c, body))
	return a.who, err
}

// verify holds the signature against the request, in server mode.
func (h *Handler) verify(r *http.Request, c credential, a *admission, payload string) error {
	if !h.options.Verify {
		return nil
	}
	if err := checkSignature(r, c, a.secret, payload); err != nil {
		return err
	}
	a.who.Verified = true
	return nil
}

// ExtendedHeader is sent by our own clients, which may ask for more than AWS has.
const ExtendedHeader = "X-Plumb-Extended"

// describe is what a request says of itself.
func (h *Handler) describe(r *http.Request, c credential) caller.Caller {
	who := caller.Caller{
		Account: h.options.DefaultAccount, Region: c.region, AccessKeyID: c.accessKeyID,
		Endpoint: h.endpoint(r), RemoteAddr: r.RemoteAddr, UserAgent: r.UserAgent(), Extended: r.Header.Get(ExtendedHeader) != "",
	}
	if who.Region == "" {
		who.Region = h.options.DefaultRegion
	}
	return who
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
func (h *Handler) believe(ctx context.Context, who caller.Caller) caller.Caller {
	id := caller.Identity{Account: h.options.DefaultAccount}
	if isAccount(who.AccessKeyID) {
		id.Account = who.AccessKeyID
	} else if h.options.Secrets != nil && who.AccessKeyID != "" {
		if _, known, err := h.options.Secrets(ctx, who.AccessKeyID); err == nil {
			id = known
		}
	}
	who.Become(id)
	return who
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
