package app

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/audit"
	"plumb/internal/authorization"
	"plumb/internal/config"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// bucketAsks says what a request asks of S3.
type bucketAsks func(r *http.Request) (operation, bucket, key string)

// audited keeps a call that changed something or was refused.
func (a *App) audited(ctx context.Context, r wire.Answered, asks bucketAsks) {
	m := a.machine.Load()
	if m == nil {
		return
	}
	service := r.Info.Signing
	switch {
	case service != "":
	case r.Unserved != "":
		service = r.Unserved
	default:
		service = r.Service
	}
	code := r.Code
	if code == "" && r.Status >= 400 {
		code = "HTTP" + strconv.Itoa(r.Status) // of a target, which has words of its own
	}
	var bucket, key string
	if r.Service == "s3" {
		var operation string
		if operation, bucket, key = asks(r.Request); r.Operation == "" && operation != "" {
			r.Asked = operation // it was refused before S3 was asked
		}
	}
	reading := audit.IsReading(service, r.Asked)
	if !m.Audit.Keeps(service, r.Asked, code, r.Status) || reading && outside.IsOwn(ctx) {
		return
	}
	e := audit.Event{
		Place: config.Place{Account: r.Caller.Account, Region: r.Caller.Region}, Who: a.whoIs(r.Caller), SourceIP: hostOf(r.Request.RemoteAddr),
		UserAgent: r.Caller.UserAgent, Service: bounded(service), Operation: r.Asked, RequestID: r.Caller.RequestID, Code: code, ReadOnly: reading,
		Data: audit.IsData(service, r.Asked),
	}
	if a.settings.Mode == settings.Server && !r.Caller.Verified && r.Caller.PrincipalARN == "" {
		e.Place.Account = ""
	}
	e.UserAgent, e.Place.Region = bounded(e.UserAgent), bounded(e.Place.Region)
	describe(&e, r, bucket, key)
	m.Audit.Add(e)
}

// maxSaid bounds what a client says of itself.
const maxSaid = 256

func bounded(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxSaid)], "") }

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// describe says with what a call was made and what it is about.
func describe(e *audit.Event, r wire.Answered, bucket, key string) {
	var in any
	switch {
	case r.Service == "s3":
		in = bucketParameters(r.Request, bucket, key)
		e.Resources = bucketResources(bucket, key)
	case r.Info.Signing != "" && e.Who.Type != "Unknown":
		if in = r.Input(); in != nil {
			e.Resources = authorization.Resources(r.Caller, r.Info, r.Operation, in)
		}
	}
	sent := audit.Redact(in)
	e.Sent = sent.JSON
	e.Resources = append(e.Resources, sent.Names...)
	if in != nil || audit.IsRefusal(r.Code, r.Status) { // other errors may be about what could not be read
		e.Message = sent.Message(r.Message)
	}
	if r.Output != nil && r.Status < 400 && !e.ReadOnly {
		answered := audit.Redact(r.Output)
		e.Answered = answered.JSON
		e.Resources = append(e.Resources, answered.Names...)
	}
	slices.Sort(e.Resources)
	e.Resources = slices.Compact(e.Resources)
}

// bucketHeaders are those of S3's requests that are kept.
var bucketHeaders = []string{
	"x-amz-acl", "x-amz-copy-source", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
	"x-amz-tagging", "x-amz-expected-bucket-owner", "x-amz-bucket-object-lock-enabled", "x-amz-object-ownership",
}

// bucketParameters are what a request asks of S3, without its body and signature.
func bucketParameters(r *http.Request, bucket, key string) map[string]any {
	out := map[string]any{}
	if bucket != "" {
		out["bucketName"] = bucket
	}
	if key != "" {
		out["key"] = key
	}
	for name, values := range r.URL.Query() {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "x-amz-") && lower != "awsaccesskeyid" && lower != "signature" && lower != "expires" {
			out[name] = strings.Join(values, ",")
		}
	}
	for _, name := range bucketHeaders {
		if v := r.Header.Get(name); v != "" {
			out[name] = v
		}
	}
	return out
}

func bucketResources(bucket, key string) []string {
	switch {
	case bucket == "":
		return nil
	case key == "":
		return []string{"arn:aws:s3:::" + bounded(bucket)}
	}
	return []string{"arn:aws:s3:::" + bounded(bucket), "arn:aws:s3:::" + bounded(bucket) + "/" + key[:min(len(key), 1024)]}
}
