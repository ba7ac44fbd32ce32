// Package aggregation shows several accounts and regions as one: which places an
// aggregator shows, by its sources and by what their accounts authorized, and
// what they say together.
//
// It reads the live data of this server's accounts. It keeps no copy, so an answer
// is never old, and there is nothing to delete when an account withdraws its
// authorization. Only of accounts whose AWS Config is elsewhere is there a copy,
// which jobs read (outside.go). A walk takes the places in pieces, so that its memory is bounded
// however many accounts there are; sums come from the kept tallies.
//
// All accounts of an organization are shown to its management account, and to
// the service's delegated administrators, without an authorization of each.
//
// A source of which nothing is known here is reported as failed. What is kept is in
// store.
//
//	err := g.Each(ctx, tx, aggregator, within, from, func(ps store.Places) (more bool, err error) { ... })
package aggregation

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/organization"
	"plumb/internal/store"
)

// Aggregation is what aggregators can do.
type Aggregation struct {
	orgs *organization.Organizations
	most int // aggregators of a place
	now  func() time.Time

	outside *outside // nil where nothing is read
}

// New returns it. A place may have most aggregators.
func New(orgs *organization.Organizations, most int, now func() time.Time) *Aggregation {
	return &Aggregation{orgs: orgs, most: most, now: now}
}

const maxAccounts = 10_000 // of an aggregator

var (
	regionForm = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	roleForm   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\x21-\x7e]{1,512}$`)
)

// Named returns an aggregator without the accounts of its source, or
// NoSuchConfigurationAggregatorException.
func Named(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Aggregator, error) {
	a, err := store.Aggregator(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		err = configapi.NoSuchConfigurationAggregatorException("The configuration aggregator does not exist. Check the configuration aggregator name and try again.")
	}
	return a, err
}

// Put keeps an aggregator, new with tags or changed without, and returns it. Its
// accounts are asked for their authorization by that.
func (g *Aggregation) Put(ctx context.Context, tx *db.Tx, a config.Aggregator, tags map[string]string) (config.Aggregator, error) {
	if err := check(a); err != nil {
		return a, err
	}
	if a.Organization != nil {
		if err := g.mayShowOrganization(ctx, tx, a); err != nil {
			return a, err
		}
	} else {
		a.Accounts.IDs = distinct(a.Accounts.IDs)
	}
	if err := tx.Lock(ctx, "aggregators of "+a.Place.String()); err != nil {
		return a, err
	}
	a.Updated = g.now()
	before, err := store.Aggregator(ctx, tx, a.Place, a.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		a.Created = a.Updated
		err = g.name(ctx, tx, &a, tags)
	case err == nil:
		a.ARN, a.Created = before.ARN, before.Created
	}
	if err != nil {
		return a, err
	}
	if err := store.PutAggregator(ctx, tx, a); err != nil {
		return a, err
	}
	return a, g.readSoon(ctx, tx, a)
}

// name gives a new aggregator its identity and its tags.
func (g *Aggregation) name(ctx context.Context, tx *db.Tx, a *config.Aggregator, tags map[string]string) error {
	n, err := store.CountAggregators(ctx, tx, a.Place)
	if err != nil {
		return err
	}
	if n >= g.most {
		return configapi.LimitExceededException("The account has %d configuration aggregators in the region. The limit is %d.", n, g.most)
	}
	a.ARN = arn.New("config", a.Region, a.Account, "config-aggregator/config-aggregator-"+newID(8)).String()
	return store.PutTags(ctx, tx, a.Place, a.ARN, tags)
}

// newID returns n random lower-case letters and digits.
func newID(n int) string { return strings.ToLower(rand.Text())[:n] }

// distinct returns the values in their order, each once.
func distinct(values []string) []string {
	seen := make(map[string]bool, len(values))
	var out []string
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// check checks what an aggregator means. The texts are AWS's.
func check(a config.Aggregator) error {
	refuse := configapi.InvalidParameterValueException
	switch {
	case a.Accounts != nil && a.Organization != nil:
		return refuse("The configuration aggregator cannot be created because the request contains both the AccountAggregationSource and " +
			"the OrganizationAggregationSource. Include only one aggregation source and try again.")
	case a.Accounts == nil && a.Organization == nil:
		return refuse("The configuration aggregator cannot be created because your request is missing either the AccountAggregationSource or " +
			"the OrganizationAggregationSource. Include the appropriate aggregation source and try again.")
	}
	r := a.SourceRegions()
	switch {
	case r.All && len(r.Names) > 0:
		return refuse("Your configuration aggregator contains a list of regions and also specifies the use of all regions. You must choose one of these options.")
	case !r.All && len(r.Names) == 0:
		return refuse("Your request does not specify any regions. Select AWS Config-supported regions and try again.")
	case a.Accounts != nil && len(a.Accounts.IDs) > maxAccounts:
		return configapi.LimitExceededException("The AccountIds of the AccountAggregationSource name %d accounts. The limit is %d.", len(a.Accounts.IDs), maxAccounts)
	case a.Organization != nil && !roleForm.MatchString(a.Organization.RoleARN):
		return configapi.InvalidRoleException("The RoleArn '%s' of the OrganizationAggregationSource is not the ARN of a role.", a.Organization.RoleARN)
	}
	for _, name := range r.Names {
		if err := checkRegion("AwsRegions", name); err != nil {
			return err
		}
	}
	return nil
}

func checkRegion(member, name string) error {
	if regionForm.MatchString(name) && len(name) <= 64 {
		return nil
	}
	return configapi.InvalidParameterValueException("The value '%s' of %s is not a region.", name, member)
}

// Delete forgets an aggregator. What it showed stays with its accounts, and so do
// their authorizations.
func (g *Aggregation) Delete(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	a, err := Named(ctx, tx, p, name)
	if err != nil {
		return err
	}
	if err := store.DeleteTags(ctx, tx, p, a.ARN, nil); err != nil {
		return err
	}
	return store.DeleteAggregator(ctx, tx, a)
}

// Within narrows a read to an account, a region or both.
type Within struct{ Account, Region string }

func (w Within) includes(p config.Place) bool {
	return (w.Account == "" || w.Account == p.Account) && (w.Region == "" || w.Region == p.Region)
}

// accountPage is how many accounts a step of a walk takes.
const accountPage = 500

// Each calls f with the places that an aggregator shows, in their order, from the
// given one on and some at a time, until f wants no more.
func (g *Aggregation) Each(
	ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, from config.Place, f func(store.Places) (more bool, err error),
) error {
	return g.eachAccounts(ctx, tx, a, max(from.Account, within.Account), func(accounts []string) (bool, error) {
		if within.Account != "" {
			accounts = slices.DeleteFunc(accounts, func(id string) bool { return id != within.Account })
		}
		places, err := store.PlacesShownTo(ctx, tx, accounts, a.Place)
		if err != nil {
			return false, err
		}
		places = slices.DeleteFunc(places, func(p store.Placed) bool {
			return p.Compare(from) < 0 || !within.includes(p.Place) || !shown(a, p)
		})
		for chunk := range slices.Chunk(places, store.MaxPlaces) {
			if more, err := f(chunk); err != nil || !more {
				return false, err
			}
		}
		return within.Account == "", nil
	})
}

// shown reports whether an aggregator shows a place of an account of its source.
func shown(a config.Aggregator, p store.Placed) bool {
	return a.SourceRegions().Include(p.Region) && (p.Account == a.Account || p.Authorized || a.Organization != nil)
}

// eachAccounts calls f with the accounts of an aggregator's source, in their
// order, until it wants no more.
func (g *Aggregation) eachAccounts(ctx context.Context, tx *db.Tx, a config.Aggregator, from string, f func([]string) (more bool, err error)) error {
	for {
		accounts, err := sourceAccounts(ctx, tx, a, from)
		if err != nil || len(accounts) == 0 {
			return err
		}
		last, n := accounts[len(accounts)-1], len(accounts)
		if more, err := f(accounts); err != nil || !more || n < accountPage {
			return err
		}
		from = last + "!" // comes after it and before any other account
	}
}

// Place returns a place if an aggregator shows it.
func (g *Aggregation) Place(ctx context.Context, tx *db.Tx, a config.Aggregator, p config.Place) (found bool, err error) {
	err = g.Each(ctx, tx, a, Within(p), p, func(ps store.Places) (bool, error) {
		found = len(ps) > 0
		return false, nil
	})
	return found, err
}
