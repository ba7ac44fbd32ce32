package cloudfront

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/db"
	api "plumb/internal/model/cloudfrontapi"
)

// Distributions are those of all accounts.
type Distributions struct {
	db  *db.DB
	now func() time.Time
}

// New returns the distributions.
func New(d *db.DB, now func() time.Time) *Distributions { return &Distributions{d, now} }

// Read and Write run a transaction on the store.
func (s *Distributions) Read(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Read(ctx, f)
}

func (s *Distributions) Write(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, f)
}

// A Distribution is one of an account. Its configuration is kept as CloudFront's API
// spells it.
type Distribution struct {
	Account     string
	ID          string
	Domain      string // dXXXX.cloudfront.net
	ETag        string
	Modified    time.Time
	Invalidated int // how many invalidations there were
	Config      *api.DistributionConfig
	Tags        map[string]string
}

// ARN returns the distribution's ARN.
func (d Distribution) ARN() string {
	return arn.New("cloudfront", "", d.Account, "distribution/"+d.ID).String()
}

// Limits of an account.
const (
	maxDistributions = 500
	maxTags          = 50
)

// newID returns an id as CloudFront makes them: E and 13 letters and digits.
func newID() string { return "E" + rand.Text()[:13] }

const columns = `account, id, domain, etag, modified, invalidated, config, tags`

func scan(scan func(...any) error) (d Distribution, err error) {
	var modified int64
	var config, tags string
	if err := scan(&d.Account, &d.ID, &d.Domain, &d.ETag, &modified, &d.Invalidated, &config, &tags); err != nil {
		return d, err
	}
	d.Modified, d.Config, d.Tags = db.Time(modified), &api.DistributionConfig{}, map[string]string{}
	err = json.Unmarshal([]byte(config), d.Config)
	if err == nil {
		err = json.Unmarshal([]byte(tags), &d.Tags)
	}
	return d, err
}

// Find returns a distribution of an account, or the error NoSuchDistribution.
func Find(ctx context.Context, tx *db.Tx, account, id string) (Distribution, error) {
	d, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM cloudfront_distributions WHERE account = ? AND id = ?`, account, id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return d, api.NoSuchDistribution("The specified distribution does not exist.")
	}
	if err != nil {
		return d, fmt.Errorf("read distribution %s: %w", id, err)
	}
	return d, nil
}

// Holds reports whether an account has a distribution here, or any if the id is empty.
func (s *Distributions) Holds(ctx context.Context, account, id string) (held bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM cloudfront_distributions WHERE account = ? AND (id = ? OR ? = ''))`, account, id, id).Scan(&held)
	})
	return held, err
}

// byName returns the distribution that has a domain name, its own or an alias.
func byName(ctx context.Context, tx *db.Tx, name string) (d Distribution, found bool, err error) {
	d, err = scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM cloudfront_distributions
		WHERE id = (SELECT distribution FROM cloudfront_names WHERE name = ?)`, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return d, false, nil
	}
	return d, err == nil, err
}

// List lists distributions of an account by id, those after the given one.
func List(ctx context.Context, tx *db.Tx, account, after string, limit int) (out []Distribution, err error) {
	err = db.Each(ctx, tx, func(row func(...any) error) error {
		d, err := scan(row)
		out = append(out, d)
		return err
	}, `SELECT `+columns+` FROM cloudfront_distributions WHERE account = ? AND id > ? ORDER BY id LIMIT ?`, account, after, limit)
	return out, err
}

// lock has one transaction at a time change what has names.
func lock(ctx context.Context, tx *db.Tx) error { return tx.Lock(ctx, "cloudfront distributions") }

// Create makes a distribution. One that was made with the same reference and
// configuration is answered again.
func (s *Distributions) Create(ctx context.Context, tx *db.Tx, d Distribution) (Distribution, error) {
	complete(d.Config)
	if err := check(ctx, tx, d.Config); err != nil {
		return d, err
	}
	if err := lock(ctx, tx); err != nil {
		return d, err
	}
	var id string
	err := tx.QueryRow(ctx, `SELECT id FROM cloudfront_distributions WHERE account = ? AND reference = ?`, d.Account, *d.Config.CallerReference).Scan(&id)
	if err == nil {
		return again(ctx, tx, d, id)
	}
	if !errors.Is(err, db.ErrNoRows) {
		return d, err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM cloudfront_distributions WHERE account = ?`, d.Account).Scan(&n); err != nil {
		return d, err
	}
	if n >= maxDistributions {
		return d, api.TooManyDistributions("Your request contains more distributions than are allowed per account.")
	}
	if len(d.Tags) > maxTags {
		return d, api.InvalidTagging("The number of tags exceeds the maximum of %d.", maxTags)
	}
	d.ID, d.Domain = newID(), "d"+strings.ToLower(rand.Text()[:13])+".cloudfront.net"
	return s.save(ctx, tx, d)
}

// again answers who sends the request of a distribution that is there.
func again(ctx context.Context, tx *db.Tx, d Distribution, id string) (Distribution, error) {
	there, err := Find(ctx, tx, d.Account, id)
	if err != nil {
		return d, err
	}
	a, err := json.Marshal(d.Config)
	if err != nil {
		return d, err
	}
	b, err := json.Marshal(there.Config)
	if err != nil {
		return d, err
	}
	if !bytes.Equal(a, b) {
		return d, api.DistributionAlreadyExists("The caller reference that you are using to create a distribution is associated with another distribution. Already exists: %s", id)
	}
	return there, nil
}

// save writes a distribution with its names, under a new ETag.
func (s *Distributions) save(ctx context.Context, tx *db.Tx, d Distribution) (Distribution, error) {
	d.ETag, d.Modified = newID(), s.now()
	config, err := json.Marshal(d.Config)
	if err != nil {
		return d, err
	}
	if len(config) > maxConfig {
		return d, api.InvalidArgument("The configuration is too large.")
	}
	if _, err := tx.Exec(ctx, `DELETE FROM cloudfront_names WHERE distribution = ?`, d.ID); err != nil {
		return d, err
	}
	for _, name := range append([]string{d.Domain}, d.Config.Aliases.Items...) {
		n, err := tx.Exec(ctx, `INSERT INTO cloudfront_names (name, distribution) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, strings.ToLower(name), d.ID)
		if err != nil {
			return d, fmt.Errorf("write a name of distribution %s: %w", d.ID, err)
		}
		if n == 0 {
			return d, api.CNAMEAlreadyExists("One or more of the CNAMEs you provided are already associated with a different resource.")
		}
	}
	tags, _ := json.Marshal(d.Tags) // text cannot fail
	_, err = tx.Exec(ctx, `INSERT INTO cloudfront_distributions (account, id, reference, domain, etag, modified, invalidated, config, tags)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET etag = excluded.etag, modified = excluded.modified, config = excluded.config`,
		d.Account, d.ID, *d.Config.CallerReference, d.Domain, d.ETag, db.Micros(d.Modified), d.Invalidated, string(config), string(tags))
	if err != nil {
		return d, fmt.Errorf("write distribution %s: %w", d.ID, err)
	}
	return d, nil
}

// maxConfig is how many bytes a configuration may have.
const maxConfig = 1 << 20

// Update replaces a distribution's configuration.
func (s *Distributions) Update(ctx context.Context, tx *db.Tx, account, id, ifMatch string, c *api.DistributionConfig) (Distribution, error) {
	if err := lock(ctx, tx); err != nil {
		return Distribution{}, err
	}
	d, err := Find(ctx, tx, account, id)
	if err != nil {
		return d, err
	}
	if err := d.matches(ifMatch); err != nil {
		return d, err
	}
	if *c.CallerReference != *d.Config.CallerReference {
		return d, api.IllegalUpdate("The update contains modifications that are not allowed.")
	}
	complete(c)
	if err := check(ctx, tx, c); err != nil {
		return d, err
	}
	d.Config = c
	return s.save(ctx, tx, d)
}

func (d Distribution) matches(ifMatch string) error {
	switch ifMatch {
	case "":
		return api.InvalidIfMatchVersion("The If-Match version is missing or not valid for the resource.")
	case d.ETag:
		return nil
	}
	return api.PreconditionFailed("The request failed because it didn't meet the preconditions in one or more request-header fields.")
}

// Delete removes a distribution that is disabled.
func (s *Distributions) Delete(ctx context.Context, tx *db.Tx, account, id, ifMatch string) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	d, err := Find(ctx, tx, account, id)
	if err != nil {
		return err
	}
	if err := d.matches(ifMatch); err != nil {
		return err
	}
	if *d.Config.Enabled {
		return api.DistributionNotDisabled("The distribution you are trying to delete has not been disabled.")
	}
	for _, stmt := range []string{
		`DELETE FROM cloudfront_names WHERE distribution = ?`, `DELETE FROM cloudfront_invalidations WHERE distribution = ?`,
		`DELETE FROM cloudfront_distributions WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, stmt, id); err != nil {
			return fmt.Errorf("delete distribution %s: %w", id, err)
		}
	}
	return nil
}

// Tag changes a distribution's tags.
func (s *Distributions) Tag(ctx context.Context, tx *db.Tx, d Distribution, change func(tags map[string]string)) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	d, err := Find(ctx, tx, d.Account, d.ID)
	if err != nil {
		return err
	}
	change(d.Tags)
	if len(d.Tags) > maxTags {
		return api.InvalidTagging("The number of tags exceeds the maximum of %d.", maxTags)
	}
	tags, _ := json.Marshal(d.Tags) // text cannot fail
	_, err = tx.Exec(ctx, `UPDATE cloudfront_distributions SET tags = ? WHERE id = ?`, string(tags), d.ID)
	return err
}
