package wire

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
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
	misnamed    bool          // the scope has a region or service that cannot be one
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
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > 7*24*3600 {
		return c, model.Errorf(model.Error{Code: "AuthorizationQueryParametersError", Status: http.StatusBadRequest},
			"X-Amz-Expires must be between 1 and 604800 seconds.")
	}
	c.expires = time.Duration(seconds) * time.Second
	return c, c.complete()
}

// scope reads AKID/20060102/us-east-1/config/aws4_request. An access key may itself contain slashes in theory only.
func (c *credential) scope(text string) {
	parts := strings.Split(text, "/")
	c.accessKeyID = parts[0]
	if len(parts) != 5 || parts[4] != "aws4_request" {
		return
	}
	if !scopeName.MatchString(parts[2]) || !scopeName.MatchString(parts[3]) {
		c.misnamed = true
		return
	}
	c.date, c.region, c.service = parts[1], parts[2], parts[3]
}

// scopeName is what a region and a service may be called. Both become parts of host names and of the names of resources.
var scopeName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func errScope() error {
	return model.IncompleteSignatureException("Credential should be scoped to a valid region and service: " +
		"each has 1 to 40 small letters, digits and hyphens.")
}

func (c *credential) complete() error {
	if c.misnamed {
		return errScope()
	}
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
