package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/queue"
	"plumb/internal/store"
	"plumb/internal/topic"
)

// subscriberCounts are how many queues receive what is told.
var subscriberCounts = []int{1, 10, 100}

// deliver measures messages from the transaction that tells of changed verdicts until they
// are in the queues that subscribed to the channel's topic, policies asked and signed. The
// floor is the rows that they leave in the queues, in one durable transaction.
func deliver(ctx context.Context, b *bench) error {
	for _, subscribers := range subscriberCounts {
		if err := b.deliverTo(ctx, subscribers); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) deliverTo(ctx context.Context, subscribers int) error {
	m, err := b.newMachine(ctx)
	if err != nil {
		return err
	}
	if err := m.subscribe(ctx, subscribers); err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	b.atEnd(func() { m.Rest(context.WithoutCancel(ctx)) })
	told := 0
	ours := func(ctx context.Context) (int, error) {
		told += b.batch
		if err := m.DB.Write(ctx, func(tx *db.Tx) error { return m.Delivery.OnComplianceChanged(ctx, tx, turned(b.batch)) }); err != nil {
			return 0, err
		}
		return b.batch * subscribers, m.Drain(ctx)
	}
	if _, err := ours(ctx); err != nil {
		return err
	}
	floor, err := b.bareMessages(ctx, m, b.batch*subscribers)
	if err != nil {
		return err
	}
	r, err := b.compare(ctx, ours, floor)
	if err != nil {
		return err
	}
	if err := m.proveMessages(ctx, told*subscribers); err != nil {
		return err
	}
	b.table.race(fmt.Sprintf("compliance messages in the queues of %d subscribers, %d at a time", subscribers, b.batch), "messages/s", r, 0)
	return nil
}

// subscribe makes a topic, queues that subscribe to it, and a channel that tells it.
func (m *machine) subscribe(ctx context.Context, subscribers int) error {
	t, err := m.Topics.Create(ctx, topic.Topic{Place: benchPlace, Name: "told"})
	if err != nil {
		return err
	}
	for i := range subscribers {
		q := queue.Queue{Place: benchPlace, Name: fmt.Sprintf("told-%d", i)}
		policy := fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q,`+
			`"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, q.ARN(), t.ARN())
		q.Attributes = map[string]string{"Policy": policy}
		if _, err := m.Queues.Create(ctx, q); err != nil {
			return err
		}
		if _, err := m.Topics.Subscribe(ctx, t.ARN(), topic.Subscription{Protocol: "sqs", Endpoint: q.ARN()}); err != nil {
			return err
		}
	}
	if err := m.start(ctx, benchPlace, instanceType); err != nil {
		return err
	}
	return m.DB.Write(ctx, func(tx *db.Tx) error {
		return store.PutDeliveryChannel(ctx, tx, config.DeliveryChannel{Place: benchPlace, Name: "default", Bucket: "none", TopicARN: t.ARN()})
	})
}

// turned is an event of verdicts that changed, each of another resource.
func turned(n int) config.ComplianceChanged {
	e := config.ComplianceChanged{Place: benchPlace}
	for i := range n {
		was := config.Verdict{Rule: "told", Invoked: time.Now(), Recorded: time.Now(), Evaluation: config.Evaluation{
			ResourceType: instanceType, ResourceID: fmt.Sprintf("i-%017x", i), Compliance: config.Compliant, Ordering: time.Now(),
		}}
		is := was
		is.Compliance = config.NonCompliant
		e.Changes = append(e.Changes, config.VerdictChange{RuleARN: "arn:aws:config:" + benchRegion + ":" + benchAccount + ":config-rule/told", Old: &was, New: is})
	}
	return e
}

// bareMessages writes n rows like one that a message left, again and again.
func (b *bench) bareMessages(ctx context.Context, m *machine, n int) (act, error) {
	var body, details string
	err := m.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT body, message FROM queue_messages LIMIT 1`).Scan(&body, &details)
	})
	if err != nil {
		return nil, fmt.Errorf("what a message in a queue looks like: %w", err)
	}
	d, err := b.openStore(ctx)
	if err != nil {
		return nil, err
	}
	seq := int64(0)
	return func(ctx context.Context) (int, error) {
		const rows = 500
		err := d.Write(ctx, func(tx *db.Tx) error {
			for left := n; left > 0; left -= rows {
				some := min(left, rows)
				args := make([]any, 0, 10*some)
				for range some {
					seq++
					args = append(args, seq%100, seq, fmt.Sprintf("%036d", seq), body, details, seq, seq, seq, 0, 0)
				}
				_, err := tx.Exec(ctx, `INSERT INTO queue_messages (queue, seq, id, body, message, sent, visible, expires, received, first, receipt, grouping) VALUES `+
					groups(some, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')"), args...)
				if err != nil {
					return err
				}
			}
			return nil
		})
		return n, err
	}, nil
}

// proveMessages fails if a queue did not get what it was told.
func (m *machine) proveMessages(ctx context.Context, want int) error {
	return m.DB.Read(ctx, func(tx *db.Tx) error {
		var n int
		var body string
		if err := tx.QueryRow(ctx, `SELECT count(*), min(body) FROM queue_messages`).Scan(&n, &body); err != nil {
			return err
		}
		if n != want {
			return fmt.Errorf("%d messages are in the queues, %d were told", n, want)
		}
		if !json.Valid([]byte(body)) || !strings.Contains(body, "ComplianceChangeNotification") {
			return fmt.Errorf("a message is %.200q", body)
		}
		return nil
	})
}
