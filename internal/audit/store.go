package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// stored is an event as it is kept, beside what is a column.
type stored struct {
	Kind      string          `json:"kind"`
	Region    string          `json:"region"`
	Who       Who             `json:"who"`
	SourceIP  string          `json:"ip,omitempty"`
	UserAgent string          `json:"agent,omitempty"`
	RequestID string          `json:"request,omitempty"`
	Resources []string        `json:"resources,omitempty"`
	Message   string          `json:"message,omitempty"`
	Sent      json.RawMessage `json:"sent,omitempty"`
	Answered  json.RawMessage `json:"answered,omitempty"`
	ReadOnly  bool            `json:"readOnly,omitempty"`
	Data      bool            `json:"data,omitempty"`
	Forwarder string          `json:"forwarder,omitempty"`
}

// insert keeps an event. One that is there already is one whose commit was not confirmed.
func insert(ctx context.Context, tx *db.Tx, e Event, waits bool) error {
	body, err := json.Marshal(stored{
		e.Kind, e.Place.Region, e.Who, e.SourceIP, e.UserAgent, e.RequestID, e.Resources, e.Message, e.Sent, e.Answered, e.ReadOnly, e.Data,
		e.Forwarder,
	})
	if err != nil {
		return fmt.Errorf("encode a call: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_event (at, id, account, service, operation, principal, user_name, access_key, code, waits, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		db.Micros(e.At), e.ID, e.Place.Account, clean(e.Service), clean(e.Operation), clean(e.Who.ARN), clean(e.Who.UserName),
		clean(e.Who.AccessKeyID), clean(e.Code), waits, string(body))
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	for _, name := range e.Resources {
		_, err := tx.Exec(ctx, `INSERT INTO audit_resource (at, id, resource) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, db.Micros(e.At), e.ID, clean(name))
		if err != nil {
			return fmt.Errorf("keep what a call is about: %w", err)
		}
	}
	return nil
}

// clean makes a column of what a client sent.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}

// A Query says which events are meant. What is empty leaves all.
type Query struct {
	IDs       []string
	Account   string
	User      string // ARN, name, or access key id
	Operation string // CreateQueue, or sqs:CreateQueue
	Resources []string
	Service   string
	Since     time.Time // included
	Until     time.Time // not included
	Failed    bool
	Done      bool // none that failed
	Oldest    bool // first; else the newest
	After     Cursor
	Limit     int
}

// A Cursor is an event that a page ended with.
type Cursor struct {
	At time.Time
	ID string
}

const columns = `e.at, e.id, e.account, e.service, e.operation, e.code, e.body`

// Find returns events.
func Find(ctx context.Context, tx *db.Tx, q Query) ([]Event, error) {
	where, args := q.where()
	order := "DESC"
	if q.Oldest {
		order = "ASC"
	}
	if len(q.Resources) > 0 {
		in, names := db.In(q.Resources)
		where = append(where, "(e.at, e.id) IN (SELECT r.at, r.id FROM audit_resource r WHERE r.resource IN "+in+")")
		args = append(args, names...)
	}
	var out []Event
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		e, err := scanEvent(scan)
		out = append(out, e)
		return err
	}, "SELECT "+columns+" FROM audit_event e WHERE "+strings.Join(where, " AND ")+" ORDER BY e.at "+order+", e.id "+order+" LIMIT ?", append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return out, nil
}

func (q Query) where() (where []string, args []any) {
	add := func(clause string, values ...any) {
		where, args = append(where, clause), append(args, values...)
	}
	add("1 = 1")
	if len(q.IDs) > 0 {
		in, ids := db.In(q.IDs)
		add("e.id IN "+in, ids...)
	}
	if q.Account != "" {
		add("e.account = ?", clean(q.Account))
	}
	if q.User != "" {
		u := clean(q.User)
		add("(e.principal = ? OR e.user_name = ? OR e.access_key = ?)", u, u, u)
	}
	if service, operation, ok := strings.Cut(q.Operation, ":"); ok {
		add("e.service = ? AND e.operation = ?", clean(service), clean(operation))
	} else if q.Operation != "" {
		add("e.operation = ?", clean(q.Operation))
	}
	if q.Service != "" {
		add("e.service = ?", clean(q.Service))
	}
	if !q.Since.IsZero() {
		add("e.at >= ?", db.Micros(q.Since))
	}
	if !q.Until.IsZero() {
		add("e.at < ?", db.Micros(q.Until))
	}
	if q.Failed {
		add("e.code <> ''")
	}
	if q.Done {
		add("e.code = ''")
	}
	if q.After.ID != "" {
		compare := "<"
		if q.Oldest {
			compare = ">"
		}
		add("(e.at, e.id) "+compare+" (?, ?)", db.Micros(q.After.At), clean(q.After.ID))
	}
	return where, args
}

func scanEvent(scan func(...any) error) (Event, error) {
	var e Event
	var at int64
	var body string
	if err := scan(&at, &e.ID, &e.Place.Account, &e.Service, &e.Operation, &e.Code, &body); err != nil {
		return e, err
	}
	var s stored
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return e, fmt.Errorf("decode call %s: %w", e.ID, err)
	}
	e.At, e.Place.Region = db.Time(at), s.Region
	e.Kind, e.Who, e.SourceIP, e.UserAgent, e.RequestID, e.Resources = s.Kind, s.Who, s.SourceIP, s.UserAgent, s.RequestID, s.Resources
	e.Message, e.Sent, e.Answered, e.ReadOnly, e.Data, e.Forwarder = s.Message, s.Sent, s.Answered, s.ReadOnly, s.Data, s.Forwarder
	return e, nil
}

// services are those whose calls change resources, by the second part of a type's name.
var services = map[string]string{"StepFunctions": "states", "CloudWatch": "monitoring", "Events": "events"}

// Changed returns the calls that changed a resource, the newest first: those that were
// done and named it by one of its names, in a span of time.
func Changed(ctx context.Context, tx *db.Tx, key config.ResourceKey, names []string, from, to time.Time, limit int) ([]Event, error) {
	parts := strings.Split(key.Type, "::")
	if len(parts) < 2 {
		return nil, nil
	}
	service, ok := services[parts[1]]
	if !ok {
		service = strings.ToLower(parts[1])
	}
	return Find(ctx, tx, Query{
		Account: key.Account, Service: service, Resources: append([]string{key.ID}, names...), Since: from, Until: to, Done: true, Limit: limit,
	})
}

// Sweep deletes events that are older than they are kept, and reports whether there are
// more.
func (l *Log) Sweep(ctx context.Context, tx *db.Tx, limit int) (more bool, err error) {
	end := db.Micros(l.o.Now().Add(-l.o.Keep))
	var at int64
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(at), 0), COUNT(*) >= ? FROM
		(SELECT at FROM audit_event WHERE at < ? ORDER BY at LIMIT ?) oldest`, limit, end, limit).Scan(&at, &more)
	if err != nil {
		return false, fmt.Errorf("look for old calls: %w", err)
	}
	for _, query := range []string{`DELETE FROM audit_resource WHERE at <= ?`, `DELETE FROM audit_event WHERE at <= ?`} {
		if _, err := tx.Exec(ctx, query, at); err != nil {
			return false, fmt.Errorf("delete old calls: %w", err)
		}
	}
	return more, nil
}
