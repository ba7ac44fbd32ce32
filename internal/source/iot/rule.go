package iot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model/iotapi"
	"plumb/internal/source/iot/sql"
)

// AWS IoT's limits.
const (
	maxRules   = 1000 // of a place
	maxActions = 10   // of a rule
	maxSQL     = 256 << 10
)

// versions are those of the language; the first one is of rules that name none.
var versions = []string{"2015-10-08", "2016-03-23", "beta"}

// A Rule says what is done with messages to some topics.
type Rule struct {
	config.Place
	Name        string
	SQL         string
	Version     string // of the language
	Description string
	Enabled     bool
	Created     time.Time
	Actions     []Action
	ErrorAction *Action // gets what the actions refused; nil for nobody
}

// The types of actions, as failures name them.
const (
	ActionLambda = "LambdaAction"
	ActionSNS    = "SnsAction"
	ActionSQS    = "SqsAction"
	ActionS3     = "S3Action"
)

// An Action is what is done with what a rule selects. Target, of all types but S3, and
// Key are texts with expressions.
type Action struct {
	Type   string
	Target string // the ARN of a function or a topic, the URL of a queue, the name of a bucket
	Role   string // that the action is done with; of all types but Lambda
	Key    string // of the object
	ACL    string // of the object; kept and not used
	Base64 bool   // a queue gets the message in base64
	Format string // of messages to a topic, as it was given
}

// storedRule is how a rule is kept.
type storedRule struct {
	SQL         string         `json:"sql"`
	Version     string         `json:"version"`
	Description string         `json:"description,omitempty"`
	Actions     []storedAction `json:"actions,omitempty"`
	ErrorAction *storedAction  `json:"errorAction,omitempty"`
}

type storedAction struct {
	Type   string `json:"type"`
	Target string `json:"target"`
	Role   string `json:"role,omitempty"`
	Key    string `json:"key,omitempty"`
	ACL    string `json:"acl,omitempty"`
	Base64 bool   `json:"base64,omitempty"`
	Format string `json:"format,omitempty"`
}

func storeRule(r Rule) storedRule {
	s := storedRule{SQL: r.SQL, Version: r.Version, Description: r.Description}
	for _, a := range r.Actions {
		s.Actions = append(s.Actions, storedAction(a))
	}
	if r.ErrorAction != nil {
		s.ErrorAction = new(storedAction(*r.ErrorAction))
	}
	return s
}

func (r *Rule) fill(definition string) error {
	var s storedRule
	if err := json.Unmarshal([]byte(definition), &s); err != nil {
		return fmt.Errorf("topic rule %s: %w", r.Name, err)
	}
	r.SQL, r.Version, r.Description = s.SQL, s.Version, s.Description
	for _, a := range s.Actions {
		r.Actions = append(r.Actions, Action(a))
	}
	if s.ErrorAction != nil {
		r.ErrorAction = new(Action(*s.ErrorAction))
	}
	return nil
}

// ARN returns the rule's ARN.
func (r Rule) ARN() string { return arn.New("iot", r.Region, r.Account, "rule/"+r.Name).String() }

// Filter returns which topics the rule is for. The statement was checked when the rule
// was made.
func (r Rule) Filter() string {
	q, err := sql.Parse(r.SQL)
	if err != nil {
		return ""
	}
	return q.Filter
}

// check refuses a rule that cannot be, and fills in the version.
func (r *Rule) check() error {
	if r.Version == "" {
		r.Version = versions[0]
	}
	switch {
	case !slices.Contains(versions, r.Version):
		return invalid("The SQL version %s is not known. There are %s.", r.Version, strings.Join(versions, ", "))
	case len(r.SQL) > maxSQL:
		return invalid("A statement has up to %d bytes.", maxSQL)
	case len(r.Actions) > maxActions:
		return invalid("A rule has up to %d actions.", maxActions)
	}
	if _, err := sql.Parse(r.SQL); err != nil {
		return iotapi.SqlParseException("The statement is none that is served here: %s.", err)
	}
	for _, a := range r.Actions {
		if err := a.check(); err != nil {
			return err
		}
	}
	if r.ErrorAction != nil {
		return r.ErrorAction.check()
	}
	return nil
}

func (a Action) check() error {
	for _, text := range []string{a.Target, a.Key} {
		if _, err := sql.ParseTemplate(text); err != nil {
			return iotapi.SqlParseException("A text of an action is none that is served here: %s.", err)
		}
	}
	if strings.Contains(a.Target, "${") {
		return nil // known with the message
	}
	switch a.Type {
	case ActionLambda:
		if _, err := lambda.ParseARN(a.Target); err != nil {
			return invalid("%s is not the ARN of a function.", a.Target)
		}
	case ActionSNS:
		if b, err := arn.Parse(a.Target); err != nil || b.Service != "sns" {
			return invalid("%s is not the ARN of a topic.", a.Target)
		}
	case ActionSQS:
		if _, err := queueARN(config.Place{}, a.Target); err != nil {
			return err
		}
	}
	return nil
}

// queueARN returns the ARN of the queue at a URL. Its region is the rule's.
func queueARN(p config.Place, queueURL string) (string, error) {
	u, err := url.Parse(queueURL)
	if err == nil {
		if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); len(parts) >= 2 && u.Host != "" {
			return arn.New("sqs", p.Region, parts[len(parts)-2], parts[len(parts)-1]).String(), nil
		}
	}
	return "", invalid("%s is not the URL of a queue.", queueURL)
}

// lock keeps two writers of a place's rules apart.
func lock(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "topic rules "+p.String())
}

// noRule is the error of a rule that is not there: AWS does not tell it from one that the
// caller may not see.
func noRule(name string) error {
	return iotapi.UnauthorizedException("Access to topic rule '%s' was denied", name)
}

// FindRule returns a rule, or UnauthorizedException.
func FindRule(ctx context.Context, tx *db.Tx, p config.Place, name string) (Rule, error) {
	r, err := scanRule(p, tx.QueryRow(ctx, `SELECT `+ruleColumns+` FROM iot_rules WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return r, noRule(name)
	}
	if err != nil {
		return r, fmt.Errorf("read topic rule %s: %w", name, err)
	}
	return r, nil
}

const ruleColumns = `name, enabled, created, definition`

func scanRule(p config.Place, scan func(...any) error) (Rule, error) {
	r := Rule{Place: p}
	var created int64
	var definition string
	if err := scan(&r.Name, &r.Enabled, &created, &definition); err != nil {
		return r, err
	}
	r.Created = db.Time(created)
	return r, r.fill(definition)
}

// CreateRule makes a rule.
func (e *Engine) CreateRule(ctx context.Context, tx *db.Tx, r Rule) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := lock(ctx, tx, r.Place); err != nil {
		return err
	}
	var n, same int
	err := tx.QueryRow(ctx, `SELECT count(*), count(CASE WHEN name = ? THEN 1 END) FROM iot_rules WHERE account = ? AND region = ?`, r.Name, r.Account, r.Region).Scan(&n, &same)
	switch {
	case err != nil:
		return err
	case same > 0:
		return iotapi.ResourceAlreadyExistsException("Rule with name '%s' already exists", r.Name)
	case n >= maxRules:
		return invalid("There are %d rules, and no more may be.", maxRules)
	}
	r.Created = e.now()
	return writeRule(ctx, tx, r)
}

// ReplaceRule puts another rule in the place of the one of its name.
func (e *Engine) ReplaceRule(ctx context.Context, tx *db.Tx, r Rule) error {
	if err := r.check(); err != nil {
		return err
	}
	return e.changeRule(ctx, tx, r.Place, r.Name, func(old *Rule) {
		r.Created = old.Created
		*old = r
	})
}

// EnableRule has a rule be asked, or not.
func (e *Engine) EnableRule(ctx context.Context, tx *db.Tx, p config.Place, name string, yes bool) error {
	return e.changeRule(ctx, tx, p, name, func(r *Rule) { r.Enabled = yes })
}

func (e *Engine) changeRule(ctx context.Context, tx *db.Tx, p config.Place, name string, f func(*Rule)) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	r, err := FindRule(ctx, tx, p, name)
	if err != nil {
		return err
	}
	f(&r)
	return writeRule(ctx, tx, r)
}

func writeRule(ctx context.Context, tx *db.Tx, r Rule) error {
	definition, err := json.Marshal(storeRule(r))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO iot_rules (account, region, name, filter, enabled, created, definition) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET filter = excluded.filter, enabled = excluded.enabled, definition = excluded.definition`,
		r.Account, r.Region, r.Name, r.Filter(), r.Enabled, db.Micros(r.Created), string(definition))
	if err != nil {
		return fmt.Errorf("write topic rule %s: %w", r.Name, err)
	}
	return nil
}

// DeleteRule removes a rule. One that is not there is deleted.
func (e *Engine) DeleteRule(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	_, err := tx.Exec(ctx, `DELETE FROM iot_rules WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

// Rules lists rules of a place by name, those after the given one.
func Rules(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []Rule, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r, err := scanRule(p, scan)
		out = append(out, r)
		return err
	}, `SELECT `+ruleColumns+` FROM iot_rules WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
	return out, err
}

// rulesOf returns the names of the enabled rules that a topic is asked of, and the topic
// as they know it. $aws/rules/NAME/TOPIC is for that rule alone.
func rulesOf(ctx context.Context, tx *db.Tx, p config.Place, topic string) (names []string, known string, err error) {
	only, known := basicIngest(topic)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name, filter string
		err := scan(&name, &filter)
		if name == only || only == "" && filter != "" && sql.Matches(filter, known) {
			names = append(names, name)
		}
		return err
	}, `SELECT name, filter FROM iot_rules WHERE account = ? AND region = ? AND enabled ORDER BY name`, p.Account, p.Region)
	return names, known, err
}

// rulesTopic begins the topics of messages for one rule, which no subscriber gets.
const rulesTopic = "$aws/rules/"

// basicIngest takes a rule's name from a topic.
func basicIngest(topic string) (rule, rest string) {
	after, ok := strings.CutPrefix(topic, rulesTopic)
	if !ok {
		return "", topic
	}
	rule, rest, _ = strings.Cut(after, "/")
	return rule, rest
}
