package eventbus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// A Target is where a rule sends events, and what it sends.
type Target struct {
	ID          string
	ARN         string
	Role        string
	Input       string
	Path        string
	Transformer *Transformer
	Group       string // of messages to a queue in FIFO order
	DeadLetters string // a queue
	MaxRetries  int
	MaxAge      time.Duration

	// What the client asked for about retries; nil where it asked for nothing.
	GivenRetries, GivenAge *int32
}

// A Transformer fills a template with parts of an event.
type Transformer struct {
	Paths    map[string]string
	Template string
}

// What holds for a target that says nothing about retries.
const (
	defaultRetries = 185
	defaultAge     = 24 * time.Hour
)

// storedTarget is how a target is kept.
type storedTarget struct {
	Role        string             `json:"role,omitempty"`
	Input       string             `json:"input,omitempty"`
	Path        string             `json:"path,omitempty"`
	Transformer *storedTransformer `json:"transformer,omitempty"`
	Group       string             `json:"group,omitempty"`
	DeadLetters string             `json:"deadLetters,omitempty"`
	Retries     *int32             `json:"retries,omitempty"`
	Age         *int32             `json:"age,omitempty"` // seconds
}

type storedTransformer struct {
	Paths    map[string]string `json:"paths,omitempty"`
	Template string            `json:"template"`
}

func storeTarget(t Target) storedTarget {
	s := storedTarget{Role: t.Role, Input: t.Input, Path: t.Path, Group: t.Group, DeadLetters: t.DeadLetters, Retries: t.GivenRetries, Age: t.GivenAge}
	if t.Transformer != nil {
		s.Transformer = new(storedTransformer(*t.Transformer))
	}
	return s
}

func (s storedTarget) target(id, targetARN string) Target {
	t := Target{ID: id, ARN: targetARN, Role: s.Role, Input: s.Input, Path: s.Path, Group: s.Group, DeadLetters: s.DeadLetters,
		MaxRetries: defaultRetries, MaxAge: defaultAge, GivenRetries: s.Retries, GivenAge: s.Age}
	if s.Transformer != nil {
		t.Transformer = new(Transformer(*s.Transformer))
	}
	if s.Retries != nil {
		t.MaxRetries = int(*s.Retries)
	}
	if s.Age != nil {
		t.MaxAge = time.Duration(*s.Age) * time.Second
	}
	return t
}

// checkTarget refuses what no event could be sent to.
func checkTarget(p config.Place, t Target) error {
	a, err := arn.Parse(t.ARN)
	if err != nil {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.ARN)
	}
	given := 0
	for _, yes := range []bool{t.Input != "", t.Path != "", t.Transformer != nil} {
		if yes {
			given++
		}
	}
	if given > 1 {
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	}
	switch {
	case a.Service == "events" && strings.HasPrefix(a.Resource, "event-bus/"):
		if given > 0 && a.Account != p.Account {
			return invalid("Input, InputPath and InputTransformer are not supported for target %s, which is an event bus of another account.", t.ID)
		}
	case a.Service == "lambda" && strings.HasPrefix(a.Resource, "function:"),
		a.Service == "logs" && strings.HasPrefix(a.Resource, "log-group:"):
	case a.Service == "sns" && strings.HasSuffix(a.Resource, ".fifo"):
		return invalid("Parameter %s is not valid. Reason: FIFO topics are not supported as a target.", t.ARN)
	case a.Service == "sns" && !strings.Contains(a.Resource, ":"):
	case a.Service == "sqs":
		if strings.HasSuffix(a.Resource, ".fifo") != (t.Group != "") {
			return invalid("Parameter(s) SqsParameters must be specified for target: %s, if and only if it is a FIFO queue.", t.ID)
		}
	default:
		return invalid("Parameter %s is not valid. Reason: Events are sent to functions of Lambda, queues of SQS, topics of SNS, log groups and event buses here.",
			t.ARN)
	}
	if a, err := arn.Parse(t.DeadLetters); t.DeadLetters != "" && (err != nil || a.Service != "sqs") {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.DeadLetters)
	}
	return checkInput(t)
}

// PutTargets adds targets to a rule, or replaces those of the same ids.
func (b *Bus) PutTargets(ctx context.Context, tx *db.Tx, p config.Place, bus, name string, targets []Target) error {
	for _, t := range targets {
		if err := checkTarget(p, t); err != nil {
			return err
		}
	}
	if err := tx.Lock(ctx, busARN(p, bus)); err != nil {
		return err
	}
	r, err := FindRule(ctx, tx, p, bus, name)
	if err != nil {
		return err
	}
	for _, t := range targets {
		definition, err := json.Marshal(storeTarget(t))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO event_targets (account, region, bus, rule, id, arn, definition) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (account, region, bus, rule, id) DO UPDATE SET arn = excluded.arn, definition = excluded.definition`,
			p.Account, p.Region, bus, name, t.ID, t.ARN, string(definition))
		if err != nil {
			return fmt.Errorf("write target %s of rule %s: %w", t.ID, name, err)
		}
	}
	all, err := targetsOf(ctx, tx, r)
	if err == nil && len(all) > maxTargets {
		return limitExceeded()
	}
	return err
}

// RemoveTargets takes targets from a rule. Those that are not there are no error.
func (b *Bus) RemoveTargets(ctx context.Context, tx *db.Tx, p config.Place, bus, name string, ids []string) error {
	if _, err := FindRule(ctx, tx, p, bus, name); err != nil {
		return err
	}
	for _, id := range ids {
		_, err := tx.Exec(ctx, `DELETE FROM event_targets WHERE account = ? AND region = ? AND bus = ? AND rule = ? AND id = ?`,
			p.Account, p.Region, bus, name, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// Targets lists targets of a rule by id, those after the given one.
func Targets(ctx context.Context, tx *db.Tx, p config.Place, bus, name, after string, limit int) ([]Target, error) {
	r, err := FindRule(ctx, tx, p, bus, name)
	if err != nil {
		return nil, err
	}
	all, err := targetsOf(ctx, tx, r)
	var out []Target
	for _, t := range all { // five at most
		if t.ID > after && len(out) < limit {
			out = append(out, t)
		}
	}
	return out, err
}

func targetsOf(ctx context.Context, tx *db.Tx, r Rule) (out []Target, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id, targetARN, definition string
		if err := scan(&id, &targetARN, &definition); err != nil {
			return err
		}
		var s storedTarget
		if err := json.Unmarshal([]byte(definition), &s); err != nil {
			return fmt.Errorf("target %s of rule %s: %w", id, r.Name, err)
		}
		out = append(out, s.target(id, targetARN))
		return nil
	}, `SELECT id, arn, definition FROM event_targets WHERE account = ? AND region = ? AND bus = ? AND rule = ? ORDER BY id`,
		r.Account, r.Region, r.Bus, r.Name)
	return out, err
}

// RulesOfTarget lists the names of the rules of a bus that have a target, those
// after the given one.
func RulesOfTarget(ctx context.Context, tx *db.Tx, p config.Place, bus, targetARN, after string, limit int) (names []string, err error) {
	if _, err := FindBus(ctx, tx, p, bus); err != nil {
		return nil, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, `SELECT DISTINCT rule FROM event_targets WHERE account = ? AND region = ? AND bus = ? AND arn = ? AND rule > ? ORDER BY rule LIMIT ?`,
		p.Account, p.Region, bus, targetARN, after, limit)
	return names, err
}
