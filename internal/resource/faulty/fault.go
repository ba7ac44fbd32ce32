package faulty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"plumb/internal/model"
)

// A Fault is a way in which a call goes wrong.
type Fault string

// The faults. All but EmptyPage make a call fail; EmptyPage is unusual and right.
const (
	ServerError   Fault = "status 500"
	Throttled     Fault = "throttled"
	Moved         Fault = "status 301"
	Forbidden     Fault = "status 403"
	NotFound      Fault = "status 404"
	Dropped       Fault = "the connection is closed without an answer"
	Closed        Fault = "the connection is closed after the headers"
	EmptyBody     Fault = "200 with an empty body"
	Page          Fault = "200 with an HTML page"
	EmptyObject   Fault = "200 with {}"
	Null          Fault = "200 with null"
	OtherRoot     Fault = "200 with another root element"
	RootAlone     Fault = "200 with the right root and nothing in it"
	Cut           Fault = "a body that is shorter than announced"
	CutQuietly    Fault = "half a body whose length was not announced"
	Twice         Fault = "two documents in one body"
	RepeatedToken Fault = "the same page token for ever"
	EmptyPage     Fault = "an empty page with a token before the others"
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{
		ServerError, Throttled, Moved, Forbidden, NotFound, Dropped, Closed, EmptyBody, Page, EmptyObject, Null, OtherRoot,
		RootAlone, Cut, CutQuietly, Twice, RepeatedToken, EmptyPage,
	}
}

// An answer is what the target would say without a fault.
type answer struct {
	api    *model.API
	op     *model.Operation
	status int
	body   string
	later  bool // it is asked for a page after the first
}

const html = "<html><head><title>Sign in</title></head><body><p>Please sign in to the network.</p></body></html>"

func (f Fault) write(w http.ResponseWriter, a answer) {
	if a.op.Paginator == nil && (f == RepeatedToken || f == EmptyPage) {
		f = "" // the operation has no pages
	}
	switch f {
	case ServerError:
		send(w, http.StatusInternalServerError, errorBody(a.api, "InternalFailure"))
	case Throttled:
		send(w, http.StatusBadRequest, errorBody(a.api, "ThrottlingException"))
	case Moved:
		w.Header().Set("Location", "/elsewhere")
		send(w, http.StatusMovedPermanently, "")
	case Forbidden:
		send(w, http.StatusForbidden, html)
	case NotFound:
		send(w, http.StatusNotFound, html)
	case Dropped:
		raw(w, "")
	case Closed:
		raw(w, "HTTP/1.0 200 OK\r\n\r\n")
	case CutQuietly:
		raw(w, "HTTP/1.0 200 OK\r\n\r\n"+a.body[:len(a.body)/2])
	case Cut:
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)+1))
		send(w, a.status, a.body[:len(a.body)/2])
		panic(http.ErrAbortHandler)
	case EmptyPage:
		if a.later {
			send(w, a.status, a.body)
			return
		}
		send(w, http.StatusOK, a.page(false))
	case RepeatedToken:
		send(w, http.StatusOK, a.page(false))
	case "":
		send(w, a.status, a.body)
	default:
		send(w, http.StatusOK, a.instead(f))
	}
}

// instead is the body of an answer with status 200 that is not the service's.
func (a answer) instead(f Fault) string {
	switch f {
	case Page:
		return html
	case EmptyObject:
		return "{}"
	case Null:
		return "null"
	case OtherRoot:
		if a.isJSON() {
			return "[]"
		}
		return "<Other>" + a.page(true) + "</Other>"
	case RootAlone:
		return a.page(true)
	case Twice:
		return a.body + "\n" + html
	}
	return "" // EmptyBody
}

func (a answer) isJSON() bool { return strings.HasSuffix(a.api.Metadata.Protocol, "json") }

// page is an answer without anything in it: alone, or with the lists of the operation, empty, and a token.
func (a answer) page(alone bool) string {
	p := a.op.Paginator
	if a.isJSON() {
		out := map[string]any{}
		for _, m := range a.op.Output.Shape.Members {
			name := orElse(m.LocationName, m.Name)
			switch {
			case alone:
			case m.Shape.Type == "list":
				out[name] = []any{}
			case p != nil && m.Name == p.OutputToken[0]:
				out[name] = token
			}
		}
		text, err := json.Marshal(out)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	inner := ""
	if !alone {
		inner = a.emptyLists()
	}
	if wrapper := a.op.Output.ResultWrapper; wrapper != "" {
		inner = "<" + wrapper + ">" + inner + "</" + wrapper + ">"
	}
	root := orElse(a.op.Root, a.op.Name+"Response")
	return "<" + root + ">" + inner + "</" + root + ">"
}

// emptyLists has the members of the output, or of the one member that is the body.
func (a answer) emptyLists() string {
	var b strings.Builder
	p, shape, within := a.op.Paginator, a.op.Output.Shape, ""
	if body := shape.Lookup(shape.Payload); body != nil && body.Shape.Type == "structure" {
		shape, within = body.Shape, shape.Payload+"."
	}
	for _, m := range shape.Members {
		name := orElse(m.LocationName, m.Name)
		switch {
		case m.Shape.Type == "list":
			b.WriteString("<" + name + "/>")
		case p != nil && within+m.Name == p.OutputToken[0]:
			b.WriteString("<" + name + ">" + token + "</" + name + ">")
		case p != nil && within+m.Name == p.MoreResults:
			b.WriteString("<" + name + ">true</" + name + ">")
		}
	}
	return b.String()
}

func send(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that has gone reads no answer
}

// raw writes bytes to the connection and closes it.
func raw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = conn.Write([]byte(text)) // a client that has gone reads no answer
	conn.Close()
}

// errorBody is an error as the service's protocol writes it.
func errorBody(api *model.API, code string) string {
	switch api.Metadata.Protocol {
	case "json", "rest-json":
		return `{"__type":"` + code + `","message":"as asked"}`
	case "ec2":
		return "<Response><Errors><Error><Code>" + code + "</Code></Error></Errors></Response>"
	case "query":
		return "<ErrorResponse><Error><Code>" + code + "</Code></Error></ErrorResponse>"
	}
	return "<Error><Code>" + code + "</Code></Error>"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
