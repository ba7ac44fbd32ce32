package alexa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"plumb/internal/lambda"
	"plumb/internal/model"
)

// RequestPath is the beginning of the paths that the Alexa cloud sends to.
const RequestPath = "/alexa/"

const (
	maxRequest = 256 << 10
	maxAnswer  = 120 << 10 // what Alexa takes of a skill
	maxAge     = 150 * time.Second
	// within is how long an answer is waited for. Alexa itself gives up after some 8 s.
	within = 30 * time.Second
)

// principal is who invokes functions for skills.
const principal = "alexa-appkit.amazon.com"

// A request is what is looked at of one.
type request struct {
	Session struct {
		Application application `json:"application"`
	} `json:"session"`
	Context struct {
		System struct {
			Application application `json:"application"`
		} `json:"System"`
	} `json:"context"`
	Request struct {
		Timestamp string `json:"timestamp"`
	} `json:"request"`
}

type application struct {
	ID string `json:"applicationId"`
}

// application is the skill that a request says it is for.
func (r request) application() string {
	if r.Context.System.Application.ID != "" {
		return r.Context.System.Application.ID
	}
	return r.Session.Application.ID
}

// Requests answers POST /alexa/SKILL.
func (s *Skills) Requests() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Skills) serve(w http.ResponseWriter, r *http.Request) {
	k, ok := s.withSkill(w, r)
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if errors.As(err, new(*http.MaxBytesError)) {
		refuse(w, http.StatusRequestEntityTooLarge, "INVALID_REQUEST", "A request has 262144 bytes at most.")
		return
	}
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "INVALID_REQUEST", "The body did not come, or there is no memory for it at the moment.")
		return
	}
	if err := s.check(r, k.id, body); err != nil {
		s.log.Warn("request for a skill was refused", "skill", k.id, "err", err)
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST", "Refused: "+err.Error()+".")
		return
	}
	m, err := readManifest([]byte(k.manifest))
	if err != nil {
		s.fail(w, fmt.Errorf("manifest of %s: %w", k.id, err))
		return
	}
	if m.function() == "" {
		refuse(w, http.StatusBadGateway, "INVALID_ENDPOINT", "The skill's manifest names no function.")
		return
	}
	a, err := s.functions.InvokeFor(r.Context(), lambda.Invoker{Service: principal, Token: k.id}, m.function(), lambda.Call{Payload: body}, within)
	s.relay(w, k.id, m.function(), a, err)
}

// check refuses a request that is not for the skill, or is not Alexa's where that matters.
func (s *Skills) check(r *http.Request, id string, body []byte) error {
	var in request
	if text := bytes.TrimSpace(body); len(text) == 0 || text[0] != '{' {
		return errors.New("the body is not an object in JSON")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("the body is not a request of Alexa: %w", err)
	}
	if named := in.application(); named != id && (named != "" || s.o.Verify) {
		return fmt.Errorf("the request is for the application %q", named)
	}
	if !s.o.Verify {
		return nil
	}
	at, err := time.Parse(time.RFC3339, in.Request.Timestamp)
	if err != nil {
		return errors.New("the request has no timestamp")
	}
	if d := s.o.Now().Sub(at); d > maxAge || d < -maxAge {
		return errors.New("the request's timestamp is not within 150 seconds")
	}
	return s.chains.verify(r.Context(), r.Header.Get("SignatureCertChainUrl"), r.Header.Get("Signature-256"), body, s.o.Now())
}

// relay writes what the function answered, or why there is no answer.
func (s *Skills) relay(w http.ResponseWriter, id, function string, a lambda.Answer, err error) {
	why, status := "", http.StatusBadGateway
	switch {
	case errors.Is(err, lambda.ErrNotPermitted):
		why, status = "The trigger setting for the Lambda "+function+" is invalid: the function is not there, or its policy does not let "+principal+
			" in with the event source token "+id+".", http.StatusForbidden
	case errors.Is(err, lambda.ErrTooSlow):
		why, status = "The function did not answer in time.", http.StatusGatewayTimeout
	case err != nil:
		named, ok := model.Named(err)
		if !ok {
			s.fail(w, err)
			return
		}
		why, status = named.Message, http.StatusServiceUnavailable
	case a.FunctionError != "":
		why = "The function failed."
	case len(a.Payload) > maxAnswer:
		why = "The function's answer is longer than 122880 bytes."
	case !isObject(a.Payload):
		why = "The function's answer is not an object in JSON."
	}
	if why != "" {
		s.log.Warn("skill has no answer", "skill", id, "function", function, "err", strings.TrimSuffix(why, "."))
		refuse(w, status, "SKILL_ENDPOINT_ERROR", why)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Write(a.Payload) // a client that has gone away is not our error
}

func isObject(text []byte) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(text, &m) == nil && m != nil
}
