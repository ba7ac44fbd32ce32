package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/model"
)

// skew is how far a client's clock may be off.
const skew = 5 * time.Minute

// skewS3 is the same at S3, which has an error of its own for it.
const skewS3 = 15 * time.Minute

const (
	unsignedPayload = "UNSIGNED-PAYLOAD"
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// checkEnvelope checks what a signature says of itself, without its body: its time, and which headers it covers.
func checkEnvelope(r *http.Request, c credential, now time.Time) error {
	if err := c.checkTime(now); err != nil {
		return err
	}
	return c.checkHeaders(r)
}

// checkSignature compares a request's signature with the one that secret makes. payload is the hash of the body, or
// what S3 clients put in its place.
func checkSignature(r *http.Request, c credential, secret, payload string) error {
	key := signingKey(secret, c)
	for _, path := range paths(r, c.service) {
		if subtle.ConstantTimeCompare([]byte(c.sign(key, canonical(r, c, path, payload))), []byte(c.signature)) == 1 {
			return nil
		}
	}
	return mismatch()
}

func mismatch() *model.Error {
	return model.InvalidSignatureException("The request signature we calculated does not match the signature you " +
		"provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}

func (c credential) checkTime(now time.Time) error {
	t, err := time.Parse(timeFormat, c.time)
	if err != nil {
		return model.IncompleteSignatureException("Date must be in ISO-8601 'basic format'. Got '%s'.", c.time)
	}
	if t.Format("20060102") != c.date {
		return model.InvalidSignatureException("Date in Credential scope does not match YYYYMMDD from ISO-8601 version "+
			"of date from HTTP: '%s' != '%s', from '%s'.", c.date, t.Format("20060102"), c.time)
	}
	now = now.UTC()
	if c.service == "s3" {
		return c.checkTimeS3(t, now)
	}
	valid := skew
	if c.presigned && c.expires > 0 {
		valid = c.expires
	}
	switch {
	case t.After(now.Add(skew)):
		return model.InvalidSignatureException("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			c.time, now.Add(skew).Format(timeFormat), now.Format(timeFormat))
	case now.After(t.Add(valid)):
		return model.InvalidSignatureException("Signature expired: %s is now earlier than %s (%s - %v min.)",
			c.time, now.Add(-valid).Format(timeFormat), now.Format(timeFormat), valid.Minutes())
	}
	return nil
}

func (c credential) checkTimeS3(t, now time.Time) error {
	valid := skewS3
	if c.presigned && c.expires > 0 {
		valid = c.expires
	}
	switch {
	case c.presigned && now.After(t.Add(valid)):
		return model.Errorf(model.Error{Code: "AccessDenied", Status: http.StatusForbidden}, "Request has expired")
	case t.After(now.Add(skewS3)), now.After(t.Add(valid)):
		return model.Errorf(model.Error{Code: "RequestTimeTooSkewed", Status: http.StatusForbidden},
			"The difference between the request time and the current time is too large.")
	}
	return nil
}

// checkHeaders demands that what gives a request its meaning is signed: the host and every x-amz- header.
func (c credential) checkHeaders(r *http.Request) error {
	if !slices.Contains(c.signed, "host") {
		return model.InvalidSignatureException("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(c.signed, name) {
			return model.InvalidSignatureException("There were headers present in the request which were not signed: %s", name)
		}
	}
	return nil
}

// canonical is the request in the one spelling that both sides sign.
func canonical(r *http.Request, c credential, path, payload string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.RawQuery, c.presigned) + "\n")
	for _, name := range c.signed {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(c.signed, ";") + "\n" + payload)
	return b.String()
}

func canonicalHeader(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	values := r.Header.Values(name)
	if name == "content-length" && len(values) == 0 && r.ContentLength >= 0 {
		return strconv.FormatInt(r.ContentLength, 10) // net/http takes it out of the header
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(out, ",")
}

// canonicalQuery sorts the parameters and spells them AWS's way, without the signature itself.
func canonicalQuery(raw string, presigned bool) string {
	if raw == "" {
		return ""
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = respell(name), respell(value)
		if !presigned || name != "X-Amz-Signature" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if n := strings.Compare(a[0], b[0]); n != 0 {
			return n
		}
		return strings.Compare(a[1], b[1])
	})
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p[0] + "=" + p[1]
	}
	return strings.Join(out, "&")
}

// respell decodes a piece of a query and encodes it again as AWS does, so that %7e and ~ are one.
func respell(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		plain = text
	}
	return escape(plain, false)
}

// escape percent-encodes everything but unreserved characters, and slashes where they are kept.
func escape(text string, keepSlash bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0,
			keepSlash && c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// paths are the spellings of the path that clients sign. S3 signs it encoded once. For the others the encoded path is
// encoded again, and some clients take out empty and dotted segments first.
func paths(r *http.Request, service string) []string {
	sent := r.URL.EscapedPath()
	if sent == "" {
		sent = "/"
	}
	if service == "s3" || service == "s3express" {
		return []string{escape(r.URL.Path, true), sent}
	}
	twice := escape(sent, true)
	clean := escape(removeDots(sent), true)
	if clean == twice {
		return []string{twice}
	}
	return []string{twice, clean}
}

func removeDots(path string) string {
	var out []string
	for s := range strings.SplitSeq(path, "/") {
		switch {
		case s == "" || s == ".":
		case s == ".." && len(out) > 0:
			out = out[:len(out)-1]
		case s != "..":
			out = append(out, s)
		}
	}
	clean := "/" + strings.Join(out, "/")
	if strings.HasSuffix(path, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

func signingKey(secret string, c credential) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.date, c.region, c.service, "aws4_request"} {
		key = mac(key, part)
	}
	return key
}

func (c credential) sign(key []byte, canonicalRequest string) string {
	return hex.EncodeToString(mac(key, algorithm+"\n"+c.time+"\n"+c.scopeText()+"\n"+hashText([]byte(canonicalRequest))))
}

func (c credential) scopeText() string {
	return strings.Join([]string{c.date, c.region, c.service, "aws4_request"}, "/")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hashText(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
