package wire

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"plumb/internal/caller"
)

// Answered is what there is to tell of a request that was answered.
type Answered struct {
	Service   string // one of those served, s3, or other: a client could invent any number of names
	Unserved  string // what the client calls a service that is not served here; empty for the others
	Operation string // empty where none was found
	Status    int
	Took      time.Duration
	Caller    caller.Caller
}

func (x *exchange) answered(took time.Duration) Answered {
	a := Answered{Service: x.service, Unserved: x.unserved, Operation: x.operation, Status: x.w.code(), Took: took, Caller: x.caller}
	switch {
	case x.service == "s3":
		a.Operation = x.w.operation
	case x.unserved != "":
		a.Operation = unservedOperation(x.r, x.body)
	}
	return a
}

// Unserved names what a request for a service without a model asks, by its target or
// action; empty where neither is there, as in REST's. The body is in memory, and stays.
func Unserved(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if name == "" {
		body, _ := io.ReadAll(r.Body) // what was read before cannot fail
		r.Body = io.NopCloser(bytes.NewReader(body))
		name = formOf(r, body).Get("Action")
	}
	return name[:min(len(name), maxOperation)]
}

// maxOperation bounds what is told of an operation that nobody checked.
const maxOperation = 80

// unservedOperation names what a request asks of a service that has no model here:
// by its target or action, or by method and path as REST has it.
func unservedOperation(r *http.Request, body []byte) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if name == "" {
		name = formOf(r, body).Get("Action")
	}
	if name == "" {
		name = r.Method + " " + r.URL.Path
	}
	return name[:min(len(name), maxOperation)]
}
