package crashtest

import (
	"encoding/json"
	"log/slog"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/db"
)

// chains are the jobs that insert their successors, and what of their arguments
// names the chain. Two of one name are a chain that a kill has forked: it would
// do its work twice, for good.
var chains = map[string][]string{
	"bucket.sweep":          nil,
	"delivery.history":      {"place"},
	"delivery.snapshot-due": {"place"},
	"queue.expire":          {"queue"},
	"recorder.poll":         {"place"},
	"rule.evaluate":         {"ruleId"},
	"rule.tick":             {"ruleId"},
}

// A storedJob is a job as the store has it.
type storedJob struct {
	kind, state string
	args        map[string]any
}

// jobs reads the store of the server, which goes on meanwhile.
func (c *check) jobs() (out []storedJob) {
	url, args := c.database, "args::text"
	if url == "" {
		url, args = "sqlite:"+filepath.Join(c.dir, "data", "plumb.db"), "json(args)"
	}
	d, err := db.Inspect(c.t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	defer d.Close()
	err = d.Read(c.t.Context(), func(tx *db.Tx) error {
		return db.Each(c.t.Context(), tx, func(scan func(...any) error) error {
			var j storedJob
			var text string
			if err := scan(&j.kind, &j.state, &text); err != nil {
				return err
			}
			out = append(out, j)
			return json.Unmarshal([]byte(text), &out[len(out)-1].args)
		}, `SELECT kind, CAST(state AS TEXT), CAST(`+args+` AS TEXT) FROM river_job`)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// workDone: what has to be done again and again is done once each time.
func (c *check) workDone() {
	waiting, pages := map[string]map[string]int{}, map[string]map[string]int{}
	for _, j := range c.jobs() {
		name, ok := chains[j.kind]
		switch {
		case j.state == "discarded" || j.state == "cancelled":
			c.failf("job", "%s %v is %s", j.kind, j.args, j.state)
		case j.kind == "rule.evaluate" && j.state == "completed":
			add(pages, text(j.args, "ruleId"), text(j.args, "type", "id"))
		case ok && j.state != "completed":
			add(waiting, j.kind, text(j.args, name...))
		}
	}
	for kind, names := range waiting {
		for name, n := range names {
			c.count["chains of jobs"]++
			if n > 1 {
				c.failf("job", "%d jobs %s wait for %s, want 1", n, kind, name)
			}
		}
	}
	c.chainsThere(waiting)
	// An evaluation walks through its pages once, from the first.
	for rule, all := range pages {
		for page, n := range all {
			c.count["pages evaluated"] += n
			if first := all[text(nil, "type", "id")]; n > first {
				c.failf("job", "rule %s began %d evaluations and evaluated the page after %s %d times", rule, first, page, n)
			}
		}
	}
}

// chainsThere: no chain has ended.
func (c *check) chainsThere(waiting map[string]map[string]int) {
	queues, err := c.sqs.ListQueues(c.t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		c.t.Fatal(err)
	}
	for kind, want := range map[string]int{"delivery.history": 1, "rule.tick": 1, "queue.expire": len(queues.QueueUrls)} {
		if n := len(waiting[kind]); n < want {
			c.failf("job", "%d jobs %s wait, want %d", n, kind, want)
		}
	}
}

func add(counts map[string]map[string]int, group, name string) {
	if counts[group] == nil {
		counts[group] = map[string]int{}
	}
	counts[group][name]++
}

func text(args map[string]any, names ...string) string {
	var picked []any
	for _, n := range names {
		picked = append(picked, args[n])
	}
	b, err := json.Marshal(picked)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
