package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	api "plumb/internal/model/cognitoidentityapi"
)

// maxPools is how many pools a place may have.
const maxPools = 1000

// A Pool is an identity pool.
type Pool struct {
	config.Place
	ID      string
	Created time.Time
	Definition
}

// A Definition is what a pool was given, in its stored form.
type Definition struct {
	Name            string            `json:"name"`
	Unauthenticated bool              `json:"unauthenticated,omitempty"` // who does not log in gets an identity
	Classic         bool              `json:"classic,omitempty"`
	Providers       map[string]string `json:"providers,omitempty"` // application ids by login provider
	Developer       string            `json:"developer,omitempty"`
	OpenID          []string          `json:"openID,omitempty"`
	SAML            []string          `json:"saml,omitempty"`
	UserPools       []UserPool        `json:"userPools,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	Roles           map[string]string `json:"roles,omitempty"` // ARNs, by authenticated and unauthenticated
}

// A UserPool is a user pool whose users may have identities.
type UserPool struct {
	Provider string `json:"provider,omitempty"`
	Client   string `json:"client,omitempty"`
	Checked  bool   `json:"checked,omitempty"`
}

// ARN returns the pool's ARN as a service of Cognito names it.
func (p Pool) ARN(service string) string {
	return arn.New(service, p.Region, p.Account, "identitypool/"+p.ID).String()
}

// A Store is the pools and their identities.
type Store struct {
	db  *db.DB
	now func() time.Time
	// Forget is told of identities that are deleted: one of a pool, or all where identity is
	// empty.
	Forget func(ctx context.Context, tx *db.Tx, pool, identity string) error
}

// New returns the pools kept in d.
func New(d *db.DB, now func() time.Time) *Store {
	return &Store{db: d, now: now, Forget: func(context.Context, *db.Tx, string, string) error { return nil }}
}

// Read runs a transaction that reads, and Write one that writes.
func (s *Store) Read(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Read(ctx, f) }

// Write runs a transaction that writes.
func (s *Store) Write(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Write(ctx, f) }

// CreatePool makes a pool, and names it.
func (s *Store) CreatePool(ctx context.Context, tx *db.Tx, p Pool) (Pool, error) {
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM cognito_pool WHERE account = ? AND region = ?", p.Account, p.Region).Scan(&n); err != nil {
		return p, err
	}
	if n >= maxPools {
		return p, api.LimitExceededException("You have reached the limit of %d identity pools.", maxPools)
	}
	p.ID, p.Created = p.Region+":"+uuid.NewString(), s.now()
	return p, put(ctx, tx, p)
}

// PutPool replaces the definition of a pool.
func (s *Store) PutPool(ctx context.Context, tx *db.Tx, p Pool) error { return put(ctx, tx, p) }

func put(ctx context.Context, tx *db.Tx, p Pool) error {
	text, err := json.Marshal(p.Definition)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO cognito_pool (id, account, region, created, definition) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET definition = excluded.definition`, p.ID, p.Account, p.Region, p.Created.UnixMilli(), string(text))
	return err
}

const poolColumns = "SELECT id, account, region, created, definition FROM cognito_pool "

func scanPool(scan func(...any) error) (p Pool, err error) {
	var created int64
	var text string
	if err := scan(&p.ID, &p.Account, &p.Region, &created, &text); err != nil {
		return p, err
	}
	p.Created = time.UnixMilli(created).UTC()
	return p, json.Unmarshal([]byte(text), &p.Definition)
}

// FindPool returns a pool of whatever account, or the error ResourceNotFoundException.
func FindPool(ctx context.Context, tx *db.Tx, id string) (Pool, error) {
	p, err := scanPool(tx.QueryRow(ctx, poolColumns+"WHERE id = ?", id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return p, NoPool(id)
	}
	if err != nil {
		return p, fmt.Errorf("read identity pool %s: %w", id, err)
	}
	return p, nil
}

// NoPool is the error for a pool that does not exist.
func NoPool(id string) error {
	return api.ResourceNotFoundException("IdentityPool '%s' not found.", id)
}

// OwnPool returns a pool of a place, or the error ResourceNotFoundException.
func OwnPool(ctx context.Context, tx *db.Tx, at config.Place, id string) (Pool, error) {
	p, err := FindPool(ctx, tx, id)
	if err == nil && p.Place != at {
		return Pool{}, NoPool(id)
	}
	return p, err
}

// Pools lists the pools of a place by their ids.
func Pools(ctx context.Context, tx *db.Tx, at config.Place, after string, limit int) (list []Pool, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		p, err := scanPool(scan)
		list = append(list, p)
		return err
	}, poolColumns+"WHERE account = ? AND region = ? AND id > ? ORDER BY id LIMIT ?", at.Account, at.Region, after, limit)
	return list, err
}

// DeletePool deletes a pool with its identities.
func (s *Store) DeletePool(ctx context.Context, tx *db.Tx, id string) error {
	if err := s.Forget(ctx, tx, id, ""); err != nil {
		return err
	}
	for _, q := range []string{
		"DELETE FROM cognito_login WHERE pool = ?", "DELETE FROM cognito_identity WHERE pool = ?", "DELETE FROM cognito_pool WHERE id = ?",
	} {
		if _, err := tx.Exec(ctx, q, id); err != nil {
			return fmt.Errorf("delete identity pool %s: %w", id, err)
		}
	}
	return nil
}
