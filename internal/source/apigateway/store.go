package apigateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// The kinds of APIs.
const (
	HTTP = "HTTP"
	REST = "REST"
)

// ErrNotFound is that something is not there.
var ErrNotFound = errors.New("it is not there")

// maxDefinition bounds what one API may say.
const maxDefinition = 4 << 20

// ErrTooLarge is that an API would say more than is kept.
var ErrTooLarge = errors.New("the definition of the API is too large")

// An API is one with its definition as it is now.
type API struct {
	config.Place
	ID         string
	Kind       string
	Created    time.Time
	Definition []byte
}

// A Deployment is a copy of a definition.
type Deployment struct {
	ID         string
	Created    time.Time
	Automatic  bool   // a change made it
	About      string // its description
	Definition []byte // absent in lists
}

// A Stage shows a deployment.
type Stage struct {
	Name       string
	Deployment string // empty while there is none
	Flushed    int64  // how often the answers of authorizers were forgotten
	Settings   []byte
}

// NewID returns letters and digits that nobody guesses.
func NewID(length int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567" // 32, so that every byte counts the same
	b := make([]byte, length)
	_, _ = rand.Read(b) // never fails: package crypto/rand
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// Lock keeps others from changing an API until the transaction ends.
func Lock(ctx context.Context, tx *db.Tx, id string) error { return tx.Lock(ctx, "gateway "+id) }

// FindAPI returns an API, whosever it is, or ErrNotFound.
func FindAPI(ctx context.Context, tx *db.Tx, id string) (API, error) {
	a := API{ID: id}
	var created int64
	var text string
	err := tx.QueryRow(ctx, `SELECT account, region, kind, created, definition FROM gateway_api WHERE id = ?`, id).
		Scan(&a.Account, &a.Region, &a.Kind, &created, &text)
	if errors.Is(err, db.ErrNoRows) {
		return a, ErrNotFound
	}
	if err != nil {
		return a, fmt.Errorf("read api %s: %w", id, err)
	}
	a.Created, a.Definition = db.Time(created), []byte(text)
	return a, nil
}

// APIs lists those of a kind in a place by id, those after the given one.
func APIs(ctx context.Context, tx *db.Tx, p config.Place, kind, after string, limit int) (out []API, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		a := API{Place: p, Kind: kind}
		var created int64
		var text string
		if err := scan(&a.ID, &created, &text); err != nil {
			return err
		}
		a.Created, a.Definition = db.Time(created), []byte(text)
		out = append(out, a)
		return nil
	}, `SELECT id, created, definition FROM gateway_api WHERE account = ? AND region = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?`,
		p.Account, p.Region, kind, after, limit)
	return out, err
}

// PutAPI makes or changes an API.
func PutAPI(ctx context.Context, tx *db.Tx, a API) error {
	if len(a.Definition) > maxDefinition {
		return ErrTooLarge
	}
	_, err := tx.Exec(ctx, `INSERT INTO gateway_api (id, account, region, kind, created, definition) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET definition = excluded.definition`,
		a.ID, a.Account, a.Region, a.Kind, db.Micros(a.Created), string(a.Definition))
	if err != nil {
		return fmt.Errorf("write api %s: %w", a.ID, err)
	}
	return nil
}

// DeleteAPI removes an API with its deployments and stages.
func DeleteAPI(ctx context.Context, tx *db.Tx, id string) error {
	for _, statement := range []string{
		`DELETE FROM gateway_stage WHERE api = ?`, `DELETE FROM gateway_deployment WHERE api = ?`, `DELETE FROM gateway_api WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("delete api %s: %w", id, err)
		}
	}
	return nil
}
