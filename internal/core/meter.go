package core

import (
	"context"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Meter is told of what this server does, to be counted. It must not block.
type Meter interface {
	ReadingFailed(resourceType string)
	ItemsRecorded(resourceType string, n int)
	Evaluated(kind, outcome string, n int)        // by rules of a kind: managed, policy, function
	Judged(kind string, after time.Duration)      // a verdict came, that long after the change that it is about
	DeliveryFailed(kind string)                   // message, history, snapshot; subscriber, destination
	Invoked(outcome string)                       // a function ran, or could not
	TargetCalled(service, operation, code string) // code is OK, or the error's
}

// noMeter is told in vain.
type noMeter struct{}

func (noMeter) ReadingFailed(string)                {}
func (noMeter) ItemsRecorded(string, int)           {}
func (noMeter) Evaluated(string, string, int)       {}
func (noMeter) Judged(string, time.Duration)        {}
func (noMeter) DeliveryFailed(string)               {}
func (noMeter) Invoked(string)                      {}
func (noMeter) TargetCalled(string, string, string) {}

// ruleKind is what a meter calls who decides.
func ruleKind(r config.Rule) string {
	switch r.Source.Owner {
	case config.OwnerLambda:
		return "function"
	case config.OwnerPolicy:
		return "policy"
	}
	return "managed"
}

// failedOutcome is what a meter calls an evaluation without a verdict.
const failedOutcome = "FAILED"

// freshly is how soon after a change a rule is asked about it. One that is asked
// later judges again what was there.
const freshly = time.Minute

// accept hands verdicts to compliance and counts them once they are kept.
func (m *Machine) accept(ctx context.Context, tx *db.Tx, p config.Place, batches ...config.Batch) error {
	now := m.Clock.Now()
	tx.AfterCommit(func() {
		for _, b := range batches {
			m.countBatch(b, now)
		}
	})
	return m.Compliance.Accept(ctx, tx, p, batches...)
}

func (m *Machine) countBatch(b config.Batch, now time.Time) {
	kind, outcomes := ruleKind(b.Rule), map[config.Compliance]int{}
	for _, e := range b.Evaluations {
		outcomes[e.Compliance]++
		if asked := b.Invoked.Sub(e.Ordering); asked >= 0 && asked < freshly {
			m.meter.Judged(kind, max(0, now.Sub(e.Ordering)))
		}
	}
	for outcome, n := range outcomes {
		m.meter.Evaluated(kind, string(outcome), n)
	}
}

// count tells the meter of an event once it has happened.
func (m *Machine) count(tx *db.Tx, event any) {
	e, ok := event.(config.ItemsRecorded)
	if !ok {
		return
	}
	types := map[string]int{}
	for _, it := range e.Items {
		types[it.Type]++
	}
	tx.AfterCommit(func() {
		for t, n := range types {
			m.meter.ItemsRecorded(t, n)
		}
	})
}

// evaluationFailed counts an evaluation by an in-process rule that gave no verdict.
func (m *Machine) evaluationFailed(r config.Rule) { m.meter.Evaluated(ruleKind(r), failedOutcome, 1) }

// jobFailed counts deliveries that jobs of other packages make.
func (m *Machine) jobFailed(kind string) {
	switch kind {
	case "topic.deliver", "topic.push":
		m.meter.DeliveryFailed("subscriber")
	case "audit.deliver":
		m.meter.DeliveryFailed("audit")
	case "outside.message", "outside.object":
		m.meter.DeliveryFailed("destination")
	}
}
