// Package credential keeps the temporary credentials that Plumb gives out: to
// those who assume a role, to those who ask for a session, and to functions.
//
// It keeps accounts apart: who asks for a role must be of the role's account,
// unless the server has no walls (development mode). It stores
// temporary_credentials. Lookup is a wire.Secrets, so that requests with
// these credentials find their owner on every server of a store.
//
//	s := credential.New(d, clk.Now, true)
//	c, err := s.Assume(ctx, "123456789012", credential.Role{ARN: "arn:aws:iam::123456789012:role/app", Session: "session"}, time.Hour)
package credential

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
)

// A Credential is an access key that expires, and whom it makes of its bearer.
type Credential struct {
	AccessKeyID  string
	Secret       string
	SessionToken string
	Expires      time.Time
	Account      string
	PrincipalARN string
	UserID       string
	Root         bool // its bearer is the account itself
	Session      caller.Session
}

// A Store is the credentials that were given out and have not expired long ago.
type Store struct {
	db    *db.DB
	now   func() time.Time
	walls bool // nobody assumes a role of another account
}

// New returns the credentials kept in d. With walls, roles are for their own
// account.
func New(d *db.DB, now func() time.Time, walls bool) *Store { return &Store{d, now, walls} }

// ErrForeignRole says that a role is of another account than the one that asks.
var ErrForeignRole = errors.New("the role belongs to another account")

// ErrNoRole says that a text is not the ARN of a role.
var ErrNoRole = errors.New("not the ARN of a role")

// MayAssume returns ErrNoRole or ErrForeignRole unless somebody of the account may
// have the credentials of a role.
func (s *Store) MayAssume(account, roleARN string) error {
	_, err := s.role(account, roleARN)
	return err
}

func (s *Store) role(account, roleARN string) (arn.ARN, error) {
	a, err := arn.Parse(roleARN)
	path, isRole := strings.CutPrefix(a.Resource, "role/")
	switch {
	case err != nil || a.Service != "iam" || !isRole || path == "" || strings.HasSuffix(path, "/"):
		return a, fmt.Errorf("%q: %w", roleARN, ErrNoRole)
	case s.walls && a.Account != account:
		return a, fmt.Errorf("%q: %w", roleARN, ErrForeignRole)
	}
	return a, nil
}

// remembered is how long an expired key is told from one that never was.
const remembered = 24 * time.Hour

// A Role is whose credentials are asked for.
type Role struct {
	ARN     string
	ID      string // AROA...; empty where nobody keeps the role
	Session string // the session's name
	Given   caller.Session
}

// Assume gives somebody of an account the credentials of a role's session. The
// errors are MayAssume's.
func (s *Store) Assume(ctx context.Context, account string, r Role, d time.Duration) (Credential, error) {
	a, err := s.role(account, r.ARN)
	if err != nil {
		return Credential{}, fmt.Errorf("assume role: %w", err)
	}
	return s.Open(ctx, a, r, d)
}

// Open gives the credentials of a role's session to whom its trust policy lets in.
func (s *Store) Open(ctx context.Context, a arn.ARN, r Role, d time.Duration) (Credential, error) {
	if r.ID == "" {
		r.ID = RoleID(r.ARN)
	}
	r.Given.Issued = s.now()
	name := a.Resource[strings.LastIndexByte(a.Resource, '/')+1:] // sessions are named without the role's path
	return s.Give(ctx, Credential{
		Account:      a.Account,
		PrincipalARN: fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", a.Partition, a.Account, name, r.Session),
		UserID:       r.ID + ":" + r.Session,
		Expires:      r.Given.Issued.Add(d),
		Session:      r.Given,
	})
}

// RoleID returns the id of a role, which is always the same for an ARN.
func RoleID(roleARN string) string {
	sum := sha256.Sum256([]byte(roleARN))
	return "AROA" + letters(sum[:])[:17]
}

func letters(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// Give makes the keys of a credential whose owner and end are filled in, and
// keeps it.
func (s *Store) Give(ctx context.Context, c Credential) (Credential, error) {
	var id, secret, token = make([]byte, 10), make([]byte, 30), make([]byte, 192)
	for _, b := range [][]byte{id, secret, token} {
		_, _ = rand.Read(b) // never fails: package crypto/rand
	}
	c.AccessKeyID = "ASIA" + letters(id)
	c.Secret = base64.StdEncoding.EncodeToString(secret)
	c.SessionToken = base64.StdEncoding.EncodeToString(token)
	session, err := kept(c)
	if err != nil {
		return Credential{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO temporary_credentials (id, secret, token, account, principal, user_id, expires, session) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			c.AccessKeyID, seal(tx, c.AccessKeyID, c.Secret), seal(tx, c.AccessKeyID, c.SessionToken), c.Account, c.PrincipalARN, c.UserID, db.Micros(c.Expires), session)
		return err
	})
	if err != nil {
		return Credential{}, fmt.Errorf("keep credentials of %s: %w", c.PrincipalARN, err)
	}
	return c, nil
}

// seal returns what is kept of a secret of an access key: text, as the columns are.
func seal(tx *db.Tx, id, secret string) string {
	kept := tx.Seal(id, []byte(secret))
	if string(kept) == secret {
		return secret
	}
	return sealedText + base64.StdEncoding.EncodeToString(kept)
}

// sealedText begins the text of a sealed secret.
const sealedText = "sealed "

func unseal(tx *db.Tx, id string, kept *string) error {
	text, sealed := strings.CutPrefix(*kept, sealedText)
	if !sealed {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	secret, _, err := tx.Unseal(id, raw)
	*kept = string(secret)
	return err
}

// Sweep deletes up to limit credentials that expired long ago, and reports whether
// there may be more.
func (s *Store) Sweep(ctx context.Context, tx *db.Tx, limit int) (more bool, err error) {
	n, err := tx.Exec(ctx, `DELETE FROM temporary_credentials WHERE id IN (SELECT id FROM temporary_credentials WHERE expires < ? LIMIT ?)`,
		db.Micros(s.now().Add(-remembered)), limit)
	if err != nil {
		return false, fmt.Errorf("delete expired credentials: %w", err)
	}
	return n == int64(limit), nil
}

// Lookup finds the secret and the owner of an access key.
func (s *Store) Lookup(ctx context.Context, id string) (secret string, who caller.Identity, err error) {
	var expires int64
	var session string
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT secret, token, account, principal, user_id, expires, session FROM temporary_credentials WHERE id = ?`, id).
			Scan(&secret, &who.SessionToken, &who.Account, &who.PrincipalARN, &who.UserID, &expires, &session)
		if err != nil {
			return err
		}
		return errors.Join(unseal(tx, id, &secret), unseal(tx, id, &who.SessionToken), readSession(session, &who))
	})
	switch {
	case errors.Is(err, db.ErrNoRows):
		return "", caller.Identity{}, caller.ErrUnknownKey
	case err != nil:
		return "", caller.Identity{}, fmt.Errorf("look up access key: %w", err)
	case expires <= db.Micros(s.now()):
		return "", caller.Identity{}, caller.ErrExpired
	}
	return secret, who, nil
}

// For gives credentials to somebody who has others already.
func (s *Store) For(ctx context.Context, who caller.Caller, d time.Duration) (Credential, error) {
	c := Credential{Account: who.Account, PrincipalARN: who.PrincipalARN, UserID: who.UserID, Root: who.Root, Expires: s.now().Add(d)}
	if who.Session != nil {
		c.Session = *who.Session
	}
	return s.Give(ctx, c)
}
