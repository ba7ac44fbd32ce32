package httpevent

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An Answer is a function's, read and found whole, before any of it is written.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// WriteTo answers a client.
func (a Answer) WriteTo(w http.ResponseWriter) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body) // a client that has gone away is not our error
}

// response is the form that functions answer in, in both formats.
type response struct {
	Status  json.RawMessage              `json:"statusCode"`
	Headers map[string]json.RawMessage   `json:"headers"`
	Multi   map[string][]json.RawMessage `json:"multiValueHeaders"`
	Cookies []string                     `json:"cookies"`
	Body    *string                      `json:"body"`
	Base64  bool                         `json:"isBase64Encoded"`
}

// ReadV2 reads an answer in the payload format 2.0: a response, or any other JSON, which
// is the body.
func ReadV2(payload []byte) (Answer, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) == nil && members["statusCode"] != nil {
		var r response
		if err := json.Unmarshal(payload, &r); err != nil {
			return Answer{}, err
		}
		r.Multi = nil // the format has none
		return r.answer()
	}
	var text string
	if len(payload) > 0 && payload[0] == '"' && json.Unmarshal(payload, &text) == nil {
		payload = []byte(text)
	}
	return Answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, payload}, nil
}

// knownV1 are the members that an answer in the format 1.0 may have.
var knownV1 = map[string]bool{"statusCode": true, "headers": true, "multiValueHeaders": true, "body": true, "isBase64Encoded": true, "cookies": true}

// ReadV1 reads an answer in the payload format 1.0, which has to be a response. decode
// says whether a body in base64 is decoded.
func ReadV1(payload []byte, decode bool) (Answer, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil || members == nil {
		return Answer{}, errors.New("the answer is no object")
	}
	for name := range members {
		if !knownV1[name] {
			return Answer{}, fmt.Errorf("the answer has a member %q", name)
		}
	}
	var r response
	if err := json.Unmarshal(payload, &r); err != nil {
		return Answer{}, err
	}
	if len(members) == 0 {
		return Answer{}, errors.New("the answer is empty")
	}
	r.Cookies, r.Base64 = nil, r.Base64 && decode
	return r.answer()
}

// answer checks a response as a whole.
func (r response) answer() (Answer, error) {
	a := Answer{Status: http.StatusOK, Header: http.Header{}}
	if r.Status != nil && string(r.Status) != "null" {
		var err error
		a.Status, err = strconv.Atoi(strings.Trim(string(r.Status), `"`))
		if err != nil || a.Status < 200 || a.Status > 599 {
			return a, fmt.Errorf("the status code %s is none", r.Status)
		}
	}
	if err := r.header(a.Header); err != nil {
		return a, err
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", "application/json")
	}
	if r.Body != nil {
		a.Body = []byte(*r.Body)
	}
	if r.Base64 {
		body, err := base64.StdEncoding.DecodeString(string(a.Body))
		if err != nil {
			return a, err
		}
		a.Body = body
	}
	return a, nil
}

// header joins the single values of headers to the lists of them.
func (r response) header(out http.Header) error {
	add := func(name string, value json.RawMessage) error {
		text, err := scalar(value)
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		if !HopByHop(name) && validName(name) && validValue(text) {
			out.Add(name, text)
		}
		return nil
	}
	for name, values := range r.Multi {
		for _, v := range values {
			if err := add(name, v); err != nil {
				return err
			}
		}
	}
	for name, value := range r.Headers {
		if out.Get(name) != "" && len(r.Multi) > 0 {
			if text, err := scalar(value); err == nil && slices.Contains(out.Values(name), text) {
				continue
			}
		}
		if err := add(name, value); err != nil {
			return err
		}
	}
	for _, c := range r.Cookies {
		if validValue(c) {
			out.Add("Set-Cookie", c)
		}
	}
	return nil
}

// scalar is a header's value: text, or a number or boolean as it is written.
func scalar(value json.RawMessage) (string, error) {
	text := string(value)
	switch {
	case text == "null":
		return "", nil
	case len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return "", errors.New("the value is neither text, a number nor a boolean")
	}
	_ = json.Unmarshal(value, &text) // numbers and booleans stay as they are written
	return text, nil
}

// validName reports whether a header may be called so: a line break in it would begin
// another one.
func validName(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

func validValue(text string) bool { return !strings.ContainsAny(text, "\r\n\x00") }
