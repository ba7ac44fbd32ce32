package iot

import (
	"context"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/source/iot/sql"
)

// MaxPayload is how many bytes a message has at most.
const MaxPayload = 128 << 10

// A Message is what somebody publishes.
type Message struct {
	config.Place
	Topic     string
	Payload   []byte
	QoS       byte // 0 or 1
	Retain    bool
	Client    string // the id of the MQTT client; empty for one that came otherwise
	Principal string // who published it
}

// check refuses what nobody may publish.
func (m Message) check() error {
	topic := m.Topic
	if _, rest := basicIngest(topic); rest != "" {
		topic = rest
	}
	if err := sql.CheckTopic(topic); err != nil {
		return invalid("Invalid topic: %s.", err)
	}
	if strings.HasPrefix(m.Topic, "$") && !strings.HasPrefix(m.Topic, rulesTopic) {
		return invalid("Invalid topic: %s. Topics that begin with $ are AWS's own.", m.Topic)
	}
	if len(m.Payload) > MaxPayload {
		return invalid("The message has %d bytes, and may have %d.", len(m.Payload), MaxPayload)
	}
	return nil
}

// Publish takes a message, and hands it to this server's subscribers.
func (e *Engine) Publish(ctx context.Context, m Message) error {
	if err := e.Accept(ctx, m); err != nil {
		return err
	}
	if e.o.Deliver != nil && !strings.HasPrefix(m.Topic, rulesTopic) {
		e.o.Deliver(m)
	}
	return nil
}

// Accept keeps a message for the rules of its topic, and as the retained one. What
// nobody waits for is not written.
func (e *Engine) Accept(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	var names []string
	var known string
	err := e.db.Read(ctx, func(tx *db.Tx) (err error) {
		names, known, err = rulesOf(ctx, tx, m.Place, m.Topic)
		return err
	})
	if err != nil || len(names) == 0 && !m.Retain {
		return err
	}
	return e.db.Write(ctx, func(tx *db.Tx) error {
		if m.Retain {
			if err := e.retain(ctx, tx, m); err != nil {
				return err
			}
		}
		if len(names) == 0 {
			return nil
		}
		return e.jobs.Insert(ctx, tx, message{
			Place: m.Place, Topic: known, Rules: names, Payload: m.Payload, Client: m.Client, Principal: m.Principal, Trace: newID(), At: db.Micros(e.now()),
		}, job.Options{})
	})
}

// message is the job that asks the rules of a message.
type message struct {
	Place     config.Place `json:"place"`
	Topic     string       `json:"topic"`
	Rules     []string     `json:"rules"`
	Payload   []byte       `json:"payload"`
	Client    string       `json:"client,omitempty"`
	Principal string       `json:"principal,omitempty"`
	Trace     string       `json:"trace"`
	At        int64        `json:"at"`
}

func (message) Kind() string { return "source.iot.message" }

// Owner is the account whose rules are asked.
func (m message) Owner() string { return m.Place.Account }

func (m message) asked() sql.Message {
	return sql.Message{Account: m.Place.Account, Topic: m.Topic, Payload: m.Payload, Client: m.Client, Principal: m.Principal, Trace: m.Trace, Time: db.Time(m.At)}
}

// ask asks the rules, and has the commit take their actions.
func (e *Engine) ask(ctx context.Context, j job.Job[message]) (job.Commit, error) {
	m := j.Args
	var rules []Rule
	err := e.db.Read(ctx, func(tx *db.Tx) error {
		for _, name := range m.Rules {
			r, err := FindRule(ctx, tx, m.Place, name)
			switch {
			case isNoRule(err), err == nil && !r.Enabled:
				continue
			case err != nil:
				return err
			}
			rules = append(rules, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, r := range rules {
		steps = append(steps, m.steps(r)...)
	}
	return func(ctx context.Context, tx *db.Tx) error {
		for _, s := range steps {
			if err := e.take(ctx, tx, s); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func isNoRule(err error) bool { return model.IsCode(err, "UnauthorizedException") }

func isNotFound(err error) bool { return model.IsCode(err, "ResourceNotFoundException") }
