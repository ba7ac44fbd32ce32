package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

// A Kind is what an entity is, as ARNs name it.
type Kind string

// The kinds.
const (
	Role    Kind = "role"
	User    Kind = "user"
	Group   Kind = "group"
	Policy  Kind = "policy"
	Profile Kind = "instance-profile"
)

// An Entity is somebody, or something, that has a name in an account.
type Entity struct {
	Account     string
	Kind        Kind
	Name        string
	ID          string // AROA...
	Path        string // "/", or "/team/app/"
	Created     time.Time
	Updated     time.Time // a policy
	Description string    // a role, a policy
	Trust       string    // a role: who may assume it
	MaxSession  int       // a role: in seconds
	Service     string    // a role that only this service may assume, and only AWS may change
	Boundary    string    // a role, a user: the ARN of the policy that bounds it
	Default     int       // a policy: the version in force
	Latest      int       // a policy: the newest version
	Login       *Login    // a user who may use a console
	Tags        map[string]string
}

// A Login is a user's right to use a console. Its password is not kept: there is
// no console here that would ask for it.
type Login struct {
	Created time.Time
	Reset   bool // a new password is due
}

// ARN returns the entity's ARN.
func (e Entity) ARN() string {
	return arn.New("iam", "", e.Account, string(e.Kind)+e.Path+e.Name).String()
}

// fold returns a name as it is looked for.
func fold(name string) string { return strings.ToLower(name) }

func (e Entity) folded() string { return fold(e.Name) }

// A form is how an entity's body is kept.
type form struct {
	Name        string            `json:"name"`
	Created     int64             `json:"created"`
	Updated     int64             `json:"updated,omitempty"`
	Description string            `json:"description,omitempty"`
	Trust       string            `json:"trust,omitempty"`
	MaxSession  int               `json:"maxSession,omitempty"`
	Service     string            `json:"service,omitempty"`
	Default     int               `json:"default,omitempty"`
	Latest      int               `json:"latest,omitempty"`
	Login       *loginForm        `json:"login,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

type loginForm struct {
	Created int64 `json:"created"`
	Reset   bool  `json:"reset,omitempty"`
}

func (e Entity) form() form {
	f := form{
		Name: e.Name, Created: db.Micros(e.Created), Description: e.Description, Trust: e.Trust, MaxSession: e.MaxSession,
		Service: e.Service, Default: e.Default, Latest: e.Latest, Tags: e.Tags,
	}
	if !e.Updated.IsZero() {
		f.Updated = db.Micros(e.Updated)
	}
	if e.Login != nil {
		f.Login = &loginForm{Created: db.Micros(e.Login.Created), Reset: e.Login.Reset}
	}
	return f
}

func (f form) fill(e *Entity) {
	e.Name, e.Created, e.Description, e.Trust, e.MaxSession = f.Name, db.Time(f.Created), f.Description, f.Trust, f.MaxSession
	e.Service, e.Default, e.Latest, e.Tags = f.Service, f.Default, f.Latest, f.Tags
	if f.Updated != 0 {
		e.Updated = db.Time(f.Updated)
	}
	if f.Login != nil {
		e.Login = &Login{Created: db.Time(f.Login.Created), Reset: f.Login.Reset}
	}
	if e.Tags == nil {
		e.Tags = map[string]string{}
	}
}

const columns = `account, kind, id, path, bounded, body`

func scanEntity(scan func(...any) error) (Entity, error) {
	var e Entity
	var body string
	if err := scan(&e.Account, &e.Kind, &e.ID, &e.Path, &e.Boundary, &body); err != nil {
		return e, err
	}
	var f form
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		return e, fmt.Errorf("body of %s: %w", e.ID, err)
	}
	f.fill(&e)
	return e, nil
}

// Find returns the entity of a name, or NoSuchEntity.
func Find(ctx context.Context, tx *db.Tx, account string, kind Kind, name string) (Entity, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM identity WHERE account = ? AND kind = ? AND folded = ?`, account, kind, fold(name))
	e, err := scanEntity(row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return e, missing(kind, name)
	}
	if err != nil {
		return e, fmt.Errorf("read %s %s: %w", kind, name, err)
	}
	return e, nil
}

// ByID returns the entity of an id, in any account, or NoSuchEntity.
func ByID(ctx context.Context, tx *db.Tx, id string) (Entity, error) {
	e, err := scanEntity(tx.QueryRow(ctx, `SELECT `+columns+` FROM identity WHERE id = ?`, id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return e, iamapi.NoSuchEntityException("The entity with id %s cannot be found.", id)
	}
	if err != nil {
		return e, fmt.Errorf("read %s: %w", id, err)
	}
	return e, nil
}

// missing is the answer to a name that nobody has.
func missing(kind Kind, name string) error {
	switch kind {
	case Policy:
		return iamapi.NoSuchEntityException("Policy %s was not found.", name)
	case Profile:
		return iamapi.NoSuchEntityException("Instance Profile %s cannot be found.", name)
	}
	return iamapi.NoSuchEntityException("The %s with name %s cannot be found.", kind, name)
}

// taken is the answer to a name that somebody has.
func taken(kind Kind, name string) error {
	switch kind {
	case Policy:
		return iamapi.EntityAlreadyExistsException("A policy called %s already exists. Duplicate names are not allowed.", name)
	case Profile:
		return iamapi.EntityAlreadyExistsException("Instance Profile %s already exists.", name)
	}
	return iamapi.EntityAlreadyExistsException("%s with name %s already exists.", titles[kind], name)
}

var titles = map[Kind]string{Role: "Role", User: "User", Group: "Group"}

// List returns entities of a kind whose paths begin so, in the order of their
// names, those after the given one.
func List(ctx context.Context, tx *db.Tx, account string, kind Kind, path, after string, limit int) ([]Entity, error) {
	var out []Entity
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		e, err := scanEntity(scan)
		out = append(out, e)
		return err
	}, `SELECT `+columns+` FROM identity WHERE account = ? AND kind = ? AND folded > ? AND substr(path, 1, ?) = ? ORDER BY folded LIMIT ?`,
		account, kind, fold(after), len(path), path, limit)
	if err != nil {
		return nil, fmt.Errorf("list each %s of %s: %w", kind, account, err)
	}
	return out, nil
}

// count returns how many entities of a kind an account has.
func count(ctx context.Context, tx *db.Tx, account string, kind Kind) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM identity WHERE account = ? AND kind = ?`, account, kind).Scan(&n)
	if err != nil {
		err = fmt.Errorf("count each %s of %s: %w", kind, account, err)
	}
	return n, err
}

// prefixes begin the ids of each kind.
var prefixes = map[Kind]string{Role: "AROA", User: "AIDA", Group: "AGPA", Policy: "ANPA", Profile: "AIPA"}

func newID(prefix string, n int) string { return prefix + rand.Text()[:n] }

// Create makes an entity. Its name must be free in its account.
func (s *Store) Create(ctx context.Context, tx *db.Tx, e Entity) (Entity, error) {
	if err := lock(ctx, tx, e.Account); err != nil {
		return e, err
	}
	if _, err := Find(ctx, tx, e.Account, e.Kind, e.Name); !isMissing(err) {
		if err == nil {
			err = taken(e.Kind, e.Name)
		}
		return e, err
	}
	if err := checkQuota(ctx, tx, e); err != nil {
		return e, err
	}
	if err := s.check(ctx, tx, e); err != nil {
		return e, err
	}
	e.ID, e.Created = newID(prefixes[e.Kind], 17), s.now()
	if e.Path == "" {
		e.Path = "/"
	}
	if e.Tags == nil {
		e.Tags = map[string]string{}
	}
	return e, s.write(ctx, tx, e)
}

// check is what must be true of an entity whenever it is written.
func (s *Store) check(ctx context.Context, tx *db.Tx, e Entity) error {
	if e.Trust != "" {
		if err := checkTrust(e); err != nil {
			return err
		}
	}
	if e.Boundary != "" {
		if err := attachable(ctx, tx, e.Account, e.Boundary); err != nil {
			return iamapi.NoSuchEntityException("Scope ARN: %s does not exist or is not attachable.", e.Boundary)
		}
	}
	return checkTags(e.Tags)
}

// write keeps an entity and tells of it.
func (s *Store) write(ctx context.Context, tx *db.Tx, e Entity) error {
	body, err := json.Marshal(e.form())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity (account, kind, folded, id, path, bounded, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, kind, folded) DO UPDATE SET path = excluded.path, bounded = excluded.bounded, body = excluded.body`,
		e.Account, e.Kind, e.folded(), e.ID, e.Path, e.Boundary, string(body))
	if err != nil {
		return fmt.Errorf("write %s %s: %w", e.Kind, e.Name, err)
	}
	return s.changed(ctx, tx, e)
}

// Change reads an entity, lets f change it, and writes it. What only AWS may change
// stays as it is.
func (s *Store) Change(ctx context.Context, tx *db.Tx, account string, kind Kind, name string, f func(*Entity) error) (Entity, error) {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return e, err
	}
	if err := f(&e); err != nil {
		return e, err
	}
	if err := s.check(ctx, tx, e); err != nil {
		return e, err
	}
	return e, s.write(ctx, tx, e)
}

// open finds an entity that is to be changed.
func (s *Store) open(ctx context.Context, tx *db.Tx, account string, kind Kind, name string) (Entity, error) {
	if err := lock(ctx, tx, account); err != nil {
		return Entity{}, err
	}
	e, err := Find(ctx, tx, account, kind, name)
	if err == nil && e.Service != "" {
		err = iamapi.UnmodifiableEntityException("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", e.Name)
	}
	return e, err
}

// Rename gives a user or a group another name, another path, or both.
func (s *Store) Rename(ctx context.Context, tx *db.Tx, account string, kind Kind, name, to, path string) error {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	old := e.folded()
	if path != "" {
		e.Path = path
	}
	if to != "" {
		e.Name = to
	}
	if e.folded() == old {
		return s.write(ctx, tx, e)
	}
	if _, err := Find(ctx, tx, account, kind, to); !isMissing(err) {
		if err == nil {
			err = taken(kind, to)
		}
		return err
	}
	for _, statement := range renames[kind] {
		if _, err := tx.Exec(ctx, statement, e.folded(), account, old); err != nil {
			return fmt.Errorf("rename %s %s: %w", kind, name, err)
		}
	}
	return s.write(ctx, tx, e)
}

// renames move what names an entity.
var renames = map[Kind][]string{
	User: {
		`UPDATE identity SET folded = ? WHERE account = ? AND kind = 'user' AND folded = ?`,
		`UPDATE identity_inline SET owner = ? WHERE account = ? AND kind = 'user' AND owner = ?`,
		`UPDATE identity_attachment SET owner = ? WHERE account = ? AND kind = 'user' AND owner = ?`,
		`UPDATE identity_member SET member = ? WHERE account = ? AND kind = 'group' AND member = ?`,
		`UPDATE identity_key SET owner = ? WHERE account = ? AND owner = ?`,
	},
	Group: {
		`UPDATE identity SET folded = ? WHERE account = ? AND kind = 'group' AND folded = ?`,
		`UPDATE identity_inline SET owner = ? WHERE account = ? AND kind = 'group' AND owner = ?`,
		`UPDATE identity_attachment SET owner = ? WHERE account = ? AND kind = 'group' AND owner = ?`,
		`UPDATE identity_member SET owner = ? WHERE account = ? AND kind = 'group' AND owner = ?`,
	},
}

// Delete removes an entity that nothing hangs on any more.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, account string, kind Kind, name string) error {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	if err := checkFree(ctx, tx, e); err != nil {
		return err
	}
	return s.remove(ctx, tx, e)
}

// remove deletes an entity with all that hangs on it.
func (s *Store) remove(ctx context.Context, tx *db.Tx, e Entity) error {
	for _, statement := range []string{
		`DELETE FROM identity WHERE account = ? AND kind = ? AND folded = ?`,
		`DELETE FROM identity_inline WHERE account = ? AND kind = ? AND owner = ?`,
		`DELETE FROM identity_attachment WHERE account = ? AND kind = ? AND owner = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, e.Account, e.Kind, e.folded()); err != nil {
			return fmt.Errorf("delete %s %s: %w", e.Kind, e.Name, err)
		}
	}
	if e.Kind == Policy {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_version WHERE account = ? AND policy = ?`, e.Account, e.folded()); err != nil {
			return fmt.Errorf("delete the versions of policy %s: %w", e.Name, err)
		}
	}
	return s.changed(ctx, tx, e)
}

// changed raises the account's revision and announces what changed.
func (s *Store) changed(ctx context.Context, tx *db.Tx, e Entity) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_account (account, revision, password) VALUES (?, 1, '')
		ON CONFLICT (account) DO UPDATE SET revision = identity_account.revision + 1`, e.Account)
	if err != nil {
		return fmt.Errorf("raise the revision of %s: %w", e.Account, err)
	}
	if s.o.Announce == nil || types[e.Kind] == "" {
		return nil
	}
	return s.o.Announce(ctx, tx, config.ResourceKey{Place: config.Place{Account: e.Account}, Type: types[e.Kind], ID: e.ID})
}

// types are those of AWS Config.
var types = map[Kind]string{Role: "AWS::IAM::Role", User: "AWS::IAM::User", Group: "AWS::IAM::Group", Policy: "AWS::IAM::Policy"}
