package wire

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// gitTime is how AWS's credential helper for git writes the time that it signs. The password has a Z after it.
const gitTime = "20060102T150405"

// gitValid is how long such a password is good for.
const gitValid = 15 * time.Minute

// IdentifyGit says who sent a request of git for a path. AWS's credential helper makes a password of a signature of that
// path and the host, by the method GIT; the user name is the access key, with the session's token after a percent sign.
// The region is signed and not sent: regions are those that the caller's account may mean. In development mode any user
// and password do, and so do none: the region is the first one then. An unsigned request is a MissingAuthenticationToken.
func (h *Handler) IdentifyGit(r *http.Request, path string, regions func(ctx context.Context, account string) ([]string, error)) (caller.Caller, error) {
	user, password, signed := r.BasicAuth()
	key, token, _ := strings.Cut(user, "%")
	who := h.describe(r, credential{accessKeyID: key})
	if !h.options.Verify {
		who = h.believe(r.Context(), who)
		list, err := regions(r.Context(), who.Account)
		if err == nil && len(list) > 0 {
			who.Region = list[0]
		}
		return who, err
	}
	if !signed {
		return who, model.MissingAuthenticationToken()
	}
	secret, id, err := h.secretOf(r.Context(), key, token)
	if err != nil {
		return who, err
	}
	list, err := regions(r.Context(), id.Account)
	if err != nil {
		return who, err
	}
	who.Become(id)
	who.Region, err = h.gitRegion(r, path, credential{accessKeyID: key, token: token}, secret, password, append(slices.Clone(list), h.options.DefaultRegion))
	who.Verified = err == nil
	return who, err
}

// gitRegion returns the region for which a password was made.
func (h *Handler) gitRegion(r *http.Request, path string, c credential, secret, password string, regions []string) (string, error) {
	stamp, signature, found := strings.Cut(password, "Z")
	at, err := time.Parse(gitTime, stamp)
	if !found || err != nil {
		return "", mismatch()
	}
	if now := h.options.Now().UTC(); at.After(now.Add(skew)) || now.After(at.Add(gitValid)) {
		return "", model.InvalidSignatureException("Signature expired or not yet current: %s, and it is %s.", stamp, now.Format(timeFormat))
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	request := "GIT\n" + path + "\n\nhost:" + host + "\n\nhost\n"
	c.time, c.date, c.service = stamp, at.Format("20060102"), "codecommit"
	for _, c.region = range regions {
		if subtle.ConstantTimeCompare([]byte(c.sign(signingKey(secret, c), request)), []byte(signature)) == 1 {
			return c.region, nil
		}
	}
	return "", mismatch()
}
