package wire

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	nobody bool // who calls an operation that needs no signature
}

// admit finds out who sent a request, as far as its headers tell. In server mode the key must be known, and date and signed
// headers must hold; in development mode any credentials do, and so do none.
func (h *Handler) admit(r *http.Request, c credential, credErr error) (admission, error) {
	a := admission{who: h.describe(r, c)}
	if !h.options.Verify {
		a.who = h.believe(r.Context(), a.who)
		return a, nil
	}
	if errors.Is(credErr, errUnsigned) && h.needsNone(r) {
		a.who.Account, a.nobody = "", true
		return a, nil
	}
	if errors.Is(credErr, errUnsigned) {
		return a, model.MissingAuthenticationToken()
	}
	if credErr != nil {
		return a, credErr
	}
	secret, id, err := h.secretOf(r.Context(), c.accessKeyID, c.token)
	if err != nil {
		return a, err
	}
	if err := checkEnvelope(r, c, h.options.Now()); err != nil {
		return a, err
	}
	a.who.Become(id)
	a.secret = secret
	return a, nil
}

// secretOf returns the secret and the owner of an access key that is known and used with its token.
func (h *Handler) secretOf(ctx context.Context, accessKeyID, token string) (string, caller.Identity, error) {
	if h.options.Secrets == nil {
		return "", caller.Identity{}, model.UnrecognizedClientException()
	}
	secret, id, err := h.options.Secrets(ctx, accessKeyID)
	switch {
	case errors.Is(err, caller.ErrUnknownKey):
		return "", id, model.UnrecognizedClientException()
	case errors.Is(err, caller.ErrExpired):
		return "", id, model.ExpiredTokenException()
	case err != nil:
		return "", id, fmt.Errorf("look up access key %s: %w", accessKeyID, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.SessionToken), []byte(token)) != 1 {
		return "", id, model.UnrecognizedClientException()
	}
	return secret, id, nil
}

// needsNone reports whether a request is for an operation that needs no signature.
func (h *Handler) needsNone(r *http.Request) bool {
	prefix, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for _, s := range h.services {
		if s.Info.TargetPrefix == prefix && prefix != "" {
			return slices.Contains(h.options.Unsigned[s.Info.Name], operation)
		}
	}
	return false
}

// Admit refuses what Identify would refuse whatever the body is. It is asked before a
// stranger's body is read.
func (h *Handler) Admit(r *http.Request, service string) error {
	_, _, err := h.admitFor(r, service)
	return err
}

// Identify says who signed a request that is not an operation of a service served
// here. In development mode any signature does; without one there is an error in every
// mode.
func (h *Handler) Identify(r *http.Request, body []byte, service string) (caller.Caller, error) {
	c, a, err := h.admitFor(r, service)
	if err != nil {
		return caller.Caller{}, err
	}
	err = h.verify(r, c, &a, payloadHash(r, c, body))
	return a.who, err
}

func (h *Handler) admitFor(r *http.Request, service string) (c credential, a admission, err error) {
	c, err = readCredential(r)
	if errors.Is(err, errUnsigned) {
		err = model.MissingAuthenticationToken()
	}
	if err == nil && h.options.Verify {
		err = checkScope(c, service)
	}
	if err == nil {
		a, err = h.admit(r, c, nil)
	}
	return c, a, err
}

// verify holds the signature against the request, in server mode.
func (h *Handler) verify(r *http.Request, c credential, a *admission, payload string) error {
	if !h.options.Verify || a.nobody {
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
