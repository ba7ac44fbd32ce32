package wire

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// Answered is what there is to tell of a request that was answered.
type Answered struct {
	Service   string // one of those served, s3, or other: a client could invent any number of names
	Unserved  string // what the client calls a service that is not served here; empty for the others
	Operation string // empty where none was found
	Status    int
	Took      time.Duration
	Caller    caller.Caller

	Info    model.Info // of the served service; zero for others
	Asked   string     // as Operation, or what a request says that was refused before it was found
	Code    string     // of the error that was answered, where it is known
	Message string
	Request *http.Request
	Input   func() any // the operation's input, or nil: for a while, it is the handler's
	Output  any        // nil unless the operation was done here
}

func (x *exchange) answered(took time.Duration) Answered {
	a := Answered{Service: x.service, Unserved: x.unserved, Operation: x.operation, Status: x.w.code(), Took: took, Caller: x.caller,
		Request: x.r, Input: x.inputAgain, Output: x.output}
	if x.served != nil {
		a.Info = x.served.Info
	}
	if e := x.w.failed; e != nil && a.Status >= 400 {
		a.Code, a.Message = e.Code, e.Message
	}
	switch {
	case x.service == "s3":
		a.Operation = x.w.operation
	case x.unserved != "":
		a.Operation = unservedOperation(x.r, x.body)
	}
	if a.Asked = a.Operation; a.Asked == "" {
		a.Asked = unservedOperation(x.r, x.body)
	}
	return a
}

// inputAgain returns the input of an operation, which is read again where a request was
// answered elsewhere.
func (x *exchange) inputAgain() any {
	if x.input == nil && x.call.route != nil && x.call.route.Built() {
		in := x.call.route.New()
		if x.call.decode(in) == nil {
			x.input = in
		}
	}
	return x.input
}

// Unserved names the operation that a request for a service without a model asks for, by
// its target or its action. It is empty where the service might read the request in another
// way, as REST's services do: then it may be any operation. The body is in memory, and stays.
func Unserved(r *http.Request) string {
	body, _ := io.ReadAll(r.Body) // what was read before cannot fail
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Method != http.MethodPost || strings.Trim(r.URL.Path, "/") != "" {
		return ""
	}
	targets, actions := r.Header.Values("X-Amz-Target"), r.URL.Query()["Action"]
	if isForm(r) {
		values, _ := url.ParseQuery(string(body)) // what does not parse is not there
		actions = append(actions, values["Action"]...)
	}
	name := ""
	switch {
	case len(targets) == 1 && len(actions) == 0 && !isForm(r):
		name = targetOperation(r)
	case len(targets) == 0 && len(actions) == 1 && isForm(r):
		name = actions[0]
	}
	return name[:min(len(name), maxOperation)]
}

// targetOperation is the operation in a target, behind a prefix that may have dots itself, as CloudTrail's has.
func targetOperation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	i := strings.LastIndexByte(target, '.')
	if i < 0 {
		return ""
	}
	return target[i+1:]
}

// maxOperation bounds what is told of an operation that nobody checked.
const maxOperation = 80

// unservedOperation names what a request asks of a service that has no model here:
// by its target or action, or by method and path as REST has it.
func unservedOperation(r *http.Request, body []byte) string {
	name := targetOperation(r)
	if name == "" {
		name = formOf(r, body).Get("Action")
	}
	if name == "" {
		name = r.Method + " " + r.URL.Path
	}
	return name[:min(len(name), maxOperation)]
}
