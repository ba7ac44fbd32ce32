package organization

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
)

// The states of a handshake.
const (
	Requested = "REQUESTED"
	Accepted  = "ACCEPTED"
	Declined  = "DECLINED"
	Canceled  = "CANCELED"
	Expired   = "EXPIRED"
)

const (
	inviteFor    = 15 * 24 * time.Hour // how long an invitation can be accepted
	rememberedIn = 30 * 24 * time.Hour // how long one is listed
	maxOpen      = 20                  // invitations of an organization at a time
)

// A Handshake is an invitation of an account into an organization.
type Handshake struct {
	ID           string // h-...
	Organization Organization
	Account      string
	State        string
	Notes        string
	Requested    time.Time
	Expires      time.Time

	tags map[string]string
}

// Invite asks an account to join.
func (s *Organizations) Invite(ctx context.Context, tx *db.Tx, o Organization, account, notes string, tags map[string]string) (Handshake, error) {
	now := s.now()
	h := Handshake{ID: "h-" + newID(16), Organization: o, Account: account, State: Requested, Notes: notes, Requested: now, Expires: now.Add(inviteFor), tags: tags}
	if err := s.checkRoom(ctx, tx, o); err != nil {
		return h, err
	}
	if _, err := Find(ctx, tx, o, account); !notFound(err) {
		if err == nil {
			err = handshakeViolation("ALREADY_IN_AN_ORGANIZATION", "The account is already a member of the organization.")
		}
		return h, err
	}
	open, err := s.Handshakes(ctx, tx, Handshakes{Organization: o.ID}, "", 1000)
	if err != nil {
		return h, err
	}
	n := 0
	for _, other := range open {
		if other.State != Requested {
			continue
		}
		if n++; other.Account == account {
			return h, organizationsapi.DuplicateHandshakeException("The account already has an open handshake with the organization.")
		}
	}
	if n >= maxOpen {
		return h, handshakeViolation("HANDSHAKE_RATE_LIMIT_EXCEEDED", "The organization has %d open handshakes, which is the limit.", n)
	}
	kept, err := json.Marshal(tags)
	if err != nil {
		return h, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO organization_handshake (id, organization, account, state, notes, tags, requested, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		h.ID, o.ID, h.Account, h.State, h.Notes, string(kept), db.Micros(h.Requested), db.Micros(h.Expires))
	return h, err
}

func handshakeViolation(reason, format string, args ...any) error {
	return organizationsapi.HandshakeConstraintViolationException(format, args...).With("Reason", reason)
}

// Handshakes selects those of an organization, or those of an account.
type Handshakes struct{ Organization, Account string }

// Handshakes returns handshakes of the last 30 days after one, in the order of
// their ids.
func (s *Organizations) Handshakes(ctx context.Context, tx *db.Tx, q Handshakes, after string, limit int) ([]Handshake, error) {
	since := db.Micros(s.now().Add(-rememberedIn))
	if q.Account != "" {
		return s.scanHandshakes(ctx, tx, `account = ? AND id > ? AND requested > ? ORDER BY id LIMIT ?`, q.Account, after, since, limit)
	}
	return s.scanHandshakes(ctx, tx, `organization = ? AND id > ? AND requested > ? ORDER BY id LIMIT ?`, q.Organization, after, since, limit)
}

func (s *Organizations) scanHandshakes(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Handshake, error) {
	var out []Handshake
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var h Handshake
		var tags string
		var requested, expires int64
		if err := scan(&h.ID, &h.Organization.ID, &h.Account, &h.State, &h.Notes, &tags, &requested, &expires); err != nil {
			return err
		}
		h.Requested, h.Expires = db.Time(requested), db.Time(expires)
		if h.State == Requested && !s.now().Before(h.Expires) {
			h.State = Expired
		}
		out = append(out, h)
		return json.Unmarshal([]byte(tags), &out[len(out)-1].tags)
	}, `SELECT id, organization, account, state, notes, tags, requested, expires FROM organization_handshake WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read handshakes: %w", err)
	}
	for i := range out {
		if out[i].Organization, err = byID(ctx, tx, out[i].Organization.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FindHandshake returns a handshake for one of its two parties.
func (s *Organizations) FindHandshake(ctx context.Context, tx *db.Tx, id, account string) (Handshake, error) {
	found, err := s.scanHandshakes(ctx, tx, `id = ?`, id)
	if err == nil && (len(found) == 0 || found[0].Account != account && found[0].Organization.Management != account) {
		return Handshake{}, organizationsapi.HandshakeNotFoundException("We can't find a handshake with the HandshakeId that you specified.")
	}
	if err != nil {
		return Handshake{}, err
	}
	return found[0], nil
}

// Answer moves a handshake to a state: the invited account accepts or declines it,
// the management account cancels it. An account that accepts joins.
func (s *Organizations) Answer(ctx context.Context, tx *db.Tx, id, by, state string) (Handshake, error) {
	if err := tx.Lock(ctx, "handshake "+id); err != nil {
		return Handshake{}, err
	}
	h, err := s.FindHandshake(ctx, tx, id, by)
	if err != nil {
		return h, err
	}
	party := h.Account
	if state == Canceled {
		party = h.Organization.Management
	}
	switch {
	case by != party:
		return h, denied()
	case h.State == state:
		return h, organizationsapi.HandshakeAlreadyInStateException("The specified handshake is already in the requested state.")
	case h.State != Requested:
		return h, organizationsapi.InvalidHandshakeTransitionException("You can't perform the operation on the handshake in its current state, %s.", h.State)
	}
	if state == Accepted {
		if err := s.accept(ctx, tx, h); err != nil {
			return h, err
		}
	}
	h.State = state
	_, err = tx.Exec(ctx, `UPDATE organization_handshake SET state = ? WHERE id = ?`, state, id)
	return h, err
}

func (s *Organizations) accept(ctx context.Context, tx *db.Tx, h Handshake) error {
	if err := lock(ctx, tx, h.Account); err != nil {
		return err
	}
	if _, err := Of(ctx, tx, h.Account); !errors.Is(err, ErrNone) {
		if err == nil {
			err = handshakeViolation("ALREADY_IN_AN_ORGANIZATION", "The account is already a member of an organization.")
		}
		return err
	}
	if err := s.checkRoom(ctx, tx, h.Organization); err != nil {
		return err
	}
	a := Account{ID: h.Account, Name: "account " + h.Account, Email: "account@" + h.Account + ".example.com", Method: Invited}
	if err := s.join(ctx, tx, h.Organization, a); err != nil {
		return err
	}
	return PutTags(ctx, tx, h.Organization, h.Account, h.tags)
}
