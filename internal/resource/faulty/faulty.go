// Package faulty is a target on loopback for tests. It answers calls with the recorded answers of a resource type's
// examples, in the service's own wire format, and fails as it is told to: as networks, proxies and services do.
//
//	target := faulty.Start(t, models, example.Answers, "sqs")
//	target.Break("ListQueues", faulty.EmptyBody)
//	items, err := resource.Collect(cat.Discover(ctx, target.Client(), place, "AWS::SQS::Queue"))
package faulty

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/model"
	"plumb/internal/resource"
)

// A Target answers as some services.
type Target struct {
	server  *httptest.Server
	models  *awsclient.Models
	apis    []*model.API
	answers []resource.Recorded

	mu    sync.Mutex
	used  map[int]bool
	fault map[string]Fault
	calls map[string]int
}

// Start runs a target until the test ends.
func Start(t testing.TB, m *awsclient.Models, answers []resource.Recorded, services ...string) *Target {
	t.Helper()
	target := &Target{models: m, answers: answers}
	for _, service := range services {
		api, err := m.API(service)
		if err != nil {
			t.Fatal(err)
		}
		target.apis = append(target.apis, api)
	}
	target.Heal()
	target.server = httptest.NewServer(target)
	t.Cleanup(target.server.Close)
	return target
}

// URL is where the target answers.
func (t *Target) URL() string { return t.server.URL }

// Client returns a client of the target that tries each call once, and is no slower when it is throttled.
func (t *Target) Client() *awsclient.Client {
	return awsclient.New(awsclient.Options{
		Endpoint: t.URL(), Region: "us-east-1", Credentials: awsclient.Static("123456789012", "test", ""), Models: t.models,
		Attempts: 1, Wait: func(context.Context, time.Duration) error { return nil },
	})
}

// Break has every call of an operation fail in one way until Heal.
func (t *Target) Break(operation string, f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault[operation] = f
}

// Heal ends all faults and starts the recorded answers again.
func (t *Target) Heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used, t.fault, t.calls = map[int]bool{}, map[string]Fault{}, map[string]int{}
}

// Calls returns how often an operation was called since Heal.
func (t *Target) Calls(operation string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[operation]
}

// ServeHTTP answers one call.
func (t *Target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	api, op, in := t.call(r, body)
	if op == nil {
		http.Error(w, "no such operation", http.StatusNotImplemented)
		return
	}
	t.mu.Lock()
	t.calls[op.Name]++
	fault := t.fault[op.Name]
	t.mu.Unlock()
	a := answer{api: api, op: op, status: http.StatusOK, later: later(r, body)}
	if rec, ok := t.next(op.Name, in, fault == EmptyPage && !a.later); !ok {
		a.status, a.body = http.StatusBadRequest, errorBody(api, "NotRecorded")
	} else if rec.Error != "" {
		a.status, a.body = http.StatusBadRequest, errorBody(api, rec.Error)
	} else {
		a.body = rec.Body
	}
	fault.write(w, a)
}

// next picks the first fitting answer that was not given yet, or the last fitting one again. A peek gives none away.
func (t *Target) next(operation string, in map[string]string, peek bool) (resource.Recorded, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := -1
	for i, rec := range t.answers {
		if rec.Call != operation || !fits(rec.With, in) {
			continue
		}
		if last = i; !t.used[i] {
			break
		}
	}
	if last < 0 {
		return resource.Recorded{}, false
	}
	t.used[last] = t.used[last] || !peek
	return t.answers[last], true
}

func fits(with, in map[string]string) bool {
	for k, v := range with {
		if in[k] != v {
			return false
		}
	}
	return true
}
