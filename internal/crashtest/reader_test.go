package crashtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// A version is one item of a resource.
type version struct{ resourceType, id, state string }

// A transition is what one message says of a verdict.
type transition struct {
	rule, resourceType, id string
	old, new               string // compliance types; empty for none
	oldAt, newAt           string // when the verdicts were recorded
}

// A reader receives what the queues hold while the server is killed, and after.
type reader struct {
	*world
	t *testing.T

	mu          sync.Mutex
	announced   map[version]int    // items that the topic told of
	transitions map[transition]int // compliance changes that the topic told of
	judgements  map[version]int    // items that the function judged
	other       map[string]int     // kinds of messages, counted
}

func newReader(t *testing.T, w *world) *reader {
	return &reader{
		world: w, t: t, announced: map[version]int{}, transitions: map[transition]int{}, judgements: map[version]int{}, other: map[string]int{},
	}
}

// follow reads a queue until ctx ends.
func (r *reader) follow(ctx context.Context, wg *sync.WaitGroup, queue string, handle func(body string)) {
	wg.Go(func() {
		for ctx.Err() == nil {
			bodies, err := r.take(r.t.Context(), queue, 1)
			for _, b := range bodies {
				handle(b)
			}
			if err != nil {
				if err := r.wait(ctx); err != nil {
					if ctx.Err() == nil {
						r.t.Error(err)
					}
					return
				}
			}
		}
	})
}

// rest reads a queue until it is empty.
func (r *reader) rest(queue string, handle func(body string)) {
	for {
		bodies, err := r.take(r.t.Context(), queue, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(bodies) == 0 {
			return
		}
		for _, b := range bodies {
			handle(b)
		}
	}
}

// hearJudged notes what the function says that it did.
func (r *reader) hearJudged(body string) {
	var v version
	if n, _ := fmt.Sscanf(body, "judged %s %s %s", &v.resourceType, &v.id, &v.state); n != 3 {
		return // a token
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judgements[v]++
}

// hearNews notes what the topic says.
func (r *reader) hearNews(body string) {
	type result struct {
		Compliance string `json:"complianceType"`
		Recorded   string `json:"resultRecordedTime"`
	}
	var m struct {
		Kind string `json:"messageType"`
		Item *struct {
			Type    string      `json:"resourceType"`
			ID      string      `json:"resourceId"`
			StateID json.Number `json:"configurationStateId"`
		} `json:"configurationItem"`
		Rule string  `json:"configRuleName"`
		Type string  `json:"resourceType"`
		ID   string  `json:"resourceId"`
		New  *result `json:"newEvaluationResult"`
		Old  *result `json:"oldEvaluationResult"`
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		r.t.Errorf("the topic said %q: %v", body, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.other[m.Kind]++
	switch {
	case m.Item != nil:
		r.announced[version{m.Item.Type, m.Item.ID, m.Item.StateID.String()}]++
	case m.New != nil:
		tr := transition{rule: m.Rule, resourceType: m.Type, id: m.ID, new: m.New.Compliance, newAt: m.New.Recorded}
		if m.Old != nil {
			tr.old, tr.oldAt = m.Old.Compliance, m.Old.Recorded
		}
		r.transitions[tr]++
	}
}

// settle brings the world to rest: whatever waits for a later time gets it.
func (w *world) settle(t testing.TB) {
	t.Helper()
	for range 3 {
		w.post(t, "/_plumb/drain", "")
		w.post(t, "/_plumb/clock", `{"advance": "10m"}`)
	}
	w.post(t, "/_plumb/drain", "")
}
