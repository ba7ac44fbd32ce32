package ses

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
)

// A Rule says what is done with mail for some recipients. Its JSON is how it is kept.
type Rule struct {
	Name       string   `json:"name"`
	Enabled    bool     `json:"enabled,omitempty"`
	TLS        string   `json:"tls"` // Optional or Require
	Recipients []string `json:"recipients,omitempty"`
	Scan       bool     `json:"scan,omitempty"`
	Actions    []Action `json:"actions,omitempty"`
}

// The types of actions, as events name them.
const (
	ActionS3        = "S3"
	ActionSNS       = "SNS"
	ActionLambda    = "Lambda"
	ActionStop      = "Stop"
	ActionBounce    = "Bounce"
	ActionAddHeader = "AddHeader"
)

// An Action is one step of a rule. Only the members of its type are set.
type Action struct {
	Type  string `json:"type"`
	Topic string `json:"topic,omitempty"` // that is told of it; of the type SNS: that gets the mail

	Bucket string `json:"bucket,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	KMSKey string `json:"kmsKey,omitempty"`
	Role   string `json:"role,omitempty"`

	Encoding string `json:"encoding,omitempty"`

	Function   string `json:"function,omitempty"`
	Invocation string `json:"invocation,omitempty"`

	ReplyCode string `json:"replyCode,omitempty"`
	Status    string `json:"status,omitempty"`
	Message   string `json:"message,omitempty"`
	Sender    string `json:"sender,omitempty"`

	HeaderName  string `json:"headerName,omitempty"`
	HeaderValue string `json:"headerValue,omitempty"`
}

// Rules lists the rules of a set in their order.
func Rules(ctx context.Context, tx *db.Tx, p config.Place, set string) (out []Rule, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		var r Rule
		err := json.Unmarshal([]byte(text), &r)
		out = append(out, r)
		return err
	}, `SELECT definition FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ? ORDER BY position, name`, p.Account, p.Region, set)
	return out, err
}

// FindRule returns a rule of a set, or RuleDoesNotExist.
func FindRule(ctx context.Context, tx *db.Tx, p config.Place, set, name string) (r Rule, err error) {
	if _, err := FindRuleSet(ctx, tx, p, set); err != nil {
		return r, err
	}
	var text string
	err = tx.QueryRow(ctx, `SELECT definition FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ? AND name = ?`, p.Account, p.Region, set, name).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return r, sesapi.RuleDoesNotExistException("Rule does not exist: %s", name)
	}
	if err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(text), &r)
	return r, err
}

// PutRule keeps a rule: a new one after the named one, or first if after is empty, or
// in place of the one of its name.
func (m *Mail) PutRule(ctx context.Context, tx *db.Tx, p config.Place, set string, r Rule, after string, create bool) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	_, err := FindRule(ctx, tx, p, set, r.Name)
	switch {
	case err == nil && create:
		return sesapi.AlreadyExistsException("Rule already exists: %s", r.Name)
	case err != nil && !(create && model.IsCode(err, "RuleDoesNotExist")):
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if !create {
		_, err := tx.Exec(ctx, `UPDATE ses_rules SET definition = ? WHERE account = ? AND region = ? AND rule_set = ? AND name = ?`,
			string(text), p.Account, p.Region, set, r.Name)
		return err
	}
	n, err := count(ctx, tx, `SELECT count(*) FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ?`, p.Account, p.Region, set)
	if err != nil {
		return err
	}
	if n >= maxRules {
		return sesapi.LimitExceededException("The maximum number of rules of a rule set is %d.", maxRules)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO ses_rules (account, region, rule_set, name, position, definition) VALUES (?, ?, ?, ?, ?, ?)`,
		p.Account, p.Region, set, r.Name, -1, string(text)); err != nil {
		return err
	}
	return m.Place(ctx, tx, p, set, r.Name, after)
}

// Place puts a rule after another one, or first if after is empty.
func (m *Mail) Place(ctx context.Context, tx *db.Tx, p config.Place, set, rule, after string) error {
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	if _, err := FindRule(ctx, tx, p, set, rule); err != nil {
		return err
	}
	rules, err := Rules(ctx, tx, p, set)
	if err != nil {
		return err
	}
	var order []string
	for _, r := range rules {
		if r.Name != rule {
			order = append(order, r.Name)
		}
	}
	at := 0
	if after != "" {
		if at = slices.Index(order, after) + 1; at == 0 {
			return sesapi.RuleDoesNotExistException("Rule does not exist: %s", after)
		}
	}
	return number(ctx, tx, p, set, slices.Insert(order, at, rule))
}

// DeleteRule removes a rule. One that is not there is deleted.
func (m *Mail) DeleteRule(ctx context.Context, tx *db.Tx, p config.Place, set, rule string) error {
	if _, err := FindRuleSet(ctx, tx, p, set); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM ses_rules WHERE account = ? AND region = ? AND rule_set = ? AND name = ?`, p.Account, p.Region, set, rule)
	return err
}

var (
	headerName = regexp.MustCompile(`^[a-zA-Z0-9-]{1,50}$`)
	replyCode  = regexp.MustCompile(`^[45][0-9][0-9]$`)
	statusCode = regexp.MustCompile(`^[45]\.[0-9]{1,3}\.[0-9]{1,3}$`)
	hostname   = regexp.MustCompile(`^\.?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$`)
)

const (
	linebreaks = "\r\n"
	maxBounce  = 2048
	maxHeader  = 2048
	maxPrefix  = 900 // of a key, so that an id has room
)

// Check refuses a rule that cannot be, before anything is asked of what it names.
func (r *Rule) Check() error {
	if err := checkName("rule", r.Name); err != nil {
		return err
	}
	if len(r.Actions) > maxActions {
		return sesapi.LimitExceededException("The maximum number of actions of a rule is %d.", maxActions)
	}
	if len(r.Recipients) > maxRecipients {
		return sesapi.LimitExceededException("The maximum number of recipients of a rule is %d.", maxRecipients)
	}
	for i, to := range r.Recipients {
		to = strings.ToLower(to)
		local, domain, ok := cutAddress(to)
		if !ok {
			domain = to
		}
		if !hostname.MatchString(domain) || ok && (local == "" || strings.HasPrefix(domain, ".")) || len(to) > 320 {
			return invalid("Invalid recipient: %s. It is an address, a domain, or a domain's subdomains as in .example.com.", r.Recipients[i])
		}
	}
	if r.TLS == "" {
		r.TLS = string(sesapi.TlsPolicyOptional)
	}
	for i := range r.Actions {
		if err := r.Actions[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Action) check() error {
	switch a.Type {
	case ActionS3:
		if len(a.Prefix) > maxPrefix {
			return invalid("The prefix of objects has %d characters, and may have %d.", len(a.Prefix), maxPrefix)
		}
	case ActionSNS:
		if a.Encoding == "" {
			a.Encoding = string(sesapi.SNSActionEncodingUtf8)
		}
	case ActionLambda:
		if a.Invocation == "" {
			a.Invocation = string(sesapi.InvocationTypeEvent)
		}
	case ActionBounce:
		switch {
		case !replyCode.MatchString(a.ReplyCode):
			return invalid("Invalid SMTP reply code: %s", a.ReplyCode)
		case a.Status != "" && !statusCode.MatchString(a.Status):
			return invalid("Invalid status code: %s", a.Status)
		case a.Message == "" || len(a.Message) > maxBounce || strings.ContainsAny(a.Message, linebreaks):
			return invalid("A bounce message has 1 to %d characters and no line breaks.", maxBounce)
		}
		if _, _, ok := cutAddress(a.Sender); !ok || strings.ContainsAny(a.Sender, linebreaks) {
			return invalid("Invalid sender: %s", a.Sender)
		}
	case ActionAddHeader:
		if !headerName.MatchString(a.HeaderName) {
			return invalid("Invalid header name: %s. It has 1 to 50 letters, digits and dashes.", a.HeaderName)
		}
		if len(a.HeaderValue) >= maxHeader || strings.ContainsAny(a.HeaderValue, linebreaks) {
			return invalid("A header value has fewer than %d characters and no line breaks.", maxHeader)
		}
	}
	return nil
}
