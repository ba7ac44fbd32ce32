package iot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/iotdataapi"
	"plumb/internal/source/iot/sql"
)

// maxRetained bounds how many messages a place retains.
const maxRetained = 10_000

// A Retained is the last message of a topic that was to be retained. Payload is empty in
// lists.
type Retained struct {
	config.Place
	Topic   string
	QoS     byte
	Changed time.Time
	Size    int64
	Payload []byte
}

// retain keeps a message as its topic's. An empty one deletes it.
func (e *Engine) retain(ctx context.Context, tx *db.Tx, m Message) error {
	if len(m.Payload) == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM iot_retained WHERE account = ? AND region = ? AND topic = ?`, m.Account, m.Region, m.Topic)
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM iot_retained WHERE account = ? AND region = ? AND topic <> ?`, m.Account, m.Region, m.Topic).Scan(&n); err != nil {
		return err
	}
	if n >= maxRetained {
		return iotdataapi.ThrottlingException("There are %d retained messages, and no more may be.", maxRetained)
	}
	_, err := tx.Exec(ctx, `INSERT INTO iot_retained (account, region, topic, qos, changed, size, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, topic) DO UPDATE SET qos = excluded.qos, changed = excluded.changed, size = excluded.size, payload = excluded.payload`,
		m.Account, m.Region, m.Topic, int64(m.QoS), db.Micros(e.now()), int64(len(m.Payload)), m.Payload)
	if err != nil {
		return fmt.Errorf("retain a message: %w", err)
	}
	return nil
}

// FindRetained returns the retained message of a topic, or ResourceNotFoundException.
func FindRetained(ctx context.Context, tx *db.Tx, p config.Place, topic string) (Retained, error) {
	r := Retained{Place: p, Topic: topic}
	var qos, changed int64
	err := tx.QueryRow(ctx, `SELECT qos, changed, size, payload FROM iot_retained WHERE account = ? AND region = ? AND topic = ?`, p.Account, p.Region, topic).
		Scan(&qos, &changed, &r.Size, &r.Payload)
	if errors.Is(err, db.ErrNoRows) {
		return r, iotdataapi.ResourceNotFoundException("No retained message exists for topic: %s", topic)
	}
	r.QoS, r.Changed = byte(qos), db.Time(changed)
	return r, err
}

// AllRetained lists retained messages of a place by topic, those after the given one,
// without their payloads.
func AllRetained(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []Retained, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r := Retained{Place: p}
		var qos, changed int64
		err := scan(&r.Topic, &qos, &changed, &r.Size)
		r.QoS, r.Changed = byte(qos), db.Time(changed)
		out = append(out, r)
		return err
	}, `SELECT topic, qos, changed, size FROM iot_retained WHERE account = ? AND region = ? AND topic > ? ORDER BY topic LIMIT ?`, p.Account, p.Region, after, limit)
	return out, err
}

// retainedOf returns the retained messages that a filter matches.
func (e *Engine) retainedOf(ctx context.Context, p config.Place, filter string) (out []Retained, err error) {
	err = e.db.Read(ctx, func(tx *db.Tx) error {
		all, err := AllRetained(ctx, tx, p, "", maxRetained)
		if err != nil {
			return err
		}
		for _, r := range all {
			if !sql.Matches(filter, r.Topic) {
				continue
			}
			if r, err = FindRetained(ctx, tx, p, r.Topic); err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}
