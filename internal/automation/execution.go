package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An Execution is a document that runs, or ran.
type Execution struct {
	config.Place
	ID         string
	Document   string
	Version    string
	Content    string // of the document, as it was at the start
	Parameters map[string][]string
	Role       string
	Note       string // of whoever asked for it; given back to Ended
	By         string // who asked; empty for this program itself
	Status     Status
	Started    time.Time
	Ended      time.Time
	Failure    string

	step    int  // the number of the present one
	failing bool // a critical step failed, and the document goes on
	values  Values
}

// Outputs returns what the document's outputs name.
func (e Execution) Outputs() map[string]any {
	out := map[string]any{}
	d, err := Parse(e.Content)
	if err != nil {
		return out
	}
	for _, name := range d.Outputs {
		if v, ok := e.values[name]; ok {
			out[name] = v
		}
	}
	return out
}

// A StepRun is a step of an execution that ran, runs or waits.
type StepRun struct {
	Number   int
	Name     string
	Action   string
	Status   Status
	Attempts int
	Started  time.Time
	Ended    time.Time
	Failure  string
	Inputs   map[string]any
	Outputs  Values

	waited map[string]any
}

type storedRequest struct {
	Content    string              `json:"content"`
	Parameters map[string][]string `json:"parameters,omitempty"`
	Role       string              `json:"role,omitempty"`
	Note       string              `json:"note,omitempty"`
	By         string              `json:"by,omitempty"`
}

type storedStep struct {
	Inputs  map[string]any `json:"inputs,omitempty"`
	Outputs map[string]any `json:"outputs,omitempty"`
	Waited  map[string]any `json:"waited,omitempty"`
}

// ErrNotFound says that there is no such execution or document.
var ErrNotFound = errors.New("not found")

func encode(form any) (string, error) {
	text, err := json.Marshal(form)
	return string(text), err
}

func addExecution(ctx context.Context, tx *db.Tx, e Execution) error {
	request, err := encode(storedRequest{e.Content, e.Parameters, e.Role, e.Note, e.By})
	if err != nil {
		return err
	}
	vals, err := encode(e.values)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO automation_execution
		(account, region, public_id, document, version, status, started, ended, failure, step, failing, request, vals)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, ?, ?)`,
		e.Account, e.Region, e.ID, e.Document, e.Version, string(e.Status), db.Micros(e.Started), false, request, vals)
	if err != nil {
		return fmt.Errorf("keep execution %s: %w", e.ID, err)
	}
	return nil
}

// saveExecution keeps what changes of an execution.
func saveExecution(ctx context.Context, tx *db.Tx, e Execution) error {
	vals, err := encode(e.values)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE automation_execution SET status = ?, ended = ?, failure = ?, step = ?, failing = ?, vals = ? WHERE public_id = ?`,
		string(e.Status), db.Micros(e.Ended), e.Failure, e.step, e.failing, vals, e.ID)
	if err != nil {
		return fmt.Errorf("keep execution %s: %w", e.ID, err)
	}
	return nil
}

// Get returns an execution by its id, or ErrNotFound.
func Get(ctx context.Context, tx *db.Tx, id string) (Execution, error) {
	found, err := scanExecutions(ctx, tx, `public_id = ?`, id)
	if err != nil {
		return Execution{}, err
	}
	if len(found) == 0 {
		return Execution{}, ErrNotFound
	}
	return found[0].Execution, nil
}

// A Position is where an execution stands in the list.
type Position struct{ Started, ID int64 }

// A Listed is an execution with its position.
type Listed struct {
	Execution
	Position Position
}

// A Query selects executions of a place, the newest first. Empty members narrow
// nothing; Before is the position of the last one that was returned.
type Query struct {
	config.Place
	Statuses []string
	IDs      []string
	Prefix   string // of the document's name
	Before   Position
	Limit    int
}

// Executions lists executions.
func Executions(ctx context.Context, tx *db.Tx, q Query) ([]Listed, error) {
	where, args := `account = ? AND region = ?`, []any{q.Account, q.Region}
	if len(q.Statuses) > 0 {
		in, values := db.In(q.Statuses)
		where, args = where+` AND status IN `+in, append(args, values...)
	}
	if len(q.IDs) > 0 {
		in, values := db.In(q.IDs)
		where, args = where+` AND public_id IN `+in, append(args, values...)
	}
	if q.Prefix != "" {
		where, args = where+` AND substr(document, 1, ?) = ?`, append(args, utf8.RuneCountInString(q.Prefix), q.Prefix)
	}
	if q.Before.ID != 0 {
		where, args = where+` AND (started, id) < (?, ?)`, append(args, q.Before.Started, q.Before.ID)
	}
	return scanExecutions(ctx, tx, where+` ORDER BY started DESC, id DESC LIMIT ?`, append(args, q.Limit)...)
}

func scanExecutions(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Listed, error) {
	var out []Listed
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var e Listed
		var status, request, vals string
		var started, ended int64
		err := scan(&e.Position.ID, &e.Account, &e.Region, &e.ID, &e.Document, &e.Version, &status, &started, &ended, &e.Failure, &e.step, &e.failing, &request, &vals)
		if err != nil {
			return err
		}
		var form storedRequest
		if err := json.Unmarshal([]byte(request), &form); err != nil {
			return fmt.Errorf("execution %s: %w", e.ID, err)
		}
		v, err := config.Decode([]byte(vals))
		if err != nil {
			return fmt.Errorf("execution %s: %w", e.ID, err)
		}
		e.values, _ = v.(map[string]any)
		e.Content, e.Parameters, e.Role, e.Note, e.By = form.Content, form.Parameters, form.Role, form.Note, form.By
		e.Status, e.Started, e.Ended, e.Position.Started = Status(status), db.Time(started), db.Time(ended), started
		out = append(out, e)
		return nil
	}, `SELECT id, account, region, public_id, document, version, status, started, ended, failure, step, failing, request, vals
		FROM automation_execution WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	return out, nil
}

func putStep(ctx context.Context, tx *db.Tx, id string, s StepRun) error {
	body, err := encode(storedStep{s.Inputs, s.Outputs, s.waited})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO automation_step (execution, number, name, action, status, attempts, started, ended, failure, body)
		SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM automation_execution WHERE public_id = ?
		ON CONFLICT (execution, number) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, started = excluded.started,
		ended = excluded.ended, failure = excluded.failure, body = excluded.body`,
		s.Number, s.Name, s.Action, string(s.Status), s.Attempts, db.Micros(s.Started), db.Micros(s.Ended), s.Failure, body, id)
	if err != nil {
		return fmt.Errorf("keep step %s of execution %s: %w", s.Name, id, err)
	}
	return nil
}

// Steps returns the steps of an execution that began, in their order.
func Steps(ctx context.Context, tx *db.Tx, id string) ([]StepRun, error) {
	var out []StepRun
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var s StepRun
		var status, body string
		var started, ended int64
		if err := scan(&s.Number, &s.Name, &s.Action, &status, &s.Attempts, &started, &ended, &s.Failure, &body); err != nil {
			return err
		}
		v, err := config.Decode([]byte(body))
		if err != nil {
			return fmt.Errorf("step %s: %w", s.Name, err)
		}
		form, _ := v.(map[string]any)
		s.Inputs, _ = form["inputs"].(map[string]any)
		s.Outputs, _ = form["outputs"].(map[string]any)
		s.waited, _ = form["waited"].(map[string]any)
		s.Status, s.Started, s.Ended = Status(status), db.Time(started), db.Time(ended)
		out = append(out, s)
		return nil
	}, `SELECT number, name, action, status, attempts, started, ended, failure, body FROM automation_step
		WHERE execution = (SELECT id FROM automation_execution WHERE public_id = ?) ORDER BY number`, id)
	if err != nil {
		return nil, fmt.Errorf("read the steps of execution %s: %w", id, err)
	}
	return out, nil
}

// deleteExecutions forgets up to limit executions that ended before a time.
func deleteExecutions(ctx context.Context, tx *db.Tx, before time.Time, limit int) (n int64, err error) {
	const old = `SELECT id FROM automation_execution WHERE ended > 0 AND ended < ? ORDER BY ended LIMIT ?`
	if _, err := tx.Exec(ctx, `DELETE FROM automation_step WHERE execution IN (`+old+`)`, db.Micros(before), limit); err != nil {
		return 0, fmt.Errorf("delete old executions: %w", err)
	}
	return tx.Exec(ctx, `DELETE FROM automation_execution WHERE id IN (`+old+`)`, db.Micros(before), limit)
}
