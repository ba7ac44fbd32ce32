package s3

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"plumb/internal/model"
)

// namespace is that of S3's documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// timeLayout is how S3 writes times in documents; headers have http.TimeFormat.
const timeLayout = "2006-01-02T15:04:05.000Z"

func isoTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// document answers v as XML, under its XMLName.
func (c *call) document(v any) error {
	b, err := xml.Marshal(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return c.raw(http.StatusOK, "application/xml", append([]byte(xml.Header), b...))
}

func (c *call) raw(status int, contentType string, body []byte) error {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	c.started = true
	_, err := c.w.Write(body)
	return err
}

func (c *call) empty(status int) error {
	c.w.WriteHeader(status)
	return nil
}

// writeError answers an error as S3 does: nothing but headers to HEAD and for
// 304.
func (c *call) writeError(e *model.Error) {
	if told, ok := c.w.(interface{ Failed(*model.Error) }); ok {
		told.Failed(e)
	}
	for k, v := range e.Header {
		c.w.Header()[k] = v
	}
	if c.r.Method == http.MethodHead || e.Status == http.StatusNotModified {
		c.w.WriteHeader(e.Status)
		return
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>")
	element(&b, "Code", e.Code)
	element(&b, "Message", e.Message)
	for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
		element(&b, k, fmt.Sprint(e.Fields[k]))
	}
	element(&b, "RequestId", c.RequestID)
	element(&b, "HostId", c.RequestID)
	b.WriteString("</Error>")
	if e.Status >= 400 && c.r.Body != nil && c.r.ContentLength > 256<<10 {
		// What was not read of a large body would otherwise be drained.
		c.w.Header().Set("Connection", "close")
	}
	_ = c.raw(e.Status, "application/xml", b.Bytes())
}

func element(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Buffer takes everything
	b.WriteString("</" + name + ">")
}
