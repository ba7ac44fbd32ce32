package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
)

// forward sends a request on, and answers with what comes back.
func (s *Service) forward(w http.ResponseWriter, x *exchange, in apigatewayv2api.Integration, cors bool) {
	r := x.changed(in)
	to, err := x.address(in, r.URL.RawQuery)
	if err != nil {
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	method := model.Deref(in.IntegrationMethod)
	if method == "ANY" {
		method = r.Method
	}
	a, err := apigateway.Forward(x.Context(), s.client, apigateway.Onward{
		Method: method, To: to, Header: r.Header, Body: x.body, From: x.Request, Timeout: time.Duration(*in.TimeoutInMillis) * time.Millisecond,
	})
	switch {
	case errors.Is(err, apigateway.ErrTooLarge):
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
	case err != nil:
		if !errors.Is(err, context.Canceled) {
			s.log.Warn("an HTTP integration did not answer", "api", x.Request.API.ID, "request", x.id, "err", err)
		}
		apigateway.Message(w, http.StatusServiceUnavailable, "Service Unavailable")
	default:
		s.write(w, x, in, a, cors)
	}
}
