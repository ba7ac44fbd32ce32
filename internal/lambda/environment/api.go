package environment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// An exchange is an invocation on its way through a runtime. It is open until it
// is answered or abandoned, whichever comes first.
type exchange struct {
	Invocation
	deadline int64       // epoch milliseconds
	answer   chan answer // capacity 1
	// answering is called before an answer is passed on, and over once after it,
	// when the runtime asks for the next event or has ended: until then the
	// invocation is not over. Both may be nil.
	answering, over func()

	// Guarded by the runtimeAPI.
	answered, abandoned bool
	posted              answer // what was answered
}

// An answer is what the runtime posted.
type answer struct {
	payload []byte
	failed  bool
	kind    string // error type from the header
}

// A runtimeAPI is the Runtime API for one process. The runtime asks for the next
// event, posts a response or an error, and asks again.
type runtimeAPI struct {
	next       chan *exchange // an event for the runtime that waits in next
	renew      chan []byte    // an order to load the function anew, see renewal
	arrived    chan struct{}  // capacity 1: the runtime asks, and nothing went before
	initFailed chan []byte    // capacity 1: the error object of a failed init
	reading    sync.Mutex     // one body is read at a time

	mu      sync.Mutex
	current *exchange // given to the runtime, and open
	last    *exchange // answered, and not over
	asked   bool      // the runtime has asked for an event at least once
	gone    bool      // the process has ended
}

func newRuntimeAPI() *runtimeAPI {
	return &runtimeAPI{
		next:       make(chan *exchange),
		renew:      make(chan []byte),
		arrived:    make(chan struct{}, 1),
		initFailed: make(chan []byte, 1),
	}
}

// abandon closes an exchange that will get no answer. It reports false if there
// is one already.
func (a *runtimeAPI) abandon(x *exchange) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.answered {
		return false
	}
	x.abandoned = true
	if a.current == x {
		a.current = nil
	}
	return true
}

// working reports whether the process has answered and works on: it has not
// asked for the next event.
func (a *runtimeAPI) working(x *exchange) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last == x
}

// ended notes that the process has ended.
func (a *runtimeAPI) ended() {
	a.mu.Lock()
	a.gone = true
	last := a.last
	a.last = nil
	a.mu.Unlock()
	if last != nil && last.over != nil {
		last.over()
	}
}

// ServeHTTP answers the runtime.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case path == "invocation/next" && r.Method == http.MethodGet:
		a.serveNext(w, r)
	case path == "plumb/reload" && r.Method == http.MethodGet:
		select {
		case <-r.Context().Done():
		case order := <-a.renew:
			a.giveOrder(w, order)
		}
	case path == "init/error" && r.Method == http.MethodPost:
		a.serveInitError(w, r)
	default:
		rest, ok := strings.CutPrefix(path, "invocation/")
		id, what, slash := strings.Cut(rest, "/")
		if !ok || !slash || r.Method != http.MethodPost || what != "response" && what != "error" {
			http.NotFound(w, r)
			return
		}
		a.serveAnswer(w, r, id, what == "error")
	}
}

func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.current != nil {
		a.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition from Running to Ready failed for runtime. Error: the invocation has no response yet")
		return
	}
	a.asked = true
	last := a.last
	a.last = nil
	a.mu.Unlock()
	if last != nil && last.over != nil {
		last.over()
	} else {
		select {
		case a.arrived <- struct{}{}:
		default:
		}
	}
	select {
	case <-r.Context().Done():
	case order := <-a.renew:
		a.giveOrder(w, order)
	case x := <-a.next:
		a.mu.Lock()
		if !x.abandoned {
			a.current = x
		}
		a.mu.Unlock()
		x.give(w)
	}
}

// give writes the event with its headers.
func (x *exchange) give(w http.ResponseWriter) {
	h := w.Header()
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("Content-Type", "application/json")
	set("Content-Length", strconv.Itoa(len(x.Payload)))
	set("Lambda-Runtime-Aws-Request-Id", x.RequestID)
	set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(x.deadline, 10))
	set("Lambda-Runtime-Invoked-Function-Arn", x.FunctionARN)
	set("Lambda-Runtime-Trace-Id", x.TraceID)
	set("Lambda-Runtime-Client-Context", x.ClientContext)
	w.Write(x.Payload)
}

func (a *runtimeAPI) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := a.readBody(r)
	if err != nil {
		refuseBody(w, err)
		return
	}
	a.mu.Lock()
	late := a.asked
	a.mu.Unlock()
	if late {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition from Ready to InitError failed for runtime. Error: init is over")
		return
	}
	select {
	case a.initFailed <- errorObject(body, r.Header.Get("Lambda-Runtime-Function-Error-Type")):
	default:
	}
	accept(w)
}

func (a *runtimeAPI) serveAnswer(w http.ResponseWriter, r *http.Request, id string, failed bool) {
	a.mu.Lock()
	x := a.current
	a.mu.Unlock()
	if x == nil || x.RequestID != id {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	body, err := a.readBody(r)
	if err != nil && !errors.Is(err, errTooLarge) {
		refuseBody(w, err)
		return
	}
	ans := answer{payload: body, failed: failed, kind: r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	if failed {
		ans.payload = errorObject(body, ans.kind)
	}
	if err != nil {
		ans = answer{failed: true, kind: "Function.ResponseSizeTooLarge", payload: fault("Function.ResponseSizeTooLarge",
			fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponse))}
	}
	if !a.take(x, ans) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition from ResponseSent to InvocationResponse failed for runtime. Error: the invocation has a response")
		return
	}
	if err != nil {
		refuseBody(w, err)
		return
	}
	accept(w)
}

// take passes an answer on, unless the exchange is closed.
func (a *runtimeAPI) take(x *exchange, ans answer) bool {
	a.mu.Lock()
	if a.current != x {
		a.mu.Unlock()
		return false
	}
	a.current, x.answered, x.posted = nil, true, ans
	gone := a.gone
	if !gone {
		a.last = x
	}
	if x.answering != nil {
		x.answering()
	}
	x.answer <- ans
	a.mu.Unlock()
	if gone && x.over != nil {
		x.over()
	}
	return true
}

var errTooLarge = errors.New("body too large")

// readBody reads what the runtime posts, chunked or not.
func (a *runtimeAPI) readBody(r *http.Request) ([]byte, error) {
	a.reading.Lock()
	defer a.reading.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxResponse+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxResponse {
		// Read on a little, so that the runtime can finish writing and read why.
		io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20))
		return nil, errTooLarge
	}
	return body, nil
}

func accept(w http.ResponseWriter) {
	const ok = `{"status":"OK"}` + "\n"
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(ok))}
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, ok)
}

func refuseBody(w http.ResponseWriter, err error) {
	if errors.Is(err, errTooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxResponse))
		return
	}
	refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "Truncated HTTP request")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	text, _ := json.Marshal(map[string]string{"errorMessage": message, "errorType": kind})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	w.Write(text)
}

// fault is an error object of the platform's own.
func fault(kind, message string) []byte {
	text, _ := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	return text
}

// errorObject passes the runtime's error object on, or makes one when it posted
// none.
func errorObject(body []byte, kind string) []byte {
	if json.Valid(body) {
		return body
	}
	if kind == "" {
		kind = "Runtime.Unknown"
	}
	return fault(kind, string(body))
}
