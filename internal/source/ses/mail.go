package ses

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/memory"
)

// Options are what the rules' actions use.
type Options struct {
	Functions *lambda.Service
	// Publish sends a message to a topic, as a rule; PutObject keeps an object, as a rule.
	Publish   func(ctx context.Context, tx *db.Tx, from caller.Sender, topicARN, subject, body string) error
	HasTopic  func(ctx context.Context, tx *db.Tx, from caller.Sender, topicARN string) (bool, error)
	PutObject func(ctx context.Context, from caller.Sender, bucket, key string, body []byte, kmsKey string) error
	// Resolver is asked for the records of senders' domains; nil where nobody is asked.
	Resolver Resolver
	// Changed is called after rules became active or inactive; it may be nil.
	Changed func(ctx context.Context)
}

// Mail receives mail.
type Mail struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options

	receiving *memory.Budget // for what is being received
}

// New returns the receiving side and registers the job that takes a mail through the
// rules.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Mail {
	m := &Mail{log: log, db: d, jobs: jobs, now: now, o: o, receiving: memory.New(maxAtOnce)}
	job.Handle(jobs, m.process, job.Policy{Timeout: 10 * time.Minute})
	return m
}

// Write runs a transaction that writes.
func (m *Mail) Write(ctx context.Context, f func(tx *db.Tx) error) error { return m.db.Write(ctx, f) }

// Read runs one that reads.
func (m *Mail) Read(ctx context.Context, f func(tx *db.Tx) error) error { return m.db.Read(ctx, f) }

// Changed tells who listens that rules became active or inactive.
func (m *Mail) Changed(ctx context.Context) {
	if m.o.Changed != nil {
		m.o.Changed(ctx)
	}
}

// newToken returns a random text of the form of a message's id.
func newToken() string { return strings.ToLower(rand.Text() + rand.Text()[:14]) }

// An envelope is who sends to whom, and how that came here.
type envelope struct {
	From string     `json:"from"`
	To   []string   `json:"to"`
	IP   netip.Addr `json:"ip,omitzero"`
	Helo string     `json:"helo,omitempty"`
}

// A letter is a mail on its way through the rules of a place, as ses_mails keeps it
// beside its text.
type letter struct {
	config.Place
	ID       string    `json:"id"`
	Envelope envelope  `json:"envelope"`
	Received time.Time `json:"received"`
	Verdicts *verdicts `json:"verdicts,omitempty"` // nil before they are known
	Set      string    `json:"set,omitempty"`
	Steps    []step    `json:"steps,omitempty"`
	Next     int       `json:"next,omitempty"`  // of the steps
	Added    string    `json:"added,omitempty"` // headers that rules added
}

// A step is an action that waits.
type step struct {
	Rule   string   `json:"rule"`
	To     []string `json:"to"` // the recipients that the rule is for
	Scan   bool     `json:"scan,omitempty"`
	Action Action   `json:"action"`
}

// receive is the job that takes a mail through the rules of a place.
type receive struct {
	config.Place
	ID string `json:"id"`
}

func (receive) Kind() string { return "source.ses.receive" }

// Owner is the account that gets the mail.
func (r receive) Owner() string { return r.Account }

// covers reports whether a rule's recipient is an address: itself, all of a domain, or
// all of a domain's subdomains.
func covers(recipient, address string) bool {
	recipient, address = strings.ToLower(recipient), strings.ToLower(address)
	_, domain, _ := cutAddress(address)
	switch {
	case strings.Contains(recipient, "@"):
		return recipient == address
	case strings.HasPrefix(recipient, "."):
		return strings.HasSuffix(domain, recipient)
	}
	return recipient == domain
}

// of returns those of the addresses that the rule is for. A rule without recipients is
// for all that are received for.
func (r Rule) of(addresses []string) (out []string) {
	if !r.Enabled {
		return nil
	}
	for _, a := range addresses {
		if len(r.Recipients) == 0 || slices.ContainsFunc(r.Recipients, func(to string) bool { return covers(to, a) }) {
			out = append(out, a)
		}
	}
	return out
}

// A taker is a place that receives mail for an address.
type taker struct {
	set   RuleSet
	rules []Rule
}

// takers returns the places that receive mail for an address: the address belongs to
// an identity of theirs, a rule of the active set is for it, and no filter blocks the
// sender. blocks is true if a filter does.
func (m *Mail) takers(ctx context.Context, tx *db.Tx, address string, from netip.Addr) (out []taker, blocks bool, err error) {
	sets, err := receiving(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	for _, s := range sets {
		ours, err := IsVerified(ctx, tx, s.Place, address)
		if err != nil {
			return nil, false, err
		}
		if !ours {
			continue
		}
		rules, err := Rules(ctx, tx, s.Place, s.Name)
		if err != nil {
			return nil, false, err
		}
		rules = slices.DeleteFunc(rules, func(r Rule) bool { return len(r.of([]string{address})) == 0 })
		if len(rules) == 0 {
			continue
		}
		filters, err := Filters(ctx, tx, s.Place)
		if err != nil {
			return nil, false, err
		}
		if from.IsValid() && blocked(filters, from) {
			blocks = true
			continue
		}
		out = append(out, taker{s, rules})
	}
	return out, blocks, nil
}

// accept keeps a mail for those places, with the job that goes on with it, and returns
// its id at the first of them.
func (m *Mail) accept(ctx context.Context, tx *db.Tx, e envelope, to map[config.Place][]string, text []byte) (id string, err error) {
	for _, p := range slices.SortedFunc(maps.Keys(to), func(a, b config.Place) int { return strings.Compare(a.String(), b.String()) }) {
		l := letter{Place: p, ID: newToken(), Envelope: e, Received: m.now()}
		l.Envelope.To = to[p]
		state, err := json.Marshal(l)
		if err != nil {
			return "", err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ses_mails (id, account, region, state, body) VALUES (?, ?, ?, ?, ?)`,
			l.ID, p.Account, p.Region, string(state), text); err != nil {
			return "", fmt.Errorf("keep mail: %w", err)
		}
		if err := m.jobs.Insert(ctx, tx, receive{p, l.ID}, job.Options{}); err != nil {
			return "", err
		}
		if id == "" {
			id = l.ID
		}
	}
	return id, nil
}

// errGone says that a mail was taken through all rules before.
var errGone = errors.New("the mail is not kept any more")

func readLetter(ctx context.Context, tx *db.Tx, id string) (l letter, text []byte, err error) {
	var state string
	err = tx.QueryRow(ctx, `SELECT state, body FROM ses_mails WHERE id = ?`, id).Scan(&state, &text)
	if errors.Is(err, db.ErrNoRows) {
		return l, nil, errGone
	}
	if err != nil {
		return l, nil, fmt.Errorf("read mail %s: %w", id, err)
	}
	err = json.Unmarshal([]byte(state), &l)
	return l, text, err
}

// keep writes how far a mail has come; one that is through all rules is forgotten.
func keep(ctx context.Context, tx *db.Tx, l letter) error {
	if l.Verdicts != nil && l.Next >= len(l.Steps) {
		_, err := tx.Exec(ctx, `DELETE FROM ses_mails WHERE id = ?`, l.ID)
		return err
	}
	state, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE ses_mails SET state = ? WHERE id = ?`, string(state), l.ID)
	return err
}

// process takes a mail through the rules from where it is.
func (m *Mail) process(ctx context.Context, j job.Job[receive]) error {
	var l letter
	var text []byte
	err := m.db.Read(ctx, func(tx *db.Tx) (err error) {
		l, text, err = readLetter(ctx, tx, j.Args.ID)
		return err
	})
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return err
	}
	if l.Verdicts == nil {
		v := m.judge(ctx, l.Envelope, text)
		l.Verdicts = &v
		err := m.db.Write(ctx, func(tx *db.Tx) error {
			if err := m.plan(ctx, tx, &l); err != nil {
				return err
			}
			return keep(ctx, tx, l)
		})
		if err != nil {
			return err
		}
	}
	for l.Next < len(l.Steps) {
		if err := m.take(ctx, &l, text); err != nil {
			return err
		}
	}
	return nil
}

// plan decides which actions are taken, by the rules that are active now.
func (m *Mail) plan(ctx context.Context, tx *db.Tx, l *letter) error {
	set, ok, err := Active(ctx, tx, l.Place)
	if err != nil || !ok {
		return err
	}
	rules, err := Rules(ctx, tx, l.Place, set.Name)
	if err != nil {
		return err
	}
	l.Set, l.Steps = set.Name, nil
	for _, r := range rules {
		to := r.of(l.Envelope.To)
		if len(to) == 0 {
			continue
		}
		for _, a := range r.Actions {
			l.Steps = append(l.Steps, step{r.Name, to, r.Scan, a})
		}
	}
	return nil
}
