package cognito

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"plumb/internal/db"
	api "plumb/internal/model/cognitoidentityapi"
)

// An Identity is somebody who uses an application, known by a login or by none.
type Identity struct {
	ID      string
	Pool    string
	Created time.Time
	Logins  []string // providers
}

// Identify returns the identity that has the logins. The first call makes it. Without
// logins it is a new one.
func (s *Store) Identify(ctx context.Context, tx *db.Tx, p Pool, logins map[string]string) (Identity, error) {
	if len(logins) == 0 {
		if !p.Unauthenticated {
			return Identity{}, api.NotAuthorizedException("Unauthenticated access is not supported for this identity pool.")
		}
		return s.add(ctx, tx, p, []string{})
	}
	if err := p.Knows(logins); err != nil {
		return Identity{}, err
	}
	for _, provider := range slices.Sorted(maps.Keys(logins)) {
		var id string
		err := tx.QueryRow(ctx, "SELECT identity FROM cognito_login WHERE pool = ? AND provider = ? AND subject = ?", p.ID, provider, subject(logins[provider])).Scan(&id)
		if err == nil {
			return Find(ctx, tx, id)
		}
		if !errors.Is(err, db.ErrNoRows) {
			return Identity{}, err
		}
	}
	i, err := s.add(ctx, tx, p, slices.Sorted(maps.Keys(logins)))
	if err != nil {
		return i, err
	}
	for provider, token := range logins {
		if _, err := tx.Exec(ctx, "INSERT INTO cognito_login (pool, provider, subject, identity) VALUES (?, ?, ?, ?)", p.ID, provider, subject(token), i.ID); err != nil {
			return i, err
		}
	}
	return i, nil
}

// Knows refuses logins at providers that the pool does not take.
func (p Pool) Knows(logins map[string]string) error {
	for provider := range logins {
		_, known := p.Providers[provider]
		known = known || slices.ContainsFunc(p.UserPools, func(u UserPool) bool { return u.Provider == provider }) ||
			slices.ContainsFunc(p.OpenID, func(a string) bool { return strings.HasSuffix(a, "/"+provider) }) || provider == p.Developer && provider != ""
		if !known {
			return api.NotAuthorizedException("Token is not from a supported provider of this identity pool.")
		}
	}
	return nil
}

// Is reports whether logins are those of an identity.
func Is(ctx context.Context, tx *db.Tx, i Identity, logins map[string]string) (bool, error) {
	for provider, token := range logins {
		var id string
		err := tx.QueryRow(ctx, "SELECT identity FROM cognito_login WHERE pool = ? AND provider = ? AND subject = ?", i.Pool, provider, subject(token)).Scan(&id)
		if errors.Is(err, db.ErrNoRows) || err == nil && id != i.ID {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return len(logins) > 0, nil
}

// subject is whom a token is of: what the token says, or the token as it is. Nobody has
// verified it.
func subject(token string) string {
	if parts := strings.Split(token, "."); len(parts) == 3 {
		var claims struct {
			Subject string `json:"sub"`
		}
		text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
		if err == nil && json.Unmarshal(text, &claims) == nil && claims.Subject != "" {
			return claims.Subject
		}
	}
	return token
}

func (s *Store) add(ctx context.Context, tx *db.Tx, p Pool, logins []string) (Identity, error) {
	i := Identity{ID: p.Region + ":" + uuid.NewString(), Pool: p.ID, Created: s.now(), Logins: logins}
	text, err := json.Marshal(logins)
	if err != nil {
		return i, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO cognito_identity (id, pool, created, logins) VALUES (?, ?, ?, ?)", i.ID, i.Pool, i.Created.UnixMilli(), string(text))
	return i, err
}

const identityColumns = "SELECT id, pool, created, logins FROM cognito_identity "

func scanIdentity(scan func(...any) error) (i Identity, err error) {
	var created int64
	var logins string
	if err := scan(&i.ID, &i.Pool, &created, &logins); err != nil {
		return i, err
	}
	i.Created = time.UnixMilli(created).UTC()
	return i, json.Unmarshal([]byte(logins), &i.Logins)
}

// NoIdentity is the error for an identity that does not exist.
func NoIdentity(id string) error {
	return api.ResourceNotFoundException("Identity '%s' not found.", id)
}

// Find returns an identity, or the error ResourceNotFoundException.
func Find(ctx context.Context, tx *db.Tx, id string) (Identity, error) {
	i, err := scanIdentity(tx.QueryRow(ctx, identityColumns+"WHERE id = ?", id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return i, NoIdentity(id)
	}
	if err != nil {
		return i, fmt.Errorf("read identity %s: %w", id, err)
	}
	return i, nil
}

// Identities lists the identities of a pool by their ids.
func Identities(ctx context.Context, tx *db.Tx, pool, after string, limit int) (list []Identity, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		i, err := scanIdentity(scan)
		list = append(list, i)
		return err
	}, identityColumns+"WHERE pool = ? AND id > ? ORDER BY id LIMIT ?", pool, after, limit)
	return list, err
}

// Delete deletes an identity.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, i Identity) error {
	if err := s.Forget(ctx, tx, i.Pool, i.ID); err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM cognito_login WHERE pool = ? AND identity = ?", "DELETE FROM cognito_identity WHERE pool = ? AND id = ?"} {
		if _, err := tx.Exec(ctx, q, i.Pool, i.ID); err != nil {
			return fmt.Errorf("delete identity %s: %w", i.ID, err)
		}
	}
	return nil
}
