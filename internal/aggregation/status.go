package aggregation

import (
	"context"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// The states of a source. What is read live is never out of date; what is elsewhere
// is, if it could not be read again.
const (
	Succeeded = "SUCCEEDED"
	Outdated  = "OUTDATED"
	Failed    = "FAILED"
)

// A SourceStatus says whether a source can be shown, and why not.
type SourceStatus struct {
	config.Place  // of an organization: its id, and no region
	Organization  bool
	Status        string
	Updated       time.Time // zero if it cannot be shown
	Code, Message string
}

// Statuses returns up to limit rows of account and region after the given one: of
// each region that is named, or that anything is known of. wanted narrows it to
// some states; none means all.
func (g *Aggregation) Statuses(ctx context.Context, tx *db.Tx, a config.Aggregator, wanted []string, after config.Place, limit int) ([]SourceStatus, error) {
	var out []SourceStatus
	if a.Organization != nil {
		s, err := g.organizationStatus(ctx, tx, a)
		if err == nil && s.Compare(after) > 0 && (len(wanted) == 0 || slices.Contains(wanted, s.Status)) {
			out = append(out, s)
		}
		return out, err
	}
	err := g.eachAccounts(ctx, tx, a, after.Account, func(accounts []string) (bool, error) {
		places, err := store.PlacesShownTo(ctx, tx, accounts, a.Place)
		if err != nil {
			return false, err
		}
		of := map[string]store.Places{}
		for _, p := range places {
			of[p.Account] = append(of[p.Account], p)
		}
		read, err := g.outside.readOf(ctx, tx, accounts)
		if err != nil {
			return false, err
		}
		for _, account := range accounts {
			for _, s := range g.statusesOf(a, account, of[account], read) {
				if s.Compare(after) > 0 && (len(wanted) == 0 || slices.Contains(wanted, s.Status)) {
					out = append(out, s)
				}
			}
			if len(out) >= limit {
				return false, nil
			}
		}
		return true, nil
	})
	return out[:min(len(out), limit)], err
}

// statusesOf returns the rows of an account.
func (g *Aggregation) statusesOf(
	a config.Aggregator, account string, known store.Places, read map[config.Place]store.OutsideSource,
) []SourceStatus {
	elsewhere := g.outside.regionsOf(a, account)
	regions := append(slices.Clone(a.SourceRegions().Names), elsewhere...)
	if a.SourceRegions().All {
		for _, p := range known {
			regions = append(regions, p.Region)
		}
		if len(regions) == 0 {
			regions = []string{a.Region}
		}
	}
	slices.Sort(regions)
	var out []SourceStatus
	for _, region := range slices.Compact(regions) {
		p := config.Place{Account: account, Region: region}
		i := slices.IndexFunc(known, func(k store.Placed) bool { return k.Place == p })
		s := g.status(a, p, len(known) > 0, i >= 0 && known[i].Authorized)
		if slices.Contains(elsewhere, region) {
			s = outsideStatus(s, read[p])
		}
		out = append(out, s)
	}
	return out
}

func (g *Aggregation) status(a config.Aggregator, p config.Place, known, authorized bool) SourceStatus {
	switch {
	case p.Account == a.Account || authorized:
		return SourceStatus{Place: p, Status: Succeeded, Updated: g.now()}
	case !known:
		return SourceStatus{Place: p, Status: Failed, Code: "UnknownAccount",
			Message: "Nothing is known of the account on this server. Accounts elsewhere are read where the settings say how."}
	default:
		return SourceStatus{Place: p, Status: Failed, Code: "AccessDenied",
			Message: "The source account has not authorized the aggregator account " + a.Account + " in " + a.Region + " to collect its data."}
	}
}

// outsideStatus is the status of a place elsewhere, which was read as that says.
func outsideStatus(s SourceStatus, read store.OutsideSource) SourceStatus {
	switch {
	case read.Code != "" && read.Succeeded.IsZero():
		return SourceStatus{Place: s.Place, Status: Failed, Code: read.Code, Message: read.Message}
	case read.Succeeded.IsZero():
		return SourceStatus{Place: s.Place, Status: Failed, Code: "NotRead", Message: "The account is elsewhere, and was not read yet."}
	case s.Status != Succeeded:
		return s
	case read.Code != "":
		return SourceStatus{Place: s.Place, Status: Outdated, Updated: read.Succeeded, Code: read.Code, Message: read.Message}
	}
	s.Updated = read.Succeeded
	return s
}

// readOf returns what was read of those of the accounts that are elsewhere.
func (o *outside) readOf(ctx context.Context, tx *db.Tx, accounts []string) (map[config.Place]store.OutsideSource, error) {
	if o == nil {
		return nil, nil
	}
	return store.OutsideSources(ctx, tx, o.among(accounts))
}
