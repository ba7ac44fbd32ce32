package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

const maxKeys = 2

// KeyPrefix begins the ids of access keys of users.
const KeyPrefix = "AKIA"

// A Key is an access key of a user.
type Key struct {
	ID      string
	Account string
	User    string // the name in lower case
	Secret  string
	Active  bool
	Created time.Time
	Used    time.Time // zero if never
	Region  string    // where it was used
	Service string
}

// CreateKey gives a user an access key.
func (s *Store) CreateKey(ctx context.Context, tx *db.Tx, account, user string) (Key, Entity, error) {
	e, err := s.open(ctx, tx, account, User, user)
	if err != nil {
		return Key{}, e, err
	}
	has, err := Keys(ctx, tx, e)
	if err != nil {
		return Key{}, e, err
	}
	if len(has) >= maxKeys {
		return Key{}, e, exceeded("AccessKeysPerUser", maxKeys)
	}
	secret := make([]byte, 30)
	_, _ = rand.Read(secret) // never fails: package crypto/rand
	k := Key{ID: newID(KeyPrefix, 16), Account: account, User: e.folded(), Secret: base64.StdEncoding.EncodeToString(secret), Active: true, Created: s.now()}
	_, err = tx.Exec(ctx, `INSERT INTO identity_key (id, account, owner, secret, active, created, used, region, service) VALUES (?, ?, ?, ?, ?, ?, 0, '', '')`,
		k.ID, account, k.User, seal(tx, k.ID, k.Secret), true, db.Micros(k.Created))
	if err != nil {
		return k, e, fmt.Errorf("write an access key of %s: %w", user, err)
	}
	return k, e, s.changed(ctx, tx, e)
}

// sealedText begins the text of a sealed secret, as those of temporary credentials.
const sealedText = "sealed "

func seal(tx *db.Tx, id, secret string) string {
	kept := tx.Seal(id, []byte(secret))
	if string(kept) == secret {
		return secret
	}
	return sealedText + base64.StdEncoding.EncodeToString(kept)
}

func unseal(tx *db.Tx, id, kept string) (string, error) {
	text, sealed := strings.CutPrefix(kept, sealedText)
	if !sealed {
		return kept, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	secret, _, err := tx.Unseal(id, raw)
	return string(secret), err
}

const keyColumns = `id, account, owner, active, created, used, region, service`

func scanKey(scan func(...any) error, more ...any) (Key, error) {
	var k Key
	var created, used int64
	if err := scan(append([]any{&k.ID, &k.Account, &k.User, &k.Active, &created, &used, &k.Region, &k.Service}, more...)...); err != nil {
		return k, err
	}
	k.Created = db.Time(created)
	if used != 0 {
		k.Used = db.Time(used)
	}
	return k, nil
}

// Keys returns the access keys of a user without their secrets.
func Keys(ctx context.Context, tx *db.Tx, e Entity) ([]Key, error) {
	var out []Key
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k, err := scanKey(scan)
		out = append(out, k)
		return err
	}, `SELECT `+keyColumns+` FROM identity_key WHERE account = ? AND owner = ? ORDER BY id`, e.Account, e.folded())
	if err != nil {
		return nil, fmt.Errorf("read the access keys of %s: %w", e.Name, err)
	}
	return out, nil
}

// FindKey returns an access key with its secret, whosever it is.
func FindKey(ctx context.Context, tx *db.Tx, id string) (Key, error) {
	var secret string
	k, err := scanKey(tx.QueryRow(ctx, `SELECT `+keyColumns+`, secret FROM identity_key WHERE id = ?`, id).Scan, &secret)
	if errors.Is(err, db.ErrNoRows) {
		return k, noKey(id)
	}
	if err == nil {
		k.Secret, err = unseal(tx, id, secret)
	}
	if err != nil {
		return k, fmt.Errorf("read access key %s: %w", id, err)
	}
	return k, nil
}

func noKey(id string) error {
	return iamapi.NoSuchEntityException("The Access Key with id %s cannot be found.", id)
}

// keyOf returns the user's key of an id, and its owner.
func (s *Store) keyOf(ctx context.Context, tx *db.Tx, account, user, id string) (Entity, error) {
	e, err := s.open(ctx, tx, account, User, user)
	if err != nil {
		return e, err
	}
	k, err := FindKey(ctx, tx, id)
	if err == nil && (k.Account != account || k.User != e.folded()) {
		err = noKey(id)
	}
	return e, err
}

// SetActive lets a key be used or not.
func (s *Store) SetActive(ctx context.Context, tx *db.Tx, account, user, id string, active bool) error {
	e, err := s.keyOf(ctx, tx, account, user, id)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE identity_key SET active = ? WHERE id = ?`, active, id); err != nil {
		return fmt.Errorf("change access key %s: %w", id, err)
	}
	return s.changed(ctx, tx, e)
}

// DeleteKey removes a key.
func (s *Store) DeleteKey(ctx context.Context, tx *db.Tx, account, user, id string) error {
	e, err := s.keyOf(ctx, tx, account, user, id)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM identity_key WHERE id = ?`, id); err != nil {
		return fmt.Errorf("delete access key %s: %w", id, err)
	}
	return s.changed(ctx, tx, e)
}

// Used notes where and when a key was used.
func Used(ctx context.Context, tx *db.Tx, id, region, service string, at time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE identity_key SET used = ?, region = ?, service = ? WHERE id = ? AND used < ?`, db.Micros(at), region, service, id, db.Micros(at))
	if err != nil {
		return fmt.Errorf("note the use of access key %s: %w", id, err)
	}
	return nil
}
