package apigateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumb/internal/source/httpevent"
)

// maxAnswer bounds what comes back from where a request was sent on.
const maxAnswer = 10 << 20

// maxHops is how often a request may be sent on: an API may lead to itself.
const maxHops = 8

// ErrHops is that a request was sent on too often.
var ErrHops = errors.New("the request was sent on too often")

// Onward is a request that is sent on.
type Onward struct {
	Method  string
	To      *url.URL
	Header  http.Header
	Body    []byte
	From    Request
	Timeout time.Duration
}

// Forward sends a request on, and returns what comes back.
func Forward(ctx context.Context, client *http.Client, o Onward) (a httpevent.Answer, err error) {
	came := o.From.Header.Values("Forwarded")
	if len(came) >= maxHops {
		return a, ErrHops
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, o.Method, o.To.String(), bytes.NewReader(o.Body))
	if err != nil {
		return a, err
	}
	for name, values := range o.Header {
		if !httpevent.HopByHop(name) {
			out.Header[name] = values
		}
	}
	out.Header["Forwarded"] = append(came[:len(came):len(came)],
		"for="+httpevent.HostName(o.From.RemoteAddr)+";host="+o.From.Host+";proto="+httpevent.Scheme(o.From.Request))
	res, err := client.Do(out)
	if errors.Is(err, context.DeadlineExceeded) {
		return a, ErrTimeout
	}
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a = httpevent.Answer{Status: res.StatusCode, Header: http.Header{}}
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return a, err
	}
	if len(a.Body) > maxAnswer {
		return a, ErrTooLarge
	}
	for name, values := range res.Header {
		if !httpevent.HopByHop(name) && !strings.EqualFold(name, "Apigw-Requestid") {
			a.Header[name] = values
		}
	}
	return a, nil
}
