package lambda

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// linkLife is how long a link to code works.
const linkLife = 10 * time.Minute

// CodeLink returns what a link to a zip file must carry: until when it works, in
// epoch seconds, and the signature that shows it was given out here.
func (s *Service) CodeLink(sha string) (expires, signature string) {
	expires = strconv.FormatInt(s.now().Add(linkLife).Unix(), 10)
	return expires, s.signLink(sha, expires)
}

// LinkHolds reports whether a link was given out here and still works.
func (s *Service) LinkHolds(sha, expires, signature string) bool {
	until, err := strconv.ParseInt(expires, 10, 64)
	return err == nil && s.now().Unix() <= until && hmac.Equal([]byte(signature), []byte(s.signLink(sha, expires)))
}

func (s *Service) signLink(sha, expires string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(sha + " " + expires))
	return hex.EncodeToString(mac.Sum(nil))
}
