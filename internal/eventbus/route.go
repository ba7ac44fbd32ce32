package eventbus

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/pattern"
)

// routeJob is the job that brings events from a bus to targets.
type routeJob struct {
	Place  config.Place `json:"place"` // of the bus
	Bus    string       `json:"bus"`
	From   string       `json:"from"` // the account of the first bus
	Hops   int          `json:"hops,omitempty"`
	Put    int64        `json:"put"`
	Events []string     `json:"events"` // texts: a database may write JSON anew
}

// Kind names the job.
func (routeJob) Kind() string { return "eventbus.route" }

// Owner is the bus's account.
func (j routeJob) Owner() string { return j.Place.Account }

// A matched is a rule with its targets.
type matched struct {
	rule    Rule
	targets []Target
}

func (b *Bus) route(ctx context.Context, j job.Job[routeJob]) (job.Commit, error) {
	var rules []matched
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		list, err := taking(ctx, tx, j.Args.Place, j.Args.Bus)
		if err != nil {
			return err
		}
		for _, r := range list {
			targets, err := targetsOf(ctx, tx, r)
			if err != nil {
				return err
			}
			if len(targets) > 0 {
				rules = append(rules, matched{r, targets})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []delivery
	for _, body := range j.Args.Events {
		all = append(all, b.deliveries(ctx, j.Args, []byte(body), rules)...)
	}
	return func(ctx context.Context, tx *db.Tx) error { return b.handAll(ctx, tx, all) }, nil
}

// deliveries returns what follows from an event: an input for each target of each
// rule that it matches.
func (b *Bus) deliveries(ctx context.Context, j routeJob, body []byte, rules []matched) (out []delivery) {
	event, err := pattern.ParseEvent(body)
	if err != nil {
		b.log.ErrorContext(ctx, "event cannot be read", "bus", j.Bus, "err", err)
		return nil
	}
	for _, m := range rules {
		p, err := b.compiled(m.rule.Pattern)
		if err != nil {
			b.log.ErrorContext(ctx, "pattern cannot be read", "rule", m.rule.ARN(), "err", err)
			continue
		}
		if p.Matches(event) {
			out = append(out, b.of(m, j, body)...)
		}
	}
	return out
}

// of returns an event on its way to each target of a rule.
func (b *Bus) of(m matched, j routeJob, body []byte) (out []delivery) {
	for _, t := range m.targets {
		d := delivery{Place: j.Place, Rule: m.rule.ARN(), Target: t.ARN, Role: t.Role, Group: t.Group, DeadLetters: t.DeadLetters,
			Retries: t.MaxRetries, Age: int64(t.MaxAge.Seconds()), Event: string(body), From: j.From, Hops: j.Hops, Put: j.Put}
		d.Body, d.broken = t.input(m.rule, body, db.Time(j.Put))
		out = append(out, d)
	}
	return out
}

// sender is the rule, as the policies of its targets know it. With a role, it is
// the role that acts.
func (d delivery) sender() caller.Sender {
	s := caller.Sender{Account: d.Place.Account, Region: d.Place.Region, Service: "events.amazonaws.com", ARN: d.Rule}
	if d.Role != "" {
		s.Service, s.Role = "", d.Role
	}
	return s
}
