package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// An EventInvoke is an event invoke configuration: how often an event is tried,
// how old it may get, and where its result goes.
type EventInvoke struct {
	Ref       Ref       `json:"-"` // qualified
	Modified  time.Time `json:"-"`
	Retries   *int      `json:"retries,omitempty"`
	MaxAge    *int      `json:"maxAge,omitempty"` // seconds
	OnSuccess string    `json:"onSuccess,omitempty"`
	OnFailure string    `json:"onFailure,omitempty"`
}

// retries returns how often an event is tried again after a failure.
func (c EventInvoke) retries() int {
	if c.Retries != nil {
		return *c.Retries
	}
	return 2
}

// maxAge returns how old an event may get.
func (c EventInvoke) maxAge() time.Duration {
	if c.MaxAge != nil {
		return time.Duration(*c.MaxAge) * time.Second
	}
	return 6 * time.Hour
}

// eventRef is under which qualifier a reference's configuration is kept.
func eventRef(r Ref) Ref {
	if r.Qualifier == "" {
		r.Qualifier = Latest
	}
	return r
}

// PutEventInvoke replaces a configuration. With merge it changes one that exists:
// change then gets it as it is.
func (s *Service) PutEventInvoke(ctx context.Context, r Ref, merge bool, change func(*EventInvoke)) (EventInvoke, error) {
	r = eventRef(r)
	c := EventInvoke{Ref: r}
	err := s.change(ctx, func(tx *db.Tx) error {
		f, err := resolve(ctx, tx, r)
		if err != nil {
			return lambdaapi.ResourceNotFoundException("The function doesn't exist.")
		}
		c = EventInvoke{Ref: r}
		if merge {
			if c, err = readEventInvoke(ctx, tx, r); err != nil {
				return noEventInvoke(r, err)
			}
		}
		change(&c)
		c.Modified = s.now()
		if err := s.checkDestinations(ctx, tx, c, f); err != nil {
			return err
		}
		return writeEventInvoke(ctx, tx, c)
	})
	return c, err
}

// checkDestinations refuses what cannot take a result of a function.
func (s *Service) checkDestinations(ctx context.Context, tx *db.Tx, c EventInvoke, f Function) error {
	own := c.Ref.unqualified().ARN()
	for _, target := range []string{c.OnSuccess, c.OnFailure} {
		if target == "" {
			continue
		}
		a, err := arn.Parse(target)
		if err != nil || !takesResults(a) || a.Service == "s3" && target == c.OnSuccess {
			return c.invalidDestinations()
		}
		if target == own || strings.HasPrefix(target, own+":") {
			return lambdaapi.InvalidParameterValueException("You can't specify the function as a destination for itself.")
		}
		call, err := s.reaches(ctx, tx, f.sender(), a)
		if err == nil && call != "" {
			err = lambdaapi.InvalidParameterValueException("The function's execution role does not have permissions to call %s on %s", call, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c EventInvoke) invalidDestinations() error {
	shown := func(member, target string) string {
		if target == "" {
			return "null"
		}
		return member + "(destination=" + target + ")"
	}
	return lambdaapi.InvalidParameterValueException("The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid.",
		shown("OnSuccess", c.OnSuccess), shown("OnFailure", c.OnFailure))
}

func noEventInvoke(r Ref, err error) error {
	if errors.Is(err, errNoRow) {
		return lambdaapi.ResourceNotFoundException("The function %s doesn't have an EventInvokeConfig", r.ARN())
	}
	return err
}

// GetEventInvoke returns a configuration.
func (s *Service) GetEventInvoke(ctx context.Context, r Ref) (EventInvoke, error) {
	r = eventRef(r)
	var c EventInvoke
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		c, err = readEventInvoke(ctx, tx, r)
		return noEventInvoke(r, err)
	})
	return c, err
}

// DeleteEventInvoke removes a configuration.
func (s *Service) DeleteEventInvoke(ctx context.Context, r Ref) error {
	r = eventRef(r)
	return s.change(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM lambda_event_invoke WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
			r.Account, r.Region, r.Name, r.Qualifier)
		if err == nil && n == 0 {
			return noEventInvoke(r, errNoRow)
		}
		return err
	})
}

// EventInvokes returns up to limit configurations of a function after a marker,
// and the marker of the next page.
func (s *Service) EventInvokes(ctx context.Context, r Ref, marker string, limit int) (cs []EventInvoke, next string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := s.latest(ctx, tx, r); err != nil {
			return lambdaapi.ResourceNotFoundException("The function doesn't exist.")
		}
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			c, err := scanEventInvoke(r, scan)
			cs = append(cs, c)
			return err
		}, "SELECT qualifier, body, modified FROM lambda_event_invoke WHERE account = ? AND region = ? AND name = ? AND qualifier > ? ORDER BY qualifier LIMIT ?",
			r.Account, r.Region, r.Name, marker, limit+1)
	})
	if len(cs) > limit {
		cs = cs[:limit]
		next = cs[limit-1].Ref.Qualifier
	}
	return cs, next, err
}

func scanEventInvoke(r Ref, scan func(...any) error) (EventInvoke, error) {
	c := EventInvoke{Ref: r}
	var (
		body     string
		modified int64
	)
	if err := scan(&c.Ref.Qualifier, &body, &modified); err != nil {
		return c, err
	}
	c.Modified = db.Time(modified)
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		return c, fmt.Errorf("event invoke configuration of %s: %w", r.ARN(), err)
	}
	return c, nil
}

func readEventInvoke(ctx context.Context, tx *db.Tx, r Ref) (EventInvoke, error) {
	row := tx.QueryRow(ctx, "SELECT qualifier, body, modified FROM lambda_event_invoke WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
		r.Account, r.Region, r.Name, r.Qualifier)
	c, err := scanEventInvoke(r, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return EventInvoke{Ref: r}, errNoRow
	}
	return c, err
}

func writeEventInvoke(ctx context.Context, tx *db.Tx, c EventInvoke) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO lambda_event_invoke (account, region, name, qualifier, body, modified) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name, qualifier) DO UPDATE SET body = excluded.body, modified = excluded.modified`,
		c.Ref.Account, c.Ref.Region, c.Ref.Name, c.Ref.Qualifier, string(body), db.Micros(c.Modified))
	return err
}
