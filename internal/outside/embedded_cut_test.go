package outside

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A handler that ends the connection does not end the job whose call it answers.
func TestAHandlerThatEndsTheConnectionIsAnErrorOfTheCall(t *testing.T) {
	abort := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err := serve(abort, httptest.NewRecorder(), r); !errors.Is(err, http.ErrAbortHandler) {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := serve(abort, httptest.NewRecorder(), r); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that was cut off got %v", err)
	}
}
