package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/logs"
	"plumb/internal/model"
)

// maxBatch is how many bytes of messages a function gets at a time: what does not
// compress still fits into an event.
const maxBatch = 512 << 10

// A batch is what a function gets, before it is compressed.
type batch struct {
	Type    string   `json:"messageType"`
	Owner   string   `json:"owner"`
	Group   string   `json:"logGroup"`
	Stream  string   `json:"logStream"`
	Filters []string `json:"subscriptionFilters"`
	Events  []event  `json:"logEvents"`
}

type event struct {
	ID      string            `json:"id"`
	Time    int64             `json:"timestamp"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"extractedFields,omitempty"`
}

// handOver is the job that gives a batch to a function.
type handOver struct {
	config.Place
	Group    string `json:"group"`
	Function string `json:"function"` // ARN
	Data     []byte `json:"data"`     // compressed
}

func (handOver) Kind() string { return "source.logs.batch" }

// Owner is the group's account.
func (h handOver) Owner() string { return h.Account }

// Written decides who gets events that are written to a stream.
func (s *Subscriptions) Written(ctx context.Context, tx *db.Tx, g logs.Group, events []logs.Event) error {
	found, err := filters(ctx, tx, g.Place, g.Name)
	if err != nil {
		return err
	}
	for _, f := range found {
		p, err := logs.ParsePattern(f.Pattern)
		if err != nil {
			return fmt.Errorf("pattern of subscription filter %s: %w", f.Name, err)
		}
		b, size := batch{Type: "DATA_MESSAGE", Owner: f.Account, Group: g.Name, Filters: []string{f.Name}}, 0
		for _, e := range events {
			if !p.Matches(e.Message) {
				continue
			}
			if size+len(e.Message) > maxBatch && len(b.Events) > 0 {
				if err := s.plan(ctx, tx, f, b); err != nil {
					return err
				}
				b.Events, size = nil, 0
			}
			b.Stream, size = e.Stream, size+len(e.Message)
			b.Events = append(b.Events, event{e.ID(), e.Time, e.Message, p.Fields(e.Message)})
		}
		if err := s.plan(ctx, tx, f, b); err != nil {
			return err
		}
	}
	return nil
}

// plan leaves the job of a batch.
func (s *Subscriptions) plan(ctx context.Context, tx *db.Tx, f Filter, b batch) error {
	if len(b.Events) == 0 {
		return nil
	}
	data, err := compress(b)
	if err != nil {
		return err
	}
	return s.jobs.Insert(ctx, tx, handOver{f.Place, f.Group, f.Destination, data}, job.Options{})
}

func compress(v any) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	err := z.Close()
	return out.Bytes(), err
}

// hand has a function invoked with a batch, if it still lets the group in and does not
// write its own log there.
func (s *Subscriptions) hand(ctx context.Context, tx *db.Tx, j job.Job[handOver]) error {
	a := j.Args
	own, err := isOwn(ctx, tx, a.Place, a.Group, a.Function)
	if err != nil {
		return err
	}
	may, err := may(ctx, tx, a.Place, a.Group, a.Function)
	if err != nil {
		return err
	}
	if !may || own {
		s.log.Warn("events of a log group were not taken: the function is gone, does not let the group in, or writes to it", "group", a.Group, "function", a.Function)
		return nil
	}
	r, err := lambda.ParseARN(a.Function)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(map[string]any{"awslogs": map[string][]byte{"data": a.Data}})
	if err != nil {
		return err
	}
	_, err = s.functions.InvokeAsync(ctx, tx, lambda.Event{Ref: r, Payload: payload})
	if _, named := model.Named(err); named {
		s.log.Warn("events of a log group were not taken", "group", a.Group, "function", a.Function, "err", err)
		return nil
	}
	return err
}
