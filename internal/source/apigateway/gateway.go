package apigateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/db"
)

// host is that of an API, whatever stands for this server at its end.
var host = regexp.MustCompile(`^([0-9a-z]{10})\.execute-api\.([a-z0-9-]+)\.`)

// userRequest is the path by which an API's stage is reached without a name of its own.
var userRequest = regexp.MustCompile(`^/restapis/([0-9a-z]{10})/([^/]+)/_user_request_(/.*)?$`)

// IsHost reports whether a request's host is that of an API.
func IsHost(name string) bool { return host.MatchString(strings.ToLower(name)) }

// Takes reports whether a request is for an API.
func Takes(r *http.Request) bool {
	return IsHost(r.Host) || userRequest.MatchString(r.URL.EscapedPath())
}

// A Request is one for an API.
type Request struct {
	*http.Request
	API   API
	Stage string // where the path names it: by _user_request_
	Path  string // as it was sent, with the stage unless Stage says it
	Host  string // the API's, without a port
}

// A Server answers the requests for APIs of a kind.
type Server interface {
	Serve(w http.ResponseWriter, r Request)
}

// A Note is told of requests that an API refused, and who sent them, if that is known.
type Note func(r *http.Request, who caller.Caller, e audit.Event)

// Refused tells of a request that was refused with a status, if it is one that says so.
func (n Note) Refused(r Request, who *caller.Caller, resource string, status int) {
	if n == nil || status != http.StatusUnauthorized && status != http.StatusForbidden {
		return
	}
	if who == nil {
		who = &caller.Caller{}
	}
	n(r.Request, *who, audit.Event{
		Service: "execute-api", Operation: "Invoke", Place: r.API.Place, Resources: []string{resource[:min(len(resource), maxResource)]}, Code: "AccessDeniedException",
	})
}

// maxResource bounds what is told of a path.
const maxResource = 512

// MaxBody is how many bytes a request may have.
const MaxBody = 10 << 20

// A Gateway takes requests to the servers of APIs.
type Gateway struct {
	log     *slog.Logger
	db      *db.DB
	servers map[string]Server
}

// New returns a gateway; servers are by kind.
func New(log *slog.Logger, d *db.DB, servers map[string]Server) *Gateway {
	return &Gateway{log: log, db: d, servers: servers}
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := g.find(r)
	if errors.Is(err, ErrNotFound) {
		w.Header().Set("x-amzn-ErrorType", "ForbiddenException")
		Message(w, http.StatusForbidden, "Forbidden")
		return
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			g.log.Error("request for an api failed", "err", err)
		}
		Message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	g.servers[in.API.Kind].Serve(w, in)
}

// find returns the API that a request is for.
func (g *Gateway) find(r *http.Request) (in Request, err error) {
	in.Request = r
	var id, region string
	if m := host.FindStringSubmatch(strings.ToLower(r.Host)); m != nil {
		id, region, in.Path = m[1], m[2], r.URL.EscapedPath()
	} else if m := userRequest.FindStringSubmatch(r.URL.EscapedPath()); m != nil {
		id, in.Path = m[1], m[3]
		if in.Stage, err = url.PathUnescape(m[2]); err != nil {
			return in, ErrNotFound
		}
	}
	if in.Path == "" {
		in.Path = "/"
	}
	err = g.db.Read(r.Context(), func(tx *db.Tx) (err error) {
		in.API, err = FindAPI(r.Context(), tx, id)
		return err
	})
	if err == nil && (region != "" && region != in.API.Region || g.servers[in.API.Kind] == nil) {
		err = ErrNotFound
	}
	in.Host = in.API.ID + ".execute-api." + in.API.Region + ".amazonaws.com"
	if region != "" {
		in.Host, _, _ = strings.Cut(strings.ToLower(r.Host), ":")
	}
	return in, err
}

// Message answers with a text as AWS does.
func Message(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"message":"`+text+`"}`) // a client that has gone away is not our error
}

// Why a body was not read to its end.
var (
	ErrBodyTooLarge = errors.New("the body is too large")
	ErrUnread       = errors.New("the body did not come, or there is no memory for it")
)

// ReadBody reads the body of a request, or returns ErrBodyTooLarge or ErrUnread.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		err = ErrBodyTooLarge
	case err != nil:
		err = ErrUnread
	}
	return body, err
}
