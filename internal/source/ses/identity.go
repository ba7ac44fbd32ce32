package ses

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/sesapi"
)

// An Identity is an address or a domain of an account. It is verified at once: nobody
// else than the account could confirm it here.
type Identity struct {
	Name    string
	Token   string
	Created time.Time
}

// cutAddress splits an address at its last @.
func cutAddress(address string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return "", "", false
	}
	return address[:i], address[i+1:], true
}

// Verify makes an address or domain an identity of a place.
func (m *Mail) Verify(ctx context.Context, tx *db.Tx, p config.Place, identity string) (Identity, error) {
	if err := lock(ctx, tx, p); err != nil {
		return Identity{}, err
	}
	id := strings.ToLower(identity)
	_, domain, isAddress := cutAddress(id)
	if !isAddress {
		domain = id
	}
	if len(id) > 320 || strings.HasPrefix(domain, ".") || !hostname.MatchString(domain) || strings.HasPrefix(id, "@") || strings.ContainsAny(id, linebreaks+" <>,;\x00") {
		if isAddress {
			return Identity{}, invalid("Invalid email address<%s>.", identity)
		}
		return Identity{}, invalid("Invalid domain name %s.", identity)
	}
	if found, err := FindIdentity(ctx, tx, p, id); err != nil || found.Name != "" {
		return found, err
	}
	n, err := count(ctx, tx, `SELECT count(*) FROM ses_identities WHERE account = ? AND region = ?`, p.Account, p.Region)
	if err != nil {
		return Identity{}, err
	}
	if n >= maxIdentities {
		return Identity{}, sesapi.LimitExceededException("The maximum number of identities is %d.", maxIdentities)
	}
	out := Identity{Name: id, Token: newToken(), Created: m.now()}
	_, err = tx.Exec(ctx, `INSERT INTO ses_identities (account, region, identity, token, created) VALUES (?, ?, ?, ?, ?)`,
		p.Account, p.Region, id, out.Token, db.Micros(out.Created))
	return out, err
}

// FindIdentity returns an identity of a place; one without a name if it is not there.
func FindIdentity(ctx context.Context, tx *db.Tx, p config.Place, identity string) (out Identity, err error) {
	var created int64
	err = tx.QueryRow(ctx, `SELECT identity, token, created FROM ses_identities WHERE account = ? AND region = ? AND identity = ?`,
		p.Account, p.Region, strings.ToLower(identity)).Scan(&out.Name, &out.Token, &created)
	if errors.Is(err, db.ErrNoRows) {
		return Identity{}, nil
	}
	out.Created = db.Time(created)
	return out, err
}

// DeleteIdentity removes an identity. One that is not there is deleted.
func (m *Mail) DeleteIdentity(ctx context.Context, tx *db.Tx, p config.Place, identity string) error {
	_, err := tx.Exec(ctx, `DELETE FROM ses_identities WHERE account = ? AND region = ? AND identity = ?`, p.Account, p.Region, strings.ToLower(identity))
	return err
}

// Identities lists identities of a place by name, those after the given one: all, only
// addresses, or only domains.
func Identities(ctx context.Context, tx *db.Tx, p config.Place, kind sesapi.IdentityType, after string, limit int) (out []string, err error) {
	like := "%"
	if kind == sesapi.IdentityTypeEmailAddress {
		like = "%@%"
	}
	not := ""
	if kind == sesapi.IdentityTypeDomain {
		not = "%@%"
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		out = append(out, name)
		return err
	}, `SELECT identity FROM ses_identities WHERE account = ? AND region = ? AND identity > ? AND identity LIKE ? AND identity NOT LIKE ? ORDER BY identity LIMIT ?`,
		p.Account, p.Region, after, like, not, limit)
	return out, err
}

// IsVerified reports whether an address is an identity of a place, or its domain or one
// above that.
func IsVerified(ctx context.Context, tx *db.Tx, p config.Place, address string) (bool, error) {
	address = strings.ToLower(address)
	_, domain, _ := cutAddress(address)
	names := []string{address}
	for domain != "" {
		names = append(names, domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	in, args := db.In(names)
	n, err := count(ctx, tx, `SELECT count(*) FROM ses_identities WHERE account = ? AND region = ? AND identity IN `+in, append([]any{p.Account, p.Region}, args...)...)
	return n > 0, err
}

// A Filter blocks or allows mail by the address that it comes from.
type Filter struct {
	Name  string
	Allow bool
	CIDR  string
}

// CreateFilter keeps a filter.
func (m *Mail) CreateFilter(ctx context.Context, tx *db.Tx, p config.Place, f Filter) error {
	if err := checkName("filter", f.Name); err != nil {
		return err
	}
	if _, ok := network(f.CIDR); !ok {
		return invalid("Invalid CIDR: %s", f.CIDR)
	}
	if err := lock(ctx, tx, p); err != nil {
		return err
	}
	all, err := Filters(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.Name == f.Name {
			return sesapi.AlreadyExistsException("Filter already exists: %s", f.Name)
		}
	}
	if len(all) >= maxFilters {
		return sesapi.LimitExceededException("The maximum number of filters is %d.", maxFilters)
	}
	_, err = tx.Exec(ctx, `INSERT INTO ses_filters (account, region, name, allow, cidr) VALUES (?, ?, ?, ?, ?)`, p.Account, p.Region, f.Name, f.Allow, f.CIDR)
	return err
}

// network reads a network, or an address as a network of one.
func network(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	n, err := netip.ParsePrefix(text)
	return n.Masked(), err == nil
}

// Filters lists the filters of a place by name.
func Filters(ctx context.Context, tx *db.Tx, p config.Place) (out []Filter, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var f Filter
		err := scan(&f.Name, &f.Allow, &f.CIDR)
		out = append(out, f)
		return err
	}, `SELECT name, allow, cidr FROM ses_filters WHERE account = ? AND region = ? ORDER BY name`, p.Account, p.Region)
	return out, err
}

// DeleteFilter removes a filter. One that is not there is deleted.
func (m *Mail) DeleteFilter(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	_, err := tx.Exec(ctx, `DELETE FROM ses_filters WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

// blocked reports whether filters block an address. The narrowest network decides; an
// allowed one before a blocked one.
func blocked(all []Filter, from netip.Addr) bool {
	bits, block := -1, false
	for _, f := range all {
		n, ok := network(f.CIDR)
		if !ok || !n.Contains(from.Unmap()) || n.Bits() < bits {
			continue
		}
		block = !f.Allow && (n.Bits() > bits || block)
		bits = n.Bits()
	}
	return block
}
