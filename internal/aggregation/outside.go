package aggregation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/fixture"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Accounts whose AWS Config is elsewhere, another Plumb or AWS itself, are read
// through its API, and what it answers is kept as their items here: so every read
// of an aggregator shows them like the others. Each is read again and again; what
// did not change since is not asked for. It says itself whose aggregators may show
// it, by its own authorizations.

// OutsideOptions are what is needed to read accounts whose AWS Config is elsewhere.
type OutsideOptions struct {
	DB   *db.DB
	Jobs *job.Queue
	// Regions returns the regions of each of those accounts that the settings name; none
	// is any that aggregators name, and their own.
	Regions map[string][]string
	// Elsewhere reports whether the AWS Config of a place is.
	Elsewhere func(config.Place) bool
	// Call asks the AWS Config of a place.
	Call  func(ctx context.Context, p config.Place, operation string, in map[string]any) (map[string]any, error)
	Every time.Duration
}

// An outside reads accounts elsewhere.
type outside struct {
	log *slog.Logger
	OutsideOptions
	*Aggregation
	packless sync.Map // places whose packs may not be read, which was said
}

// The jobs.
type (
	// planJob has all places read that aggregators show, and plans that once more.
	planJob struct{}
	// readJob reads a place.
	readJob struct {
		Account string `json:"account"`
		Region  string `json:"region"`
	}
)

// Kind names the job.
func (planJob) Kind() string { return "aggregation.plan" }

// Kind names the job.
func (readJob) Kind() string { return "aggregation.read" }

const (
	readTimeout = 10 * time.Minute // what was read until then is kept, and the next reading goes on
	endTimeout  = 5 * time.Second
	itemsAtOnce = 25 // that are kept in one transaction
	keysAtOnce  = 100
	maxThere    = 2_000_000 // resources of a place, whose keys are in memory
)

// ReadOutside has accounts read whose AWS Config is elsewhere.
func (g *Aggregation) ReadOutside(log *slog.Logger, o OutsideOptions) {
	g.outside = &outside{log: log, OutsideOptions: o, Aggregation: g}
	job.HandleTx(o.Jobs, g.outside.plan, job.Policy{})
	job.Handle(o.Jobs, g.outside.read, job.Policy{Timeout: readTimeout, Yields: true})
}

// Ensure has them read from now on, if there are any.
func (g *Aggregation) Ensure(ctx context.Context, tx *db.Tx) error {
	if g.outside == nil || len(g.outside.Regions) == 0 {
		return nil
	}
	fresh, err := store.EnsureOutsidePlan(ctx, tx)
	if err != nil || !fresh {
		return err
	}
	return g.outside.Jobs.Insert(ctx, tx, planJob{}, job.Options{})
}

// readSoon has the accounts elsewhere read that an aggregator is the first to show.
func (g *Aggregation) readSoon(ctx context.Context, tx *db.Tx, a config.Aggregator) error {
	if g.outside == nil || len(g.outside.Regions) == 0 {
		return nil
	}
	return g.eachAccounts(ctx, tx, a, "", func(accounts []string) (bool, error) {
		read, err := store.OutsideSources(ctx, tx, g.outside.among(accounts))
		if err != nil {
			return false, err
		}
		for _, p := range g.outside.places(a, accounts) {
			if _, ok := read[p]; ok {
				continue
			}
			if err := g.outside.insert(ctx, tx, p); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// among returns those of the accounts that are elsewhere.
func (o *outside) among(accounts []string) (out []string) {
	for _, account := range accounts {
		if _, ok := o.Regions[account]; ok {
			out = append(out, account)
		}
	}
	return out
}

// places returns the places of accounts elsewhere that an aggregator shows.
func (o *outside) places(a config.Aggregator, accounts []string) (out []config.Place) {
	for _, account := range accounts {
		for _, region := range o.regionsOf(a, account) {
			out = append(out, config.Place{Account: account, Region: region})
		}
	}
	return out
}

func (o *outside) insert(ctx context.Context, tx *db.Tx, p config.Place) error {
	return o.Jobs.Insert(ctx, tx, readJob{p.Account, p.Region}, job.Options{Queue: job.Collect, MaxAttempts: 1})
}

func (o *outside) plan(ctx context.Context, tx *db.Tx, _ job.Job[planJob]) error {
	if len(o.Regions) == 0 { // the settings name none any more
		return store.ForgetOutsidePlan(ctx, tx)
	}
	places, err := o.shownPlaces(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range places {
		if err := o.insert(ctx, tx, p); err != nil {
			return err
		}
	}
	return o.Jobs.Insert(ctx, tx, planJob{}, job.Options{At: o.now().Add(o.Every)})
}

// shownPlaces returns the places elsewhere that some aggregator is to show.
func (o *outside) shownPlaces(ctx context.Context, tx *db.Tx) (out []config.Place, err error) {
	all, err := store.EveryAggregator(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		err := o.eachAccounts(ctx, tx, a, "", func(accounts []string) (bool, error) {
			out = append(out, o.places(a, accounts)...)
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, config.Place.Compare)
	return slices.Compact(out), nil
}

// regionsOf returns the regions of an account elsewhere that an aggregator shows;
// none for another account.
func (o *outside) regionsOf(a config.Aggregator, account string) (regions []string) {
	if o == nil {
		return nil
	}
	named, isOutside := o.Regions[account]
	switch r := a.SourceRegions(); {
	case !isOutside:
		return nil
	case !r.All:
		regions = r.Names
	case len(named) > 0:
		regions = named
	default:
		regions = []string{a.Region}
	}
	return slices.DeleteFunc(slices.Clone(regions), func(region string) bool {
		return !o.Elsewhere(config.Place{Account: account, Region: region})
	})
}

// read reads a place, and keeps how that ended. The next plan has it read again.
func (o *outside) read(ctx context.Context, j job.Job[readJob]) error {
	p, began := config.Place{Account: j.Args.Account, Region: j.Args.Region}, o.now()
	var mine bool
	err := o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		mine, err = store.BeginOutside(ctx, tx, p, began, began.Add(-readTimeout))
		return err
	})
	if err != nil || !mine {
		return err
	}
	s := store.OutsideSource{Place: p, Succeeded: began}
	err = o.readAll(ctx, p)
	switch {
	case errors.Is(err, errRecorded):
		s = store.OutsideSource{Place: p, Code: "RecordedHere", Message: "The account has a configuration recorder here, and is not read elsewhere."}
	case err != nil && ctx.Err() != nil: // the server stops, or it took too long
		s = store.OutsideSource{Place: p, Code: "Interrupted", Message: "The reading was interrupted, and begins again."}
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		ctx = after
	case err != nil:
		o.log.Warn("an account elsewhere could not be read", "account", p.Account, "region", p.Region, "err", err)
		s = store.OutsideSource{Place: p, Code: awsclient.Code(err), Message: "The AWS Config of the account did not answer, or not as AWS's does."}
		if e, ok := errors.AsType[*awsclient.Error](err); ok {
			s.Message = e.Message
		}
		if s.Code == "" {
			s.Code = "InternalError"
		}
	}
	return o.DB.Write(ctx, func(tx *db.Tx) error { return store.EndOutside(ctx, tx, s) })
}

// errRecorded keeps what is recorded here from being taken for what is elsewhere.
var errRecorded = errors.New("the account has a configuration recorder here")

func (o *outside) readAll(ctx context.Context, p config.Place) error {
	err := o.DB.Read(ctx, func(tx *db.Tx) error {
		all, err := store.Recorders(ctx, tx, p)
		if err == nil && len(all) > 0 {
			err = errRecorded
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := o.readAuthorizations(ctx, p); err != nil {
		return err
	}
	there, err := o.list(ctx, p)
	if err != nil {
		return err
	}
	if err := o.readItems(ctx, p, there); err != nil {
		return err
	}
	if err := o.deleteOthers(ctx, p, there); err != nil {
		return err
	}
	if err := o.readRules(ctx, p); err != nil {
		return err
	}
	return o.readPacks(ctx, p)
}

// pages calls f with all pages of an operation's answer.
func (o *outside) pages(ctx context.Context, p config.Place, operation, token string, in map[string]any, f func(map[string]any) error) error {
	for {
		out, err := o.Call(ctx, p, operation, in)
		if err != nil {
			return err
		}
		if err := f(out); err != nil {
			return err
		}
		next, _ := out[token].(string)
		if next == "" {
			return nil
		}
		if next == in[token] {
			return fmt.Errorf("%s answers the same page again", operation)
		}
		in[token] = next
	}
}

// readAuthorizations keeps whose aggregators a place lets show it.
func (o *outside) readAuthorizations(ctx context.Context, p config.Place) error {
	granted := map[config.Place]bool{}
	err := o.pages(ctx, p, "DescribeAggregationAuthorizations", "NextToken", map[string]any{}, func(out map[string]any) error {
		for _, a := range objects(out["AggregationAuthorizations"]) {
			granted[config.Place{Account: textOf(a["AuthorizedAccountId"]), Region: textOf(a["AuthorizedAwsRegion"])}] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return o.DB.Write(ctx, func(tx *db.Tx) error {
		for after := (config.Place{}); ; {
			kept, err := store.Authorizations(ctx, tx, p, after, keysAtOnce)
			if err != nil {
				return err
			}
			for _, a := range kept {
				if after = a.Authorized; granted[after] {
					delete(granted, after)
				} else if err := o.Withdraw(ctx, tx, p, after); err != nil {
					return err
				}
			}
			if len(kept) < keysAtOnce {
				break
			}
		}
		for by := range granted {
			if _, err := o.Authorize(ctx, tx, p, by, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// list returns the resources that live there, each with the state of its newest item.
func (o *outside) list(ctx context.Context, p config.Place) (map[config.ResourceKey]string, error) {
	there := map[config.ResourceKey]string{}
	in := map[string]any{"Expression": "SELECT resourceType, resourceId, configurationStateId", "Limit": int64(100)}
	return there, o.pages(ctx, p, "SelectResourceConfig", "NextToken", in, func(out map[string]any) error {
		rows, _ := out["Results"].([]any)
		for _, r := range rows {
			var row struct{ ResourceType, ResourceID, ConfigurationStateID string }
			if err := json.Unmarshal([]byte(textOf(r)), &row); err != nil {
				return fmt.Errorf("read a row: %w", err)
			}
			if row.ResourceType != "" && row.ResourceID != "" {
				there[config.ResourceKey{Place: p, Type: row.ResourceType, ID: row.ResourceID}] = row.ConfigurationStateID
			}
		}
		if len(there) > maxThere {
			return fmt.Errorf("the account has more than %d resources", maxThere)
		}
		return nil
	})
}

// readItems keeps the newest items of those resources that are kept otherwise.
func (o *outside) readItems(ctx context.Context, p config.Place, there map[config.ResourceKey]string) error {
	var changed []config.ResourceKey
	keys := make([]config.ResourceKey, 0, len(there))
	for k := range there {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b config.ResourceKey) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	for chunk := range slices.Chunk(keys, keysAtOnce) {
		heads, err := o.heads(ctx, p, chunk)
		if err != nil {
			return err
		}
		for _, k := range chunk {
			if h, ok := heads[k]; !ok || h.Status.Gone() || string(h.Digest) != there[k] {
				changed = append(changed, k)
			}
		}
	}
	for chunk := range slices.Chunk(changed, itemsAtOnce) {
		var items []store.NewItem
		for _, k := range chunk {
			it, err := o.newest(ctx, k)
			if awsclient.Code(err) == "ResourceNotDiscoveredException" {
				delete(there, k) // it went meanwhile
				continue
			}
			if err != nil {
				return err
			}
			items = append(items, store.NewItem{Item: it, Digest: []byte(there[k])})
		}
		if err := o.keep(ctx, p, items); err != nil {
			return err
		}
	}
	return nil
}

func (o *outside) heads(ctx context.Context, p config.Place, keys []config.ResourceKey) (heads map[config.ResourceKey]store.Head, err error) {
	err = o.DB.Read(ctx, func(tx *db.Tx) error {
		heads, err = store.Heads(ctx, tx, p, keys)
		return err
	})
	return heads, err
}

// newest returns the newest item of a resource there.
func (o *outside) newest(ctx context.Context, k config.ResourceKey) (config.Item, error) {
	out, err := o.Call(ctx, k.Place, "GetResourceConfigHistory", map[string]any{"resourceType": k.Type, "resourceId": k.ID, "limit": int64(1)})
	if err != nil {
		return config.Item{}, err
	}
	all := objects(out["configurationItems"])
	if len(all) == 0 {
		return config.Item{}, fmt.Errorf("%s has no items", k)
	}
	it, err := fixture.From(all[0], fixture.Defaults{Place: k.Place})
	if err != nil {
		return it, fmt.Errorf("the item of %s: %w", k, err)
	}
	it.ResourceKey = k
	return it, nil
}

// keep keeps items as the newest of their resources: none is older than what is kept.
func (o *outside) keep(ctx context.Context, p config.Place, items []store.NewItem) error {
	if len(items) == 0 {
		return nil
	}
	return o.DB.Write(ctx, func(tx *db.Tx) error {
		var keys []config.ResourceKey
		for _, it := range items {
			keys = append(keys, it.ResourceKey)
		}
		heads, err := store.Heads(ctx, tx, p, keys)
		if err != nil {
			return err
		}
		for i := range items {
			it := &items[i]
			it.StateID = max(it.CaptureTime.UnixMilli(), heads[it.ResourceKey].StateID+1)
			it.CaptureTime = time.UnixMilli(it.StateID).UTC()
			if it.Body, err = json.Marshal(it.Item); err != nil {
				return err
			}
		}
		return store.AppendItems(ctx, tx, items)
	})
}

// deleteOthers has resources be gone that are not there any more.
func (o *outside) deleteOthers(ctx context.Context, p config.Place, there map[config.ResourceKey]string) error {
	for after := (config.ResourceKey{}); ; {
		var live []config.ResourceKey
		var gone []config.Item
		err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
			if live, err = store.LiveKeys(ctx, tx, p, nil, after, keysAtOnce); err != nil {
				return err
			}
			others := slices.DeleteFunc(slices.Clone(live), func(k config.ResourceKey) bool { _, ok := there[k]; return ok })
			gone, err = store.CurrentItems(ctx, tx, p, others)
			return err
		})
		if err != nil || len(live) == 0 {
			return err
		}
		after = live[len(live)-1]
		var items []store.NewItem
		for _, it := range gone {
			items = append(items, store.NewItem{Digest: []byte("gone"), Item: config.Item{
				ResourceKey: it.ResourceKey, Name: it.Name, ARN: it.ARN, AWSRegion: it.AWSRegion, AZ: it.AZ, CreationTime: it.CreationTime,
				Status: config.StatusDeleted, CaptureTime: o.now(), Tags: map[string]string{}, Supplementary: map[string]any{},
			}})
		}
		if err := o.keep(ctx, p, items); err != nil {
			return err
		}
	}
}

func objects(v any) (out []map[string]any) {
	list, _ := v.([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func textOf(v any) string { s, _ := v.(string); return s }
