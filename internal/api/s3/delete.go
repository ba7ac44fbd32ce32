package s3

import (
	"encoding/xml"
	"errors"
	"net/http"

	"plumb/internal/authorization"
	"plumb/internal/bucket"
	"plumb/internal/model"
)

func (c *call) deleteObject() error {
	t := bucket.Target{Key: c.key, Version: c.query.Get("versionId"), ETag: unquote(c.r.Header.Get("If-Match"))}
	out, err := c.store.DeleteObjects(c.ctx, c.bucket, []bucket.Target{t})
	if err != nil {
		return err
	}
	d := out[0]
	if d.Err != nil {
		return d.Err
	}
	h := c.w.Header()
	if d.Marker {
		h.Set("x-amz-delete-marker", "true")
		h.Set("x-amz-version-id", d.MarkerVersion)
	} else if t.Version != "" {
		h.Set("x-amz-version-id", t.Version)
	}
	return c.empty(http.StatusNoContent)
}

type deletedEntry struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deleteError struct {
	Key       string
	VersionId string `xml:",omitempty"`
	Code      string
	Message   string
}

type deleteResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedEntry
	Error   []deleteError
}

func (c *call) deleteObjects() error {
	data, err := c.read()
	if err != nil {
		return err
	}
	doc, err := parse(data, "Delete")
	if err != nil {
		return err
	}
	var targets []bucket.Target
	for _, o := range doc.all("Object") {
		// A key's blanks are its own.
		t := bucket.Target{Key: o.child("Key").text, Version: o.child("VersionId").value(), ETag: unquote(o.child("ETag").value())}
		if t.Key == "" {
			return malformedXML()
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 || len(targets) > 1000 {
		return malformedXML()
	}
	allowed, refused := c.mayDelete(targets)
	list, err := c.store.DeleteObjects(c.ctx, c.bucket, allowed)
	if err != nil {
		return err
	}
	return c.document(deletedResult(append(list, refused...), doc.child("Quiet").value() == "true"))
}

// mayDelete asks for each object whether the caller may delete it.
func (c *call) mayDelete(targets []bucket.Target) (allowed []bucket.Target, refused []bucket.Deleted) {
	for _, t := range targets {
		err := c.authorize(authorization.BucketAsk{Operation: "DeleteObject", Bucket: c.name, Owner: c.bucket.Account, Key: t.Key, Version: t.Version})
		if err == nil {
			err = c.mayUseBucket() // by what this question was granted
		}
		if err != nil {
			refused = append(refused, bucket.Deleted{Target: t, Err: err})
			continue
		}
		allowed = append(allowed, t)
	}
	return allowed, refused
}

func deletedResult(list []bucket.Deleted, quiet bool) deleteResult {
	var out deleteResult
	for _, d := range list {
		var e *model.Error
		switch {
		case errors.As(d.Err, &e):
			out.Error = append(out.Error, deleteError{d.Key, d.Version, e.Code, e.Message})
		case !quiet:
			out.Deleted = append(out.Deleted, deletedEntry{d.Key, d.Version, d.Marker, d.MarkerVersion})
		}
	}
	return out
}
