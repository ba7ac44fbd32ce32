package organization

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
)

// How an account came into an organization.
const (
	Invited = "INVITED"
	Created = "CREATED"
)

// An Account is a member of an organization.
type Account struct {
	ID, Name, Email string
	Parent          string // a unit, or the root
	Method          string
	Joined          time.Time
}

const (
	maxAccounts = 10_000
	maxTags     = 50
)

// join puts an account under the root of an organization.
func (s *Organizations) join(ctx context.Context, tx *db.Tx, o Organization, a Account) error {
	a.Joined = s.now()
	_, err := tx.Exec(ctx, `INSERT INTO organization_account (account, organization, parent, name, email, method, joined) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		a.ID, o.ID, o.Root, a.Name, a.Email, a.Method, db.Micros(a.Joined))
	if err != nil {
		return fmt.Errorf("add account %s to organization %s: %w", a.ID, o.ID, err)
	}
	return s.announce(ctx, tx, config.MembershipChanged{Management: o.Management, Account: a.ID})
}

// leave takes an account out of an organization.
func (s *Organizations) leave(ctx context.Context, tx *db.Tx, o Organization, account string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM organization_account WHERE account = ? AND organization = ?`, account, o.ID); err != nil {
		return fmt.Errorf("remove account %s from organization %s: %w", account, o.ID, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM organization_tag WHERE organization = ? AND resource = ?`, o.ID, account); err != nil {
		return fmt.Errorf("remove the tags of account %s: %w", account, err)
	}
	return s.announce(ctx, tx, config.MembershipChanged{Management: o.Management, Account: account, Left: true})
}

// Find returns a member, or AccountNotFoundException.
func Find(ctx context.Context, tx *db.Tx, o Organization, id string) (Account, error) {
	found, err := scanAccounts(ctx, tx, `organization = ? AND account = ?`, o.ID, id)
	if err == nil && len(found) == 0 {
		return Account{}, organizationsapi.AccountNotFoundException("You specified an account that doesn't exist.")
	}
	if err != nil {
		return Account{}, err
	}
	return found[0], nil
}

// Accounts returns members after one, in the order of their ids; only those right
// below a parent if it is given.
func Accounts(ctx context.Context, tx *db.Tx, o Organization, parent, after string, limit int) ([]Account, error) {
	if parent != "" {
		return scanAccounts(ctx, tx, `organization = ? AND parent = ? AND account > ? ORDER BY account LIMIT ?`, o.ID, parent, after, limit)
	}
	return scanAccounts(ctx, tx, `organization = ? AND account > ? ORDER BY account LIMIT ?`, o.ID, after, limit)
}

func scanAccounts(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Account, error) {
	var out []Account
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var a Account
		var joined int64
		err := scan(&a.ID, &a.Name, &a.Email, &a.Parent, &a.Method, &joined)
		a.Joined = db.Time(joined)
		out = append(out, a)
		return err
	}, `SELECT account, name, email, parent, method, joined FROM organization_account WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of an organization: %w", err)
	}
	return out, nil
}

// A Creation is what became of a request to create an account. None fails: what
// could be wrong is answered at once.
type Creation struct {
	ID      string // car-...
	Account string
	Name    string
	At      time.Time
}

// CreateAccount makes a new account, which exists at once.
func (s *Organizations) CreateAccount(ctx context.Context, tx *db.Tx, o Organization, name, email string, tags map[string]string) (Creation, error) {
	c := Creation{ID: "car-" + newID(16), Name: name, At: s.now()}
	if local, domain, found := strings.Cut(email, "@"); !found || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(email, " \t\n,;<>()") {
		return c, invalid("INVALID_PATTERN", "You provided an email address that is not valid: %s", email)
	}
	if err := s.checkRoom(ctx, tx, o); err != nil {
		return c, err
	}
	var err error
	if c.Account, err = freeAccount(ctx, tx); err != nil {
		return c, err
	}
	if err := s.join(ctx, tx, o, Account{ID: c.Account, Name: name, Email: email, Method: Created}); err != nil {
		return c, err
	}
	if err := PutTags(ctx, tx, o, c.Account, tags); err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO organization_creation (organization, id, account, name, at) VALUES (?, ?, ?, ?, ?)`,
		o.ID, c.ID, c.Account, c.Name, db.Micros(c.At))
	return c, err
}

// checkRoom fails for an organization that is full.
func (s *Organizations) checkRoom(ctx context.Context, tx *db.Tx, o Organization) error {
	if err := tx.Lock(ctx, "accounts of "+o.ID); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM organization_account WHERE organization = ?`, o.ID).Scan(&n); err != nil {
		return fmt.Errorf("count the accounts of %s: %w", o.ID, err)
	}
	if n >= maxAccounts {
		return violation("ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS accounts, %d.", maxAccounts)
	}
	return nil
}

// freeAccount returns an account id that nobody uses.
func freeAccount(ctx context.Context, tx *db.Tx) (string, error) {
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(1e12-1e11))
		if err != nil {
			return "", err
		}
		id := fmt.Sprintf("%012d", n.Int64()+1e11)
		var used int
		err = tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM organization_account WHERE account = ?) + (SELECT count(*) FROM place WHERE account = ?)`, id, id).Scan(&used)
		if err != nil {
			return "", fmt.Errorf("look for a free account id: %w", err)
		}
		if used == 0 {
			return id, nil
		}
	}
}

// Creations returns requests to create an account from the one after the given
// one on; the one of an id alone if exactly is set.
func Creations(ctx context.Context, tx *db.Tx, o Organization, after string, limit int, exactly bool) ([]Creation, error) {
	where := `organization = ? AND id > ? ORDER BY id LIMIT ?`
	if exactly {
		where = `organization = ? AND id = ? LIMIT ?`
	}
	var out []Creation
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var c Creation
		var at int64
		err := scan(&c.ID, &c.Account, &c.Name, &at)
		c.At = db.Time(at)
		out = append(out, c)
		return err
	}, `SELECT id, account, name, at FROM organization_creation WHERE `+where, o.ID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the creations of accounts: %w", err)
	}
	return out, nil
}

// Remove takes an account out of its organization, by the management account or by
// its own.
func (s *Organizations) Remove(ctx context.Context, tx *db.Tx, o Organization, account string) error {
	if err := lock(ctx, tx, account); err != nil {
		return err
	}
	if _, err := Find(ctx, tx, o, account); err != nil {
		return err
	}
	if account == o.Management {
		return organizationsapi.MasterCannotLeaveOrganizationException("You can't remove the management account from an organization.")
	}
	delegated, err := Administers(ctx, tx, o, account, "")
	if err != nil {
		return err
	}
	if delegated {
		return violation("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
			"You cannot remove a delegated administrator from the organization. Deregister it first.")
	}
	return s.leave(ctx, tx, o, account)
}

// Move puts an account below another parent.
func (s *Organizations) Move(ctx context.Context, tx *db.Tx, o Organization, account, from, to string) error {
	if err := tx.Lock(ctx, "units of "+o.ID); err != nil {
		return err
	}
	a, err := Find(ctx, tx, o, account)
	if err != nil {
		return err
	}
	if err := parentExists(ctx, tx, o, from); err != nil || a.Parent != from {
		if err == nil || errors.Is(err, errNoParent) {
			err = organizationsapi.SourceParentNotFoundException("We can't find a source root or OU with the ParentId that you specified.")
		}
		return err
	}
	if err := parentExists(ctx, tx, o, to); errors.Is(err, errNoParent) {
		return organizationsapi.DestinationParentNotFoundException("We can't find the destination container (a root or OU) with the ParentId that you specified.")
	} else if err != nil {
		return err
	}
	if from == to {
		return organizationsapi.DuplicateAccountException("That account is already present in the specified destination.")
	}
	_, err = tx.Exec(ctx, `UPDATE organization_account SET parent = ? WHERE account = ?`, to, account)
	return err
}
