package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProviderThatFailedIsNotAskedAgainAtOnce(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	var l loginProvider
	for range 3 {
		if _, err := l.get(s.URL); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("it failed with %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}
	l.until = time.Now() // a while later
	if _, err := l.get(s.URL); err == nil || asked != 2 {
		t.Errorf("later: %v, asked %d times", err, asked)
	}
}
