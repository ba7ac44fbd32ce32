package cloudfront

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
)

// An Object is one of a bucket that is an origin.
type Object struct {
	Status int // 200, or that of S3's refusal
	Header http.Header
	Body   io.ReadCloser
}

// An ObjectRequest asks a bucket for an object, in the name of a distribution.
type ObjectRequest struct {
	Account      string // of the distribution
	Distribution string // its ARN
	Identity     string // an origin access identity; empty for none
	Signed       bool   // as an origin access control has it
	Bucket, Key  string
}

// originOf shows an origin of the configuration to functions.
func originOf(o api.Origin) *origin {
	custom := Headers{}
	for _, h := range o.CustomHeaders.Items {
		custom.set(*h.HeaderName, *h.HeaderValue)
	}
	if o.S3OriginConfig != nil {
		auth := "none"
		if model.Deref(o.S3OriginConfig.OriginAccessIdentity) != "" {
			auth = "origin-access-identity"
		}
		return &origin{S3: &s3Origin{AuthMethod: auth, CustomHeaders: custom, Domain: *o.DomainName, Path: model.Deref(o.OriginPath), Region: "us-east-1"}}
	}
	c := o.CustomOriginConfig
	out := &customOrigin{
		CustomHeaders: custom, Domain: *o.DomainName, Keepalive: int(model.Deref(c.OriginKeepaliveTimeout)), Path: model.Deref(o.OriginPath), Port: int(model.Deref(c.HTTPPort)),
		Protocol: "http", ReadTimeout: int(model.Deref(c.OriginReadTimeout)),
	}
	if c.OriginProtocolPolicy == "https-only" {
		out.Port, out.Protocol = int(model.Deref(c.HTTPSPort)), "https"
	}
	for _, s := range c.OriginSslProtocols.Items {
		out.SSLProtocols = append(out.SSLProtocols, string(s))
	}
	return &origin{Custom: out}
}

// A fetched is what an origin answers.
type fetched struct {
	response
	body io.ReadCloser
}

// unreachable is the page of an origin that does not answer.
func unreachable(err error) *problem {
	if errors.Is(err, context.DeadlineExceeded) {
		return &problem{status: http.StatusGatewayTimeout, text: "CloudFront attempted to establish a connection with the origin, but either the attempt failed or " +
			"the origin closed the connection. We can't connect to the server for this app or website at this time."}
	}
	return &problem{status: http.StatusBadGateway, text: "CloudFront wasn't able to connect to the origin. " +
		"We can't connect to the server for this app or website at this time."}
}

// fetch asks an origin.
func (p *Proxy) fetch(ctx context.Context, x *exchange, r request, from api.Origin, body io.Reader, size int64) (fetched, *problem) {
	if r.Origin.S3 != nil {
		return p.fetchObject(ctx, x, r, from)
	}
	o := r.Origin.Custom
	if o.Protocol != "http" && o.Protocol != "https" || o.Port < 1 || o.Port > 65535 || o.Domain == "" || strings.ContainsAny(o.Domain, "/:@?# ") ||
		o.Path != "" && !strings.HasPrefix(o.Path, "/") {
		return fetched{}, invalidResult("The Lambda function returned an invalid origin.")
	}
	target := o.Protocol + "://" + net.JoinHostPort(o.Domain, strconv.Itoa(o.Port)) + o.Path + r.URI
	if r.Query != "" {
		target += "?" + r.Query
	}
	out, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return fetched{}, invalidResult("The Lambda function returned an invalid request.")
	}
	if body == nil {
		out.Body = http.NoBody
	}
	out.ContentLength = size
	r.Headers.write(out.Header)
	for name, values := range o.CustomHeaders {
		out.Header.Del(name)
		for _, v := range values {
			out.Header.Add(name, v.Value)
		}
	}
	out.Host = r.Headers.get("host")
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"} {
		out.Header.Del(name)
	}
	out.Header.Set("Accept-Encoding", "identity")
	res, err := p.o.Client.Do(out)
	if err != nil {
		p.log.Info("an origin did not answer", "distribution", x.d.ID, "origin", o.Domain, "err", err)
		return fetched{}, unreachable(err)
	}
	h := headersOf(res.Header)
	delete(h, "content-length")
	return fetched{response{strconv.Itoa(res.StatusCode), http.StatusText(res.StatusCode), h}, res.Body}, nil
}

// bucketOf is the bucket in an origin's domain name.
func bucketOf(domain string) string {
	name, _, found := strings.Cut(domain, ".s3.")
	if !found {
		name, _, _ = strings.Cut(domain, ".s3-")
	}
	return name
}

func (p *Proxy) fetchObject(ctx context.Context, x *exchange, r request, from api.Origin) (fetched, *problem) {
	key, err := url.PathUnescape(strings.TrimPrefix(r.Origin.S3.Path+r.URI, "/"))
	if err != nil || !slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method) {
		return fetched{}, &problem{status: http.StatusForbidden, text: "Access denied."}
	}
	ask := ObjectRequest{Account: x.d.Account, Distribution: x.d.ARN(), Bucket: bucketOf(r.Origin.S3.Domain), Key: key, Signed: model.Deref(from.OriginAccessControlId) != ""}
	if from.S3OriginConfig != nil && r.Origin.S3.AuthMethod == "origin-access-identity" {
		ask.Identity = strings.TrimPrefix(model.Deref(from.S3OriginConfig.OriginAccessIdentity), "origin-access-identity/cloudfront/")
	}
	o, err := p.o.Object(ctx, ask)
	if err != nil {
		p.log.Warn("a bucket that is an origin could not be read", "distribution", x.d.ID, "bucket", ask.Bucket, "err", err)
		return fetched{}, unreachable(err)
	}
	return fetched{response{strconv.Itoa(o.Status), http.StatusText(o.Status), headersOf(o.Header)}, o.Body}, nil
}

// refusedByS3 is S3's own page of an error.
func refusedByS3(status int, code, message string) Object {
	text := fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	return Object{Status: status, Header: http.Header{"Content-Type": {"application/xml"}, "Server": {"AmazonS3"}},
		Body: io.NopCloser(bytes.NewReader([]byte(text)))}
}

// AccessDenied is what S3 answers whom a bucket does not let in, and who asks for what is
// not there without being let to list.
func AccessDenied() Object { return refusedByS3(http.StatusForbidden, "AccessDenied", "Access Denied") }

// NoSuchBucket is what S3 answers of a bucket that is not there.
func NoSuchBucket() Object {
	return refusedByS3(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

// timeoutOf is how long an origin may take.
func timeoutOf(o *origin) time.Duration {
	if o.Custom != nil && o.Custom.ReadTimeout > 0 && o.Custom.ReadTimeout <= 180 {
		return time.Duration(o.Custom.ReadTimeout) * time.Second
	}
	return 30 * time.Second
}
