package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
)

// What a record of somebody else may have.
const (
	maxRecord      = 256 << 10 // CloudTrail's limit of an event
	maxRecordNames = 40
)

var (
	recordID      = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	recordAccount = regexp.MustCompile(`^[0-9]{12}$`)
	recordRegion  = regexp.MustCompile(`^[a-z]{2}[a-z-]*-[0-9]+$`)
	recordWord    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// ErrNoRecord says that a text is no record of CloudTrail.
var ErrNoRecord = errors.New("not a record of CloudTrail")

// ParseRecord reads a record that CloudTrail wrote. Forwarder names what brought it, and
// is kept with it: that the record is true is the forwarder's word.
func ParseRecord(body []byte, forwarder string) (Event, error) {
	if len(body) > maxRecord {
		return Event{}, fmt.Errorf("%w: it has %d bytes", ErrNoRecord, len(body))
	}
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrNoRecord, err)
	}
	at, err := time.Parse(time.RFC3339, r.At)
	service, isService := strings.CutSuffix(r.Source, ".amazonaws.com")
	account := r.Account
	if account == "" {
		account = r.Who.Account
	}
	if err != nil || !isService || !recordWord.MatchString(service) || !recordWord.MatchString(r.Name) || !recordID.MatchString(r.ID) ||
		!recordAccount.MatchString(account) || !recordRegion.MatchString(r.Region) {
		return Event{}, ErrNoRecord
	}
	sent, answered := decoded(r.Sent), decoded(r.Answered)
	e := Event{
		ID: r.ID, Kind: cut(r.Kind, maxName), At: at.UTC(), Place: config.Place{Account: account, Region: r.Region}, Who: r.Who.who(),
		SourceIP: cut(r.IP, maxName), UserAgent: cut(r.Agent, maxName), Service: service, Operation: r.Name, RequestID: cut(r.RequestID, maxName),
		Code: cut(r.Code, maxName), Message: cut(scrub(r.Message), maxText), Sent: Redact(sent).JSON, Answered: Redact(answered).JSON,
		ReadOnly: r.ReadOnly || IsReading(service, r.Name), Data: r.Category == "Data", Forwarder: forwarder,
	}
	add := func(name string) {
		// PostgreSQL's texts have no U+0000, and nothing's name has one.
		if name != "" && !strings.Contains(name, "\x00") && len(name) <= maxText && len(e.Resources) < maxRecordNames && !slices.Contains(e.Resources, name) {
			e.Resources = append(e.Resources, name)
		}
	}
	for _, x := range r.Resources {
		add(x.ARN)
	}
	namesIn("", answered, 0, add)
	namesIn("", sent, 0, add)
	return e, nil
}

// Call is what an event says of what changed.
func (e Event) Call() config.Call {
	return config.Call{Place: e.Place, Event: e.ID, At: e.At, Service: e.Service, Operation: e.Operation, Names: e.Resources}
}

func decoded(body json.RawMessage) (v any) {
	_ = json.Unmarshal(body, &v) // what cannot be read says nothing
	return v
}

// namesIn calls add with what members of a value name.
func namesIn(name string, v any, depth int, add func(string)) {
	if depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case string:
		if naming(name) || strings.HasPrefix(v, "arn:") {
			add(v)
		}
	case []any:
		for _, one := range v {
			namesIn(name, one, depth+1, add)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			namesIn(key, v[key], depth+1, add)
		}
	}
}

func (u userIdentity) who() Who {
	w := Who{
		Type: cut(u.Type, maxName), PrincipalID: cut(u.PrincipalID, maxName), ARN: cut(u.ARN, maxText), Account: cut(u.Account, maxName),
		AccessKeyID: cut(u.AccessKeyID, maxName), UserName: cut(u.UserName, maxName), InvokedBy: cut(u.InvokedBy, maxName),
	}
	if w.Type == "" {
		w.Type = "Unknown"
	}
	if s := u.Session; s != nil {
		w.Issuer, w.SourceIdentity = cut(s.Issuer.ARN, maxText), cut(s.SourceIdentity, maxName)
		if w.UserName == "" {
			w.UserName = cut(s.Issuer.UserName, maxName)
		}
		w.Issued, _ = time.Parse(time.RFC3339, s.Attributes.Created)
	}
	return w
}
