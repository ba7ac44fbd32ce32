package usage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
)

// The lengths that the value of a key may have.
const (
	minValue = 20
	maxValue = 128
)

// CreateKey makes a key. Its value is made up where none is given.
func (s *Plans) CreateKey(ctx context.Context, p config.Place, k apigatewayapi.ApiKey) (apigatewayapi.ApiKey, error) {
	if model.Deref(k.Value) == "" {
		k.Value = new(apigateway.NewID(40))
	}
	if n := len(*k.Value); n < minValue || n > maxValue {
		return k, invalid("API Key value should be at least %d characters and at most %d", minValue, maxValue)
	}
	if err := checkKeyTags(k); err != nil {
		return k, err
	}
	if k.Enabled == nil {
		k.Enabled = new(false)
	}
	now := s.now().UTC().Truncate(time.Second)
	k.Id, k.CreatedDate, k.LastUpdatedDate, k.StageKeys = new(apigateway.NewID(10)), &now, &now, []string{}
	return k, s.write(ctx, p, func(tx *db.Tx) error {
		var n, same int
		err := tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(CASE WHEN digest = ? THEN 1 ELSE 0 END), 0) FROM gateway_key WHERE account = ? AND region = ?`,
			digest(*k.Value), p.Account, p.Region).Scan(&n, &same)
		switch {
		case err != nil:
			return err
		case same > 0:
			return apigatewayapi.ConflictException("API Key already exists")
		case n >= maxKeys:
			return apigatewayapi.LimitExceededException("An account may have up to %d API keys.", maxKeys)
		}
		return writeKey(ctx, tx, p, k)
	})
}

func checkKeyTags(k apigatewayapi.ApiKey) error {
	if len(k.Tags) > maxTags {
		return invalid("An API key may have up to %d tags.", maxTags)
	}
	return nil
}

func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// sealName is what a key's value is sealed for.
func sealName(p config.Place, id string) string { return "api key " + p.String() + " " + id }

func writeKey(ctx context.Context, tx *db.Tx, p config.Place, k apigatewayapi.ApiKey) error {
	value := *k.Value
	k.Value = nil
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO gateway_key (account, region, id, digest, value, name, customer, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, id) DO UPDATE SET value = excluded.value, name = excluded.name, customer = excluded.customer, definition = excluded.definition`,
		p.Account, p.Region, *k.Id, digest(value), tx.Seal(sealName(p, *k.Id), []byte(value)), model.Deref(k.Name), model.Deref(k.CustomerId), string(text))
	if err != nil {
		return fmt.Errorf("write api key %s: %w", *k.Id, err)
	}
	return nil
}

// readKey makes a key of a row's id, value and definition.
func readKey(tx *db.Tx, p config.Place, scan func(...any) error) (k apigatewayapi.ApiKey, err error) {
	var id, text string
	var sealed []byte
	if err := scan(&id, &sealed, &text); err != nil {
		return k, err
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return k, fmt.Errorf("api key %s: %w", id, err)
	}
	value, _, err := tx.Unseal(sealName(p, id), sealed)
	if err != nil {
		return k, fmt.Errorf("api key %s: %w", id, err)
	}
	k.Id, k.Value = &id, new(string(value))
	return k, nil
}

func findKey(ctx context.Context, tx *db.Tx, p config.Place, id string) (apigatewayapi.ApiKey, error) {
	k, err := readKey(tx, p, tx.QueryRow(ctx, `SELECT id, value, definition FROM gateway_key WHERE account = ? AND region = ? AND id = ?`, p.Account, p.Region, id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return k, notFound("Invalid API Key identifier specified")
	}
	return k, err
}

// Key returns a key with its value.
func (s *Plans) Key(ctx context.Context, p config.Place, id string) (k apigatewayapi.ApiKey, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		k, err = findKey(ctx, tx, p, id)
		return err
	})
	return k, err
}

// Keys lists keys with their values by id, those after the given one: whose name begins so,
// and of a customer, if one is named.
func (s *Plans) Keys(ctx context.Context, p config.Place, name, customer, after string, limit int) (out []apigatewayapi.ApiKey, err error) {
	return s.keys(ctx, p, `SELECT id, value, definition FROM gateway_key
		WHERE account = ? AND region = ? AND substr(name, 1, length(?)) = ? AND (? = '' OR customer = ?) AND id > ?
		ORDER BY id LIMIT ?`, p.Account, p.Region, name, name, customer, customer, after, limit)
}

// PlanKeys lists the keys of a plan like Keys.
func (s *Plans) PlanKeys(ctx context.Context, p config.Place, plan, name, after string, limit int) ([]apigatewayapi.ApiKey, error) {
	if _, err := s.Plan(ctx, p, plan); err != nil {
		return nil, err
	}
	return s.keys(ctx, p, `SELECT k.id, k.value, k.definition FROM gateway_plan_key l
		JOIN gateway_key k ON k.account = l.account AND k.region = l.region AND k.id = l.key
		WHERE l.account = ? AND l.region = ? AND l.plan = ? AND substr(k.name, 1, length(?)) = ? AND l.key > ?
		ORDER BY l.key LIMIT ?`, p.Account, p.Region, plan, name, name, after, limit)
}

func (s *Plans) keys(ctx context.Context, p config.Place, query string, args ...any) (out []apigatewayapi.ApiKey, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			k, err := readKey(tx, p, scan)
			out = append(out, k)
			return err
		}, query, args...)
	})
	return out, err
}

// ChangeKey changes what may change of a key: not its value.
func (s *Plans) ChangeKey(ctx context.Context, p config.Place, id string, change func(k *apigatewayapi.ApiKey) error) (k apigatewayapi.ApiKey, err error) {
	err = s.write(ctx, p, func(tx *db.Tx) error {
		if k, err = findKey(ctx, tx, p, id); err != nil {
			return err
		}
		if err := change(&k); err != nil {
			return err
		}
		if err := checkKeyTags(k); err != nil {
			return err
		}
		k.LastUpdatedDate = new(s.now().UTC().Truncate(time.Second))
		return writeKey(ctx, tx, p, k)
	})
	return k, err
}

// DeleteKey removes a key with what was used of it.
func (s *Plans) DeleteKey(ctx context.Context, p config.Place, id string) error {
	return s.write(ctx, p, func(tx *db.Tx) error {
		if _, err := findKey(ctx, tx, p, id); err != nil {
			return err
		}
		return remove(ctx, tx, p, id,
			`DELETE FROM gateway_plan_key WHERE account = ? AND region = ? AND key = ?`,
			`DELETE FROM gateway_usage WHERE account = ? AND region = ? AND key = ?`,
			`DELETE FROM gateway_bucket WHERE account = ? AND region = ? AND key = ?`,
			`DELETE FROM gateway_key WHERE account = ? AND region = ? AND id = ?`)
	})
}

func remove(ctx context.Context, tx *db.Tx, p config.Place, id string, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement, p.Account, p.Region, id); err != nil {
			return fmt.Errorf("delete %s: %w", id, err)
		}
	}
	return nil
}
