package wire

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"plumb/internal/model"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// A credential is what a request says about its signature, in its Authorization header or its query.
type credential struct {
	accessKeyID string
	date        string // 20060102
	region      string
	service     string
	signed      []string // header names, lower case
	signature   string
	token       string // of temporary credentials
	time        string // as written
	presigned   bool
	expires     time.Duration // of a presigned request
}

// errUnsigned: there is no credential at all, which development mode does not mind.
var errUnsigned = errors.New("the request is not signed")

// readCredential finds the credential of a request. It returns what it could read even with an error: the scope of a
// broken signature still says which service to answer as.
func readCredential(r *http.Request) (credential, error) {
	if r.Header.Get("Authorization") != "" {
		return fromHeader(r)
	}
	query := r.URL.Query()
	if query.Has("X-Amz-Credential") || query.Has("X-Amz-Signature") {
		return fromQuery(r)
	}
	if id := query.Get("AWSAccessKeyId"); id != "" { // signature version 2, which old S3 URLs carry
		return credential{accessKeyID: id, service: "s3", presigned: true}, errVersion2()
	}
	return credential{}, errUnsigned
}

func errVersion2() *model.Error {
	return model.InvalidSignatureException("Signature version 2 is not supported. Please use AWS4-HMAC-SHA256.")
}

func fromHeader(r *http.Request) (credential, error) {
	header := r.Header.Get("Authorization")
	kind, rest, _ := strings.Cut(header, " ")
	c := credential{time: r.Header.Get("X-Amz-Date"), token: r.Header.Get("X-Amz-Security-Token")}
	switch kind {
	case algorithm:
	case "AWS": // signature version 2: only the key can be read
		c.accessKeyID, _, _ = strings.Cut(rest, ":")
		return c, errVersion2()
	default:
		return c, model.IncompleteSignatureException("Authorization header requires existence of 'Credential' parameter.")
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			c.scope(value)
		case "SignedHeaders":
			c.signed = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	if c.time == "" {
		c.time = headerDate(r.Header.Get("Date"))
	}
	return c, c.complete()
}

// headerDate turns the Date header, which may stand in for X-Amz-Date, into the signature's spelling.
func headerDate(date string) string {
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC().Format(timeFormat)
	}
	return date
}

func fromQuery(r *http.Request) (credential, error) {
	query := r.URL.Query()
	c := credential{
		presigned: true,
		signed:    strings.Split(query.Get("X-Amz-SignedHeaders"), ";"),
		signature: query.Get("X-Amz-Signature"),
		token:     query.Get("X-Amz-Security-Token"),
		time:      query.Get("X-Amz-Date"),
	}
	c.scope(query.Get("X-Amz-Credential"))
	if a := query.Get("X-Amz-Algorithm"); a != algorithm {
		return c, model.IncompleteSignatureException("X-Amz-Algorithm %q is not supported.", a)
	}
	if seconds := query.Get("X-Amz-Expires"); seconds != "" {
		d, err := time.ParseDuration(seconds + "s")
		if err != nil || d < 0 || d > 7*24*time.Hour {
			return c, model.IncompleteSignatureException("X-Amz-Expires must be between 0 and 604800 seconds.")
		}
		c.expires = d
	}
	return c, c.complete()
}

// scope reads AKID/20060102/us-east-1/config/aws4_request. An access key may itself contain slashes in theory only.
func (c *credential) scope(text string) {
	parts := strings.Split(text, "/")
	c.accessKeyID = parts[0]
	if len(parts) == 5 && parts[4] == "aws4_request" {
		c.date, c.region, c.service = parts[1], parts[2], parts[3]
	}
}

func (c *credential) complete() error {
	var missing []string
	for _, part := range [][2]string{
		{"Credential", c.service}, {"Signature", c.signature}, {"SignedHeaders", strings.Join(c.signed, "")},
	} {
		if part[1] == "" {
			missing = append(missing, "Authorization header requires '"+part[0]+"' parameter.")
		}
	}
	if c.time == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) > 0 {
		return model.IncompleteSignatureException("%s", strings.Join(missing, " "))
	}
	return nil
}
