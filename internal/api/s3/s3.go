// Package s3 is the face of the embedded S3: it speaks S3's REST and XML for
// package bucket, which keeps everything.
//
// It does not check who signed a request: package wire did that and says who
// the caller is. It does check what was promised of a body: its length, its MD5,
// its checksums.
//
//	h := s3.New(log, buckets, notifications)
//	wire.New(log, wire.Options{S3: h})
//
// Buckets belong to accounts and accounts are walls: a bucket of another account
// answers AccessDenied, unless policies are enforced and both sides' let the caller in.
package s3

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"plumb/internal/authorization"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/model"
	events "plumb/internal/source/s3"
)

// A Handler serves S3.
type Handler struct {
	log    *slog.Logger
	store  *bucket.Store
	events *events.Notifications
	routes []route

	// Authorize may refuse what the caller of ctx asks, and returns the context in which
	// it is done. Nil refuses nothing but another account's buckets.
	Authorize func(ctx context.Context, a authorization.BucketAsk) (context.Context, error)
}

// New returns the face of a store, whose events are told by e.
func New(log *slog.Logger, store *bucket.Store, e *events.Notifications) *Handler {
	return &Handler{log: log, store: store, events: e, routes: register()}
}

// register is S3's table of contents. Among the routes of one method and level
// the first whose query parameter and header are present is taken.
func register() []route {
	var rs []route
	rs = append(rs, configurations()...)
	rs = append(rs, buckets()...)
	rs = append(rs, versioning()...)
	rs = append(rs, policies()...)
	rs = append(rs, acls()...)
	rs = append(rs, tags()...)
	rs = append(rs, multipart()...)
	rs = append(rs, lists()...)
	rs = append(rs, unbuilt()...)
	rs = append(rs, objects()...)
	return rs
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newCall(h, w, r)
	if err := h.serve(c); err != nil {
		c.fail(err)
	}
}

// Fail answers a request with an error that came up before it was served.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) { newCall(h, w, r).fail(err) }

// Asks returns what a request asks: S3's name of the operation, empty if there is
// none, and the bucket and key that it is about.
func (h *Handler) Asks(r *http.Request) (operation, bucket, key string) {
	c := &call{r: r, query: r.URL.Query()}
	c.name, c.key = address(r.Host, r.URL.Path)
	rt, _ := h.find(c)
	return rt.name, c.name, c.key
}

func (h *Handler) serve(c *call) error {
	rt, ok := h.find(c)
	if !ok {
		return methodNotAllowed(c)
	}
	c.operation = rt.name
	if w, ok := c.w.(interface{ Serves(operation string) }); ok {
		w.Serves(rt.name)
	}
	if c.name != "" && rt.name != "CreateBucket" {
		if err := c.findBucket(); err != nil {
			return err
		}
	}
	if rt.name != "DeleteObjects" { // which asks for each of its keys
		if err := c.authorize(authorization.BucketAsk{Operation: rt.name, Bucket: c.name, Owner: c.bucket.Account, Key: c.key, Version: c.query.Get("versionId"), Prefix: c.query.Get("prefix")}); err != nil {
			return err
		}
		if err := c.mayUseBucket(); err != nil {
			return err
		}
	}
	return rt.handle(c)
}

// authorize asks whether the caller may do something.
func (c *call) authorize(a authorization.BucketAsk) (err error) {
	if c.h.Authorize != nil {
		c.ctx, err = c.h.Authorize(c.ctx, a)
	}
	return err
}

// mayUseBucket refuses a bucket of another account that no policy lets the caller into.
func (c *call) mayUseBucket() error {
	if c.bucket.Name != "" && !caller.MayUse(c.ctx, c.bucket.Account) {
		return bucket.AccessDenied()
	}
	return nil
}

// findBucket looks up the bucket that the request is about.
func (c *call) findBucket() error {
	b, err := c.store.Find(c.ctx, c.name)
	if err != nil {
		return err
	}
	owner := c.r.Header.Get("x-amz-expected-bucket-owner")
	if owner != "" && owner != b.Account {
		return bucket.AccessDenied()
	}
	c.bucket = b
	return nil
}

// fail answers an error: those that S3 names as they are, others as
// InternalError, which is logged here and keeps its text to itself.
func (c *call) fail(err error) {
	e, ok := model.Named(err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled):
		// The client is gone, or closed its side alone: without an answer net/http would write 200.
		panic(http.ErrAbortHandler)
	default:
		c.h.log.ErrorContext(c.ctx, "request failed", "operation", c.operation, "request", c.RequestID, "account", c.Account, "err", err)
		if e.Code == "InternalFailure" {
			e = &model.Error{Code: "InternalError", Status: http.StatusInternalServerError,
				Message: "We encountered an internal error. Please try again."}
		}
	}
	if c.started {
		panic(http.ErrAbortHandler) // the answer has begun: break it off rather than let it look whole
	}
	c.writeError(e)
}
