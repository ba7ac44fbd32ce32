package lambda

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// How the callers of a function URL are known.
const (
	AuthNone = "NONE"
	AuthIAM  = "AWS_IAM"
)

// A URL is a function's or an alias's own address.
type URL struct {
	ID       string // 32 letters and digits: the first label of its host
	Ref      Ref    // with an alias as qualifier, or none
	Created  time.Time
	Modified time.Time
	URLSettings
}

// URLSettings are what a user says about a URL.
type URLSettings struct {
	Auth string `json:"auth"`
	Mode string `json:"mode"` // BUFFERED, or RESPONSE_STREAM, which is answered as a whole too
	CORS *CORS  `json:"cors,omitempty"`
}

// A CORS says which web pages may call a URL, and how.
type CORS struct {
	Credentials *bool    `json:"credentials,omitempty"`
	Headers     []string `json:"headers,omitempty"`
	Methods     []string `json:"methods,omitempty"`
	Origins     []string `json:"origins,omitempty"`
	Expose      []string `json:"expose,omitempty"`
	MaxAge      *int     `json:"maxAge,omitempty"` // seconds
}

// newURLID returns 32 random letters and digits.
func newURLID() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567" // 32, so that every byte counts the same
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: package crypto/rand
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// checkURLQualifier wants an alias, or none.
func checkURLQualifier(r Ref) error {
	if r.Qualifier == Latest || isVersion(r.Qualifier) {
		return model.ValidationException("1 validation error detected: Value '%s' at 'qualifier' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)", r.Qualifier)
	}
	return nil
}

// CreateURL gives a function or an alias an address.
func (s *Service) CreateURL(ctx context.Context, r Ref, set URLSettings) (URL, error) {
	if err := checkURLQualifier(r); err != nil {
		return URL{}, err
	}
	u := URL{ID: newURLID(), Ref: r, Created: s.now(), Modified: s.now(), URLSettings: set}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "function url "+r.ARN()); err != nil {
			return err
		}
		if _, err := resolve(ctx, tx, r); err != nil {
			return noFunction(err)
		}
		switch _, err := readURL(ctx, tx, r); {
		case err == nil:
			return lambdaapi.ResourceConflictException(
				"Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", r.ARN())
		case !errors.Is(err, errNoRow):
			return err
		}
		return writeURL(ctx, tx, u)
	})
	return u, err
}

func noFunction(err error) error {
	if model.IsCode(err, "ResourceNotFoundException") {
		return lambdaapi.ResourceNotFoundException("Function does not exist")
	}
	return err
}

func noURL(err error) error {
	if errors.Is(err, errNoRow) {
		return lambdaapi.ResourceNotFoundException("The resource you requested does not exist.")
	}
	return err
}

// UpdateURL changes the settings of a URL.
func (s *Service) UpdateURL(ctx context.Context, r Ref, change func(*URLSettings)) (u URL, err error) {
	if err := checkURLQualifier(r); err != nil {
		return URL{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "function url "+r.ARN()); err != nil {
			return err
		}
		if _, err := resolve(ctx, tx, r); err != nil {
			return noFunction(err)
		}
		if u, err = readURL(ctx, tx, r); err != nil {
			return noURL(err)
		}
		change(&u.URLSettings)
		u.Modified = s.now()
		return writeURL(ctx, tx, u)
	})
	return u, err
}

// URL returns the URL of a function or an alias.
func (s *Service) URL(ctx context.Context, r Ref) (u URL, err error) {
	if err := checkURLQualifier(r); err != nil {
		return URL{}, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		u, err = readURL(ctx, tx, r)
		return noURL(err)
	})
	return u, err
}

// DeleteURL takes a URL away.
func (s *Service) DeleteURL(ctx context.Context, r Ref) error {
	if err := checkURLQualifier(r); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM lambda_url WHERE account = ? AND region = ? AND name = ? AND qualifier = ?", r.Account, r.Region, r.Name, r.Qualifier)
		if err == nil && n == 0 {
			return noURL(errNoRow)
		}
		return err
	})
}

// URLs returns up to limit URLs of a function after a qualifier.
func (s *Service) URLs(ctx context.Context, r Ref, after *string, limit int) (out []URL, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := s.latest(ctx, tx, r); err != nil {
			return noFunction(err)
		}
		query, args := "SELECT "+urlColumns+" FROM lambda_url WHERE account = ? AND region = ? AND name = ?", []any{r.Account, r.Region, r.Name}
		if after != nil {
			query, args = query+" AND qualifier > ?", append(args, *after)
		}
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			u, err := scanURL(scan)
			out = append(out, u)
			return err
		}, query+" ORDER BY qualifier LIMIT ?", append(args, limit)...)
	})
	return out, err
}

// URLByID returns the URL of an id, and the policy of its function; found is false if
// there is none, or its function is gone.
func (s *Service) URLByID(ctx context.Context, id string) (u URL, policy string, found bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		u, err = scanURL(tx.QueryRow(ctx, "SELECT "+urlColumns+" FROM lambda_url WHERE id = ?", id).Scan)
		if err != nil {
			return err
		}
		policy, err = PolicyText(ctx, tx, u.Ref.ARN())
		return err
	})
	if errors.Is(err, db.ErrNoRows) || model.IsCode(err, "ResourceNotFoundException") {
		return u, "", false, nil
	}
	return u, policy, err == nil, err
}

const urlColumns = "id, account, region, name, qualifier, created, modified, settings"

func scanURL(scan func(...any) error) (URL, error) {
	var u URL
	var created, modified int64
	var settings string
	if err := scan(&u.ID, &u.Ref.Account, &u.Ref.Region, &u.Ref.Name, &u.Ref.Qualifier, &created, &modified, &settings); err != nil {
		return u, err
	}
	u.Created, u.Modified = db.Time(created), db.Time(modified)
	if err := json.Unmarshal([]byte(settings), &u.URLSettings); err != nil {
		return u, fmt.Errorf("settings of function url %s: %w", u.ID, err)
	}
	return u, nil
}

func readURL(ctx context.Context, tx *db.Tx, r Ref) (URL, error) {
	u, err := scanURL(tx.QueryRow(ctx, "SELECT "+urlColumns+" FROM lambda_url WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
		r.Account, r.Region, r.Name, r.Qualifier).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return u, errNoRow
	}
	return u, err
}

func writeURL(ctx context.Context, tx *db.Tx, u URL) error {
	settings, err := json.Marshal(u.URLSettings)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO lambda_url ("+urlColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET modified = excluded.modified, settings = excluded.settings`,
		u.ID, u.Ref.Account, u.Ref.Region, u.Ref.Name, u.Ref.Qualifier, db.Micros(u.Created), db.Micros(u.Modified), string(settings))
	if err != nil {
		return fmt.Errorf("write function url %s: %w", u.ID, err)
	}
	return nil
}
